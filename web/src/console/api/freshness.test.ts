import {
  Client,
  type Exchange,
  gql,
  makeErrorResult,
  makeResult,
  type Operation,
} from '@urql/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { delay, filter, fromValue, mergeMap, pipe, subscribe } from 'wonka';
import { Freshness } from './freshness';

/** A service at a revision of its own, which counts what it is asked. */
function service() {
  const state = {
    revision: 1,
    asked: [] as string[],
    isDown: false,
    refuses: false,
    wait: 0,
    retryAfter: '',
  };
  const exchange: Exchange = () => (operations$) =>
    pipe(
      operations$,
      filter(({ kind }) => kind !== 'teardown'),
      mergeMap((operation: Operation) => {
        state.asked.push(String(operation.variables?.name));
        const { revision, isDown, refuses, wait, retryAfter } = state;
        const headers: HeadersInit = retryAfter ? { 'Retry-After': retryAfter } : {};
        const response = new Response(null, { status: 429, headers });
        const result = isDown
          ? makeErrorResult(operation, new Error('Too Many Requests'), response)
          : makeResult(
              operation,
              refuses
                ? { data: null, errors: [{ message: 'Not for you.' }], extensions: { revision } }
                : { data: { revision }, extensions: { revision } },
            );
        return wait ? pipe(fromValue(result), delay(wait)) : fromValue(result);
      }),
    );
  return { state, exchange };
}

function page() {
  const { state, exchange } = service();
  const freshness = new Freshness();
  const client = new Client({
    url: '/graphql',
    exchanges: [freshness.steady, freshness.exchange, exchange],
  });
  const told: string[] = [];
  const show = (name: string) =>
    pipe(
      client.query(gql`query Q($name: String) { q(name: $name) }`, { name }),
      subscribe(({ data, error }) => void told.push(error ? 'failed' : String(data.revision))),
    );
  const signs: boolean[] = [];
  freshness.subscribe(() => void signs.push(freshness.isFresh()));
  return { state, freshness, client, show, told, signs };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an event of a later revision has all that is shown asked again, once', async () => {
  const { state, freshness, show } = page();
  show('a');
  show('b');
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'b']);

  state.revision = 3;
  freshness.note(2);
  freshness.note(3);
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'b', 'a', 'b']);
});

test('an answer of a later revision has the others asked again, not itself', async () => {
  const { state, show } = page();
  show('a');
  state.revision = 2;
  show('b');
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'b', 'a']);
});

test('what is no list of members is asked again, whatever group a change is of', async () => {
  const { state, freshness, show } = page();
  show('a');
  state.revision = 3;
  freshness.note(2, { action: 'GROUP_CREATED', groupId: 'grp_2' });
  freshness.note(3, { action: 'USERS_ADDED', groupId: 'grp_2' });
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'a']);
});

test('what is no longer shown is not asked again', async () => {
  const { state, freshness, show } = page();
  const { unsubscribe } = show('a');
  unsubscribe();
  freshness.note(9);
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a']);
});

describe('of a list of members', () => {
  const inGroup = (id: string) => ({ action: 'USERS_ADDED', groupId: id }) as const;
  const users = gql`
    query GroupUsers($id: ID!, $name: String) {
      owner(id: $id, name: $name)
    }
  `;

  function listed() {
    const { state, freshness, client } = page();
    pipe(
      client.query(users, { id: 'grp_1', name: 'a' }),
      subscribe(() => undefined),
    );
    state.revision = 9;
    return { state, freshness };
  }

  test.each([
    ['of its group', [inGroup('grp_1')], 2],
    ['of another group', [inGroup('grp_2')], 1],
    ['that renames another group', [{ action: 'GROUP_UPDATED', groupId: 'grp_2' }], 1],
    ['of a token', [{ action: 'TOKEN_REVOKED', groupId: null }], 1],
    ['of the bots of its group', [{ action: 'BOTS_REMOVED', groupId: 'grp_1' }], 1],
    ['that deletes its group', [{ action: 'GROUP_DELETED', groupId: 'grp_1' }], 2],
    ['of what people are called', [{ action: 'USERS_UPSERTED', groupId: null }], 2],
    ['that undoes another', [{ action: 'CHANGE_UNDONE', groupId: 'grp_2' }], 2],
    ['of its group before one of another', [inGroup('grp_1'), inGroup('grp_2')], 2],
    ['of another group behind one that is not known', [undefined, inGroup('grp_2')], 2],
  ] as const)('a change %s', async (_what, changes, times) => {
    const { state, freshness } = listed();
    for (const [index, change] of changes.entries()) {
      if (change) freshness.note(index + 2, change);
    }
    await vi.runAllTimersAsync();
    expect(state.asked).toHaveLength(times);
  });

  test('a doubt has it asked again, whatever changed', async () => {
    const { state, freshness } = listed();
    freshness.note(2, inGroup('grp_2'));
    freshness.doubt();
    await vi.runAllTimersAsync();
    expect(state.asked).toHaveLength(2);
  });

  test('more changes at once than are kept may have been of its group', async () => {
    const { state, freshness } = listed();
    await vi.runAllTimersAsync();
    state.revision = 200;
    for (let revision = 2; revision <= 200; revision += 1) {
      freshness.note(revision, inGroup('grp_2'));
    }
    await vi.runAllTimersAsync();
    expect(state.asked).toHaveLength(2);
  });

  test('a change of its group is seen after many of others', async () => {
    const { state, freshness } = listed();
    for (let revision = 2; revision <= 300; revision += 1) {
      freshness.note(revision, inGroup('grp_2'));
      if (revision % 50 === 0) await vi.runAllTimersAsync();
    }
    expect(state.asked).toHaveLength(1);
    state.revision = 301;
    freshness.note(301, inGroup('grp_1'));
    await vi.runAllTimersAsync();
    expect(state.asked).toHaveLength(2);
  });
});

test('a doubt has everything asked again at the same revision', async () => {
  const { state, freshness, show } = page();
  show('a');
  freshness.doubt();
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'a']);
});

test('what is shown stays when the service does not answer, and is asked for again', async () => {
  const { state, freshness, show, told } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, isDown: true });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(state.asked.length).toBe(4); // At once, after one second, and after two more.
  state.isDown = false;
  await vi.runAllTimersAsync();
  expect(told.filter((each) => each === 'failed')).toEqual([]);
  expect(told.at(-1)).toBe('2');
});

test('what is being asked is not asked once more before there is an answer', async () => {
  const { state, freshness, show, told } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, wait: 1_000 });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(500);
  state.revision = 3;
  freshness.note(3);
  await vi.advanceTimersByTimeAsync(400);
  expect(state.asked).toHaveLength(2);
  await vi.runAllTimersAsync();
  expect(state.asked).toHaveLength(3);
  expect(told.at(-1)).toBe('3');
});

test('what failed is not asked for before its time, whatever changes', async () => {
  const { state, freshness, show } = page();
  show('a');
  await vi.runAllTimersAsync();
  state.isDown = true;
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(100);
  freshness.note(3);
  await vi.advanceTimersByTimeAsync(400);
  expect(state.asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state.asked).toHaveLength(3);
});

test('what failed is asked for again at once when the connection is back', async () => {
  const { state, freshness, show, told } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, isDown: true });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(100);
  state.isDown = false;
  freshness.doubt();
  await vi.advanceTimersByTimeAsync(100);
  expect(state.asked).toEqual(['a', 'a', 'a']);
  expect(told.at(-1)).toBe('2');
});

test('what fails later does not put off what failed before', async () => {
  const { state, show } = page();
  state.isDown = true;
  show('a');
  await vi.advanceTimersByTimeAsync(900);
  show('b');
  state.isDown = false;
  await vi.advanceTimersByTimeAsync(200);
  expect(state.asked).toEqual(['a', 'b', 'a', 'b']);
});

test('what the service refuses does not stay', async () => {
  const { state, freshness, show, told } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, refuses: true });
  freshness.note(2);
  await vi.runAllTimersAsync();
  expect(told).toEqual(['1', 'failed']);
  expect(state.asked).toEqual(['a', 'a']);
});

test('a service that says when it may be asked again is left alone until then', async () => {
  const { state, freshness, show, told } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, isDown: true, retryAfter: '20' });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(19_000);
  freshness.doubt(); // The connection was lost, and is back.
  await vi.advanceTimersByTimeAsync(900);
  expect(state.asked).toEqual(['a', 'a']);
  state.isDown = false;
  await vi.advanceTimersByTimeAsync(500);
  expect(state.asked).toEqual(['a', 'a', 'a']);
  expect(told.at(-1)).toBe('2');
});

test('it is left alone too where it says so only of a later question', async () => {
  const { state, show } = page();
  state.isDown = true;
  show('a');
  state.retryAfter = '20';
  show('b');
  await vi.advanceTimersByTimeAsync(19_900);
  expect(state.asked).toEqual(['a', 'b']);
  state.isDown = false;
  await vi.advanceTimersByTimeAsync(500);
  expect(state.asked).toEqual(['a', 'b', 'a', 'b']);
});

test('what failed and is not wanted any more does not leave the rest for old', async () => {
  const { state, freshness, show, signs } = page();
  show('a');
  await vi.runAllTimersAsync();
  state.isDown = true;
  const { unsubscribe } = show('b');
  await vi.advanceTimersByTimeAsync(1_500);
  expect(signs).toEqual([false]);
  unsubscribe();
  await vi.runAllTimersAsync();
  expect(signs).toEqual([false, true]);
  expect(freshness.isFresh()).toBe(true);
  expect(state.asked).toEqual(['a', 'b', 'b']);
});

test('what is being asked while a write is answered is asked again', async () => {
  const { state, freshness, client, show } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, wait: 200 });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(100);
  state.wait = 0;
  await client.mutation(gql`mutation M($name: String) { m(name: $name) }`, { name: 'write' });
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a', 'a', 'write', 'a']);
});

test('what is shown may be old after the second failure in a row, until there is an answer', async () => {
  const { state, freshness, show, signs } = page();
  show('a');
  await vi.runAllTimersAsync();
  Object.assign(state, { revision: 2, isDown: true });
  freshness.note(2);
  await vi.advanceTimersByTimeAsync(500);
  expect(signs).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(signs).toEqual([false]);
  state.isDown = false;
  await vi.runAllTimersAsync();
  expect(signs).toEqual([false, true]);
});

test('what nobody has seen yet is told to have failed, and asked for again', async () => {
  const { state, show, told } = page();
  state.isDown = true;
  show('a');
  await vi.advanceTimersByTimeAsync(500);
  expect(told).toEqual(['failed']);
  state.isDown = false;
  await vi.runAllTimersAsync();
  expect(told).toEqual(['failed', '1']);
  expect(state.asked).toEqual(['a', 'a']);
});
