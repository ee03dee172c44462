import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

/** What the address says of the page, so that it can be shared, and back and forward work. */
export function useAddress() {
  const [params, setParams] = useSearchParams();

  const change = useCallback(
    (values: Record<string, string | null>, options?: { replace?: boolean }) =>
      setParams((before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(values)) {
          if (value) next.set(name, value);
          else next.delete(name);
        }
        return next;
      }, options),
    [setParams],
  );
  return { get: (name: string) => params.get(name), change };
}
