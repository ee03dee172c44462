import {
  type Client,
  type Exchange,
  makeOperation,
  type Operation,
  type OperationResult,
} from '@urql/core';
import { map, pipe, tap } from 'wonka';
import { type Change, concerns } from './concerns';
import { retryAfter } from './retryAfter';

/** Changes that land together are shown together. Milliseconds. */
const PAUSE = 60;

/** Before what failed is asked again; twice as long each time. Milliseconds. */
const SHORTEST_WAIT = 1_000;
const LONGEST_WAIT = 8_000;

/** The newest changes, so many of which are kept to tell what they concern. */
const KEPT = 100;

/** Failures in a row after which what is shown may be old. */
const TOO_MANY = 2;

interface Entry {
  operation: Operation;
  /** The revision that it shows; -1 if it may be an old one. */
  shows: number;
  /** Whether it failed, and waits to be asked again. */
  waits: boolean;
  /** Whether a write was answered since it was asked: what is shown is not its answer alone. */
  isCovered: boolean;
}

/**
 * Keeps every query on the page at the newest revision that the page knows of.
 *
 * Each answer says which revision of the organization it shows. Once any answer, or any event of
 * the subscription, tells of a later one, the active queries that show an earlier one are asked
 * again, unless all changes in between are known and concern something else. So whatever changed, and
 * whoever changed it, all that is on the page ends up the same.
 *
 * Where the service does not answer such a question, which nobody asked, nothing is told: what is
 * shown stays, with all that somebody has opened and typed there, and is asked for again later. So is
 * what nobody has seen yet, since not all that a page rests on has a place to tell of a failure.
 * Whether it may be old by then is for `useSyncExternalStore`: `isFresh`, and `subscribe`.
 */
export class Freshness {
  private known = 0;
  /** By revision. */
  private readonly changes = new Map<number, Change>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private later: ReturnType<typeof setTimeout> | undefined;
  /** When what failed is asked again, and until when the service asked to be left alone. */
  private due = 0;
  private quietUntil = 0;
  private failures = 0;
  private readonly listeners = new Set<() => void>();
  private readonly active = new Map<number, Entry>();
  private readonly inFlight = new Set<number>();
  /** What was last shown of each active query. */
  private readonly shown = new Map<number, OperationResult>();
  private client: Client | undefined;

  /** Tell it of a revision that exists, and what change made it, if that is known. */
  note(revision: number, change?: Change): void {
    if (change) this.changes.set(revision, change);
    const [oldest] = this.changes.keys();
    if (oldest !== undefined && this.changes.size > KEPT) this.changes.delete(oldest);
    if (revision > this.known) this.known = revision;
    this.timer ??= setTimeout(() => this.refresh(), PAUSE);
  }

  /** Ask everything again, whatever it shows: after a time in which events may have been missed. */
  doubt(): void {
    for (const entry of this.active.values()) entry.shows = -1;
    if (Date.now() >= this.quietUntil) this.askAgain();
    this.note(0);
  }

  /** Have somebody told of each change of `isFresh`; returns how to end that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Whether the service has answered of late what nobody asked. */
  readonly isFresh = (): boolean => this.failures < TOO_MANY;

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

  /** Goes in front of the cache: what it shows stays, if there is no answer. */
  readonly steady: Exchange =
    ({ forward }) =>
    (operations$) =>
      pipe(
        operations$,
        tap(({ kind, key }) => kind === 'teardown' && this.shown.delete(key)),
        forward,
        map((result) => {
          const { kind, key } = result.operation;
          const shown = this.shown.get(key);
          if (shown && isPassing(result)) return { ...shown, stale: true };
          if (kind === 'query' && result.data) this.shown.set(key, result);
          return result;
        }),
      );

  private asked(operation: Operation): void {
    if (operation.kind === 'teardown') {
      this.active.delete(operation.key);
      this.inFlight.delete(operation.key);
    } else if (operation.kind === 'query') {
      const shows = this.active.get(operation.key)?.shows ?? -1;
      this.active.set(operation.key, { operation, shows, waits: false, isCovered: false });
      this.inFlight.add(operation.key);
    }
  }

  /**
   * Asks for it again later, and not before the service said; who was shown nothing yet is told of it,
   * and may do so at once.
   */
  private failed({ operation: { key }, error }: OperationResult): void {
    const entry = this.active.get(key);
    if (!entry) return;
    entry.waits = true;
    const isFirst = this.later === undefined;
    const wait = Math.min(SHORTEST_WAIT * 2 ** this.failures, LONGEST_WAIT);
    const now = Date.now();
    this.quietUntil = Math.max(this.quietUntil, now + retryAfter(error, now));
    const due = Math.max(isFirst ? now + wait : this.due, this.quietUntil);
    if (isFirst) this.count(this.failures + 1);
    else if (due === this.due) return;
    clearTimeout(this.later);
    this.due = due;
    this.later = setTimeout(() => {
      // What failed is not wanted any more, such as the list of a popover that was shut.
      if (![...this.active.values()].some(({ waits }) => waits)) this.count(0);
      this.askAgain();
    }, due - now);
  }

  private count(failures: number): void {
    const wasFresh = this.isFresh();
    this.failures = failures;
    if (this.isFresh() !== wasFresh) for (const listener of this.listeners) listener();
  }

  private askAgain(): void {
    clearTimeout(this.later);
    this.later = undefined;
    for (const entry of this.active.values()) entry.waits = false;
    this.refresh();
  }

  private answered(result: OperationResult): void {
    this.inFlight.delete(result.operation.key);
    if (result.operation.kind === 'mutation') this.cover();
    if (isPassing(result)) this.failed(result);
    const revision = result.extensions?.revision;
    if (typeof revision !== 'number') return; // No answer came, or it was no good.
    this.count(0);
    const entry = this.active.get(result.operation.key);
    if (entry && !entry.isCovered) entry.shows = Math.max(entry.shows, revision);
    this.note(revision);
  }

  /**
   * The cache lays a write over the answers to what was asked before it: a list that somebody was
   * removed from, say, has the answer's cursors then, but not its items.
   */
  private cover(): void {
    for (const key of this.inFlight) {
      const entry = this.active.get(key);
      if (entry) entry.isCovered = true;
    }
  }

  /** Whether a change since what it shows concerns it, or one that is not known. */
  private mayDiffer({ operation, shows }: Entry): boolean {
    for (let revision = shows + 1; revision <= this.known; revision += 1) {
      const change = this.changes.get(revision);
      if (!change || concerns(operation, change)) return true;
    }
    return false;
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const [key, entry] of this.active) {
      const { operation, shows, waits } = entry;
      if (shows >= this.known || waits || this.inFlight.has(key)) continue;
      if (!this.mayDiffer(entry)) {
        entry.shows = this.known;
        continue;
      }
      this.client?.reexecuteOperation(
        makeOperation('query', operation, {
          ...operation.context,
          requestPolicy: 'network-only',
        }),
      );
    }
  }
}

/** Whether the service, or the way there, may be better the next time. */
export function isPassing({ error }: OperationResult): boolean {
  const status: number = error?.response?.status ?? 0;
  return status !== 401 && (Boolean(error?.networkError) || status === 429 || status >= 500);
}
