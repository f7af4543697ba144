import { sliceOf } from '../state/slices/slice-of.ts';
import type { SliceTerm } from '../state/slices/slice-terms.ts';
import type {
  ClusterStatus,
  CommitOptions,
  KeyValue,
  StateClient,
  StateEvent,
  StateReader,
  Transaction,
  TransactionOutcome,
} from '../state/types.ts';

type Listener = (events: readonly StateEvent[]) => void;

interface Watcher {
  readonly prefix: string;
  readonly listener: Listener;
  handle: { close(): void };
}

/** What two states have in common, to tell watchers what a switch changes. */
interface SwitchScope {
  /** The terms that both hold. */
  readonly terms: readonly SliceTerm[];
  readonly before: StateReader;
  readonly after: StateReader;
}

/**
 * The state as the rest of the agent uses it, whether this host holds a replica or a slice. What stands behind it may be another
 * from one moment to the next, never an older one; watchers hear what the switch has changed.
 */
export class SwitchedState implements StateClient {
  #current: StateClient;
  readonly #watchers = new Set<Watcher>();

  constructor(first: StateClient) {
    this.#current = first;
  }

  get local(): StateReader {
    return this.#current.local;
  }

  status(): ClusterStatus {
    return this.#current.status();
  }

  /** Throws as what stands behind it. */
  fresh(signal?: AbortSignal): Promise<StateReader> {
    return this.#current.fresh(signal);
  }

  /** Throws as what stands behind it. */
  commit(transaction: Transaction, options?: CommitOptions): Promise<TransactionOutcome> {
    return this.#current.commit(transaction, options);
  }

  /** Throws as what stands behind it. */
  watch(options: { readonly prefix: string; readonly afterRevision?: number }, listener: Listener): { close(): void } {
    const watcher: Watcher = { prefix: options.prefix, listener, handle: this.#current.watch(options, listener) };
    this.#watchers.add(watcher);
    return {
      close: () => {
        this.#watchers.delete(watcher);
        watcher.handle.close();
      },
    };
  }

  /** What stands behind it is `next` from now on, which is at least as new. */
  switchTo(next: StateClient, scope: SwitchScope): void {
    const events = differences(scope);
    this.#current = next;
    for (const watcher of this.#watchers) {
      watcher.handle.close();
      watcher.handle = next.watch({ prefix: watcher.prefix }, watcher.listener);
    }
    for (const { prefix, listener } of [...this.#watchers]) {
      const wanted = events.filter(({ key }) => key.startsWith(prefix));
      if (wanted.length > 0) listener(wanted);
    }
  }
}

/** The rows under the terms that are not the same, as of the later state. */
function differences(scope: SwitchScope): readonly StateEvent[] {
  const events = new Map<string, StateEvent>();
  const { terms } = scope;
  const { revision } = scope.after;
  const changed = ({ key, value }: KeyValue): void => {
    events.set(key, { key, value, revision });
  };
  const before = sliceOf(scope.before, terms);
  const after = sliceOf(scope.after, terms);
  for (const row of after.values()) if (before.get(row.key)?.revision !== row.revision) changed(row);
  for (const key of before.keys()) if (!after.has(key)) events.set(key, { key, value: undefined, revision });
  return [...events.values()];
}
