import { useEffect, useRef } from 'react';

/**
 * Brings a group that was just created, or that a link has led to, into view, and the focus to it.
 *
 * @param place where it stands in the table; it may move when the list is loaded anew.
 * @param isCreated whether it was created: a link brings nobody back who has gone on meanwhile.
 */
export function useArrival(id: string | null, place: number, isCreated: boolean) {
  const table = useRef<HTMLDivElement>(null);
  const arrived = useRef<string>(null);
  const left = useRef<string>(null);

  useEffect(() => {
    const toggle = table.current?.querySelector<HTMLElement>('[aria-expanded=true]');
    // It was closed: who opens it again stays where they are.
    if (id === null) left.current = arrived.current;
    if (id === null || id === left.current || place < 0 || !toggle) return;
    const isFirst = arrived.current !== id;
    arrived.current = id;
    if (!isCreated && (!isFirst || hasGoneOn())) return;
    // Once there, whoever created it may have gone on.
    if (!isFirst && document.activeElement !== toggle) return;
    // The page that a link leads to has the focus; one that was loaded anew leaves it to the browser.
    const isTaken = isCreated || document.activeElement !== document.body;
    if (isTaken) toggle.focus({ preventScroll: true });
    const isInView = toggle.getBoundingClientRect().bottom < innerHeight / 2;
    if (isCreated || !isInView) toggle.scrollIntoView({ block: 'center' });
  }, [id, place, isCreated]);
  return table;
}

function hasGoneOn(): boolean {
  const active = document.activeElement;
  return scrollY > 0 || (active !== document.body && active?.id !== 'main');
}
