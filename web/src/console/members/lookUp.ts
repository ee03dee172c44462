import { type Client, type CombinedError, gql, type TypedDocumentNode } from '@urql/core';
import { PAGE_SIZE } from '../api/pageSize';
import { retryAfter } from '../api/retryAfter';
import type { Kind, Member } from './kinds';
import { type Match, match, same } from './paste';

/** Requests under way at a time. */
const AT_ONCE = 2;

/** Entries that one request looks up: with less than half of what the service allows it by default. */
const MOST = 20;

/** Characters of the longest address, and of the longest text that the service searches for. */
const LONGEST = 254;

/** How often in a row the service may ask to be left alone for a while, before all ends. */
const MOST_WAITS = 4;

/** How long a request may take before the next ones get no more entries. Milliseconds. */
const PATIENCE = 2_000;

/** An entry that is not found yet, and what its searches have come to so far. */
interface Search {
  entry: string;
  there: Member[];
  free: Member[];
  thereAfter: string | null;
  freeAfter: string | null;
}

interface Findings {
  pageInfo: { hasNextPage: boolean; endCursor: string | null | undefined };
  nodes: Member[];
}

type Find = TypedDocumentNode<
  { group: Record<`there${number}` | `free${number}`, Findings> | null },
  Record<string, string | null>
>;

interface Pasted {
  client: Client;
  kind: Kind;
  groupId: string;
  entries: string[];
}

/**
 * Looks each entry up among those in the group and those that can be added.
 *
 * Several share a request: more of them as long as the service answers soon, since a search takes
 * the longer the more there are to search. A request that fails is made again for fewer; where one
 * entry alone fails, or the signal comes, all ends: there may be thousands.
 *
 * @param known what is known so far, by entry: it grows, so that another try goes on from there.
 * @param onProgress called whenever it has grown.
 */
export async function lookUp(
  { client, kind, groupId, entries }: Pasted,
  known: Map<string, Match>,
  onProgress: () => void,
  signal: AbortSignal,
): Promise<void> {
  const hopeless = entries.filter((entry) => !isSearchable(entry));
  for (const entry of hopeless) known.set(entry, { entry, is: 'unknown' });
  if (hopeless.length > 0) onProgress();
  const waiting = entries.filter((entry) => !known.has(entry)).map(begin);
  let size = 1;
  let most = MOST;
  let waits = 0;
  let failure: CombinedError | undefined;

  async function look(searches: Search[]) {
    const started = performance.now();
    const variables = { id: groupId, ...variablesOf(searches) };
    const policy = { requestPolicy: 'network-only' } as const;
    const { data, error } = await client
      .query(findQuery(kind, searches.length), variables, policy)
      .toPromise();
    if (signal.aborted) return;
    if (error || !data) {
      waiting.unshift(...searches);
      const wait = retryAfter(error);
      if (wait > 0 && waits < MOST_WAITS) {
        waits += 1;
        await passing(wait, signal);
        return;
      }
      most = Math.min(most, Math.ceil(searches.length / 2));
      size = 1;
      if (searches.length === 1) failure = error;
      return;
    }
    waits = 0;
    for (const [index, search] of searches.entries()) {
      const found = data.group
        ? take(search, data.group[`there${index}`], data.group[`free${index}`])
        : ({ entry: search.entry, is: 'unknown' } as const);
      if (found) known.set(search.entry, found);
      else waiting.push(search);
    }
    onProgress();
    const isSoon = performance.now() - started < PATIENCE;
    size = isSoon ? Math.min(searches.length * 2, most) : Math.ceil(searches.length / 2);
  }

  const work = async () => {
    while (waiting.length > 0 && !failure && !signal.aborted) await look(waiting.splice(0, size));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failure) throw failure;
}

/** Ends after so many milliseconds, or with the signal. */
const passing = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Whether it may be a name or an address; the service refuses to search for anything else. */
const isSearchable = (entry: string) =>
  [...entry.normalize('NFC')].length <= LONGEST && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(entry);

const begin = (entry: string): Search => ({
  entry,
  there: [],
  free: [],
  thereAfter: null,
  freeAfter: null,
});

/** The query for so many searches; it names each by its place among them. */
export function findQuery({ title, card }: Kind, count: number): Find {
  const places = Array.from({ length: count }, (_, place) => place);
  const declared = places.map(
    (n) => `$text${n}: String, $thereAfter${n}: String, $freeAfter${n}: String`,
  );
  const page = `pageInfo { hasNextPage endCursor } nodes { ...${title.slice(0, -1)}Card }`;
  const fields = places.map(
    (n) => `
      there${n}: ${title.toLowerCase()}(first: ${PAGE_SIZE}, after: $thereAfter${n}, search: $text${n}) { ${page} }
      free${n}: available${title}(first: ${PAGE_SIZE}, after: $freeAfter${n}, search: $text${n}) { ${page} }`,
  );
  return gql`${`query Find${title}($id: ID!, ${declared.join(', ')}) { group(id: $id) { id ${fields.join('')} } }`}${card}`;
}

const variablesOf = (searches: Search[]) =>
  Object.fromEntries(
    searches.flatMap(({ entry, thereAfter, freeAfter }, place) => [
      [`text${place}`, entry],
      [`thereAfter${place}`, thereAfter],
      [`freeAfter${place}`, freeAfter],
    ]),
  );

/** What an entry is; null as long as it may be another's on the pages that follow. */
function take(search: Search, there?: Findings, free?: Findings): Match | null {
  search.there.push(...(there?.nodes ?? []));
  search.free.push(...(free?.nodes ?? []));
  const found = match(search.entry, search.there, search.free);
  const isAll = !there?.pageInfo.hasNextPage && !free?.pageInfo.hasNextPage;
  // Several may have a name, but one person has an address.
  const isAddress = 'member' in found && same(found.member.email ?? '') === same(search.entry);
  if (isAll || isAddress || found.is === 'ambiguous') return found;
  // A page behind the last one is empty, and ends nowhere.
  search.thereAfter = there?.pageInfo.endCursor ?? search.thereAfter;
  search.freeAfter = free?.pageInfo.endCursor ?? search.freeAfter;
  return null;
}
