import { type Client, CombinedError } from '@urql/core';
import { type AccessImpactInput, ImpactDocument, type ImpactQuery } from '../api/operations';
import { PAGE_SIZE } from '../api/pageSize';
import { isTooMuch } from '../api/tooMuch';
import { count, list } from '../ui/count';
import { isolated } from '../ui/isolated';

export type Impact = ImpactQuery['accessImpact'];
type Diff = Impact['losses']['nodes'][number];

interface Diffs {
  totalCount: number;
  botCount: number;
  personaCount: number;
  nodes: Diff[];
}

/** How much of an impact is asked for; less where that is more than the service tells at once. */
const EXTENTS = [
  { losses: 100, kept: 50, things: 100 },
  { losses: 10, kept: 5, things: PAGE_SIZE },
  { losses: 1, kept: 1, things: 1 },
];

/**
 * What a write would do to people's access, as the service reckons it now: exact in its numbers,
 * with the first hundred who lose something and the first fifty who keep it, or fewer where they
 * lose or keep very much.
 */
export async function impactOf(client: Client, of: AccessImpactInput): Promise<Impact> {
  let problem = new CombinedError({});
  for (const extent of EXTENTS) {
    const variables = { of, ...extent };
    const policy = { requestPolicy: 'network-only' } as const;
    const { data, error } = await client.query(ImpactDocument, variables, policy);
    if (data) return data.accessImpact;
    if (error) problem = error;
    if (!isTooMuch(problem)) break;
  }
  throw problem;
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
  const them = isOfTheSame(losses, kept) ? 'them' : whatOf(kept);
  const groups = list(keepingGroups(impact, groupId));
  const through = isToldWhole(kept) ? ' through' : ', some through';
  return `${lost}; ${keepers(impact, tense)} ${them}${groups && `${through} ${groups}`}.`;
}

/** Whether what some lose is what others keep; not if the service has told too little to know. */
function isOfTheSame(losses: Diffs, kept: Diffs): boolean {
  const [lost, left] = [thingsIn(losses), thingsIn(kept)];
  return (
    lost.size === losses.botCount + losses.personaCount &&
    left.size === kept.botCount + kept.personaCount &&
    lost.size === left.size &&
    [...lost].every((id) => left.has(id))
  );
}

/** Whether all are told one by one, with all that they lose or keep. */
const isToldWhole = (diffs: Diffs) =>
  diffs.nodes.length === diffs.totalCount &&
  thingsIn(diffs).size === diffs.botCount + diffs.personaCount;

const thingsIn = ({ nodes }: Diffs) =>
  new Set(nodes.flatMap(({ bots, personas }) => [...bots, ...personas].map(({ id }) => id)));

function keepers({ losses, kept }: Impact, tense: 'lose' | 'lost'): string {
  const [user] = kept.nodes;
  const isOne = kept.totalCount === 1 && user !== undefined;
  const verb = tense === 'lost' ? 'kept' : isOne ? 'keeps' : 'keep';
  if (!isOne) return `${kept.totalCount.toLocaleString()} ${verb}`;
  const isSame = losses.totalCount === 1 && losses.nodes[0]?.user.id === user.user.id;
  return isSame
    ? `they ${tense === 'lost' ? 'kept' : 'keep'}`
    : `${isolated(user.user.name)} ${verb}`;
}

function verb(people: number, tense: 'lose' | 'lost'): string {
  if (tense === 'lost') return 'lost';
  return people === 1 ? 'loses' : 'lose';
}

const who = ({ totalCount, nodes }: Diffs) =>
  totalCount === 1 && nodes[0] ? isolated(nodes[0].user.name) : count(totalCount, 'user');

/** One thing by its name, several as numbers. */
function whatOf({ botCount, personaCount, nodes }: Diffs): string {
  const bot = nodes.find(({ bots }) => bots.length > 0)?.bots[0];
  const persona = nodes.find(({ personas }) => personas.length > 0)?.personas[0];
  const phrases = [phrase(botCount, 'bot', bot), phrase(personaCount, 'persona', persona)];
  return list(phrases.filter((text) => text !== null));
}

function phrase(amount: number, noun: string, first?: { name: string }): string | null {
  if (amount === 0) return null;
  return amount === 1 && first ? first.name : count(amount, noun);
}

/** The groups through which those who are told of keep what goes, by how many keep it so. */
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
