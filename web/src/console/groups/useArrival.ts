import { useEffect, useRef } from 'react';

/**
 * Brings a group that was just created into view, and the focus to it.
 *
 * @param place where it stands in the table; it may move when the list is loaded anew.
 */
export function useArrival(id: string | null, place: number) {
  const table = useRef<HTMLDivElement>(null);
  const arrived = useRef<string>(null);

  useEffect(() => {
    const toggle = table.current?.querySelector<HTMLElement>('[aria-expanded=true]');
    if (id === null || place < 0 || !toggle) return;
    // Once there, whoever created it may have gone on.
    if (arrived.current === id && document.activeElement !== toggle) return;
    arrived.current = id;
    toggle.focus({ preventScroll: true });
    toggle.scrollIntoView({ block: 'center' });
  }, [id, place]);
  return table;
}
