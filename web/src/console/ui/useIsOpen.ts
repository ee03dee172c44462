import { useCallback, useEffect, useRef } from 'react';

/** For what ends after its dialog, or editing, was closed: whether anybody still sees that. */
export function useIsOpen(opened: boolean): () => boolean {
  const isOpen = useRef(opened);
  useEffect(() => {
    isOpen.current = opened;
    return () => {
      isOpen.current = false;
    };
  }, [opened]);
  return useCallback(() => isOpen.current, []);
}
