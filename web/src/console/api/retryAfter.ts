import type { CombinedError } from '@urql/core';

/** Longer than this nobody is kept waiting, whatever a proxy says. Milliseconds. */
const LONGEST = 60_000;

/**
 * How long the service asks to be left alone after this failure (`Retry-After`; RFC 9110, section
 * 10.2.3: seconds, or a date), in milliseconds; 0 if it does not say.
 */
export function retryAfter(error: CombinedError | undefined, now = Date.now()): number {
  const said: string | null = error?.response?.headers?.get('Retry-After') ?? null;
  if (!said) return 0;
  const wait = /^\d+$/.test(said.trim()) ? Number(said) * 1_000 : Date.parse(said) - now;
  return Math.min(Math.max(wait || 0, 0), LONGEST);
}
