import { Alert, Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { explain } from '../api/client';
import { CreateGroupDocument, type RefusalFragment } from '../api/operations';
import { BusyButton } from '../ui/BusyButton';

interface Props {
  opened: boolean;
  onClose: () => void;
  onCreated: (id: string) => void;
}

export function CreateGroupDialog({ opened, onClose, onCreated }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="Create New Group" closeButtonProps={CLOSE}>
      <Form
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
  onCancel: () => void;
  onCreated: (id: string) => void;
}

function Form({ onCancel, onCreated }: FormProps) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [refusals, setRefusals] = useState<RefusalFragment[]>([]);
  const [{ fetching, error }, create] = useMutation(CreateGroupDocument);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const { data } = await create({ input: { name, description: description.trim() || null } });
    if (!data) return;
    setRefusals(data.createGroup.userErrors);
    if (data.createGroup.group) onCreated(data.createGroup.group.id);
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
