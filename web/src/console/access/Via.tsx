import { Anchor, Text } from '@mantine/core';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { Name } from '../ui/Name';

/** The groups that give an access. */
export function Via({ groups }: { groups: { id: string; name: string }[] }) {
  return (
    <Text size="xs" c="dimmed">
      through{' '}
      {groups.map(({ id, name }, index) => (
        <Fragment key={id}>
          {index > 0 && ', '}
          <Anchor component={Link} to={`/groups?open=${id}`} inherit underline="always">
            <Name>{name}</Name>
          </Anchor>
        </Fragment>
      ))}
    </Text>
  );
}
