import { type RefObject, useLayoutEffect, useRef } from 'react';

/**
 * When what it is given to goes, the focus must not go with it.
 *
 * @param heir what takes the focus then; else the dialog that it is in, or the page.
 */
export function useHeir<Element extends HTMLElement>(heir?: RefObject<HTMLElement | null>) {
  const place = useRef<Element>(null);

  useLayoutEffect(() => {
    const here = place.current;
    return () => {
      if (!here?.contains(document.activeElement)) return;
      const dialog = here.closest<HTMLElement>('[role=dialog]');
      (heir?.current ?? dialog ?? document.getElementById('main'))?.focus();
    };
  }, [heir]);
  return place;
}
