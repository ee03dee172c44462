import { afterEach, expect, test, vi } from 'vitest';
import { createFetcher } from './fetcher';

afterEach(() => vi.unstubAllGlobals());

const json = (body: unknown, status: number) => new Response(JSON.stringify(body), { status });

/** Runs a query against a service that answers so; returns what GraphiQL shows, and the notices. */
async function run(answer: () => Promise<Response>) {
  const fetch = vi.fn(answer);
  vi.stubGlobal('fetch', fetch);
  const onRefused = vi.fn();
  const params = { query: '{ viewer { role } }' };
  const result = await createFetcher({ onRefused })(params, { headers: { 'X-Trace': '1' } });
  return { fetch, onRefused, shown: JSON.parse(JSON.stringify(result)) };
}

test('a query is a same-origin POST of JSON with the person’s own headers', async () => {
  const answer = { data: { viewer: { role: 'ADMIN' } } };
  const { fetch, onRefused, shown } = await run(async () => json(answer, 200));

  expect(shown).toEqual(answer);
  expect(onRefused).toHaveBeenCalledExactlyOnceWith(null);
  expect(fetch).toHaveBeenCalledExactlyOnceWith('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      'X-Trace': '1',
    },
    body: '{"query":"{ viewer { role } }"}',
  });
});

test('a 401 shows the service’s errors and says why it refused', async () => {
  const answer = { errors: [{ message: 'This link has expired.' }] };
  const { onRefused, shown } = await run(async () => json(answer, 401));

  expect(shown).toEqual(answer);
  expect(onRefused).toHaveBeenCalledExactlyOnceWith('This link has expired.');
});

test('a 401 without GraphQL errors still says that nobody is signed in', async () => {
  const { onRefused } = await run(async () => json({}, 401));
  expect(onRefused).toHaveBeenCalledExactlyOnceWith('Unauthorized');
});

test('an answer that is not JSON is told in a sentence', async () => {
  const page = new Response('<h1>Bad Gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
  const { shown } = await run(async () => page);
  expect(shown.errors[0].message).toBe(
    'The service answered with HTTP 502 Bad Gateway, and not with JSON.',
  );
});

test('no answer at all is told in a sentence', async () => {
  const { shown } = await run(() => Promise.reject(new TypeError('Failed to fetch')));
  expect(shown.errors[0].message).toMatch(/did not answer/);
});
