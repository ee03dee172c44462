import { Button, Group, List, Progress, ScrollArea, Stack, Text, Title } from '@mantine/core';
import type { CombinedError } from '@urql/core';
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { BusyButton } from '../ui/BusyButton';
import { count } from '../ui/count';
import { Failed } from '../ui/Failed';
import { useIsOpen } from '../ui/useIsOpen';
import classes from './AddPopover.module.css';
import type { Kind, Member } from './kinds';
import { lookUp } from './lookUp';
import { addAll, type Match } from './paste';

interface Props {
  kind: Kind;
  groupId: string;
  entries: string[];
  onAdd: (members: Member[]) => Promise<boolean>;
  onDone: () => void;
}

const HEADS: [Match['is'], string][] = [
  ['found', 'Found'],
  ['there', 'In the group already'],
  ['unknown', 'Unknown'],
  ['ambiguous', 'Several have this name'],
];

/** What a pasted list comes to, before it is written: all of it at once. */
export function PastePreview({ kind, groupId, entries, onAdd, onDone }: Props) {
  const client = useClient();
  /** What is known of them, by entry; a try that failed leaves what it has found. */
  const [known] = useState(() => new Map<string, Match>());
  const [progress, setProgress] = useState(0);
  const [problem, setProblem] = useState<CombinedError>();
  const [busy, setBusy] = useState(false);
  const isOpen = useIsOpen(true);

  useEffect(() => {
    if (problem) return;
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = () => setProgress(known.size);
    lookUp({ client, kind, groupId, entries }, known, onProgress, signal).catch(
      (error) => signal.aborted || setProblem(error),
    );
    return () => controller.abort();
  }, [client, kind, groupId, entries, known, problem]);

  const isDone = progress === entries.length;
  const all = isDone ? entries.flatMap((entry) => known.get(entry) ?? []) : [];
  const found = new Map(
    all.flatMap((each) => (each.is === 'found' ? [[each.member.id, each.member]] : [])),
  );

  async function write() {
    setBusy(true);
    const done = await addAll([...found.values()], onAdd);
    setBusy(false);
    // Who has gone back meanwhile may be at another list.
    if (done && isOpen()) onDone();
  }

  return (
    <Stack gap="xs">
      <Title order={4} size="h6">
        {count(entries.length, 'pasted line')}
      </Title>
      {!isDone && !problem && <Looking done={progress} total={entries.length} />}
      {problem && <Failed error={problem} onRetry={() => setProblem(undefined)} />}
      <ScrollArea.Autosize
        className={classes.list}
        type="auto"
        offsetScrollbars="present"
        viewportProps={{ tabIndex: 0 }}
      >
        {HEADS.map(([is, head]) => (
          <Matches key={is} head={head} matches={all.filter((each) => each.is === is)} />
        ))}
      </ScrollArea.Autosize>
      <Group justify="flex-end">
        {/* The focus stays in the popover, so that Escape closes it: here, until there is more to do. */}
        <Button variant="default" size="xs" onClick={onDone} autoFocus>
          {isDone || problem ? 'Back' : 'Cancel'}
        </Button>
        {isDone && (
          <BusyButton size="xs" onClick={write} busy={busy} disabled={found.size === 0} autoFocus>
            Add {count(found.size, kind.one)}
          </BusyButton>
        )}
      </Group>
    </Stack>
  );
}

function Looking({ done, total }: { done: number; total: number }) {
  const text = `${done.toLocaleString()} of ${count(total, 'line')} looked up`;
  return (
    <div>
      <Text size="sm" c="dimmed" mb={4} aria-hidden>
        {text}
      </Text>
      <Progress.Root>
        <Progress.Section
          value={(done / total) * 100}
          withAria={false}
          role="progressbar"
          aria-label="Looking up the pasted lines"
          aria-valuemin={0}
          aria-valuemax={total}
          aria-valuenow={done}
          aria-valuetext={text}
        />
      </Progress.Root>
    </div>
  );
}

function Matches({ head, matches }: { head: string; matches: Match[] }) {
  if (matches.length === 0) return null;
  return (
    <>
      <Text size="sm" fw={600}>
        {head}: {matches.length}
      </Text>
      <List size="sm" mb="xs" style={{ overflowWrap: 'anywhere' }}>
        {matches.map((each) => (
          <List.Item key={each.entry}>{'member' in each ? each.member.name : each.entry}</List.Item>
        ))}
      </List>
    </>
  );
}
