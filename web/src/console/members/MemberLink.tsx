import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import { Name } from '../ui/Name';
import type { Kind, Member } from './kinds';

/**
 * The name, leading to the page of whoever bears it. It can be hit 24 pixels high (WCAG 2.2), which
 * moves nothing around it, and covers nothing below it.
 */
export function MemberLink({ kind, member }: { kind: Kind; member: Member }) {
  return (
    <Anchor component={Link} to={`${kind.path}/${member.id}`} inherit pt={6} pb={2}>
      <Name>{member.name}</Name>
    </Anchor>
  );
}
