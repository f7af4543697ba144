/**
 * What a host keeps for itself: admitted claims, owners' intentions during an outage, what it carries. Small (a few
 * records a guest), so all of it is in memory, and each write is one synced batch before it is acknowledged.
 *
 * Nobody else has it, so nobody can repair it. A store that is damaged, older than it was, or another's is refused, with
 * nothing changed (README.md has the table): to forget a claim would give its room away twice, to forget that a guest was
 * switched off would start it. The guests run on meanwhile. `salvageHostStore` is the way on.
 */
import { randomUUID } from 'node:crypto';
import { Level } from 'level';
import { ShoalError } from '../../base/errors.ts';
import { checkLevelFolder } from '../level/level-check.ts';
import { isLevelDiskFull, levelOpenError } from '../level/level-disk.ts';
import { holdLevelLock } from '../level/level-lock.ts';
import { type MarkKeeper, openMarkFile } from '../log/log-mark.ts';
import { decodeValue, encodeValue, type HostHead, HostSums, hostHeadKey, hostHeadOf } from './host-record.ts';

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
 * Opens the store in a folder of its own, whose mark lies beside it. `onFailed` is called once, when a write has failed: the
 * store takes no more, so the process must stop and start again from what is on disk. Throws `STORE_FAILED` when LevelDB
 * cannot, `LOG_CORRUPT` when it is not what was written.
 */
export async function openHostStore(folder: string, onFailed: (error: ShoalError) => void): Promise<HostStore> {
  const mark = await openMarkFile(hostMarkOf(folder));
  try {
    await mustLookSound(folder, mark);
    const found = await readHostRows(folder);
    try {
      const head = judgeRows(found, mark);
      if (typeof head === 'string') throw damagedStore(folder, [head], mark);
      const store = new LevelHostStore({ ...found, head, mark }, onFailed);
      await store.begin();
      return store;
    } catch (caught) {
      await found.level.close();
      throw caught;
    }
  } catch (caught) {
    await mark.close();
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot open ${folder}`);
  }
}

/** The mark of the store in a folder. */
export function hostMarkOf(folder: string): string {
  return `${folder}.mark`;
}

/** Damage that the files show is refused before LevelDB opens them, which changes them. */
async function mustLookSound(folder: string, mark: MarkKeeper): Promise<void> {
  if ((await faultsOfHostFiles(folder, mark)).length === 0) return;
  // Of a database that another process writes, what was read is not what lies there: looked at again with its lock.
  const release = await holdLevelLock(folder);
  try {
    const faults = await faultsOfHostFiles(folder, mark);
    if (faults.length > 0) throw damagedStore(folder, faults, mark);
  } finally {
    await release();
  }
}

/** What can be seen of the damage in a host store without opening it; empty: nothing. Throws `STORE_FAILED`. */
export async function faultsOfHostFiles(folder: string, mark: Pick<MarkKeeper, 'found'>): Promise<readonly string[]> {
  const { isThere, faults, brokenEnd, last } = await checkLevelFolder(folder, { lastOf: hostHeadKey });
  if (faults.length > 0) return faults;
  if (mark.found === undefined) return brokenEnd === undefined ? [] : [brokenEnd];
  if (!isThere) return ['The database is gone.'];
  const read = last === undefined ? undefined : decodeValue(hostHeadKey, Buffer.from(last).toString('utf8'));
  const head = read?.isWhole ? hostHeadOf(read.value) : undefined;
  const fault = head === undefined ? undefined : behindMark(head, mark);
  return fault === undefined ? [] : [fault, ...(brokenEnd === undefined ? [] : [brokenEnd])];
}

/** What lies in an open store. */
export interface FoundRows {
  readonly level: Level<string, string>;
  readonly map: Map<string, unknown>;
  readonly sums: HostSums;
  /** Keys of values that are not what was written. */
  readonly broken: readonly string[];
  readonly storedHead: HostHead | undefined;
}

/** Opens and reads a store, whole or not. The caller closes `level`. Throws `STORE_FAILED`, `LOG_CORRUPT`. */
export async function readHostRows(folder: string): Promise<FoundRows> {
  const level = new Level<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const map = new Map<string, unknown>();
  const sums = new HostSums();
  const broken: string[] = [];
  let storedHead: HostHead | undefined;
  try {
    // Uncompressed, so that the tables can be checked.
    await level.open({ compression: false });
    for await (const [key, text] of level.iterator()) {
      const read = decodeValue(key, text);
      if (!read.isWhole) broken.push(key);
      else if (key === hostHeadKey) storedHead = hostHeadOf(read.value);
      else {
        map.set(key, read.value);
        sums.set(key, read.sum);
      }
    }
  } catch (caught) {
    await level.close();
    throw levelOpenError(caught, folder);
  }
  return { level, map, sums, broken, storedHead };
}

/** The head that is right for what was found, or why it is not what was written. */
function judgeRows({ map, sums, broken, storedHead }: FoundRows, mark: MarkKeeper): HostHead | string {
  const [first] = broken;
  if (first !== undefined) return `${broken.length} values fail their checksum, among them ${first}.`;
  if (storedHead === undefined) {
    if (mark.found !== undefined) return 'Its head is missing.';
    // New, or of before there were heads.
    return { incarnation: randomUUID(), starts: 0, batch: 0, rows: map.size, sum: sums.total };
  }
  const { rows, sum } = storedHead;
  if (rows !== map.size) return `It holds ${map.size} values and should hold ${rows}.`;
  if (sum !== sums.total) return 'Its values are not those that were written last.';
  return behindMark(storedHead, mark) ?? storedHead;
}

function behindMark(head: HostHead, { found }: Pick<MarkKeeper, 'found'>): string | undefined {
  if (found === undefined) return undefined;
  if (head.incarnation !== found.incarnation) return "It is another host's.";
  if (head.batch >= found.batch && head.starts >= found.starts) return undefined;
  return `It holds ${head.batch} batches of ${found.batch} that were durable, and ${found.last}.`;
}

function damagedStore(folder: string, faults: readonly string[], mark: MarkKeeper): ShoalError {
  const last = mark.found === undefined ? '' : ` It had come to ${mark.found.last}.`;
  return new ShoalError(
    'LOG_CORRUPT',
    `What this host has noted for itself (claims that it has admitted, what owners asked for without a quorum, which ` +
      `guests were switched off) is damaged, and nobody else has it.${last} Found in ${folder}: ${faults.join(' ')} ` +
      'Nothing was changed, and the guests run on. Put back the newest copy of the whole data folder, or go on with the ' +
      'notes that hold and lose the rest: shoal recover --notes --yes',
    { facts: { folder, faults } },
  );
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
  readonly #sums: HostSums;
  readonly #mark: MarkKeeper;
  /** As on disk. */
  #head: HostHead;
  /** Gathers while another batch is on its way to the disk: one sync in flight, never two. */
  #gathering: Batch | undefined;
  #writing: Promise<void> | undefined;
  #failed: ShoalError | undefined;
  readonly #onFailed: (error: ShoalError) => void;

  constructor(
    { level, map, sums, head, mark }: FoundRows & { readonly head: HostHead; readonly mark: MarkKeeper },
    onFailed: (error: ShoalError) => void,
  ) {
    this.#level = level;
    this.#map = map;
    this.#sums = sums;
    this.#head = head;
    this.#mark = mark;
    this.#onFailed = onFailed;
  }

  /** Counts this start. */
  async begin(): Promise<void> {
    this.#head = { ...this.#head, starts: this.#head.starts + 1 };
    await this.#store([]);
    await this.#mark.sync();
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
        await this.#store(batch.writes);
        apply(this.#map, batch.writes);
        batch.resolve();
      } catch (caught) {
        // A failed sync is never retried: what the disk holds is not known any more.
        const isFirst = this.#failed === undefined;
        this.#failed = writeFailed(caught);
        batch.reject(this.#failed);
        if (isFirst) this.#onFailed(this.#failed);
      }
    }
    this.#writing = undefined;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#level.close();
    await this.#mark.close();
  }

  /** Durable when it resolves. */
  async #store(writes: readonly HostStoreWrite[]): Promise<void> {
    // Of several writes of one key the last counts.
    const last = new Map(writes.map(({ key, value }) => [key, value]));
    const rows = [...last].map(([key, value]) => ({
      key,
      encoded: value === undefined ? undefined : encodeValue(key, value),
    }));
    for (const { key, encoded } of rows) this.#sums.set(key, encoded?.sum);
    const batch = this.#head.batch + 1;
    const head: HostHead = { ...this.#head, batch, rows: this.#sums.rows, sum: this.#sums.total };
    await this.#level.batch(
      [
        ...rows.map(({ key, encoded }) =>
          encoded === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value: encoded.text },
        ),
        { type: 'put' as const, key: hostHeadKey, value: encodeValue(hostHeadKey, head).text },
      ],
      { sync: true },
    );
    this.#head = head;
    this.#mark.note({
      incarnation: head.incarnation,
      starts: head.starts,
      batch,
      last: `${head.rows} values`,
      isAlone: true,
    });
  }
}

/** LevelDB says in words alone why it could not. */
function writeFailed(caught: unknown): ShoalError {
  if (ShoalError.is(caught, 'STORE_FAILED')) return caught;
  const text = caught instanceof Error ? caught.message : String(caught);
  return new ShoalError('STORE_FAILED', `the host store failed to write: ${text}`, {
    facts: { isDiskFull: isLevelDiskFull(caught) },
    cause: caught,
  });
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
