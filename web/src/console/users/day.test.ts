import { expect, test } from 'vitest';
import { endOf, readDay } from './day';

const NOW = new Date(2026, 0, 31, 12, 0);

test('a day that is over is seen at its last instant, where the reader is', () => {
  expect(endOf('2026-01-30', NOW)).toBe(new Date(2026, 0, 30, 23, 59, 59, 999).toISOString());
});

test('today and what is no day are the present', () => {
  expect(endOf('2026-01-31', NOW)).toBeNull();
  expect(endOf('2026-02-01', NOW)).toBeNull();
  expect(endOf('yesterday', NOW)).toBeNull();
});

test('an address names a day that was, or today', () => {
  expect(readDay('2026-01-30', NOW)).toBe('2026-01-30');
  expect(readDay('2026-01-31', NOW)).toBe('2026-01-31');
});

test.each([null, '', 'banana', '2026-1-3', '2025-02-31', '2025-13-01', '2026-02-01', '2099-01-01'])(
  '%s is no such day',
  (text) => expect(readDay(text, NOW)).toBeNull(),
);
