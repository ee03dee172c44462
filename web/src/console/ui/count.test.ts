import { expect, test } from 'vitest';
import { count, list } from './count';

test('one is singular, and thousands are told apart', () => {
  expect(count(1, 'user')).toBe('1 user');
  expect(count(0, 'user')).toBe('0 users');
  expect(count(1200, 'user')).toMatch(/^1.200 users$/);
});

test('a list names the first of many', () => {
  expect(list([])).toBe('');
  expect(list(['A'])).toBe('A');
  expect(list(['A', 'B', 'C'])).toBe('A, B and C');
  expect(list(['A', 'B', 'C', 'D'])).toBe('A, B and 2 more');
});
