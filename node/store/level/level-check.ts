/**
 * Whether the files of a LevelDB folder are what was written, found out without opening it: opening one reads what it can,
 * writes that into new files, removes the old ones, and leaves out the rest in silence or with a line in its own LOG. So
 * damage is looked for before, and its finder can still leave everything as it is.
 *
 * Every file of the folder:
 *
 * | file | damage |
 * |---|---|
 * | `CURRENT` | missing where there are other files of a database; names no MANIFEST that is there |
 * | `MANIFEST-*` (the one that CURRENT names) | a checksum fails |
 * | `*.ldb` (those that the MANIFEST names) | missing, of another size, a checksum fails, other rows than were noted |
 * | `*.log` (the one that the MANIFEST names, and later ones) | missing, holes, batches out of order |
 * | `LOG`, `LOG.old`, `LOCK`, other numbers | none: LevelDB's diary, its lock, and what it forgot to remove |
 *
 * What cannot be seen here: files that are whole but old, and a write-ahead file whose end is missing, which a crash leaves
 * as well. Those show against the mark (../log/log-mark.ts). An end that is there and fails its checksum is told apart, for
 * callers that have no mark to judge by.
 *
 * All of it is read once: about 0.7 GB a second.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import type { LevelCheck } from '../log/log-place.ts';
import { LevelBytes } from './level-bytes.ts';
import { type LevelManifest, readLevelManifest } from './level-manifest.ts';
import { readLevelRecords } from './level-records.ts';
import { faultOfLevelTable, valueInLevelTable } from './level-table.ts';

/** Faults told; a database that has more is no less damaged. */
const faultsMax = 20;
/** Sequence number (8) and count (4) in front of a batch. Unit: bytes. */
const batchHeaderBytes = 12;
/** How a batch tells a key with a value from one that is removed. */
const putTag = 1;

/**
 * Reads the whole folder. Throws `STORE_FAILED` when it cannot be read.
 *
 * @param options.lastOf the key whose newest value is looked for.
 */
export async function checkLevelFolder(
  folder: string,
  options: { readonly lastOf?: string } = {},
): Promise<LevelCheck> {
  try {
    return await new LevelFolder(folder, options.lastOf).check();
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot read ${folder}`);
  }
}

class LevelFolder {
  readonly #folder: string;
  readonly #faults: string[] = [];
  readonly #lastOf: string | undefined;
  #brokenEnd: string | undefined;
  #last: Uint8Array | undefined;
  /** Of the write that gave `#last`, as far as tables say. */
  #lastSequence = 0n;

  constructor(folder: string, lastOf: string | undefined) {
    this.#folder = folder;
    this.#lastOf = lastOf;
  }

  async check(): Promise<LevelCheck> {
    const names = await this.#names();
    const isThere = names.some((name) => name === 'CURRENT' || /^MANIFEST-\d+$|^\d+\.(?:log|ldb|sst)$/.test(name));
    if (isThere) {
      const manifest = await this.#manifest(names);
      if (manifest !== undefined) {
        await this.#checkTables(manifest);
        await this.#checkLogs(names, manifest);
      }
    }
    return { isThere, faults: this.#faults, brokenEnd: this.#brokenEnd, last: this.#last };
  }

  #fault(file: string, what: string): undefined {
    if (this.#faults.length < faultsMax) this.#faults.push(`${file}: ${what}.`);
    return undefined;
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#folder);
    } catch (caught) {
      if (isMissing(caught)) return [];
      throw caught;
    }
  }

  async #manifest(names: readonly string[]): Promise<LevelManifest | undefined> {
    if (!names.includes('CURRENT')) {
      return this.#fault('CURRENT', 'it is missing, and other files of the database are there');
    }
    const current = (await this.#read('CURRENT')).toString('latin1');
    const named = /^(MANIFEST-\d+)\n$/.exec(current)?.[1];
    if (named === undefined) return this.#fault('CURRENT', 'it names no MANIFEST');
    if (!names.includes(named)) return this.#fault('CURRENT', `it names ${named}, which is missing`);
    const manifest = readLevelManifest(await this.#read(named));
    return typeof manifest === 'string' ? this.#fault(named, manifest) : manifest;
  }

  async #checkTables({ tables }: LevelManifest): Promise<void> {
    for (const known of tables.values()) {
      const name = nameOf(known.number, 'ldb');
      const bytes = await this.#readIfThere(name);
      const fault = bytes === undefined ? 'it is missing' : faultOfLevelTable(bytes, known);
      if (fault !== undefined) this.#fault(name, fault);
      else if (bytes !== undefined && this.#lastOf !== undefined) this.#takeFromTable(bytes, this.#lastOf);
    }
  }

  #takeFromTable(bytes: Uint8Array, key: string): void {
    const found = valueInLevelTable(bytes, key);
    if (found === undefined || found.sequence < this.#lastSequence) return;
    this.#lastSequence = found.sequence;
    this.#last = found.value;
  }

  async #checkLogs(names: readonly string[], { logNumber }: LevelManifest): Promise<void> {
    const numbers = names
      .filter((name) => /^\d+\.log$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .filter((number) => number >= logNumber)
      .sort((a, b) => a - b);
    if (logNumber > 0 && numbers[0] !== logNumber) this.#fault(nameOf(logNumber, 'log'), 'it is missing');
    for (const number of numbers) {
      const name = nameOf(number, 'log');
      const { records, holes, end } = readLevelRecords(await this.#read(name));
      for (const hole of holes) this.#fault(name, hole);
      const disorder = holes.length === 0 ? disorderOf(records) : undefined;
      if (disorder !== undefined) this.#fault(name, disorder);
      else if (this.#lastOf !== undefined) this.#last = lastValueOf(this.#lastOf, records) ?? this.#last;
      if (end?.kind !== 'broken') continue;
      const text = `${name}: what lies from byte ${end.at} on fails its checksum.`;
      // LevelDB begins a new one behind whole batches only.
      if (number === numbers.at(-1)) this.#brokenEnd = text;
      else this.#fault(name, `what lies from byte ${end.at} on is damaged`);
    }
  }

  #read(name: string): Promise<Buffer> {
    return readFile(join(this.#folder, name));
  }

  async #readIfThere(name: string): Promise<Buffer | undefined> {
    try {
      return await this.#read(name);
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw caught;
    }
  }
}

/** Why these are not batches one behind the other; undefined: they are. */
function disorderOf(records: readonly Uint8Array[]): string | undefined {
  let next: bigint | undefined;
  for (const [at, record] of records.entries()) {
    if (record.length < batchHeaderBytes) return `its batch ${at + 1} is too short`;
    const view = new DataView(record.buffer, record.byteOffset, batchHeaderBytes);
    const sequence = view.getBigUint64(0, true);
    if (next !== undefined && sequence !== next) return `its batch ${at + 1} is out of order`;
    next = sequence + BigInt(view.getUint32(8, true));
  }
  return undefined;
}

/** The value that the newest of these batches to write `key` gives it. */
function lastValueOf(key: string, records: readonly Uint8Array[]): Uint8Array | undefined {
  for (const record of records.toReversed()) {
    const value = valueIn(record, key);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** What a batch gives `key`; undefined: it does not write it. */
function valueIn(record: Uint8Array, key: string): Uint8Array | undefined {
  const batch = new LevelBytes(record, batchHeaderBytes);
  let found: Uint8Array | undefined;
  try {
    while (!batch.isAtEnd) {
      const isPut = batch.varint() === putTag;
      const name = batch.sized();
      const value = isPut ? batch.sized() : undefined;
      if (value !== undefined && name.length === key.length && Buffer.from(name).toString('latin1') === key)
        found = value;
    }
  } catch (caught) {
    // Its checksum holds: whatever it is, it is what was written.
    if (!(caught instanceof RangeError)) throw caught;
  }
  return found;
}

function nameOf(number: number, ending: string): string {
  return `${String(number).padStart(6, '0')}.${ending}`;
}
