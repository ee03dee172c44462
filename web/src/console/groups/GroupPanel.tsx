import { Anchor, Box, Button, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconTrash } from '@tabler/icons-react';
import { useRef } from 'react';
import { Link } from 'react-router';
import type { GroupRowFragment } from '../api/operations';
import { BOTS, type Kind, PERSONAS, USERS } from '../members/kinds';
import { Section } from '../members/Section';
import { useCanWrite } from '../session/ViewerProvider';
import { EditableText } from '../ui/EditableText';
import { useHeir } from '../ui/useHeir';
import { DeleteGroupDialog } from './DeleteGroupDialog';
import { useUpdateGroup } from './useUpdateGroup';

/** All of one group: its texts, and a section for each kind that it holds. */
export function GroupPanel({ group }: { group: GroupRowFragment }) {
  const canWrite = useCanWrite();
  const [isDeleting, dialog] = useDisclosure();
  const sections: [Kind, number][] = [
    [USERS, group.userCount],
    [BOTS, group.botCount],
    [PERSONAS, group.personaCount],
  ];
  const panel = useHeir<HTMLDivElement>();
  const deletion = useRef<HTMLButtonElement>(null);

  /** Gives the focus back at once: a moment later the button may be gone, and the focus with it. */
  function close() {
    dialog.close();
    deletion.current?.focus({ preventScroll: true });
  }

  return (
    <div ref={panel}>
      <Group justify="space-between" align="flex-start" mb="md">
        <Box flex="1 1 min(20rem, 100%)" miw={0}>
          {canWrite ? <EditableTexts group={group} /> : <Texts group={group} />}
        </Box>
        <Group gap="xs">
          <Anchor component={Link} to={`/history?group=${group.id}`} size="sm">
            History
          </Anchor>
          {canWrite && (
            <Button
              ref={deletion}
              variant="default"
              size="xs"
              leftSection={<IconTrash size={14} aria-hidden />}
              onClick={dialog.open}
            >
              Delete group
            </Button>
          )}
        </Group>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="xl">
        {sections.map(([kind, total]) => (
          <Section key={kind.one} kind={kind} group={group} total={total} />
        ))}
      </SimpleGrid>
      <DeleteGroupDialog group={group} opened={isDeleting} onClose={close} />
    </div>
  );
}

function Texts({ group }: { group: GroupRowFragment }) {
  return (
    <>
      <Name>{group.name}</Name>
      {group.description && <Description>{group.description}</Description>}
    </>
  );
}

function EditableTexts({ group }: { group: GroupRowFragment }) {
  const update = useUpdateGroup(group.id);
  // Whoever edits may lose the right to.
  const texts = useHeir<HTMLDivElement>();
  return (
    <div ref={texts}>
      <EditableText label="name" value={group.name} onSave={(name) => update({ name })}>
        <Name>{group.name}</Name>
      </EditableText>
      <EditableText
        label="description"
        value={group.description ?? ''}
        multiline
        onSave={(text) => update({ description: text.trim() || null })}
      >
        <Description>{group.description ?? 'No description yet'}</Description>
      </EditableText>
    </div>
  );
}

function Name({ children }: { children: string }) {
  return (
    <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
      {children}
    </Title>
  );
}

function Description({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
      {children}
    </Text>
  );
}
