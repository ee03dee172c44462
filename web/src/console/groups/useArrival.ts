import { useEffect, useRef } from 'react';

interface Arrival {
  id: string;
  /** How far the page was scrolled then, in pixels; null once nobody is to be brought back. */
  scrolled: number | null;
}

/**
 * Brings a group that was just created, or that a link has led to, into view, and the focus to it.
 * When it moves in the list it is brought there again, unless the reader has gone on.
 *
 * @param place where it stands in the table; it may move when the list is loaded anew.
 * @param isCreated whether it was created: a link brings nobody who has gone on before it is loaded.
 */
export function useArrival(id: string | null, place: number, isCreated: boolean) {
  const table = useRef<HTMLDivElement>(null);
  const last = useRef<Arrival>(null);

  useEffect(() => {
    const toggle = table.current?.querySelector<HTMLElement>('[aria-expanded=true]');
    // It was closed: who opens it again stays where they are.
    if (id === null && last.current) last.current.scrolled = null;
    if (id === null || place < 0 || !toggle) return;
    const isWaiting =
      last.current?.id === id
        ? document.activeElement === toggle && scrollY === last.current.scrolled
        : isCreated || !hasGoneOn();
    if (isWaiting) bring(toggle, isCreated);
    last.current = { id, scrolled: isWaiting ? scrollY : null };
  }, [id, place, isCreated]);
  return table;
}

function bring(toggle: HTMLElement, isCreated: boolean) {
  // The page that a link leads to has the focus; one that was loaded anew leaves it to the browser.
  const isTaken = isCreated || document.activeElement !== document.body;
  if (isTaken) toggle.focus({ preventScroll: true });
  const isInView = toggle.getBoundingClientRect().bottom < innerHeight / 2;
  if (isCreated || !isInView) toggle.scrollIntoView({ block: 'center' });
}

function hasGoneOn(): boolean {
  const active = document.activeElement;
  return scrollY > 0 || (active !== document.body && active?.id !== 'main');
}
