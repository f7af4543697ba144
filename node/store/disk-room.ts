/**
 * The room on the data folder's file system, and a reserve of it.
 *
 * A log that cannot be written ends consensus here, and LevelDB needs room even to open what is there. So a file holds some
 * room back. When the disk is nearly full the file goes, which leaves enough to open, and the agent runs without taking part
 * in consensus: reads and its own guests go on, writes are refused. Once there is room for the file again and as much
 * besides, the agent takes it, and part, again. The two bounds lie far apart, so that a disk at its edge does not make the
 * agent change every second.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from '../base/disk-full.ts';
import { ShoalError } from '../base/errors.ts';
import { isMissing } from '../base/system-error.ts';

const mebibyte = 1024 * 1024;
/**
 * What is held back, bytes. Opening the log may write its 16 MiB memtable out as a table, the host store its 4 MiB; the rest
 * is for the notes of a host that runs on like this for long.
 */
export const reserveBytes = 32 * mebibyte;
/** Less than this free, bytes, and the disk counts as full: about one memtable. */
export const lowBytes = 16 * mebibyte;
/** What has to be free beside the reserve, bytes, before it counts as not full any more. */
export const roomyBytes = 64 * mebibyte;
/** What is written at a time, bytes; a short write is gone on with. */
const chunkBytes = mebibyte;

/** Why the agent takes no part now; undefined when there is room. */
type Fullness = ShoalError | undefined;

/** The reserve (`reserve` in the data folder) and the rules by which it is held, let go and taken again. */
export class DiskRoom {
  readonly #folder: string;
  readonly #path: string;

  /** @param folder the data folder, which exists. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'reserve');
  }

  /**
   * For a start: takes the reserve, or lets go of it, as there is room. Returns why the agent is to start without consensus.
   * Throws `STORE_FAILED` when the file system cannot be asked.
   */
  async adjust(): Promise<Fullness> {
    const freeBytes = await this.#freeBytes();
    if (await this.#isHeld()) {
      if (freeBytes >= lowBytes) return undefined;
    } else if (freeBytes >= reserveBytes + roomyBytes && (await this.#take())) {
      return undefined;
    }
    await this.release();
    return this.full(await this.#freeBytes());
  }

  /** While there was room: why there is none any more. Changes nothing. Throws as `adjust`. */
  async lookForEnd(): Promise<Fullness> {
    const freeBytes = await this.#freeBytes();
    return freeBytes < lowBytes ? this.full(freeBytes) : undefined;
  }

  /** While there was none: whether there is room again. Changes nothing. Throws as `adjust`. */
  async hasRoomAgain(): Promise<boolean> {
    return (await this.#freeBytes()) >= reserveBytes + roomyBytes;
  }

  /** Gives the reserve up, for what must be written now. */
  async release(): Promise<void> {
    await this.#ask('letting go of', () => rm(this.#path, { force: true }));
  }

  /** What is said of a disk that is full. @param freeBytes absent: not known; a write has failed. */
  full(freeBytes?: number): ShoalError {
    const mib = (bytes: number): string => `${Math.floor(bytes / mebibyte)} MiB`;
    const said = freeBytes === undefined ? '' : ` (${mib(freeBytes)} free)`;
    return new ShoalError(
      'NO_QUORUM',
      `The disk of this host is full${said}. Until ${mib(reserveBytes + roomyBytes)} are free in ${this.#folder}, this agent ` +
        'commits no writes; it answers reads from what it has, and its own guests run on and are started and stopped here. ' +
        'Free some space there, or ask another host.',
      { facts: { isDiskFull: true } },
    );
  }

  /** What this process may still write, bytes: root also has what the file system keeps for it. */
  async #freeBytes(): Promise<number> {
    const { bsize, bavail, bfree } = await this.#ask('asking for the room of', () => statfs(this.#folder));
    return bsize * (process.geteuid?.() === 0 ? bfree : bavail);
  }

  async #isHeld(): Promise<boolean> {
    try {
      return (await stat(this.#path)).size >= reserveBytes;
    } catch (caught) {
      if (isMissing(caught)) return false;
      throw ShoalError.from(caught, 'STORE_FAILED', `looking at ${this.#path}`);
    }
  }

  /** False: somebody else took the room meanwhile. */
  async #take(): Promise<boolean> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, 'w', 0o600);
      // Written and not merely made long, for a hole takes no room; random, for zeros take none where files are compressed.
      for (let bytes = 0; bytes < reserveBytes; bytes += chunkBytes) await file.writeFile(randomBytes(chunkBytes));
      // Some file systems find the room, or that there is none, only as it is written out.
      await file.sync();
      return true;
    } catch (caught) {
      if (isDiskFull(caught)) return false;
      throw ShoalError.from(caught, 'STORE_FAILED', `writing ${this.#path}`);
    } finally {
      await file?.close();
    }
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (caught) {
      throw ShoalError.from(caught, 'STORE_FAILED', `${what} ${this.#folder}`);
    }
  }
}
