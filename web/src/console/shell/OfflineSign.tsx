import { Badge } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import { useIsOnline } from '../session/ViewerProvider';

/** A quiet sign that what others change does not arrive for now. */
export function OfflineSign() {
  const isOnline = useIsOnline();
  return (
    // It gives way to the buttons beside it where text is large.
    <div role="status" style={{ display: 'flex', minWidth: 0 }}>
      {!isOnline && (
        <Badge
          variant="default"
          maw="100%"
          tt="none"
          leftSection={<IconWifiOff size={12} aria-hidden />}
          title="What others change shows again once the connection is back."
        >
          Offline
        </Badge>
      )}
    </div>
  );
}
