import { Alert, Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { explain } from '../api/client';
import { CreateGroupDocument, type RefusalFragment } from '../api/operations';
import { BusyButton } from '../ui/BusyButton';
import { isolated } from '../ui/isolated';
import { complain, tell } from '../ui/notices';
import { useIsOpen } from '../ui/useIsOpen';

interface Props {
  opened: boolean;
  onClose: () => void;
  onCreated: (id: string) => void;
}

export function CreateGroupDialog({ opened, onClose, onCreated }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="Create New Group" closeButtonProps={CLOSE}>
      <Form
        opened={opened}
        onCancel={onClose}
        onCreated={(id) => {
          onClose();
          onCreated(id);
        }}
      />
    </Modal>
  );
}

export const CLOSE = { 'aria-label': 'Close' };

interface FormProps {
  opened: boolean;
  onCancel: () => void;
  onCreated: (id: string) => void;
}

function Form({ opened, onCancel, onCreated }: FormProps) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [refusals, setRefusals] = useState<RefusalFragment[]>([]);
  const [{ fetching, error }, create] = useMutation(CreateGroupDocument);
  const isOpen = useIsOpen(opened);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const { data, error } = await create({
      input: { name, description: description.trim() || null },
    });
    const { userErrors = [], group } = data?.createGroup ?? {};
    if (!isOpen()) {
      const refusal = error ? explain(error) : userErrors[0]?.message;
      if (refusal) complain(`Creating ${isolated(name)}: ${refusal}`);
      else if (group) tell(`Created ${isolated(group.name)}.`);
      return;
    }
    setRefusals(userErrors);
    if (group) onCreated(group.id);
  }

  const under = (field: string) =>
    refusals.find((refusal) => refusal.field?.[1] === field)?.message;
  const others = refusals.filter(
    ({ field }) => !['name', 'description'].includes(field?.[1] ?? ''),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Name"
          description="For example Sales Team, Customer Success, New Hires Berlin."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={under('name')}
          required
          data-autofocus
        />
        <Textarea
          label="Description"
          description="What the group is for."
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={under('description')}
          autosize
          minRows={2}
        />
        {others.map(({ code, message }) => (
          <Alert key={code} color="red" role="alert">
            {message}
          </Alert>
        ))}
        {error && (
          <Alert color="red" role="alert">
            {explain(error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <BusyButton type="submit" busy={fetching}>
            Create
          </BusyButton>
        </Group>
      </Stack>
    </form>
  );
}
