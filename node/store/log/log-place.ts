/**
 * Opens a log wherever it lies, and decides what becomes of a database that is damaged as a whole. Before it is opened:
 *
 * | found | others vote | this member alone votes |
 * |---|---|---|
 * | files of the database are damaged, or it is another's | set aside; a new log, quarantined (`unreadable`), repaired from the others | refused, nothing changed |
 * | it has come less far than its mark | used as far as it goes, quarantined (`rolled-back`) | refused, nothing changed |
 * | it is gone, and the folder remembers one | a new log, quarantined (`disk-wiped`) | refused |
 *
 * What is damaged within the database is found by recovery.ts.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { beyondRepair } from './beyond-repair.ts';
import type { Disk } from './disk.ts';
import { headKey, identityKey } from './keys.ts';
import type { LogMark, MarkKeeper } from './log-mark.ts';
import { decodeHead, decodeIdentity, type Head, lifeOf } from './records.ts';
import { type OpenedLog, openLogStore } from './recovery.ts';

const markDamagedDatabaseFound = coverageMark(
  'damaged-database-found',
  'files of a database are damaged, found before it is opened',
);

/** What a look at the files of a database found, before anything opens it. */
export interface LevelCheck {
  /** Whether there is a database, whole or not. */
  readonly isThere: boolean;
  /** What is damaged, for people; empty: nothing that can be seen without a mark. */
  readonly faults: readonly string[];
  /** The end of the newest write-ahead file fails its checksum: a crash may have left that, or damage. */
  readonly brokenEnd: string | undefined;
  /** The newest value of the key that was asked about; undefined: it has none, or cannot be found without opening. */
  readonly last: Uint8Array | undefined;
}

/** A database, and what lies beside it. A folder of this machine is one (../level/level-log-store.ts), a simulated disk another. */
export interface LogPlace {
  /** Whose log it is, noted outside of the database; undefined: none was made yet. */
  readonly owner: number | undefined;
  readonly mark: MarkKeeper;
  /** Looks for damage and changes nothing. */
  check(): Promise<LevelCheck>;
  /** Keeps other processes from the database until the function returned is called. Throws `CONFLICT` when one has it. */
  hold(): Promise<() => Promise<void>>;
  /** Opens the database, or makes it. Throws `LOG_CORRUPT`, `STORE_FAILED`. */
  open(): Promise<Disk>;
  /** Puts the database out of the way, so that the next `open` makes a new one. Returns where it is then. */
  setAside(): Promise<string>;
  /** Keeps a copy of the database out of the way, and makes of it what can be opened. Returns where the copy is. */
  salvage(): Promise<string>;
  /** Notes whose log it is. Durable when it resolves. */
  own(raftId: number): Promise<void>;
}

/** Whose log is opened, and how. */
interface OpenPlaceOptions {
  readonly raftId: number;
  /** Random, for a log that is made now. */
  readonly newIncarnation: string;
  /** The first member of a new mesh. Has no effect on a log that is there. */
  readonly bootstrap?: boolean | undefined;
  /** Whether the mesh is known to have other members, for when neither log nor mark says who votes; default true. */
  readonly hasPeers?: boolean | undefined;
  /** For `shoal recover`: what is left of a log that is beyond repair. */
  readonly salvages?: boolean | undefined;
}

/**
 * Opens the log of `options.raftId`, or makes it, after its database was looked at as the table above says.
 * Throws `STORE_FAILED`, `IDENTITY_MISMATCH`, `LOG_CORRUPT`.
 */
export async function openLogAt(place: LogPlace, options: OpenPlaceOptions): Promise<OpenedLog> {
  const { raftId } = options;
  const { owner } = place;
  if (owner !== undefined && owner !== raftId) {
    throw new ShoalError('IDENTITY_MISMATCH', `The log belongs to member ${owner}, not to ${raftId}.`, {
      facts: { found: owner, expected: raftId },
    });
  }
  const { disk, unreadable } = await openSound(place, options);
  const isKnown = owner !== undefined || place.mark.found !== undefined;
  try {
    const opened = await openLogStore(disk, {
      raftId,
      newIncarnation: options.newIncarnation,
      expectsContents: isKnown,
      // A mesh is founded once: a log that vanished must not found another.
      bootstrap: (options.bootstrap ?? false) && !isKnown && unreadable === undefined,
      mark: place.mark,
      hasPeers: options.hasPeers,
      salvages: options.salvages,
      ...(unreadable === undefined ? {} : { quarantine: { reason: 'unreadable', detail: unreadable } }),
    });
    if (owner === undefined) await place.own(raftId);
    return opened;
  } catch (error) {
    await disk.close();
    throw error;
  }
}

async function openSound(
  place: LogPlace,
  options: OpenPlaceOptions,
): Promise<{ readonly disk: Disk; readonly unreadable?: string }> {
  const { mark } = place;
  const { hasPeers = true, salvages = false } = options;
  const isAlone = mark.found?.isAlone ?? !hasPeers;
  let { faults, behind } = judge(await place.check(), mark.found);
  if (faults.length > 0 || behind !== undefined) {
    // Of a database that another process writes, what was read is not what lies there: looked at again with its lock.
    const release = await place.hold();
    try {
      ({ faults, behind } = judge(await place.check(), mark.found));
    } finally {
      await release();
    }
  }
  if (isAlone && !salvages && behind !== undefined) throw beyondRepair([...faults, behind], mark.found);
  if (faults.length === 0) {
    const opened = await openedOrFault(place);
    if (typeof opened !== 'string') return { disk: opened };
    faults.push(opened);
  }
  markDamagedDatabaseFound();
  if (salvages) {
    const copy = await place.salvage();
    return { disk: await place.open(), unreadable: `${faults.join(' ')} A copy is kept as ${copy}.` };
  }
  if (isAlone) throw beyondRepair(faults, mark.found);
  const aside = await place.setAside();
  return { disk: await place.open(), unreadable: `${faults.join(' ')} Set aside as ${aside}.` };
}

/** What a look at the files says, given the mark: faults of the files, and whether something whole is missing. */
export function judge(
  check: LevelCheck,
  mark: LogMark | undefined,
): { readonly faults: string[]; readonly behind: string | undefined } {
  const faults = [...check.faults];
  const head = check.last === undefined ? undefined : decodeHead(headKey, check.last);
  if (mark === undefined) {
    // Whether a crash left that, or damage took what was acknowledged, nobody can tell.
    if (check.brokenEnd !== undefined) faults.push(check.brokenEnd);
    return { faults, behind: undefined };
  }
  if (!check.isThere) return { faults, behind: `The database is gone; it had come to ${mark.last}.` };
  if (head === undefined) return { faults, behind: undefined };
  if (isOfAnother(head, mark.incarnation)) faults.push("The newest records are those of another member's log.");
  else if ((head.batch ?? 0) < mark.batch) {
    const end = check.brokenEnd === undefined ? '' : ` ${check.brokenEnd}`;
    return {
      faults,
      behind: `The log ends at entry ${head.lastIndex} of term ${head.lastTerm}, but had come to ${mark.last}.${end}`,
    };
  }
  return { faults, behind: undefined };
}

/** Opens a database that looks sound from outside; a text says what is wrong with it. */
async function openedOrFault(place: LogPlace): Promise<Disk | string> {
  let disk: Disk;
  try {
    disk = await place.open();
  } catch (caught) {
    if (ShoalError.is(caught, 'LOG_CORRUPT')) return `${caught.message}.`;
    throw caught;
  }
  const [identityBytes, headBytes] = [disk.get(identityKey), disk.get(headKey)];
  const identity = identityBytes === undefined ? undefined : decodeIdentity(identityKey, identityBytes);
  const head = headBytes === undefined ? undefined : decodeHead(headKey, headBytes);
  const known = place.mark.found?.incarnation ?? identity?.incarnation;
  const isForeign =
    identity !== undefined &&
    known !== undefined &&
    (identity.incarnation !== known || (head !== undefined && isOfAnother(head, known)));
  // A member number that is not ours is refused by name, further on.
  if (!isForeign || (place.owner !== undefined && identity.raftId !== place.owner)) return disk;
  await disk.close();
  return `The database is that of another log (${identity.incarnation}), not of the one that was here (${known}).`;
}

function isOfAnother(head: Head, incarnation: string): boolean {
  return head.life !== undefined && head.life !== lifeOf({ incarnation });
}
