import { expect, test } from 'vitest';
import { storageWithoutHeaders } from './storage';

test('headers never reach the browser’s storage through the history', () => {
  const kept = new Map<string, string>();
  const store = { setItem: (key: string, value: string) => kept.set(key, value) };
  const storage = storageWithoutHeaders(store as unknown as Storage);
  const entry = { query: '{ viewer { role } }', variables: '{}' };

  for (const list of ['queries', 'favorites']) {
    const headers = '{"Authorization": "Bearer secret"}';
    storage.setItem(`graphiql:${list}`, JSON.stringify({ [list]: [{ ...entry, headers }] }));
    expect(kept.get(`graphiql:${list}`)).toBe(JSON.stringify({ [list]: [entry] }));
  }
});

test('all else is kept as it is', () => {
  const kept = new Map<string, string>();
  const store = { setItem: (key: string, value: string) => kept.set(key, value) };
  storageWithoutHeaders(store as unknown as Storage).setItem('graphiql:theme', 'dark');
  expect(kept.get('graphiql:theme')).toBe('dark');
});
