import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { Client } from '@urql/core';
import { useCallback, useEffect, useState } from 'react';
import { useClient } from 'urql';
import { type Impact, impactOf, sentence } from '../access/impact';
import { LossList } from '../access/LossList';
import { explain, NO_ANSWER } from '../api/client';
import { DeleteGroupDocument, GroupDocument } from '../api/operations';
import { undoRevision } from '../history/undo';
import { BusyButton } from '../ui/BusyButton';
import { isolated } from '../ui/isolated';
import { isSame } from '../ui/kept';
import { Name } from '../ui/Name';
import { complain, offerUndo } from '../ui/notices';
import { Rows } from '../ui/Rows';
import { useHeir } from '../ui/useHeir';
import { useIsOpen } from '../ui/useIsOpen';
import { CLOSE } from './CreateGroupDialog';

interface Props {
  group: { id: string; name: string };
  opened: boolean;
  /** Closes it, and gives the focus back. */
  onClose: () => void;
}

/** Times that a deletion is tried while others write what has nothing to do with it. */
const MOST_TRIES = 3;

/** Tells what a deletion would do, and commits to exactly that or to nothing. */
export function DeleteGroupDialog({ group, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={
        <>
          Delete <Name>{group.name}</Name>?
        </>
      }
      closeButtonProps={CLOSE}
      returnFocus={false}
    >
      <Decision group={group} opened={opened} onClose={onClose} />
    </Modal>
  );
}

function Decision({ group, opened, onClose }: Props) {
  const client = useClient();
  const [impact, setImpact] = useState<Impact>();
  const [hasMoved, setHasMoved] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const isOpen = useIsOpen(opened);

  const reckon = useCallback(() => {
    setProblem(null);
    return impactOf(client, { deleteGroup: group.id }).then(setImpact, (e) =>
      setProblem(explain(e)),
    );
  }, [client, group.id]);
  useEffect(() => void reckon(), [reckon]);

  async function commit() {
    if (!impact) return;
    setBusy(true);
    const { data, error } = await deleteAsShown(client, group, impact, isOpen);
    const refusal = data?.deleteGroup.userErrors[0];
    if (data && !refusal) {
      if (isOpen()) onClose();
      offerUndo(`Deleted ${isolated(group.name)}. ${sentence(impact, group.id, 'lost')}`, () =>
        undoRevision(client, data.deleteGroup.revision),
      );
      return;
    }
    const why = refusal?.message ?? (error && explain(error)) ?? NO_ANSWER;
    if (!isOpen()) {
      complain(`Deleting ${isolated(group.name)}: ${why}`);
    } else if (refusal?.code === 'CONFLICT') {
      await reckon();
      setHasMoved(true);
    } else {
      setProblem(why);
    }
    setBusy(false);
  }

  return (
    <Stack>
      {hasMoved && (
        <Alert color="yellow" role="alert">
          Something changed while you were reading, and nothing was deleted. This is what would
          happen now.
        </Alert>
      )}
      {problem && <Problem onRetry={impact ? undefined : reckon}>{problem}</Problem>}
      {impact ? (
        <>
          <Text fw={600}>{sentence(impact, group.id, 'lose')}</Text>
          <LossList losses={impact.losses} />
        </>
      ) : (
        !problem && <Rows count={2} />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <BusyButton color="red" onClick={commit} busy={busy} disabled={!impact}>
          Delete group
        </BusyButton>
      </Group>
    </Stack>
  );
}

/**
 * Deletes a group if that does what was shown. Any write in the organization is a conflict, even a
 * sign-in; one that has changed nothing of what was shown does not stop it. It is not tried again
 * once nobody sees that any more.
 */
async function deleteAsShown(
  client: Client,
  { id, name }: Props['group'],
  shown: Impact,
  isOpen: () => boolean,
) {
  let expectedRevision = shown.revision;
  for (let tries = 1; ; tries += 1) {
    const input = { id, expectedRevision };
    const result = await client.mutation(DeleteGroupDocument, { input });
    const isConflict = result.data?.deleteGroup.userErrors[0]?.code === 'CONFLICT';
    if (!isConflict || tries === MOST_TRIES) return result;
    const now = await impactOf(client, { deleteGroup: id }).catch(() => null);
    if (!now || !isSame(toldOf(now, id), toldOf(shown, id))) return result;
    // The name comes after the impact: where the revision is still that one, so is the name.
    const isNamedSo = (await nameOf(client, id)) === name;
    if (!isNamedSo || !isOpen()) return result;
    expectedRevision = now.revision;
  }
}

/** What the dialog tells of an impact, which also holds what else those may use who keep something. */
const toldOf = (impact: Impact, id: string) => [sentence(impact, id, 'lose'), impact.losses];

async function nameOf(client: Client, id: string) {
  const policy = { requestPolicy: 'network-only' } as const;
  const { data } = await client.query(GroupDocument, { id }, policy);
  return data?.group?.name;
}

function Problem({ children, onRetry }: { children: string; onRetry: (() => void) | undefined }) {
  const alert = useHeir<HTMLDivElement>();
  return (
    <Alert ref={alert} color="red" role="alert">
      {children}
      {onRetry && (
        <Button mt="xs" size="xs" variant="default" onClick={onRetry} display="block">
          Try again
        </Button>
      )}
    </Alert>
  );
}
