import { useCallback } from 'react';
import { useLocation, useSearchParams } from 'react-router';

/** What the address says of the page, so that it can be shared, and back and forward work. */
export function useAddress() {
  const [params, setParams] = useSearchParams();
  const { pathname } = useLocation();

  /** Begins from the browser's own address, which may be ahead of the one that is rendered. */
  const change = useCallback(
    (values: Record<string, string | null>, options?: { replace?: boolean }) => {
      // Somebody has gone to another page, which is still on its way.
      if (location.pathname !== pathname) return;
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(values)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      setParams(next, options);
    },
    [pathname, setParams],
  );
  return { get: (name: string) => params.get(name), change };
}
