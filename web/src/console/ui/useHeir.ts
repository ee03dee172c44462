import { useLayoutEffect, useRef } from 'react';

/**
 * When what it is given to goes, the focus must not go with it; nor with a dialog or a popover that
 * was opened from there, which stands elsewhere in the document and goes as well.
 *
 * @param heir finds what takes the focus then; else the dialog that it is in, or the page.
 */
export function useHeir<Element extends HTMLElement>(heir?: (here: Element) => HTMLElement | null) {
  const place = useRef<Element>(null);

  useLayoutEffect(() => {
    const here = place.current;
    return () => {
      const had = document.activeElement;
      if (!here || !had || had === document.body) return;
      const dialog = here.closest<HTMLElement>('[role=dialog]');
      const pass = () => {
        const next = heir?.(here);
        (next?.isConnected ? next : (dialog ?? document.getElementById('main')))?.focus();
      };
      if (here.contains(had)) pass();
      // What was opened from there goes later; and what takes the focus may go as well.
      setTimeout(() => !had.isConnected && document.activeElement === document.body && pass());
    };
  }, [heir]);
  return place;
}
