import { Client, type CombinedError, fetchExchange, mapExchange } from '@urql/core';
import { createCache } from './cache';
import { Freshness } from './freshness';

export interface Api {
  client: Client;
  freshness: Freshness;
}

/** The page's one way to the service. `onExpired` is told when it no longer knows who is asking. */
export function createApi(onExpired: () => void): Api {
  const freshness = new Freshness();
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    // What was seen before is shown at once, and what is true follows.
    requestPolicy: 'cache-and-network',
    fetchOptions: {
      credentials: 'same-origin',
      headers: { Accept: 'application/graphql-response+json, application/json' },
    },
    exchanges: [
      mapExchange({ onError: (error) => isExpired(error) && onExpired() }),
      freshness.steady,
      createCache(),
      // Behind the cache, so that it sees what the service is asked, and what it answers.
      freshness.exchange,
      fetchExchange,
    ],
  });
  return { client, freshness };
}

const isExpired = (error: CombinedError) => error.response?.status === 401;

export const NO_ANSWER = 'The service did not answer. Check your connection, then try again.';

/** What to tell a person about a request that failed. */
export const explain = (error: CombinedError) =>
  error.networkError ? NO_ANSWER : error.graphQLErrors.map(({ message }) => message).join(' ');
