import { ActionIcon, Popover } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { type CSSProperties, useMemo, useState } from 'react';
import { useClearance } from '../ui/useClearance';
import { useHeir } from '../ui/useHeir';
import { AddList } from './AddList';
import type { Kind, Member } from './kinds';
import { PastePreview } from './PastePreview';

interface Props {
  kind: Kind;
  group: { id: string; name: string };
  onAdd: (members: Member[]) => Promise<boolean>;
}

/**
 * Where there is room neither above nor below, over the + rather than out of the page, the banner or
 * below the notices; apart from the +, where it is among the notices itself.
 */
const keptInView = (clearance: number) => ({
  shift: {
    crossAxis: true,
    padding: { top: endOfBanner() + 4, right: 5, bottom: 5 + clearance, left: 5 },
    ...(clearance > 0 && { limiter: undefined }),
  },
  // Floating UI compares middlewares, and functions by their text: Mantine's `shift` is always the
  // same to it. This one tells it that there are others.
  size: { padding: clearance, apply: () => undefined },
});

/** Where the banner ends, from the upper edge; on a low screen it scrolls away. In pixels. */
const endOfBanner = () =>
  Math.max(document.querySelector('header')?.getBoundingClientRect().bottom ?? 0, 0);

/** The + of a section: a list of all that are not in the group yet, or a pasted list. */
export function AddPopover({ kind, group, onAdd }: Props) {
  const [opened, { close, toggle }] = useDisclosure();
  const [pasted, setPasted] = useState<string[] | null>(null);
  const [hasPasted, setHasPasted] = useState(false);
  const button = useHeir<HTMLButtonElement>();
  const clearance = useClearance(opened, button);
  // biome-ignore lint/correctness/useExhaustiveDependencies: where the banner ends may have changed.
  const middlewares = useMemo(() => keptInView(clearance), [clearance, opened]);
  const label = `Add ${kind.title.toLowerCase()} to ${group.name}`;

  function closeAndForget() {
    close();
    setPasted(null);
    setHasPasted(false);
  }

  function paste(entries: string[]) {
    setPasted(entries);
    setHasPasted(true);
  }

  return (
    <Popover
      opened={opened}
      onChange={(next) => next || closeAndForget()}
      position="bottom-end"
      width="min(22rem, calc(100vw - 2rem))"
      middlewares={middlewares}
      shadow="md"
      trapFocus
      returnFocus
      // It has the focus, though the + may be scrolled away, by a key that goes to what it holds.
      hideDetached={false}
      withinPortal
    >
      <Popover.Target>
        <ActionIcon ref={button} variant="default" aria-label={label} onClick={toggle}>
          <IconPlus size={16} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown
        aria-label={label}
        style={{ '--clearance': `${clearance}px` } as CSSProperties}
      >
        {pasted ? (
          <PastePreview
            kind={kind}
            groupId={group.id}
            entries={pasted}
            onAdd={onAdd}
            onDone={() => setPasted(null)}
          />
        ) : (
          <AddList
            kind={kind}
            groupId={group.id}
            takesFocus={hasPasted}
            onAdd={onAdd}
            onPasteMany={paste}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
