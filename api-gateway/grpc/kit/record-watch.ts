import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { isAllowed } from '../../../node/services/kit/permissions.ts';
import type { Table } from '../../../node/state/table.ts';
import type { StateClient, StateEvent } from '../../../node/state/types.ts';

/** Events that wait for a slow reader; past it the stream ends and the reader lists again. About 1 MiB of records. */
const queuedEventsMax = 1_000;
/** Longest that a stream goes without asking again whether its caller may see it, milliseconds. */
const recheckMs = 1_000;

/** What is watched: records of projects, and what their owners hear of each. */
export interface Watched<Record extends Owned, Event> {
  readonly table: Table<Record>;
  /** The rule by which an administrator without a project sees those of all. */
  readonly ruleOfAll: string;
  /** @param record undefined: it is deleted. */
  event(context: RequestContext, revision: number, id: string, record: Record | undefined): Event;
}

interface Owned {
  readonly id: string;
  readonly projectId: string;
}

/** Whose right a watch is, and how to ask whether it still is. */
interface Right {
  readonly context: RequestContext;
  readonly clock: Clock;
  recheck(): Promise<void>;
}

/** The changes to one project's records (an administrator without a project: to all), in order. */
export class RecordWatch<Record extends Owned, Event> {
  readonly #watched: Watched<Record, Event>;
  readonly #state: StateClient;
  readonly #context: RequestContext;
  readonly #right: Right;
  readonly #fromRevision: number;
  readonly #queue: Event[] = [];
  /** Whose each record is: a deletion does not say it any more. */
  readonly #owners = new Map<string, string>();
  #wake: (() => void) | undefined;
  #isDue = false;
  #overflowed = false;

  /** @param fromRevision 0: from now on. */
  constructor(watched: Watched<Record, Event>, state: StateClient, right: Right, fromRevision: number) {
    this.#watched = watched;
    this.#state = state;
    this.#context = right.context;
    this.#right = right;
    this.#fromRevision = fromRevision;
  }

  /**
   * Ends by throwing: the signal's reason, `STALE` when the past is gone or the reader too slow, or `UNAUTHENTICATED` and
   * `FORBIDDEN` when the right to it has ended: asked before each event, and every second in between.
   */
  async *events(): AsyncGenerator<Event> {
    const { signal } = this.#context;
    const { table } = this.#watched;
    const wake = (): void => this.#wake?.();
    for (const { record } of table.list(this.#state.local)) this.#owners.set(record.id, record.projectId);
    signal.addEventListener('abort', wake, { once: true });
    const watch = this.#state.watch(
      { prefix: table.prefix, ...(this.#fromRevision === 0 ? {} : { afterRevision: this.#fromRevision }) },
      (events) => this.#take(events),
    );
    const timer = this.#right.clock.setInterval(() => {
      this.#isDue = true;
      wake();
    }, recheckMs);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#isDue || this.#queue.length > 0) await this.#right.recheck();
        this.#isDue = false;
        const next = this.#queue.shift();
        if (next !== undefined) {
          yield next;
        } else if (this.#overflowed) {
          throw new ShoalError('STALE', 'The watch fell behind; list again and watch from the list’s revision.');
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      watch.close();
      timer.cancel();
      signal.removeEventListener('abort', wake);
    }
  }

  #take(events: readonly StateEvent[]): void {
    if (this.#overflowed) return;
    for (const { key, value, revision } of events) {
      const event = this.#event(key, value, revision);
      if (event === undefined) continue;
      if (this.#queue.length >= queuedEventsMax) {
        this.#overflowed = true;
        break;
      }
      this.#queue.push(event);
    }
    this.#wake?.();
  }

  #event(key: string, value: Uint8Array | undefined, revision: number): Event | undefined {
    const { table, event } = this.#watched;
    if (value === undefined) {
      const id = decodeURIComponent(key.slice(table.prefix.length));
      const owner = this.#owners.get(id);
      this.#owners.delete(id);
      // Deleted before this watch began, so nobody here knows whose it was. Who resumes has to hear of it; to everybody
      // else it is a random id.
      if (owner !== undefined && !this.#concerns(owner)) return undefined;
      return event(this.#context, revision, id, undefined);
    }
    const record = readable(table, value);
    if (record === undefined) return undefined;
    this.#owners.set(record.id, record.projectId);
    if (!this.#concerns(record.projectId)) return undefined;
    return event(this.#context, revision, record.id, record);
  }

  #concerns(projectId: string): boolean {
    const { projectId: own } = this.#context;
    return own === '' ? isAllowed(this.#context, this.#watched.ruleOfAll) : projectId === own;
  }
}

/** The record, or undefined for bytes that are none: lists leave those out as well. */
function readable<Record extends Owned>(table: Table<Record>, value: Uint8Array): Record | undefined {
  try {
    return table.decode(value);
  } catch (caught) {
    if (ShoalError.is(caught, 'RECORD_UNREADABLE')) return undefined;
    throw caught;
  }
}
