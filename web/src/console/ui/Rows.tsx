import { Skeleton, VisuallyHidden } from '@mantine/core';

/** What stands where rows will be. */
export function Rows({ count = 4 }: { count?: number }) {
  return (
    <div>
      <VisuallyHidden>Loading…</VisuallyHidden>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
        <Skeleton key={index} height={36} mb={6} radius="sm" />
      ))}
    </div>
  );
}
