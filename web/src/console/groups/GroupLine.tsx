import { Text } from '@mantine/core';
import type { GroupRowFragment } from '../api/operations';
import { count } from '../ui/count';
import { kept } from '../ui/kept';
import { GroupLink } from './GroupLink';

/** A group in a list: its name, and how much it holds. */
export const GroupLine = kept(function GroupLine({ group }: { group: GroupRowFragment }) {
  return (
    <>
      <Text size="sm" fw={500}>
        <GroupLink group={group} inherit />
      </Text>
      <Text size="xs" c="dimmed">
        {count(group.userCount, 'user')}, {count(group.botCount, 'bot')},{' '}
        {count(group.personaCount, 'persona')}
      </Text>
    </>
  );
});
