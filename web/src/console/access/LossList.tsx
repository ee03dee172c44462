import { List, ScrollArea, Text } from '@mantine/core';
import { list } from '../ui/count';
import { isolated } from '../ui/isolated';
import type { Impact } from './impact';

/** Who loses what, person by person. */
export function LossList({ losses }: { losses: Impact['losses'] }) {
  if (losses.totalCount === 0) return null;
  const more = losses.totalCount - losses.nodes.length;
  return (
    <ScrollArea.Autosize
      mah={240}
      type="auto"
      offsetScrollbars="present"
      viewportProps={{ tabIndex: 0 }}
    >
      <List size="sm">
        {losses.nodes.map(({ user, bots, personas }) => (
          <List.Item key={user.id}>
            {isolated(user.name)}:{' '}
            {list(
              [...bots, ...personas].map(({ name }) => name),
              10,
            )}
          </List.Item>
        ))}
      </List>
      {more > 0 && <Text size="sm">And {more.toLocaleString()} more.</Text>}
    </ScrollArea.Autosize>
  );
}
