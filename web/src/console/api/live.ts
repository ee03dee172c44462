import { stringifyDocument } from '@urql/core';
import { createClient } from 'graphql-ws';
import type { Freshness } from './freshness';
import { ChangesDocument, type ChangesSubscription } from './operations';

/** Milliseconds. */
const LONGEST_WAIT = 8_000;
const KEEP_ALIVE = 10_000;
/** For the answer to a ping; without one the connection is dead, though nobody has closed it. */
const PATIENCE = 10_000;

/** Close codes that say that the session is over. */
const SIGNED_OUT = [4401, 4403];

interface Options {
  /** The cursor of the newest change that the page shows; null if it shows none. */
  after: string | null;
  freshness: Freshness;
  onOnline: (online: boolean) => void;
  onExpired: () => void;
}

/**
 * Follows the changes of the organization until the returned function is called. After a broken
 * connection it goes on behind the last change seen.
 */
export function follow({ after, freshness, onOnline, onExpired }: Options): () => void {
  let isStopped = false;
  let isFirst = true;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    keepAlive: KEEP_ALIVE,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: (problem) => !isSignedOut(problem),
    retryWait,
    on: {
      connected: () => {
        onOnline(true);
        if (!isFirst) freshness.doubt();
        isFirst = false;
      },
      ping: (isReceived) => {
        if (!isReceived) patience = setTimeout(() => client.terminate(), PATIENCE);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(patience);
      },
      closed: (problem) => {
        clearTimeout(patience);
        if (isStopped) return;
        if (isSignedOut(problem)) onExpired();
        else onOnline(false);
      },
    },
  });

  // The client sends these variables again at each connection.
  const variables = { after };
  const query = stringifyDocument(ChangesDocument);
  let unsubscribe = subscribe();

  function subscribe() {
    return client.subscribe<ChangesSubscription>(
      { query, operationName: 'Changes', variables },
      {
        next: ({ data }) => {
          if (!data) return;
          variables.after = data.changes.cursor;
          freshness.note(data.changes.node.revision, data.changes.node);
        },
        error: (problem) => {
          // What the page shows is of a time that the service does not know, or not any more.
          if (isRefused(problem)) location.reload();
          else if (!isSignedOut(problem)) again();
        },
        complete: again,
      },
    );
  }

  /** After an end that the client takes for a final one: an error, or a service that goes. */
  async function again() {
    if (isStopped) return;
    onOnline(false);
    await retryWait(1);
    if (!isStopped) unsubscribe = subscribe();
  }

  return () => {
    isStopped = true;
    unsubscribe();
    void client.dispose();
  };
}

const isSignedOut = (problem: unknown) =>
  problem instanceof CloseEvent && SIGNED_OUT.includes(problem.code);

const isRefused = (problem: unknown) =>
  Array.isArray(problem) && problem.some(({ extensions }) => extensions?.code === 'BAD_REQUEST');

/** Longer from try to try, but no longer than until the network is back. */
function retryWait(retries: number): Promise<void> {
  const wait = Math.min(500 * 2 ** retries, LONGEST_WAIT) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    addEventListener('online', done);
  });
}
