import { type Client, CombinedError } from '@urql/core';
import { type AccessImpactInput, ImpactDocument, type ImpactQuery } from '../api/operations';
import { count, list } from '../ui/count';

export type Impact = ImpactQuery['accessImpact'];
type Diff = Impact['losses']['nodes'][number];

/** How many people one by one; of more than that only the number is told. */
const MOST = 1_000;

/** What a write would do to people's access, as the service reckons it now: its first page. */
export async function impactOf(
  client: Client,
  of: AccessImpactInput,
  after: string | null = null,
): Promise<Impact> {
  const { data, error } = await client.query(
    ImpactDocument,
    { of, after },
    { requestPolicy: 'network-only' },
  );
  if (!data) throw error ?? new CombinedError({});
  return data.accessImpact;
}

/**
 * The same with everybody who loses something, so that what they lose can be counted. The revision
 * is that of the first page: if it moved meanwhile, a write that expects it is refused.
 */
export async function wholeImpactOf(client: Client, of: AccessImpactInput): Promise<Impact> {
  const impact = await impactOf(client, of);
  const nodes = [...impact.losses.nodes];
  let { hasNextPage, endCursor } = impact.losses.pageInfo;
  while (hasNextPage && nodes.length < MOST) {
    const { losses } = await impactOf(client, of, endCursor);
    nodes.push(...losses.nodes);
    ({ hasNextPage, endCursor } = losses.pageInfo);
  }
  return { ...impact, losses: { ...impact.losses, nodes } };
}

/**
 * Says who loses what and who keeps it, as one line:
 * `12 users lose 3 bots; 4 keep them through Account Executives`.
 *
 * @param groupId the group through which it goes; the others are those that keep it.
 * @param tense `lose` before the write, `lost` after it.
 */
export function sentence(impact: Impact, groupId: string, tense: 'lose' | 'lost'): string {
  const { losses, kept } = impact;
  if (losses.totalCount === 0 && kept.totalCount === 0) {
    return tense === 'lose'
      ? 'Nobody loses access to anything.'
      : 'Nobody lost access to anything.';
  }
  const lost =
    losses.totalCount === 0
      ? `Nobody ${tense === 'lose' ? 'loses' : 'lost'} access`
      : `${who(losses)} ${verb(losses.totalCount, tense)} ${whatOf(losses)}`;
  if (kept.totalCount === 0) return `${lost}.`;
  const things = whatOf(kept);
  const them = things === whatOf(losses) ? 'them' : things;
  const through = list(keepingGroups(impact, groupId));
  return `${lost}; ${keepers(impact, tense)} ${them}${through && ` through ${through}`}.`;
}

function keepers({ losses, kept }: Impact, tense: 'lose' | 'lost'): string {
  const [user] = kept.nodes;
  const isOne = kept.totalCount === 1 && user !== undefined;
  const verb = tense === 'lost' ? 'kept' : isOne ? 'keeps' : 'keep';
  if (!isOne) return `${kept.totalCount.toLocaleString()} ${verb}`;
  const isSame = losses.totalCount === 1 && losses.nodes[0]?.user.id === user.user.id;
  return isSame ? `they ${tense === 'lost' ? 'kept' : 'keep'}` : `${user.user.name} ${verb}`;
}

function verb(people: number, tense: 'lose' | 'lost'): string {
  if (tense === 'lost') return 'lost';
  return people === 1 ? 'loses' : 'lose';
}

const who = ({ totalCount, nodes }: { totalCount: number; nodes: Diff[] }) =>
  totalCount === 1 && nodes[0] ? nodes[0].user.name : count(totalCount, 'user');

/** One thing by its name, several as numbers; a least number where not everybody was told of. */
function whatOf({ totalCount, nodes }: { totalCount: number; nodes: Diff[] }): string {
  const isAll = nodes.length >= totalCount;
  const bots = distinct(nodes.flatMap((diff) => diff.bots));
  const personas = distinct(nodes.flatMap((diff) => diff.personas));
  const phrases = [phrase(bots, 'bot', isAll), phrase(personas, 'persona', isAll)];
  return `${isAll ? '' : 'at least '}${list(phrases.filter((text) => text !== null))}`;
}

function phrase(names: string[], noun: string, isAll: boolean): string | null {
  if (names.length === 0) return null;
  return names.length === 1 && isAll ? (names[0] as string) : count(names.length, noun);
}

const distinct = (things: { id: string; name: string }[]) => [
  ...new Map(things.map(({ id, name }) => [id, name])).values(),
];

/** The groups through which somebody keeps what goes, by how many keep it so. */
function keepingGroups({ kept }: Impact, groupId: string): string[] {
  const tally = new Map<string, number>();
  for (const { user, bots, personas } of kept.nodes) {
    const ids = new Set([...bots, ...personas].map(({ id }) => id));
    const names = new Set(
      [...user.bots.edges, ...user.personas.edges]
        .filter(({ node }) => ids.has(node.id))
        .flatMap(({ via }) => via)
        .filter(({ id }) => id !== groupId)
        .map(({ name }) => name),
    );
    for (const name of names) tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  return [...tally].sort(([, a], [, b]) => b - a).map(([name]) => name);
}
