import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type FormattedExecutionResult, getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';

const ENDPOINT = '/graphql';

/** What GraphiQL shows: a GraphQL answer as it came over the wire. */
type Answer = FormattedExecutionResult<Record<string, unknown>, unknown>;

interface Options {
  /**
   * Told why the service does not know who is asking (HTTP 401, or WebSocket close 4401 or 4403),
   * and `null` once it does.
   */
  onRefused: (reason: string | null) => void;
}

/**
 * How GraphiQL talks to Cohort: queries and mutations by POST, subscriptions by WebSocket
 * (the graphql-transport-ws protocol), both to the same path of the same origin, both with the
 * session cookie.
 *
 * Not the toolkit's own fetcher, because that one shows every failure as a JavaScript error with
 * its stack, and cannot tell that a person is merely not signed in.
 */
export function createFetcher({ onRefused }: Options): Fetcher {
  return (params, { documentAST, headers = {} } = {}) => {
    const operation = documentAST && getOperationAST(documentAST, params.operationName);
    const answer =
      operation?.operation === 'subscription'
        ? subscribe(params, headers, onRefused)
        : post(params, headers, onRefused);
    // The toolkit's type wants instances of GraphQLError, where GraphiQL only prints the JSON.
    return answer as ReturnType<Fetcher>;
  };
}

async function post(
  params: FetcherParams,
  headers: Record<string, string>,
  onRefused: Options['onRefused'],
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(ENDPOINT, {
      method: 'POST',
      credentials: 'same-origin',
      headers: {
        Accept: 'application/graphql-response+json, application/json',
        'Content-Type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(params),
    });
  } catch {
    return failure('The service did not answer. Is it running, and are you online?');
  }

  const result = await readResult(response);
  onRefused(response.status === 401 ? (result.errors?.[0]?.message ?? 'Unauthorized') : null);
  return result;
}

async function readResult(response: Response): Promise<Answer> {
  try {
    return await response.json();
  } catch {
    const status = `${response.status} ${response.statusText}`.trim();
    return failure(`The service answered with HTTP ${status}, and not with JSON.`);
  }
}

function subscribe(
  params: FetcherParams,
  headers: Record<string, string>,
  onRefused: Options['onRefused'],
): AsyncIterable<Answer> {
  const client = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${ENDPOINT}`,
    // A browser cannot set headers on a WebSocket; the service reads them from connection_init.
    connectionParams: headers,
    // A silent reconnect would begin again from now and hide what happened in between.
    retryAttempts: 0,
    on: {
      connected: () => onRefused(null),
      closed: (event) => {
        if (event instanceof CloseEvent && [4401, 4403].includes(event.code)) {
          onRefused(event.reason || 'Unauthorized');
        }
      },
    },
  });
  const events = client.iterate<Record<string, unknown>, unknown>({ ...params });

  // Written out, not an async generator: a generator would heed GraphiQL's stop button (`return`)
  // only after one more event had come.
  const iterator: AsyncIterableIterator<Answer> = {
    [Symbol.asyncIterator]: () => iterator,
    next: () => events.next().catch((cause) => ({ done: false, value: explain(cause) })),
    return: () => events.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
  return iterator;
}

/** graphql-ws fails with GraphQL errors, with the event that closed the socket, or with an Error. */
function explain(cause: unknown): Answer {
  if (Array.isArray(cause)) return { errors: cause };
  if (cause instanceof CloseEvent) {
    return failure(`The connection was closed: ${cause.code} ${cause.reason}`.trim());
  }
  return failure(cause instanceof Error ? cause.message : 'The connection failed.');
}

const failure = (message: string): Answer => ({ errors: [{ message }] });
