import { Group, Table, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconSelector } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { GroupOrder, GroupRowFragment } from '../api/operations';
import { useAddress } from '../ui/address';
import { GroupRow } from './GroupRow';
import classes from './GroupsTable.module.css';
import { nextOrder, readOrder } from './order';
import { useHeldRow } from './useHeldRow';

interface Props {
  groups: GroupRowFragment[];
  order: GroupOrder;
}

export function GroupsTable({ groups, order }: Props) {
  const { get, change } = useAddress();
  const open = get('open');
  const hold = useHeldRow(open);

  function toggle(id: string, row: HTMLElement) {
    if (id !== open) hold(row);
    change({ open: id === open ? null : id });
  }

  return (
    <Table className={classes.table} verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <SortableHead column="name" order={order}>
            Name
          </SortableHead>
          <SortableHead column="users" order={order}>
            Users
          </SortableHead>
          <Table.Th scope="col">Bots</Table.Th>
          <Table.Th scope="col">Personas</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {groups.map((group) => (
          <GroupRow
            key={group.id}
            group={group}
            isOpen={group.id === open}
            onToggle={(row) => toggle(group.id, row)}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface HeadProps {
  column: 'name' | 'users';
  order: GroupOrder;
  children: ReactNode;
}

function SortableHead({ column, order, children }: HeadProps) {
  const { change } = useAddress();
  const isSorted = readOrder(column).field === order.field;
  const isDown = order.direction === 'DESC';
  const Icon = isSorted ? (isDown ? IconChevronDown : IconChevronUp) : IconSelector;
  return (
    <Table.Th scope="col" aria-sort={isSorted ? (isDown ? 'descending' : 'ascending') : 'none'}>
      <UnstyledButton
        fw={700}
        fz="inherit"
        mih={24}
        onClick={() =>
          change({ sort: nextOrder(column, order), after: null, before: null }, { replace: true })
        }
      >
        <Group gap={4} wrap="nowrap">
          {children}
          <Icon size={14} aria-hidden />
        </Group>
      </UnstyledButton>
    </Table.Th>
  );
}
