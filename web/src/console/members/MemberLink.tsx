import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import { Name } from '../ui/Name';
import type { Kind, Member } from './kinds';

/** The name, leading to the page of whoever bears it. */
export function MemberLink({ kind, member }: { kind: Kind; member: Member }) {
  return (
    <Anchor component={Link} to={`${kind.path}/${member.id}`} inherit>
      <Name>{member.name}</Name>
    </Anchor>
  );
}
