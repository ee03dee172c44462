import {
  type Client,
  type Exchange,
  makeOperation,
  type Operation,
  type OperationResult,
} from '@urql/core';
import { pipe, tap } from 'wonka';

/** Changes that land together are shown together. Milliseconds. */
const PAUSE = 60;

/**
 * Keeps every query on the page at the newest revision that the page knows of.
 *
 * Each answer says which revision of the organization it shows. Once any answer, or any event of
 * the subscription, tells of a later one, the active queries that show an earlier one are asked
 * again. So whatever changed, and whoever changed it, all that is on the page ends up the same.
 */
export class Freshness {
  private known = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly active = new Map<number, { operation: Operation; shows: number }>();
  private readonly inFlight = new Set<number>();
  private client: Client | undefined;

  /** Tell it of a revision that exists. */
  note(revision: number): void {
    if (revision > this.known) this.known = revision;
    this.timer ??= setTimeout(() => this.refresh(), PAUSE);
  }

  /** Ask everything again, whatever it shows: after a time in which events may have been missed. */
  doubt(): void {
    for (const entry of this.active.values()) entry.shows = -1;
    this.note(0);
  }

  readonly exchange: Exchange = ({ client, forward }) => {
    this.client = client;
    return (operations$) =>
      pipe(
        operations$,
        tap((operation) => this.asked(operation)),
        forward,
        tap((result) => this.answered(result)),
      );
  };

  private asked(operation: Operation): void {
    if (operation.kind === 'teardown') {
      this.active.delete(operation.key);
      this.inFlight.delete(operation.key);
    } else if (operation.kind === 'query') {
      const shows = this.active.get(operation.key)?.shows ?? -1;
      this.active.set(operation.key, { operation, shows });
      this.inFlight.add(operation.key);
    }
  }

  private answered(result: OperationResult): void {
    this.inFlight.delete(result.operation.key);
    const revision = result.extensions?.revision;
    if (typeof revision !== 'number') return; // No answer came, or it was no good.
    const entry = this.active.get(result.operation.key);
    if (entry) entry.shows = Math.max(entry.shows, revision);
    this.note(revision);
  }

  private refresh(): void {
    this.timer = undefined;
    for (const [key, { operation, shows }] of this.active) {
      if (shows >= this.known || this.inFlight.has(key)) continue;
      this.client?.reexecuteOperation(
        makeOperation('query', operation, {
          ...operation.context,
          requestPolicy: 'network-only',
        }),
      );
    }
  }
}
