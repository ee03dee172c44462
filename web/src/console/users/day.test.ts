import { expect, test } from 'vitest';
import { endOf } from './day';

const NOW = new Date(2026, 0, 31, 12, 0);

test('a day that is over is seen at its last instant, where the reader is', () => {
  expect(endOf('2026-01-30', NOW)).toBe(new Date(2026, 0, 30, 23, 59, 59, 999).toISOString());
});

test('today and what is no day are the present', () => {
  expect(endOf('2026-01-31', NOW)).toBeNull();
  expect(endOf('2026-02-01', NOW)).toBeNull();
  expect(endOf('yesterday', NOW)).toBeNull();
});
