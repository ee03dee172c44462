import type { Member } from './kinds';

/** Members that the service adds in one write. */
const MOST_AT_ONCE = 1_000;

/** What one line of a pasted list turned out to be. */
export type Match =
  | { entry: string; is: 'found'; member: Member }
  | { entry: string; is: 'there'; member: Member }
  | { entry: string; is: 'unknown' }
  | { entry: string; is: 'ambiguous' };

/**
 * The entries of a pasted list, each once. `Ada Lovelace <ada@example.com>` gives the address, and
 * so does a row of a table that has one in one of its cells. A comma parts addresses, and what is
 * all on one line; else it may belong to a name.
 */
export function entriesOf(text: string): string[] {
  const lines = text.split(/[\n\r]+/).filter((line) => line.trim());
  const entries = lines
    .flatMap((line) => cellsOf(line, lines.length === 1))
    .map(entryOf)
    .filter(Boolean);
  return [...new Map(entries.map((entry) => [same(entry), entry])).values()];
}

/** What a line holds. */
function cellsOf(line: string, isOnly: boolean): string[] {
  const addresses = apart(line, ',;\\t').filter(isAddress);
  if (!isOnly && addresses.length === 1) return addresses;
  const cells = apart(line, ';\\t');
  return cells.flatMap((cell) => {
    const parts = apart(cell, ',').filter((part) => part.trim());
    return (isOnly && cells.length === 1) || parts.every(isAddress) ? parts : [cell];
  });
}

/** Parts a line at each of these signs that is not within quotation marks. */
const apart = (line: string, signs: string) =>
  line.match(new RegExp(`(?:"[^"]*"|[^${signs}])+`, 'g')) ?? [];

const isAddress = (text: string) => /\S@\S/.test(text);

/** One entry without what mail programs and spreadsheets put around it. */
function entryOf(cell: string): string {
  const bare = cell.replace(/^[\s\u200b,]+|[\s\u200b,]+$/g, '');
  const address = /^[^<>]*<([^<>@]+@[^<>]+)>$/.exec(bare)?.[1];
  const quoted = /^"((?:[^"]|"")*)"$/.exec(bare)?.[1]?.replaceAll('""', '"');
  return (address ?? quoted ?? /^'(.*)'$/.exec(bare)?.[1] ?? bare).trim();
}

/** Adds them in as few writes as can be; returns whether all were made. */
export async function addAll(
  members: Member[],
  add: (members: Member[]) => Promise<boolean>,
): Promise<boolean> {
  for (let start = 0; start < members.length; start += MOST_AT_ONCE) {
    if (!(await add(members.slice(start, start + MOST_AT_ONCE)))) return false;
  }
  return true;
}

/** An email or a name must be the same as a whole; a name that several have says nothing. */
export function match(entry: string, there: Member[], free: Member[]): Match {
  const isIt = ({ name, email }: Member) =>
    same(name) === same(entry) || (email !== undefined && same(email) === same(entry));
  const [member, ...more] = [...there, ...free].filter(isIt);
  if (!member) return { entry, is: 'unknown' };
  if (more.length > 0) return { entry, is: 'ambiguous' };
  return { entry, is: there.includes(member) ? 'there' : 'found', member };
}

/**
 * Not by the browser's own language: in Turkish, `INFO@` and `info@` are not the same. Some letters
 * are composed in lower case only, such as `ǰ`.
 */
export const same = (text: string) => text.normalize('NFC').toLowerCase().normalize('NFC');
