import { type RefObject, useEffect, useState } from 'react';

/**
 * How high notices reach from the lower edge of the window, where they would cover a popover that
 * hangs on its right from an anchor. In pixels; 0 while it is shut.
 *
 * While it is open it only grows: what is in the popover must not move away from under a finger
 * because a notice goes.
 */
export function useClearance(opened: boolean, anchor: RefObject<HTMLElement | null>): number {
  const [clearance, setClearance] = useState(0);

  useEffect(() => {
    if (!opened) return;
    const places = document.querySelectorAll('.mantine-Notifications-root');
    const observer = new ResizeObserver(() => {
      const end = anchor.current?.getBoundingClientRect().right ?? 0;
      const heights = [...places]
        .map((place) => place.getBoundingClientRect())
        .filter(({ height, left }) => height > 0 && left < end)
        .map(({ top }) => innerHeight - top);
      setClearance((before) => Math.max(before, ...heights));
    });
    for (const place of places) observer.observe(place);
    return () => {
      observer.disconnect();
      setClearance(0);
    };
  }, [opened, anchor]);
  return clearance;
}
