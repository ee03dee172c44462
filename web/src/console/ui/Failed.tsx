import { Alert, Button, Group, Text } from '@mantine/core';
import type { CombinedError } from '@urql/core';
import { explain } from '../api/client';
import { useHeir } from './useHeir';

/** Where something could not be loaded: why, and a way to try again. */
export function Failed({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  return <Trouble text={explain(error)} wayOut="Try again" onWayOut={onRetry} />;
}

interface TroubleProps {
  text: string;
  wayOut: string;
  onWayOut: () => void;
}

export function Trouble({ text, wayOut, onWayOut }: TroubleProps) {
  const alert = useHeir<HTMLDivElement>();
  return (
    <Alert ref={alert} color="red" role="alert">
      <Group justify="space-between">
        <Text size="sm">{text}</Text>
        <Button size="xs" variant="default" onClick={onWayOut}>
          {wayOut}
        </Button>
      </Group>
    </Alert>
  );
}
