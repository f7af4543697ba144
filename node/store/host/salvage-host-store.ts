/**
 * The way on from a host's own store that is damaged (host-store.ts refuses it): a new one with the values whose checksum
 * holds. The old one is set aside. What was in it and cannot be read is lost: the host admits no claims until any that it may
 * have forgotten has ended (`notesLostKey`).
 */
import { randomUUID } from 'node:crypto';
import { access, cp, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Level } from 'level';
import { syncFolder } from '../../base/durable-file.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import { salvageLevelFolder } from '../level/level-disk.ts';
import { holdLevelLock } from '../level/level-lock.ts';
import { encodeValue, type HostHead, HostSums, hostHeadKey, notesLostKey } from './host-record.ts';
import { hostMarkOf, readHostRows } from './host-store.ts';

/** Stores set aside before it is refused to set aside more. */
const setAsideMax = 8;

/** What became of the notes. */
export interface SalvagedNotes {
  /** Keys of the values that hold and are kept. */
  readonly kept: readonly string[];
  /** Keys of values that are there and do not hold. */
  readonly broken: readonly string[];
  /** Where the damaged store is now; undefined: it was gone. */
  readonly aside: string | undefined;
}

/**
 * Replaces the store in `folder` by one of the values that hold, and moves the old one beside it. Safe to call again
 * after a crash. Throws `CONFLICT` when an agent has it, `STORE_FAILED`, `LOG_CORRUPT`.
 */
export async function salvageHostStore(folder: string): Promise<SalvagedNotes> {
  const release = await holdLevelLock(folder);
  try {
    const fresh = `${folder}.new`;
    const { kept, broken } = await readWhatHolds(folder, `${folder}.repair`);
    await writeFresh(fresh, kept);
    const aside = (await isThere(folder)) ? await freeName(folder) : undefined;
    // From here on: a crash leaves no store, or the new one without its mark, and either is gone over again.
    await rm(hostMarkOf(folder), { force: true });
    if (aside !== undefined) await rename(folder, aside);
    await rename(fresh, folder);
    await syncFolder(dirname(folder));
    return { kept: [...kept.keys()], broken, aside };
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot salvage ${folder}`);
  } finally {
    await release();
  }
}

/** Values that hold in a repaired copy, which is removed again. */
async function readWhatHolds(
  folder: string,
  copy: string,
): Promise<{ readonly kept: ReadonlyMap<string, unknown>; readonly broken: readonly string[] }> {
  await rm(copy, { recursive: true, force: true });
  if (!(await isThere(folder))) return { kept: new Map(), broken: [] };
  await cp(folder, copy, { recursive: true });
  try {
    await salvageLevelFolder(copy);
    const { level, map, broken } = await readHostRows(copy);
    await level.close();
    return { kept: map, broken };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function writeFresh(folder: string, kept: ReadonlyMap<string, unknown>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const sums = new HostSums();
  const rows = [...kept, [notesLostKey, true] as const].map(([key, value]) => {
    const { text, sum } = encodeValue(key, value);
    sums.set(key, sum);
    return { type: 'put' as const, key, value: text };
  });
  const head: HostHead = { incarnation: randomUUID(), starts: 0, batch: 1, rows: sums.rows, sum: sums.total };
  const level = new Level<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  await level.open({ compression: false });
  try {
    const last = { type: 'put' as const, key: hostHeadKey, value: encodeValue(hostHeadKey, head).text };
    await level.batch([...rows, last], { sync: true });
  } finally {
    await level.close();
  }
}

async function freeName(folder: string): Promise<string> {
  for (let n = 1; n <= setAsideMax; n += 1) {
    const aside = `${folder}.unreadable-${n}`;
    if (!(await isThere(aside))) return aside;
  }
  throw new ShoalError(
    'LOG_CORRUPT',
    `${setAsideMax} damaged copies lie beside ${folder} already: something is wrong with this disk or this machine.`,
  );
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw caught;
  }
}
