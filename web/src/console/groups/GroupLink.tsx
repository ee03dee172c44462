import { Anchor, type AnchorProps } from '@mantine/core';
import { Link } from 'react-router';
import { useViewer } from '../session/ViewerProvider';
import { Name } from '../ui/Name';

interface GroupLinkProps extends AnchorProps {
  group: { id: string; name: string };
}

/** A group's name, which leads to it for those who have a page of groups: not for members. */
export function GroupLink({ group: { id, name }, ...props }: GroupLinkProps) {
  if (useViewer()?.role === 'MEMBER') return <Name>{name}</Name>;
  return (
    <Anchor component={Link} to={`/groups?open=${id}`} {...props}>
      <Name>{name}</Name>
    </Anchor>
  );
}
