import { type Client, CombinedError } from '@urql/core';
import { expect, test, vi } from 'vitest';
import { PAGE_SIZE } from '../api/pageSize';

// What shows notices asks the browser which keys it has.
vi.hoisted(() => vi.stubGlobal('navigator', { userAgent: '' }));
const { undoRevision } = await import('./undo');

/** A client of a service at a revision, which tells no more of its changes at a time than any list. */
function service(revision: number) {
  const undone: string[] = [];
  const query = async (_: unknown, { first, after }: { first: number; after: string | null }) => {
    if (first > PAGE_SIZE) return { error: { graphQLErrors: [], message: 'Too many.' } };
    const newest = after ? Number(after) - 1 : revision;
    const nodes = Array.from({ length: Math.min(first, newest) }, (_, index) => ({
      id: `chg_${newest - index}`,
      revision: newest - index,
    }));
    const last = newest - nodes.length + 1;
    const pageInfo = { hasNextPage: last > 1, endCursor: String(last) };
    return { data: { changes: { nodes, pageInfo } } };
  };
  const mutation = async (_: unknown, { id }: { id: string }) => {
    undone.push(id);
    return { data: { undoChange: { userErrors: [], change: { id, summary: 'Undone.' } } } };
  };
  return { client: { query, mutation } as unknown as Client, undone };
}

test.each([
  ['the newest', 200, ['chg_200']],
  ['behind a page of others', 101, ['chg_101']],
  ['behind too many others', 100, []],
])('a change that is %s', async (_, revision, expected) => {
  const { client, undone } = service(200);
  await expect(undoRevision(client, revision)).resolves.toBe(false);
  expect(undone).toEqual(expected);
});

test('the first of all changes', async () => {
  const { client, undone } = service(PAGE_SIZE + 1);
  await undoRevision(client, 1);
  expect(undone).toEqual(['chg_1']);
});

const LOST = new CombinedError({ networkError: new Error('Failed to fetch') });
const REFUSED = new CombinedError({ graphQLErrors: [{ message: 'Not for you.' }] });

test.each([
  ['lost', LOST, true],
  ['refused', REFUSED, false],
])(
  'a question for the change that is %s: whether to offer the undo again',
  async (_, error, expected) => {
    const { client, undone } = service(1);
    client.query = (async () => ({ error })) as never;
    await expect(undoRevision(client, 1)).resolves.toBe(expected);
    expect(undone).toEqual([]);
  },
);

test.each([
  ['lost', LOST, true],
  ['refused', REFUSED, false],
])('an undo that is %s: whether to offer it again', async (_, error, expected) => {
  const { client } = service(1);
  client.mutation = (async () => ({ error })) as never;
  await expect(undoRevision(client, 1)).resolves.toBe(expected);
});
