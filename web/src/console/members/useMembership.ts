import { useCallback } from 'react';
import { type Client, useClient } from 'urql';
import { impactOf, sentence } from '../access/impact';
import { explain, NO_ANSWER } from '../api/client';
import { undoRevision } from '../history/undo';
import { isolated } from '../ui/isolated';
import { complain, offerUndo, tell } from '../ui/notices';
import type { Kind, Member, Write, Written } from './kinds';

interface Group {
  id: string;
  name: string;
}

/** How members of one kind come into a group and go out of it; each returns whether they did. */
export function useMembership(kind: Kind, { id, name }: Group) {
  const client = useClient();

  const add = useCallback(
    async (members: Member[]): Promise<boolean> => {
      const ids = members.map((member) => member.id);
      return (await write(client, kind.add, id, ids)) !== null;
    },
    [client, kind, id],
  );

  const remove = useCallback(
    async (member: Member): Promise<boolean> => {
      // Asked before, since afterwards nobody could say; without an answer it still happens.
      const impact = await impactOf(client, kind.removal(id, member.id)).catch(() => null);
      const done = await write(client, kind.remove, id, [member.id]);
      if (!done) return false;
      // Somebody else was first, and the newest revision is of whatever changed last.
      if (done.removedIds.length === 0) {
        tell(`${isolated(member.name)} was no longer in ${isolated(name)}.`);
        return true;
      }
      const effect = impact ? ` ${sentence(impact, id, 'lost')}` : '';
      const what = `Removed ${isolated(member.name)} from ${isolated(name)}.`;
      offerUndo(`${what}${effect}`, () => undoRevision(client, done.revision));
      return true;
    },
    [client, kind, id, name],
  );

  return { add, remove };
}

/** Returns what the service did; null if it refused, and it has been said why. */
async function write<Result extends Written>(
  client: Client,
  mutation: Write<Result>,
  groupId: string,
  ids: string[],
): Promise<Result | null> {
  const { data, error } = await client.mutation(mutation, { groupId, ids });
  const refusal = error ? explain(error) : data?.result.userErrors[0]?.message;
  if (refusal || !data) {
    complain(refusal ?? NO_ANSWER);
    return null;
  }
  return data.result;
}
