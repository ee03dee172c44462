import { Avatar, Badge, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Address } from '../ui/Address';
import { Name } from '../ui/Name';
import { initials } from './initials';
import type { Member } from './kinds';

interface Props {
  member: Member;
  /** Instead of the plain name: a link, say. */
  name?: ReactNode;
  /** A line below the name. */
  note?: ReactNode;
}

/** Picture or initials, the name, and what tells one from another: an email, badges. */
export function MemberLine({ member, name, note }: Props) {
  return (
    <Group gap="sm" wrap="nowrap" miw={0} flex={1}>
      <Avatar aria-hidden src={member.avatarUrl} alt="" size={32} className="avatar">
        {initials(member.name)}
      </Avatar>
      <div style={{ minWidth: 0, flex: 1 }}>
        <Group gap={6}>
          <Text size="sm" fw={500}>
            {name || <Name>{member.name}</Name>}
          </Text>
          {member.status === 'DEACTIVATED' && <Tag>Deactivated</Tag>}
        </Group>
        {note}
        {member.features && member.features.length > 0 && (
          <Group gap={4} mt={2}>
            {member.features.map((feature) => (
              <Tag key={feature}>{feature}</Tag>
            ))}
          </Group>
        )}
      </div>
    </Group>
  );
}

function Tag({ children }: { children: string }) {
  return (
    <Badge size="sm" variant="default" tt="none" fw={500} className="tag">
      {children}
    </Badge>
  );
}

/** The second line of a user, where there is room for it. */
export function Email({ member }: { member: Member }) {
  return member.email ? (
    <Text size="xs" c="dimmed">
      <Address>{member.email}</Address>
    </Text>
  ) : null;
}
