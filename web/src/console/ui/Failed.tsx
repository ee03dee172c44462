import { Alert, Button, Group, Text } from '@mantine/core';
import type { CombinedError } from '@urql/core';
import { explain } from '../api/client';
import { useHeir } from './useHeir';

/** Where something could not be loaded: why, and a way to try again. */
export function Failed({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  const alert = useHeir<HTMLDivElement>();
  return (
    <Alert ref={alert} color="red" role="alert">
      <Group justify="space-between">
        <Text size="sm">{explain(error)}</Text>
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      </Group>
    </Alert>
  );
}
