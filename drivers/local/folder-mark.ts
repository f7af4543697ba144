/**
 * Whose a folder of disks is. A pool that an operator names lies on a file system of its own more often than not, and one that is
 * not mounted looks like an empty folder: disks would be "absent" that are there, and new ones would be made below the mount.
 *
 *     ROOT/pool.json         the mark: which pool of which host this is
 *     NOTES/POOL.json        on the host: that the folder has been marked, and which it was
 *
 * The mark is written first. From the note on, a folder without the mark is one that is not there.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import { readJsonFile } from '../json-file.ts';

const markName = 'pool.json';
/** What an empty file system may hold, and a mark that a crash left unfinished. */
const nothing = /^(lost\+found|\.pool\.json\..*\.tmp)$/;

/** Whose a folder is to be. */
export interface FolderOwner {
  /** Name of the pool. */
  readonly pool: string;
  readonly hostId: HostId;
  /** Folder on the host's own disk, of the notes of all its pools. */
  readonly notesDir: string;
}

/** Of one folder. All methods throw `UNAVAILABLE` for a folder that is not there, and `CONFLICT` for one that is another's. */
export class FolderMark {
  readonly #root: string;
  readonly #owner: FolderOwner;

  constructor(root: string, owner: FolderOwner) {
    this.#root = root;
    this.#owner = owner;
  }

  /** Takes the folder, which is made if its parent is there. `CONFLICT` when it holds anything of others. Done already: success. */
  async take(): Promise<void> {
    const { pool, hostId, notesDir } = this.#owner;
    const markedAs = await this.#read();
    if (markedAs === undefined) {
      await this.#mustBeNew();
      await writeFileDurably(join(this.#root, markName), JSON.stringify({ pool, hostId }), { mode: 0o600 });
    } else this.#mustBeOurs(markedAs);
    await mkdir(notesDir, { recursive: true, mode: 0o700 });
    await writeFileDurably(this.#notePath, JSON.stringify({ path: this.#root }), { mode: 0o600 });
  }

  /** Before anybody is told that something is not in it. */
  async mustBeThere(): Promise<void> {
    const markedAs = await this.#read();
    if (markedAs === undefined) throw this.#notThere();
    this.#mustBeOurs(markedAs);
  }

  get #notePath(): string {
    return join(this.#owner.notesDir, `${this.#owner.pool}.json`);
  }

  /** The mark; undefined: there is none, or no folder. */
  async #read(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const value = await readJsonFile(join(this.#root, markName));
    if (value === undefined) return undefined;
    if (isRecord(value)) return value;
    throw new ShoalError('DRIVER_FAILED', `${join(this.#root, markName)} is no mark of a pool`);
  }

  #mustBeOurs(mark: Readonly<Record<string, unknown>>): void {
    const { pool, hostId } = this.#owner;
    if (mark['pool'] === pool && mark['hostId'] === hostId) return;
    throw new ShoalError(
      'CONFLICT',
      `folder ${this.#root} is pool ${JSON.stringify(mark['pool'])} of host ${JSON.stringify(mark['hostId'])}, and is set as pool ` +
        `"${pool}" of host "${hostId}": name another folder; or, if its disks are to be this host's from now on, write that into ${join(this.#root, markName)}`,
    );
  }

  async #mustBeNew(): Promise<void> {
    const note = await readJsonFile(this.#notePath);
    if (isRecord(note) && note['path'] === this.#root) throw this.#notThere();
    try {
      await mkdir(this.#root, { mode: 0o700 });
    } catch (caught) {
      if (isMissing(caught)) {
        throw new ShoalError('UNAVAILABLE', `there is no folder ${dirname(this.#root)} for pool "${this.#owner.pool}"`);
      }
      if (errnoOf(caught) !== 'EEXIST') throw ShoalError.from(caught, 'DRIVER_FAILED', `making ${this.#root}`);
    }
    const others = (await readdir(this.#root)).filter((name) => !nothing.test(name));
    if (others.length === 0) return;
    throw new ShoalError(
      'CONFLICT',
      `folder ${this.#root} of pool "${this.#owner.pool}" holds other things (${others.slice(0, 3).join(', ')}): name an empty folder`,
    );
  }

  #notThere(): ShoalError {
    return new ShoalError(
      'UNAVAILABLE',
      `folder ${this.#root} is not that of pool "${this.#owner.pool}": it has no ${markName}. Is its file system mounted? If its ` +
        `disks are gone and it is to begin empty, remove ${this.#notePath}`,
    );
  }
}
