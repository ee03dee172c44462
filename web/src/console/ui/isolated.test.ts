import { expect, test } from 'vitest';
import { list } from './count';
import { isolated } from './isolated';

test('a name that would turn its neighbours stands by itself, any other as it is', () => {
  expect(isolated('Sales \u202eevil')).toBe('\u2068Sales \u202eevil\u2069');
  expect(isolated('فريق المبيعات')).toBe('\u2068فريق المبيعات\u2069');
  expect(isolated('Vertrieb 🚀 Ägypten')).toBe('Vertrieb 🚀 Ägypten');
});

test('a list holds its names apart', () => {
  expect(list(['\u202eA', 'B'])).toBe('\u2068\u202eA\u2069 and B');
  expect(list(['\u202eA', 'B', 'C', 'D'], 3)).toBe('\u2068\u202eA\u2069, B and 2 more');
});
