import { Group, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { isolated } from './isolated';

interface Props {
  title: string;
  /** What stands beside the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** One page, under its title. */
export function Page({ title, actions, children }: Props) {
  useDocumentTitle(`${isolated(title)} – Cohort`);
  return (
    <>
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </>
  );
}
