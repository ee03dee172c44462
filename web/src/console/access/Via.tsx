import { Anchor, Text } from '@mantine/core';
import { Fragment, useState } from 'react';
import { Link } from 'react-router';
import { useViewer } from '../session/ViewerProvider';
import { Name } from '../ui/Name';

/** How many groups are shown until somebody asks for all. */
const FEW = 10;

interface Group {
  id: string;
  name: string;
}

/** The groups that give an access. */
export function Via({ groups }: { groups: Group[] }) {
  const [isWhole, setIsWhole] = useState(false);
  // One more would take no more room than the words that stand for it.
  const isLong = groups.length > FEW + 1;
  const shown = isLong && !isWhole ? groups.slice(0, FEW) : groups;
  return (
    <Text size="xs" c="dimmed">
      through{' '}
      {shown.map((group, index) => (
        <Fragment key={group.id}>
          {index > 0 && ', '}
          <GroupName group={group} />
        </Fragment>
      ))}
      {isLong && (
        <>
          {' '}
          <Anchor
            component="button"
            type="button"
            inherit
            underline="always"
            aria-expanded={isWhole}
            onClick={() => setIsWhole(!isWhole)}
          >
            {isWhole ? 'show fewer' : `and ${(groups.length - FEW).toLocaleString()} more`}
          </Anchor>
        </>
      )}
    </Text>
  );
}

function GroupName({ group: { id, name } }: { group: Group }) {
  // There is no page of groups for a member.
  if (useViewer()?.role === 'MEMBER') return <Name>{name}</Name>;
  return (
    <Anchor component={Link} to={`/groups?open=${id}`} inherit underline="always">
      <Name>{name}</Name>
    </Anchor>
  );
}
