import { Client, fetchExchange } from '@urql/core';
import { buildSchema, print, validate } from 'graphql';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import sdl from '../../../../schema/schema.graphql?raw';
import { PAGE_SIZE } from '../api/pageSize';
import { BOTS, type Member, PERSONAS, USERS } from './kinds';
import { findQuery, lookUp } from './lookUp';
import type { Match } from './paste';

interface Asked {
  query: string;
  variables: Record<string, string | null>;
}

/** The texts that a request searches for. */
const textsOf = ({ variables }: Asked) =>
  Object.entries(variables).flatMap(([name, value]) => (name.startsWith('text') ? [value] : []));

/** A client of a service that answers as it is told, and what it is asked. */
function asking(answer: (asked: Asked, number: number) => Response | Promise<Response>) {
  const asked: Asked[] = [];
  const fetch = vi.fn(async (_url, { body }) => {
    asked.push(JSON.parse(body));
    return answer(JSON.parse(body), asked.length);
  });
  const client = new Client({
    url: 'http://service/',
    exchanges: [fetchExchange],
    fetch,
    preferGetMethod: false,
  });
  const known = new Map<string, Match>();
  const progress: number[] = [];
  const look = (kind: typeof USERS, entries: string[], signal = new AbortController().signal) => {
    const pasted = { client, kind, groupId: 'grp_1', entries };
    return lookUp(pasted, known, () => progress.push(known.size), signal);
  };
  return { asked, known, progress, look };
}

interface Findings {
  nodes: Member[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const end = { hasNextPage: false, endCursor: null };
const none: Findings = { nodes: [], pageInfo: end };

/** Answers each search with what can be added, and what is in the group. */
function answering(
  asked: Asked,
  free: (text: string | null) => Findings,
  there: (text: string | null) => Findings = () => none,
) {
  const fields = textsOf(asked).flatMap((text, place) => [
    [`there${place}`, there(text)],
    [`free${place}`, free(text)],
  ]);
  return Response.json({ data: { group: Object.fromEntries(fields) } });
}

const nobody = (asked: Asked) => answering(asked, () => none);
const down = () => new Response('', { status: 503 });
const hundred = Array.from({ length: 100 }, (_, index) => `person${index}@example.com`);

test.each([USERS, BOTS, PERSONAS])('many $title are looked up as the schema has it', (kind) => {
  expect(validate(buildSchema(sdl), findQuery(kind, 20))).toEqual([]);
});

test('no more are asked for at a time than of any other list', () => {
  const sizes = [...print(findQuery(USERS, 2)).matchAll(/first: (\d+)/g)].map(([, size]) => size);
  expect(sizes).toEqual(Array(4).fill(String(PAGE_SIZE)));
});

test('all of a list are looked up, several in a request, each once', async () => {
  const { asked, known, progress, look } = asking(nobody);
  await look(USERS, hundred);
  expect([...known.values()].every(({ is }) => is === 'unknown')).toBe(true);
  expect(asked.flatMap(textsOf).sort()).toEqual([...hundred].sort());
  expect(asked.length).toBeLessThan(25);
  expect(Math.max(...asked.map((each) => textsOf(each).length))).toBeLessThanOrEqual(20);
  expect(progress).toHaveLength(asked.length);
  expect(progress.at(-1)).toBe(100);
});

test('a service that is slow is asked for one at a time', async () => {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const { asked, look } = asking((each) => {
    now += 10_000;
    return nobody(each);
  });
  await look(USERS, hundred);
  clock.mockRestore();
  expect(asked.every((each) => textsOf(each).length === 1)).toBe(true);
});

test('a list that nobody waits for any more is not looked up to its end', async () => {
  const controller = new AbortController();
  const { asked, look } = asking((each) => {
    controller.abort();
    return nobody(each);
  });
  await look(USERS, hundred, controller.signal);
  expect(asked.length).toBeLessThan(10);
});

test('where one alone cannot be looked up all ends, and another try goes on from there', async () => {
  let isDown = false;
  const { asked, known, look } = asking((each, number) => {
    if (number === 9) isDown = true;
    return isDown ? down() : nobody(each);
  });
  await expect(look(USERS, hundred)).rejects.toThrow();
  const found = [...known.keys()];
  const before = asked.length;
  expect(found.length).toBeGreaterThan(0);
  expect(before).toBeLessThan(20);

  isDown = false;
  await look(USERS, hundred);
  expect(known.size).toBe(100);
  const again = asked.slice(before).flatMap(textsOf);
  expect(again.filter((text) => found.includes(text ?? ''))).toEqual([]);
});

describe('a service that says when it may be asked again', () => {
  const later = () => new Response('', { status: 429, headers: { 'Retry-After': '20' } });
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is asked again then', async () => {
    let isBusy = false;
    const { asked, known, look } = asking((each, number) => {
      if (number === 9) isBusy = true;
      return isBusy ? later() : nobody(each);
    });
    const looked = look(USERS, hundred);
    await vi.advanceTimersByTimeAsync(19_900);
    const before = asked.length;
    expect(before).toBeLessThan(12);
    isBusy = false;
    await vi.advanceTimersByTimeAsync(500);
    await looked;
    expect(known.size).toBe(100);
    expect(asked.length).toBeGreaterThan(before);
  });

  test('is not asked for ever', async () => {
    const { asked, look } = asking(later);
    const looked = expect(look(USERS, hundred)).rejects.toThrow();
    await vi.runAllTimersAsync();
    await looked;
    expect(asked.length).toBeLessThan(20);
  });

  test('is not asked any more once nobody waits', async () => {
    const controller = new AbortController();
    const { asked, look } = asking(later);
    const looked = look(USERS, hundred, controller.signal);
    await vi.advanceTimersByTimeAsync(1_000);
    const before = asked.length;
    controller.abort();
    await looked;
    expect(asked).toHaveLength(before);
  });
});

test('a request that is refused for several is made for fewer', async () => {
  const tooMany = { message: 'Too many aliases.', extensions: { code: 'LIMIT_EXCEEDED' } };
  const { asked, known, look } = asking((each) =>
    textsOf(each).length > 2 ? Response.json({ errors: [tooMany] }, { status: 400 }) : nobody(each),
  );
  await look(USERS, hundred);
  expect(known.size).toBe(100);
  // Each of the two requests that are under way at a time may have been for too many once.
  expect(asked.filter((each) => textsOf(each).length > 2).length).toBeLessThanOrEqual(2);
});

test('what no name can be is not searched for, and leaves the others to be found', async () => {
  const impossible = ['x'.repeat(255), 'a\u0000b', '\ud800', 'a\u2028b', '🙂'.repeat(255)];
  const longest = [`${'x'.repeat(242)}@example.com`, '🙂'.repeat(254)];
  const { asked, known, progress, look } = asking(nobody);
  await look(USERS, [...impossible, ...longest]);
  expect(asked.flatMap(textsOf).sort()).toEqual([...longest].sort());
  expect([...known.values()].filter(({ is }) => is === 'unknown')).toHaveLength(7);

  await look(BOTS, ['\u0007']);
  expect(progress.at(-1)).toBe(8);
});

test('an answer with an error in it leaves nobody for unknown', async () => {
  const error = { message: 'None became free.', path: ['group'] };
  const { known, look } = asking(() => Response.json({ data: { group: null }, errors: [error] }));
  await expect(look(USERS, ['Ada'])).rejects.toThrow('None became free.');
  expect(known.size).toBe(0);
});

test('a whole name is found behind a page of others that have it as a part', async () => {
  const others = Array.from({ length: 100 }, (_, index) => ({
    id: `bot_${index}`,
    name: `A Coach ${index}`,
  }));
  const coach = { id: 'bot_100', name: 'Coach' };
  const { asked, known, look } = asking((each, number) =>
    answering(each, () =>
      number === 1
        ? { nodes: others, pageInfo: { hasNextPage: true, endCursor: 'c' } }
        : { nodes: [coach], pageInfo: end },
    ),
  );
  await look(BOTS, ['coach']);
  expect(known.get('coach')).toMatchObject({ is: 'found', member: coach });
  expect(asked.map(({ variables }) => variables.freeAfter0)).toEqual([null, 'c']);
});

test('who is in the group is told apart, also behind a page of others', async () => {
  const ada = { id: 'usr_1', name: 'Ada' };
  const next = { hasNextPage: true, endCursor: 'c' };
  const { asked, known, look } = asking((each, number) =>
    answering(
      each,
      () => none,
      () => (number === 1 ? { nodes: [], pageInfo: next } : { nodes: [ada], pageInfo: end }),
    ),
  );
  await look(USERS, ['Ada']);
  expect(known.get('Ada')).toMatchObject({ is: 'there', member: ada });
  expect(asked.map(({ variables }) => variables.thereAfter0)).toEqual([null, 'c']);
});

test('a group that is gone holds nobody', async () => {
  const { known, look } = asking(() => Response.json({ data: { group: null } }));
  await look(USERS, ['Ada']);
  expect(known.get('Ada')).toEqual({ entry: 'Ada', is: 'unknown' });
});

test('a name that another has behind that page says nothing', async () => {
  const coach = (id: string) => ({ id, name: 'Coach' });
  const next = { hasNextPage: true, endCursor: 'c' };
  const { known, look } = asking((each, number) =>
    answering(each, () =>
      number === 1
        ? { nodes: [coach('bot_1')], pageInfo: next }
        : { nodes: [coach('bot_2')], pageInfo: end },
    ),
  );
  await look(BOTS, ['Coach']);
  expect(known.get('Coach')).toEqual({ entry: 'Coach', is: 'ambiguous' });
});

test('an address is one person’s, and looked for no further once it is found', async () => {
  const ada = { id: 'usr_1', name: 'Ada', email: 'Ada@example.com' };
  const { asked, known, look } = asking((each) =>
    answering(each, () => ({ nodes: [ada], pageInfo: { hasNextPage: true, endCursor: 'c' } })),
  );
  await look(USERS, ['ada@example.com']);
  expect(known.get('ada@example.com')).toMatchObject({ is: 'found', member: ada });
  expect(asked).toHaveLength(1);
});
