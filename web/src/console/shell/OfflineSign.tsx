import { Badge } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import { useIsOnline } from '../session/ViewerProvider';

/** A quiet sign that what others change does not arrive for now. */
export function OfflineSign() {
  const isOnline = useIsOnline();
  return (
    <div role="status">
      {!isOnline && (
        <Badge
          variant="default"
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
