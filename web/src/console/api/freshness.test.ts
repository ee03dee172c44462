import { Client, type Exchange, gql, makeResult, type Operation } from '@urql/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filter, map, pipe, subscribe } from 'wonka';
import { Freshness } from './freshness';

/** A service at a revision of its own, which counts what it is asked. */
function service() {
  const state = { revision: 1, asked: [] as string[] };
  const exchange: Exchange = () => (operations$) =>
    pipe(
      operations$,
      filter(({ kind }) => kind !== 'teardown'),
      map((operation: Operation) => {
        state.asked.push(String(operation.variables?.name));
        const { revision } = state;
        return makeResult(operation, { data: { revision }, extensions: { revision } });
      }),
    );
  return { state, exchange };
}

function page() {
  const { state, exchange } = service();
  const freshness = new Freshness();
  const client = new Client({ url: '/graphql', exchanges: [freshness.exchange, exchange] });
  const show = (name: string) =>
    pipe(
      client.query(gql`query Q($name: String) { q(name: $name) }`, { name }),
      subscribe(() => undefined),
    );
  return { state, freshness, show };
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
