import { Table, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useId } from 'react';
import type { GroupRowFragment } from '../api/operations';
import { Name } from '../ui/Name';
import { useHeir } from '../ui/useHeir';
import { GroupPanel } from './GroupPanel';
import classes from './GroupsTable.module.css';

interface Props {
  group: GroupRowFragment;
  isOpen: boolean;
  onToggle: (row: HTMLElement) => void;
}

/** A group in the table; what it holds opens below it. */
export function GroupRow({ group, isOpen, onToggle }: Props) {
  const panelId = useId();
  const row = useHeir<HTMLTableRowElement>();
  return (
    <>
      {/* The button is what a keyboard reaches; the rest of the row is a larger target. */}
      <Table.Tr
        ref={row}
        className={classes.row}
        onClick={({ currentTarget }) => onToggle(currentTarget)}
      >
        <Table.Td>
          <UnstyledButton
            className={classes.toggle}
            aria-expanded={isOpen}
            aria-controls={isOpen ? panelId : undefined}
            fz="sm"
          >
            <IconChevronRight size={16} className={classes.chevron} aria-hidden />
            <Name>{group.name}</Name>
          </UnstyledButton>
        </Table.Td>
        <Table.Td className={classes.count}>{group.userCount.toLocaleString()}</Table.Td>
        <Table.Td className={classes.count}>{group.botCount.toLocaleString()}</Table.Td>
        <Table.Td className={classes.count}>{group.personaCount.toLocaleString()}</Table.Td>
      </Table.Tr>
      {isOpen && (
        <Table.Tr id={panelId}>
          <Table.Td colSpan={4} className={classes.panel}>
            <GroupPanel group={group} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
