import { Client, type Exchange, gql, makeResult, type Operation } from '@urql/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { delay, filter, fromValue, map, mergeMap, pipe, subscribe } from 'wonka';
import { createCache } from './cache';
import {
  AddUsersDocument,
  AvailableUsersDocument,
  GroupUsersDocument,
  RemoveUsersDocument,
} from './operations';

const LATER = 100;
const ADA = {
  __typename: 'User',
  id: 'usr_a',
  name: 'Ada',
  avatarUrl: null,
  email: 'a@example.com',
  status: 'ACTIVE',
};
const BOB = {
  __typename: 'User',
  id: 'usr_b',
  name: 'Bob',
  avatarUrl: null,
  email: 'b@example.com',
  status: 'ACTIVE',
};

const page = (typename: string, items: object[]) => ({
  __typename: typename,
  totalCount: items.length,
  pageInfo: { __typename: 'PageInfo', hasNextPage: false, endCursor: null },
  items,
});

/** A service that holds Ada, offers Bob, and answers writes later, with or without a refusal. */
async function shown({ refuses = false } = {}) {
  const answer = ({ query, variables }: Operation) => {
    const name = (query.definitions[0] as { name?: { value: string } }).name?.value;
    const owner = { __typename: 'Group', id: 'grp_1' };
    switch (name) {
      case 'GroupUsers':
        return { owner: { ...owner, list: page('GroupUserConnection', [ADA]) } };
      case 'AvailableUsers':
        return { owner: { ...owner, list: page('UserConnection', [BOB]) } };
      case 'Count':
        return { owner: { ...owner, userCount: 1 } };
      default: {
        const refusal = { __typename: 'UserError', code: 'NOT_FOUND', message: 'No.', field: null };
        const isAdd = name === 'AddUsers';
        return {
          result: {
            __typename: isAdd ? 'AddUsersToGroupPayload' : 'RemoveUsersFromGroupPayload',
            revision: 1,
            userErrors: refuses ? [refusal] : [],
            group: refuses ? null : { ...owner, userCount: isAdd ? 2 : 0 },
            addedEdges: [],
            removedIds: isAdd || refuses ? [] : (variables as { ids: string[] }).ids,
          },
        };
      }
    }
  };
  const service: Exchange = () => (operations$) =>
    pipe(
      operations$,
      filter(({ kind }) => kind !== 'teardown'),
      mergeMap((operation) =>
        pipe(
          fromValue(operation),
          delay(operation.kind === 'mutation' ? LATER : 0),
          map(() => makeResult(operation, { data: answer(operation) })),
        ),
      ),
    );
  const client = new Client({ url: '/graphql', exchanges: [createCache(), service] });
  const lists: Record<'members' | 'available', string[]> = { members: [], available: [] };
  const variables = { id: 'grp_1', first: 50, after: null, search: null };
  for (const [list, query] of [
    ['members', GroupUsersDocument],
    ['available', AvailableUsersDocument],
  ] as const) {
    pipe(
      client.query(query, variables),
      subscribe(({ data }) => {
        if (data?.owner) lists[list] = data.owner.list.items.map(({ name }) => name);
      }),
    );
  }
  const others: Record<string, string[]> = {};
  for (const [name, more] of [
    ['searched', { search: 'Ad' }],
    ['second', { after: 'c' }],
  ] as const) {
    pipe(
      client.query(GroupUsersDocument, { ...variables, ...more }),
      subscribe(({ data }) => {
        if (data?.owner) others[name] = data.owner.list.items.map(({ name }) => name);
      }),
    );
  }
  const counts: number[] = [];
  pipe(
    client.query(gql`query Count($id: ID!) { owner: group(id: $id) { id userCount } }`, variables),
    subscribe(({ data }) => void counts.push(data.owner.userCount)),
  );
  await vi.advanceTimersByTimeAsync(1);
  return { client, lists, others, counts };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('who is added is in the group, and no longer on offer, before the service answers', async () => {
  const { client, lists, counts } = await shown();
  void client.mutation(AddUsersDocument, { groupId: 'grp_1', ids: ['usr_b'] }).toPromise();
  await vi.advanceTimersByTimeAsync(LATER / 2);
  expect(lists).toEqual({ members: ['Bob', 'Ada'], available: [] });
  expect(counts).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(LATER);
  expect(lists).toEqual({ members: ['Bob', 'Ada'], available: [] });
});

test('who is added is not put among those searched for, nor on another page', async () => {
  const { client, others } = await shown();
  void client.mutation(AddUsersDocument, { groupId: 'grp_1', ids: ['usr_b'] }).toPromise();
  await vi.advanceTimersByTimeAsync(LATER * 2);
  expect(others).toEqual({ searched: ['Ada'], second: ['Ada'] });
});

test('a refusal takes it all back', async () => {
  const { client, lists, counts } = await shown({ refuses: true });
  void client.mutation(AddUsersDocument, { groupId: 'grp_1', ids: ['usr_b'] }).toPromise();
  await vi.advanceTimersByTimeAsync(LATER / 2);
  expect(lists.members).toEqual(['Bob', 'Ada']);
  await vi.advanceTimersByTimeAsync(LATER);
  expect(lists).toEqual({ members: ['Ada'], available: ['Bob'] });
  expect(counts).toEqual([1, 2, 1]);
});

test('who is removed is gone before the service answers', async () => {
  const { client, lists, counts } = await shown();
  void client.mutation(RemoveUsersDocument, { groupId: 'grp_1', ids: ['usr_a'] }).toPromise();
  await vi.advanceTimersByTimeAsync(LATER / 2);
  expect(lists.members).toEqual([]);
  expect(counts).toEqual([1, 0]);
});
