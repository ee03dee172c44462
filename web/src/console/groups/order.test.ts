import { expect, test } from 'vitest';
import { nextOrder, readOrder } from './order';

test('the address says the order', () => {
  expect(readOrder(null)).toEqual({ field: 'NAME', direction: 'ASC' });
  expect(readOrder('-users')).toEqual({ field: 'USER_COUNT', direction: 'DESC' });
  expect(readOrder('users')).toEqual({ field: 'USER_COUNT', direction: 'ASC' });
});

test('what it does not know is by name', () => {
  expect(readOrder('-shoe size')).toEqual({ field: 'NAME', direction: 'ASC' });
  expect(readOrder('-constructor')).toEqual({ field: 'NAME', direction: 'ASC' });
  expect(readOrder('__proto__')).toEqual({ field: 'NAME', direction: 'ASC' });
});

test('names begin with A, numbers with the largest, and a second time turns it round', () => {
  expect(nextOrder('users', readOrder('name'))).toBe('-users');
  expect(nextOrder('users', readOrder('-users'))).toBe('users');
  expect(nextOrder('name', readOrder('-users'))).toBe('name');
  expect(nextOrder('name', readOrder('name'))).toBe('-name');
});
