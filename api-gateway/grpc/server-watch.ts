import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { isAllowed } from '../../node/services/kit/permissions.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import type { StateClient, StateEvent } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';

/** Events that wait for a slow reader; past it the stream ends and the reader lists again. About 1 MiB of records. */
const queuedEventsMax = 1_000;
/** Longest that a stream goes without asking again whether its caller may see it, milliseconds. */
const recheckMs = 1_000;

type Event = shoal.v1.WatchServersResponse;

/** Whose right a watch is, and how to ask whether it still is. */
interface Right {
  readonly context: RequestContext;
  readonly clock: Clock;
  recheck(): Promise<void>;
}

/** A server as its owner may see it: which host it is on and what went wrong inside has a rule of its own. */
export function serverView(context: RequestContext, server: shoal.v1.Server): shoal.v1.Server {
  // Whatever is in it (passwords, tokens of other services) was for the guest.
  if (isAllowed(context, 'os_compute_api:os-extended-server-attributes'))
    return new shoal.v1.Server({ ...server, userData: new Uint8Array(0) });
  const fault = server.fault === null ? null : new shoal.v1.ServerFault({ ...server.fault, details: '' });
  return new shoal.v1.Server({ ...server, userData: new Uint8Array(0), fault, hostId: '', previousHostId: '' });
}

/** The changes to one project's servers (an administrator without a project: to all), in order. */
export class ServerWatch {
  readonly #state: StateClient;
  readonly #context: RequestContext;
  readonly #right: Right;
  readonly #fromRevision: number;
  readonly #queue: Event[] = [];
  /** Whose each server is: a deletion does not say it any more. */
  readonly #owners = new Map<string, string>();
  #wake: (() => void) | undefined;
  #isDue = false;
  #overflowed = false;

  /** @param fromRevision 0: from now on. */
  constructor(state: StateClient, right: Right, fromRevision: number) {
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
    const wake = (): void => this.#wake?.();
    for (const { record } of serverTable.list(this.#state.local)) this.#owners.set(record.id, record.projectId);
    signal.addEventListener('abort', wake, { once: true });
    const watch = this.#state.watch(
      { prefix: serverTable.prefix, ...(this.#fromRevision === 0 ? {} : { afterRevision: this.#fromRevision }) },
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
    if (value === undefined) {
      const serverId = decodeURIComponent(key.slice(serverTable.prefix.length));
      const owner = this.#owners.get(serverId);
      this.#owners.delete(serverId);
      // Deleted before this watch began, so nobody here knows whose it was. Who resumes has to hear of it; to everybody
      // else it is a random id.
      if (owner !== undefined && !this.#concerns(owner)) return undefined;
      return new shoal.v1.WatchServersResponse({ revision, serverId });
    }
    const server = readable(value);
    if (server === undefined) return undefined;
    this.#owners.set(server.id, server.projectId);
    if (!this.#concerns(server.projectId)) return undefined;
    return new shoal.v1.WatchServersResponse({
      revision,
      serverId: server.id,
      server: serverView(this.#context, server),
    });
  }

  #concerns(projectId: string): boolean {
    const { projectId: own } = this.#context;
    return own === '' ? isAllowed(this.#context, 'os_compute_api:servers:index:get_all_tenants') : projectId === own;
  }
}

/** The record, or undefined for bytes that are none: lists leave those out as well. */
function readable(value: Uint8Array): shoal.v1.Server | undefined {
  try {
    return serverTable.decode(value);
  } catch (caught) {
    if (ShoalError.is(caught, 'RECORD_UNREADABLE')) return undefined;
    throw caught;
  }
}
