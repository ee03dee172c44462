import { CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { retryAfter } from './retryAfter';

const NOW = Date.parse('Fri, 31 Jan 2026 12:00:00 GMT');

test.each([
  ['seconds', { 'Retry-After': '9' }, 9_000],
  ['a date', { 'Retry-After': 'Fri, 31 Jan 2026 12:00:20 GMT' }, 20_000],
  ['a date that is over', { 'Retry-After': 'Fri, 31 Jan 2026 11:00:00 GMT' }, 0],
  ['an hour', { 'Retry-After': '3600' }, 60_000],
  ['nonsense', { 'Retry-After': 'soon' }, 0],
  ['nothing', {}, 0],
])('of %s', (_, headers: Record<string, string>, wait) => {
  const response = new Response(null, { status: 503, headers });
  expect(retryAfter(new CombinedError({ response }), NOW)).toBe(wait);
});

test('of a service that cannot be reached', () => {
  expect(retryAfter(new CombinedError({ networkError: new Error('No network.') }))).toBe(0);
  expect(retryAfter(undefined)).toBe(0);
});
