import { useClient } from 'urql';
import { impactOf, sentence } from '../access/impact';
import { explain } from '../api/client';
import { undoRevision } from '../history/undo';
import { isolated } from '../ui/isolated';
import { complain, offerUndo } from '../ui/notices';
import type { Kind, Member } from './kinds';

interface Group {
  id: string;
  name: string;
}

/** How members of one kind come into a group and go out of it. */
export function useMembership(kind: Kind, group: Group) {
  const client = useClient();

  /** Returns the revision that the service left; null if it refused, and it has been said why. */
  async function write(direction: 'add' | 'remove', ids: string[]): Promise<number | null> {
    const { data, error } = await client.mutation(kind[direction], { groupId: group.id, ids });
    const refusal = error ? explain(error) : data?.result.userErrors[0]?.message;
    if (refusal || !data) {
      complain(refusal ?? 'The service gave no answer.');
      return null;
    }
    return data.result.revision;
  }

  async function add(members: Member[]): Promise<boolean> {
    const ids = members.map(({ id }) => id);
    return (await write('add', ids)) !== null;
  }

  async function remove(member: Member): Promise<void> {
    // Asked before, since afterwards nobody could say; without an answer the removal still happens.
    const impact = await impactOf(client, kind.removal(group.id, member.id)).catch(() => null);
    const revision = await write('remove', [member.id]);
    if (revision === null) return;
    const effect = impact ? ` ${sentence(impact, group.id, 'lost')}` : '';
    const what = `Removed ${isolated(member.name)} from ${isolated(group.name)}.`;
    offerUndo(`${what}${effect}`, () => undoRevision(client, revision));
  }

  return { add, remove };
}
