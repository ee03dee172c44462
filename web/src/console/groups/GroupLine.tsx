import { Anchor, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { GroupRowFragment } from '../api/operations';
import { count } from '../ui/count';
import { kept } from '../ui/kept';
import { Name } from '../ui/Name';

/** A group in a list: its name, and how much it holds. */
export const GroupLine = kept(function GroupLine({ group }: { group: GroupRowFragment }) {
  return (
    <>
      <Anchor component={Link} to={`/groups?open=${group.id}`} size="sm" fw={500}>
        <Name>{group.name}</Name>
      </Anchor>
      <Text size="xs" c="dimmed">
        {count(group.userCount, 'user')}, {count(group.botCount, 'bot')},{' '}
        {count(group.personaCount, 'persona')}
      </Text>
    </>
  );
});
