import { Alert, Button, Group, Text } from '@mantine/core';
import type { CombinedError } from '@urql/core';
import { explain } from '../api/client';

/** Where something could not be loaded: why, and a way to try again. */
export function Failed({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  return (
    <Alert color="red" role="alert">
      <Group justify="space-between">
        <Text size="sm">{explain(error)}</Text>
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      </Group>
    </Alert>
  );
}
