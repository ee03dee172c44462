import { ActionIcon, Button, Group, Textarea, TextInput, VisuallyHidden } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { BusyButton } from './BusyButton';
import { isolated } from './isolated';
import { complain } from './notices';
import { useIsOpen } from './useIsOpen';

interface Props {
  /** What it is, as in `Edit the name`. */
  label: string;
  value: string;
  multiline?: boolean;
  /** How it looks while nobody edits it. */
  children: ReactNode;
  /** Returns why it was refused, or null. */
  onSave: (value: string) => Promise<string | null>;
}

/** A text that is edited where it stands: Enter saves, Escape leaves it as it was. */
export function EditableText({ children, ...text }: Props) {
  const [isEdited, setIsEdited] = useState(false);
  const wasEdited = useRef(false);

  function stop() {
    wasEdited.current = true;
    setIsEdited(false);
  }

  if (isEdited) {
    return (
      <Group gap="xs" align="flex-start" maw={720} mb="xs">
        {/* As a heading it still leads to what stands below it. */}
        <VisuallyHidden>{children}</VisuallyHidden>
        <Editor {...text} onStop={stop} />
      </Group>
    );
  }
  return (
    <Group gap={4} wrap="nowrap">
      {children}
      <ActionIcon
        // Whoever ends editing is back where they began it.
        ref={(button) => {
          if (button && wasEdited.current) button.focus();
          wasEdited.current = false;
        }}
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={`Edit the ${text.label}`}
        onClick={() => setIsEdited(true)}
      >
        <IconPencil size={14} aria-hidden />
      </ActionIcon>
    </Group>
  );
}

interface EditorProps extends Omit<Props, 'children'> {
  onStop: () => void;
}

/** One editing: what comes of a write of an earlier one, that was left, is nothing to it. */
function Editor({ label, value, multiline, onSave, onStop }: EditorProps) {
  const [draft, setDraft] = useState(value);
  /** The value that whoever edits knows of. */
  const [known, setKnown] = useState(value);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const isOpen = useIsOpen(true);

  async function save() {
    if (busy) return;
    // What nobody touched must not undo what somebody else has changed meanwhile.
    if (draft === known || draft === value) return onStop();
    if (value !== known) {
      setKnown(value);
      setError(meanwhile(label, value));
      return;
    }
    setBusy(true);
    const refusal = await onSave(draft);
    setBusy(false);
    if (!isOpen()) {
      if (refusal) complain(`Changing the ${label} to ${isolated(draft)}: ${refusal}`);
    } else if (refusal) setError(refusal);
    else onStop();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') onStop();
    if (event.key === 'Enter' && !(multiline && event.shiftKey)) {
      event.preventDefault();
      void save();
    }
  }

  const Field = multiline ? Textarea : TextInput;
  return (
    <>
      <Field
        aria-label={`New ${label}`}
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        error={error}
        // Wide enough for a long text; where there is no room beside it, the buttons go below.
        flex="1 1 min(20rem, 100%)"
        autoFocus
      />
      <BusyButton onClick={save} busy={busy}>
        Save
      </BusyButton>
      <Button variant="default" onClick={onStop}>
        Cancel
      </Button>
    </>
  );
}

const meanwhile = (label: string, value: string) =>
  value
    ? `The ${label} has become “${value}” meanwhile. Save again to replace it.`
    : `The ${label} has been removed meanwhile. Save again to have yours.`;
