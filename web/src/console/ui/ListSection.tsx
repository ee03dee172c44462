import { Paper, Text, Title } from '@mantine/core';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { type ReactNode, type RefObject, useCallback, useId, useLayoutEffect, useRef } from 'react';
import { Endless, idOf, type Listed, type Page } from './Endless';
import classes from './ListSection.module.css';
import { useHeir } from './useHeir';

interface Props<Data, Variables extends AnyVariables, Item extends Listed> {
  title: string;
  /** What stands between the title and the list. */
  tools?: ReactNode;
  query: TypedDocumentNode<Data, Variables>;
  variables: Omit<Variables, 'first' | 'after'>;
  pick: (data: Data) => Page<Item> | null | undefined;
  item: (item: Item) => ReactNode;
  empty: ReactNode;
}

/** A titled list of whatever a page is about. */
export function ListSection<Data, Variables extends AnyVariables, Item extends Listed>({
  title,
  tools,
  item,
  ...source
}: Props<Data, Variables, Item>) {
  const id = useId();
  const left = useRef<Left>(null);
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={id}>
      <Title order={2} size="h4" mb="sm" id={id}>
        {title}
      </Title>
      {tools}
      <Endless
        {...source}
        item={(each) => (
          <ListItem id={idOf(each)} left={left}>
            {item(each)}
          </ListItem>
        )}
        wrap={(items, total) => (
          <>
            <Text size="sm" c="dimmed" mb="xs">
              {total.toLocaleString()} in all
            </Text>
            {/* biome-ignore lint/a11y/useSemanticElements: the list also holds its own end. */}
            <div role="list" aria-labelledby={id}>
              {items}
            </div>
          </>
        )}
      />
    </Paper>
  );
}

/** The item that went with the focus on it, or on one of its controls, and the item that has it now. */
interface Left {
  id: string;
  /** Which of its controls it was; -1 for the item itself. */
  control: number;
  heir: HTMLElement | null;
}

interface ItemProps {
  id: string;
  left: RefObject<Left | null>;
  children: ReactNode;
}

/** One that moves to another page of the list, because others come or go, keeps the focus. */
function ListItem({ id, left, children }: ItemProps) {
  const pass = useCallback(
    (here: HTMLElement) => {
      const had = document.activeElement as HTMLElement;
      const control = controlsOf(here).indexOf(had);
      // On the page above it stands already; on the page below it comes a moment later.
      const same = itemsOf(here).find((item) => item !== here && item.dataset.item === id);
      if (same) return controlsOf(same)[control] ?? same;
      const heir = besideOf(here);
      const isHeir = left.current !== null && left.current.heir === had;
      left.current = { id, control, ...(isHeir && left.current), heir };
      return heir;
    },
    [left, id],
  );
  const item = useHeir<HTMLDivElement>(pass);

  useLayoutEffect(() => {
    const here = item.current;
    if (!here || left.current?.id !== id || document.activeElement !== left.current.heir) return;
    (controlsOf(here)[left.current.control] ?? here).focus();
    left.current = null;
  }, [item, left, id]);

  return (
    // biome-ignore lint/a11y/useSemanticElements: see the list.
    <div ref={item} role="listitem" tabIndex={-1} data-item={id} className={classes.item}>
      {children}
    </div>
  );
}

const itemsOf = (item: HTMLElement) => [
  ...(item.closest('[role=list]')?.querySelectorAll<HTMLElement>('[data-item]') ?? []),
];

const controlsOf = (item: HTMLElement) => [...item.querySelectorAll<HTMLElement>('a, button')];

/** Another item, and none of its controls: a key that comes too late must act on nothing else. */
function besideOf(item: HTMLElement): HTMLElement | null {
  const items = itemsOf(item);
  const place = items.indexOf(item);
  return items[place - 1] ?? items[place + 1] ?? null;
}
