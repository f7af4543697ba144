/**
 * The mark of a database: how far it had come, noted in a small file beside it.
 *
 * The problem: a database whose end is missing (its newest file cut, or gone), or that was put back from yesterday, or that
 * is another's, is whole in itself. Nothing in it tells that more was acknowledged.
 *
 * The method: every batch of the database has a number (in its head), and after it is durable that number is written here.
 * The mark is never ahead of what is durable, so a database that is behind its mark has lost something, for certain. The
 * mark itself is written without a sync, one write behind the other: it survives the end of the process, and a power cut may
 * take back the last of it, which never raises a false alarm. It is synced at every start, at every end, when others begin
 * or cease to vote, and every `markSyncMs`.
 *
 * A vote is told to nobody before the mark is synced behind it, nor is a quarantine or a term fence acted on (`outlasts`):
 * they are few, so the second sync costs nothing that anybody could measure, and a database that has lost one of them is
 * found out whatever the power took. An entry is acknowledged without it: that would be a second sync for each write. So
 * what remains is the end of a database, synced and lost, of the last `markSyncMs` before a power cut: that the peers
 * remember (consensus/trust/trust.ts), where they can be heard.
 *
 * Two slots are written in turn, each behind its checksum, in place: a write that is torn leaves the other.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../base/durable-file.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import type { ConfState } from '../../raft/index.ts';
import type { AppliedRecord, Head, Identity } from './records.ts';
import { sealed, unsealed } from './sealed-bytes.ts';

/** How far a database had come at least. */
export interface LogMark {
  /** Which database it was (`Identity.incarnation`). */
  readonly incarnation: string;
  /** How often it had been opened. */
  readonly starts: number;
  /** Number of its last durable batch. */
  readonly batch: number;
  /** For people: the last that it held. The log: an entry. */
  readonly last: string;
  /** Nobody else has what it holds: its owner is the only voter. */
  readonly isAlone: boolean;
}

/** Keeps the mark of one database. */
export interface MarkKeeper {
  /** What was found when it was opened; undefined: there was none, or neither slot holds. */
  readonly found: LogMark | undefined;
  /** Notes how far the database has come. Returns at once; of several in a row only the newest is written. */
  note(mark: LogMark): void;
  /** Durable when it resolves. Throws `STORE_FAILED`. */
  sync(): Promise<void>;
  /** Syncs and closes. Safe to call twice. Throws `STORE_FAILED`. */
  close(): Promise<void>;
}

/** The mark of a log whose batch `batch` is durable. */
export function markOf(log: {
  readonly identity: Identity;
  readonly batch: number;
  readonly head: Head;
  readonly applied: AppliedRecord;
}): LogMark {
  const { identity, batch, head, applied } = log;
  return {
    incarnation: identity.incarnation,
    starts: identity.starts,
    batch,
    last: `entry ${head.lastIndex} of term ${head.lastTerm}`,
    // A quarantined log is repaired from the others even if it names its owner the only voter: that may have changed
    // since.
    isAlone: head.quarantine === undefined && isOnlyVoter(identity.raftId, applied.confState),
  };
}

/**
 * Whether a head says what must not be forgotten with the end of the database: whom its owner has voted for, or what has
 * become of a quarantine. The mark is synced behind such a batch before anybody hears of it.
 */
export function outlasts(before: Head, after: Head): boolean {
  const hasVoted = after.vote !== 0 && (after.vote !== before.vote || after.term !== before.term);
  return hasVoted || after.raisedTerm !== before.raisedTerm || after.quarantine !== before.quarantine;
}

/** Whether nobody but `raftId` votes. */
export function isOnlyVoter(raftId: number, { voters, votersOutgoing }: ConfState): boolean {
  return voters.length === 1 && voters[0] === raftId && votersOutgoing.length === 0;
}

/** Room of one slot: a sector, which a disk writes whole or not at all. Unit: bytes. */
const slotBytes = 512;
/** How long a mark may be on its way to the platter: one sync a second beside those of a busy log. Unit: milliseconds. */
export const markSyncMs = 1_000;
/**
 * From one mark to the next while batches come in a row: writing one after each batch cost a busy log a tenth of its
 * writes. What a killed process has not marked is as a mark that a power cut has taken, and that may be
 * `markSyncMs`. Unit: milliseconds.
 */
const markEveryMs = 100;
const sealKey = 'mark';

/** Opens the mark in `path`, or makes it. Throws `STORE_FAILED`, or `LOG_CORRUPT` for a newer version's. */
export async function openMarkFile(path: string): Promise<MarkKeeper> {
  try {
    const bytes = await readMarkBytes(path);
    const file = await open(path, bytes === undefined ? 'w+' : 'r+', 0o600);
    // Room for both slots from the start: in place, a write needs no more of a disk that is full.
    if ((bytes?.length ?? 0) < 2 * slotBytes) {
      await file.write(new Uint8Array(2 * slotBytes), 0, 2 * slotBytes, 0);
      await file.sync();
      await syncFolder(dirname(path));
    }
    const slots = bytes === undefined ? [] : slotsOf(bytes);
    return new MarkFile(path, file, slots);
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot open ${path}`);
  }
}

/** Reads the mark in `path` and changes nothing; undefined when there is none that holds. Throws as above. */
export async function readMarkFile(path: string): Promise<LogMark | undefined> {
  try {
    const bytes = await readMarkBytes(path);
    return bytes === undefined ? undefined : newest(slotsOf(bytes));
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot read ${path}`);
  }
}

async function readMarkBytes(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw caught;
  }
}

/** A slot's mark, and the number of its writing: the higher one is the newer. */
interface Slot {
  readonly turn: number;
  readonly mark: LogMark;
}

class MarkFile implements MarkKeeper {
  readonly found: LogMark | undefined;
  readonly #path: string;
  readonly #file: FileHandle;
  #turn: number;
  #next: LogMark | undefined;
  #writing: Promise<void> | undefined;
  /** Runs out when the next mark may be written. */
  #pause: NodeJS.Timeout | undefined;
  #failure: ShoalError | undefined;
  #syncedMs = performance.now();
  /** What the synced mark says of others. */
  #syncedAlone: boolean | undefined;
  #isClosed = false;

  constructor(path: string, file: FileHandle, slots: readonly (Slot | undefined)[]) {
    this.#path = path;
    this.#file = file;
    this.found = newest(slots);
    this.#turn = Math.max(0, ...slots.map((slot) => slot?.turn ?? 0));
  }

  note(mark: LogMark): void {
    if (this.#isClosed || this.#failure !== undefined) return;
    this.#next = mark;
    if (this.#pause === undefined || mark.isAlone !== this.#syncedAlone) this.#begin();
  }

  async sync(): Promise<void> {
    await this.#writing;
    this.#begin();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.datasync();
    } catch (caught) {
      throw ShoalError.from(caught, 'STORE_FAILED', `Cannot sync ${this.#path}`);
    }
    this.#syncedMs = performance.now();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.sync();
    } finally {
      clearTimeout(this.#pause);
      await this.#file.close();
    }
  }

  /** Writes what is to be noted, unless a write is under way: then it follows. */
  #begin(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#next !== undefined) this.#writing ??= this.#write(this.#next);
  }

  /** Never rejects: a mark that could not be written is told by `sync`, and is behind until then, which harms nothing. */
  async #write(mark: LogMark): Promise<void> {
    try {
      this.#next = undefined;
      this.#turn += 1;
      const slot = encodeSlot({ turn: this.#turn, mark });
      await this.#file.write(slot, 0, slot.length, (this.#turn % 2) * slotBytes);
      const isSame = mark.isAlone === this.#syncedAlone;
      if (!isSame || performance.now() - this.#syncedMs >= markSyncMs) {
        await this.#file.datasync();
        this.#syncedMs = performance.now();
        this.#syncedAlone = mark.isAlone;
      }
    } catch (caught) {
      this.#failure = ShoalError.from(caught, 'STORE_FAILED', `Cannot write ${this.#path}`);
    } finally {
      this.#writing = undefined;
      this.#rest();
    }
  }

  /** The next mark waits, but for one that says otherwise who votes. */
  #rest(): void {
    if (this.#isClosed || this.#failure !== undefined) return;
    this.#pause = setTimeout(() => this.#begin(), markEveryMs);
    this.#pause.unref();
    const next = this.#next;
    if (next !== undefined && next.isAlone !== this.#syncedAlone) this.#begin();
  }
}

function encodeSlot(slot: Slot): Uint8Array {
  const content = sealed(new TextEncoder().encode(JSON.stringify(slot)), sealKey);
  const bytes = new Uint8Array(slotBytes);
  new DataView(bytes.buffer).setUint16(0, content.length);
  bytes.set(content, 2);
  return bytes;
}

function slotsOf(bytes: Uint8Array): readonly (Slot | undefined)[] {
  return [0, 1].map((at) => decodeSlot(bytes.subarray(at * slotBytes, (at + 1) * slotBytes)));
}

function decodeSlot(bytes: Uint8Array): Slot | undefined {
  if (bytes.length < 2) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  const content = unsealed(bytes.subarray(2, 2 + length), sealKey);
  if (content === undefined) return undefined;
  let slot: unknown;
  try {
    slot = JSON.parse(new TextDecoder().decode(content));
  } catch (caught) {
    throw new ShoalError('LOG_CORRUPT', 'The mark beside the log has its checksum, and is no JSON.', { cause: caught });
  }
  return isSlot(slot) ? slot : undefined;
}

function isSlot(value: unknown): value is Slot {
  if (typeof value !== 'object' || value === null || !('mark' in value) || !('turn' in value)) return false;
  const mark: unknown = value.mark;
  return typeof value.turn === 'number' && typeof mark === 'object' && mark !== null && 'batch' in mark;
}

function newest(slots: readonly (Slot | undefined)[]): LogMark | undefined {
  return slots
    .filter((slot) => slot !== undefined)
    .sort((a, b) => a.turn - b.turn)
    .at(-1)?.mark;
}
