import { Anchor, Text } from '@mantine/core';
import { Fragment, useState } from 'react';
import { GroupLink } from '../groups/GroupLink';

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
          <GroupLink group={group} inherit underline="always" />
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
