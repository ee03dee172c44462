import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';

/** Milliseconds that an offer to undo stands, unless the pointer or the focus is on it. */
const OFFER = 12_000;

const CLOSE = { 'aria-label': 'Close the notice' };

/** Tells what was done. */
export const tell = (message: string) => notifications.show({ message, closeButtonProps: CLOSE });

/** Tells what was refused, or failed. */
export const complain = (message: string) =>
  notifications.show({
    message,
    color: 'red',
    title: 'That did not work',
    autoClose: OFFER,
    closeButtonProps: CLOSE,
  });

/** Tells what was done, and offers to undo it. */
export function offerUndo(message: string, onUndo: () => void) {
  const id = notifications.show({
    autoClose: OFFER,
    closeButtonProps: CLOSE,
    message: (
      <Group wrap="nowrap" justify="space-between">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="default"
          flex="none"
          onClick={() => {
            notifications.hide(id);
            onUndo();
          }}
        >
          Undo
        </Button>
      </Group>
    ),
  });
}
