import { useLayoutEffect, useRef } from 'react';

interface Held {
  row: HTMLElement;
  /** Where it was on the screen, in pixels. */
  top: number;
}

/**
 * Keeps the row that somebody opens where it is on the screen: the group above it that was open closes,
 * with all its height.
 *
 * @param open what is open, once it is.
 * @returns to be called with the row that is about to open.
 */
export function useHeldRow(open: string | null) {
  const held = useRef<Held>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is open says when all has moved.
  useLayoutEffect(() => {
    const { row, top } = held.current ?? {};
    held.current = null;
    if (row?.isConnected) scrollBy(0, row.getBoundingClientRect().top - (top ?? 0));
  }, [open]);

  return (row: HTMLElement) => {
    held.current = { row, top: row.getBoundingClientRect().top };
  };
}
