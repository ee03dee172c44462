import { Box, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useClient } from 'urql';
import { type ChangeEntryFragment, HistoryDocument } from '../api/operations';
import { useCanWrite } from '../session/ViewerProvider';
import { useAddress } from '../ui/address';
import { BusyButton } from '../ui/BusyButton';
import { EmptyState } from '../ui/EmptyState';
import { kept } from '../ui/kept';
import { ListSection } from '../ui/ListSection';
import { Name } from '../ui/Name';
import { Page } from '../ui/Page';
import { useHeir } from '../ui/useHeir';
import { When } from '../ui/When';
import { GroupFilter } from './GroupFilter';
import { undoChange } from './undo';

/** What happened, newest first: to one group, or to all. */
export function HistoryPage() {
  const { get, change } = useAddress();
  const groupId = get('group');
  return (
    <Page title="History">
      <GroupFilter groupId={groupId} onChange={(group) => change({ group })} />
      <ListSection
        title={groupId ? 'Changes of this group' : 'All changes'}
        query={HistoryDocument}
        variables={{ groupId }}
        pick={(data) => data.list}
        item={(entry) => <Entry entry={entry} />}
        empty={
          <EmptyState title="Nothing has happened yet">
            Whatever changes shows here, with who did it and when.
          </EmptyState>
        }
      />
    </Page>
  );
}

const Entry = kept(function Entry({ entry }: { entry: ChangeEntryFragment }) {
  const canWrite = useCanWrite();
  return (
    <Group tabIndex={-1} justify="space-between">
      <Box flex="1 1 min(10rem, 100%)">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {entry.summary}
        </Text>
        <Text size="xs" c="dimmed">
          <When at={entry.at} />
          {entry.undoneBy && (
            <>
              {' '}
              · undone by <Name>{entry.undoneBy.actor.name}</Name>, <When at={entry.undoneBy.at} />
            </>
          )}
        </Text>
      </Box>
      {canWrite && entry.undoable && <UndoButton entry={entry} />}
    </Group>
  );
});

/** The line of a change, which takes the focus when the button goes: the change is undone. */
const lineOf = (button: HTMLElement) => button.parentElement;

function UndoButton({ entry }: { entry: ChangeEntryFragment }) {
  const client = useClient();
  const button = useHeir<HTMLButtonElement>(lineOf);
  const [busy, setBusy] = useState(false);

  async function undo() {
    setBusy(true);
    await undoChange(client, entry.id);
    setBusy(false);
  }

  return (
    <BusyButton
      ref={button}
      variant="default"
      flex="none"
      size="compact-sm"
      onClick={undo}
      busy={busy}
      aria-label={`Undo: ${entry.summary}`}
    >
      Undo
    </BusyButton>
  );
}
