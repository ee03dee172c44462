import { Paper, Text, Title } from '@mantine/core';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { type ReactNode, useId } from 'react';
import { Endless, type Listed, type Page } from './Endless';
import classes from './ListSection.module.css';

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
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={id}>
      <Title order={2} size="h4" mb="sm" id={id}>
        {title}
      </Title>
      {tools}
      <Endless
        {...source}
        item={(each) => (
          // biome-ignore lint/a11y/useSemanticElements: see the list.
          <div role="listitem" className={classes.item}>
            {item(each)}
          </div>
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
