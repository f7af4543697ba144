/**
 * What a host keeps for itself: admitted claims, owners' intentions during an outage, what it carries. Small (a few
 * records a guest), so all of it is in memory, and each write is one synced batch before it is acknowledged.
 *
 * Values are JSON: they are read by this host alone. A value that does not parse stops the agent: guessing what was
 * admitted or carried is worse than not starting.
 */
import { Level } from 'level';
import { ShoalError } from '../base/errors.ts';

/** One change. `value` undefined removes the key. */
export interface HostStoreWrite {
  readonly key: string;
  readonly value: unknown;
}

/** A durable map of this host's own. */
export interface HostStore {
  get(key: string): unknown;
  /** Entries whose key begins with `prefix`, in order. */
  entries(prefix: string): readonly (readonly [string, unknown])[];
  /** Durable when it resolves; all writes or none. Throws `STORE_FAILED`, after which the store takes no more writes. */
  write(writes: readonly HostStoreWrite[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the store in a folder of its own. `onFailed` is called once, when a write has failed: the store takes no more, so
 * the process must stop and start again from what is on disk. Throws `STORE_FAILED` when LevelDB cannot, `LOG_CORRUPT` on a bad
 * value.
 */
export async function openHostStore(folder: string, onFailed: (error: ShoalError) => void): Promise<HostStore> {
  const level = new Level<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const map = new Map<string, unknown>();
  try {
    await level.open();
    for await (const [key, text] of level.iterator()) {
      try {
        map.set(key, JSON.parse(text));
      } catch (caught) {
        throw new ShoalError('LOG_CORRUPT', `${folder}: the value of ${key} does not parse`, { cause: caught });
      }
    }
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `cannot open ${folder}`);
  }
  return new LevelHostStore(level, map, onFailed);
}

/** Keeps nothing; for tests and the simulator. */
export function memoryHostStore(): HostStore {
  const map = new Map<string, unknown>();
  return {
    get: (key) => map.get(key),
    entries: (prefix) => sortedEntries(map, prefix),
    async write(writes) {
      apply(map, writes);
    },
    async close() {},
  };
}

interface Batch {
  readonly writes: HostStoreWrite[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: ShoalError) => void;
}

class LevelHostStore implements HostStore {
  readonly #level: Level<string, string>;
  readonly #map: Map<string, unknown>;
  /** Gathers while another batch is on its way to the disk: one sync in flight, never two. */
  #gathering: Batch | undefined;
  #writing: Promise<void> | undefined;
  #failed: ShoalError | undefined;
  readonly #onFailed: (error: ShoalError) => void;

  constructor(level: Level<string, string>, map: Map<string, unknown>, onFailed: (error: ShoalError) => void) {
    this.#level = level;
    this.#map = map;
    this.#onFailed = onFailed;
  }

  get(key: string): unknown {
    return this.#map.get(key);
  }

  entries(prefix: string): readonly (readonly [string, unknown])[] {
    return sortedEntries(this.#map, prefix);
  }

  write(writes: readonly HostStoreWrite[]): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#gathering === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#gathering = { writes: [], done: promise, resolve, reject };
    }
    this.#gathering.writes.push(...writes);
    const { done } = this.#gathering;
    if (this.#writing === undefined) this.#writing = this.#drain();
    return done;
  }

  async #drain(): Promise<void> {
    while (this.#gathering !== undefined) {
      const batch = this.#gathering;
      this.#gathering = undefined;
      try {
        if (this.#failed !== undefined) throw this.#failed;
        await this.#level.batch(
          batch.writes.map((write) =>
            write.value === undefined
              ? { type: 'del' as const, key: write.key }
              : { type: 'put' as const, key: write.key, value: JSON.stringify(write.value) },
          ),
          { sync: true },
        );
        apply(this.#map, batch.writes);
        batch.resolve();
      } catch (caught) {
        // A failed sync is never retried: what the disk holds is not known any more.
        const isFirst = this.#failed === undefined;
        this.#failed = ShoalError.from(caught, 'STORE_FAILED', 'the host store failed to write');
        batch.reject(this.#failed);
        if (isFirst) this.#onFailed(this.#failed);
      }
    }
    this.#writing = undefined;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#level.close();
  }
}

function apply(map: Map<string, unknown>, writes: readonly HostStoreWrite[]): void {
  for (const { key, value } of writes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
}

function sortedEntries(map: Map<string, unknown>, prefix: string): readonly (readonly [string, unknown])[] {
  return [...map].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
}
