import {
  Client,
  type Exchange,
  gql,
  makeErrorResult,
  makeResult,
  type Operation,
} from '@urql/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filter, map, pipe, subscribe } from 'wonka';
import { Freshness } from './freshness';

/** A service at a revision of its own, which counts what it is asked. */
function service() {
  const state = { revision: 1, asked: [] as string[], isDown: false };
  const exchange: Exchange = () => (operations$) =>
    pipe(
      operations$,
      filter(({ kind }) => kind !== 'teardown'),
      map((operation: Operation) => {
        state.asked.push(String(operation.variables?.name));
        const { revision } = state;
        if (state.isDown) return makeErrorResult(operation, new Error('Too Many Requests'));
        return makeResult(operation, { data: { revision }, extensions: { revision } });
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
  return { state, freshness, show, told, signs };
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

test('what is no longer shown is not asked again', async () => {
  const { state, freshness, show } = page();
  const { unsubscribe } = show('a');
  unsubscribe();
  freshness.note(9);
  await vi.runAllTimersAsync();
  expect(state.asked).toEqual(['a']);
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

test('what nobody has seen yet is told to have failed', async () => {
  const { state, show, told } = page();
  state.isDown = true;
  show('a');
  await vi.runAllTimersAsync();
  expect(told).toEqual(['failed']);
});
