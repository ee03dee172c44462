import { type Client, CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { PAGE_SIZE } from '../api/pageSize';
import { type Impact, impactOf, sentence } from './impact';

const thing = (name: string) => ({ id: name, name });
const SALES = thing('Sales');
const CLOSERS = thing('Closers');

interface Touched {
  user: string;
  bots?: string[];
  personas?: string[];
}

const diff = ({ user, bots = [], personas = [] }: Touched) => ({
  user: thing(user),
  bots: bots.map(thing),
  personas: personas.map(thing),
});

const counts = (touched: Touched[]) => ({
  botCount: new Set(touched.flatMap(({ bots = [] }) => bots)).size,
  personaCount: new Set(touched.flatMap(({ personas = [] }) => personas)).size,
});

function impact(losses: Touched[], kept: Touched[] = [], lossCount = losses.length): Impact {
  return {
    revision: 1,
    losses: {
      totalCount: lossCount,
      ...counts(losses),
      nodes: losses.map(diff),
    },
    kept: {
      totalCount: kept.length,
      ...counts(kept),
      nodes: kept.map((each) => ({
        ...diff(each),
        user: {
          ...thing(each.user),
          bots: {
            edges: (each.bots ?? []).map((bot) => ({ node: thing(bot), via: [CLOSERS, SALES] })),
          },
          personas: { edges: [] },
        },
      })),
    },
  };
}

const one = { user: 'Ada', bots: ['Coach'] };
const two = { user: 'Bo', bots: ['Coach'] };
const three = { user: 'Cy', bots: ['Coach', 'Gym'], personas: ['CFO'] };

test.each([
  ['nobody', impact([]), 'Nobody loses access to anything.'],
  ['one, who loses one thing', impact([one]), 'Ada loses Coach.'],
  ['several, who lose the same', impact([one, two]), '2 users lose Coach.'],
  ['several, who lose much', impact([one, three]), '2 users lose 2 bots and CFO.'],
  [
    'others, who keep the same through another group',
    impact([three], [three, three]),
    'Cy loses 2 bots and CFO; 2 keep them through Sales.',
  ],
  [
    'the same one, who keeps something else',
    impact([one], [{ user: 'Ada', bots: ['Gym'] }]),
    'Ada loses Coach; they keep Gym through Sales.',
  ],
  [
    'the same one, who keeps as many other things',
    impact([{ user: 'Ada', bots: ['Coach', 'Gym'] }], [{ user: 'Ada', bots: ['Pitch', 'Deck'] }]),
    'Ada loses 2 bots; they keep 2 bots through Sales.',
  ],
  [
    'only such as keep it',
    impact([], [one]),
    'Nobody loses access; Ada keeps Coach through Sales.',
  ],
])('it concerns %s', (_whom, each, text) => {
  expect(sentence(each, CLOSERS.id, 'lose')).toBe(text);
});

test('afterwards it is told in the past', () => {
  expect(sentence(impact([one], [two, two]), CLOSERS.id, 'lost')).toBe(
    'Ada lost Coach; 2 kept them through Sales.',
  );
});

test.each([
  ['more keep it', { totalCount: 500 }, 'Nobody loses access; 500 keep Coach, some through Sales.'],
  ['more is kept', { botCount: 3 }, 'Nobody loses access; Ada keeps 3 bots, some through Sales.'],
])('where %s than is told, its groups are those of some', (_, counted, text) => {
  const some = impact([], [one]);
  expect(sentence({ ...some, kept: { ...some.kept, ...counted } }, CLOSERS.id, 'lose')).toBe(text);
});

test('what they lose is counted for all, also for those who are not told one by one', () => {
  const some = impact([three], [], 5_000);
  const losses = { ...some.losses, botCount: 7, personaCount: 1 };
  expect(sentence({ ...some, losses }, CLOSERS.id, 'lose')).toBe(
    '5,000 users lose 7 bots and CFO.',
  );
});

test.each([
  ['less is asked for where it was too much', {}, 3],
  ['nothing more is asked for where it was too often', { 'Retry-After': '9' }, 1],
])('%s', async (_, headers, times) => {
  const graphQLErrors = [{ message: 'No.', extensions: { code: 'LIMIT_EXCEEDED' } }];
  const error = new CombinedError({ graphQLErrors, response: new Response(null, { headers }) });
  const asked: { of: object; [extent: string]: number | object }[] = [];
  const query = async (_: unknown, variables: (typeof asked)[number]) => {
    asked.push(variables);
    return { error };
  };

  await expect(impactOf({ query } as unknown as Client, { deleteGroup: 'grp' })).rejects.toBe(
    error,
  );
  expect(asked).toHaveLength(times);
  const [, ...less] = asked.map(({ of: _, ...sizes }) => Object.values(sizes).map(Number));
  expect(less.flat().every((size) => size <= PAGE_SIZE)).toBe(true);
});
