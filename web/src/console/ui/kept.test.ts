import { expect, test } from 'vitest';
import { isSame } from './kept';

const edge = () => ({ node: { id: 'bot_1', features: ['Voice'], avatarUrl: null }, via: [{}] });

test('data is the same if it says the same', () => {
  expect(isSame(edge(), edge())).toBe(true);
  expect(isSame(edge(), { ...edge(), via: [] })).toBe(false);
  expect(isSame({ name: 'A' }, { name: 'B' })).toBe(false);
  expect(isSame({ name: undefined }, { title: undefined })).toBe(false);
  expect(isSame([], {})).toBe(false);
  expect(isSame(null, {})).toBe(false);
});

test('functions are the same if they are one', () => {
  const one = () => 1;
  expect(isSame({ onRemove: one }, { onRemove: one })).toBe(true);
  expect(isSame({ onRemove: one }, { onRemove: () => 1 })).toBe(false);
});
