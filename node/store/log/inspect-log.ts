/**
 * Reads a whole log without changing anything: what `shoal inspect` shows. Unlike opening it (recovery.ts), nothing is
 * decided, repaired or counted as a start, and nothing stops at the first fault: all of them are told.
 */
import type { Entry } from '../../raft/index.ts';
import { DigestSum, digestText, isSameDigest } from '../../state/digest.ts';
import { type DecodedRow, decodeRow } from '../../state/rows.ts';
import type { Disk, DiskRow } from './disk.ts';
import { decodeEntry } from './entry-record.ts';
import { EntrySums } from './entry-sums.ts';
import { decodeDigests } from './kept-digests.ts';
import {
  appliedKey,
  digestsRange,
  entryRange,
  headKey,
  identityKey,
  indexOfEntryKey,
  peerRange,
  rowOfKey,
  rowRange,
} from './keys.ts';
import type { LogMark } from './log-mark.ts';
import {
  type AppliedRecord,
  decodeApplied,
  decodeHead,
  decodeIdentity,
  decodePeerMemory,
  type Head,
  type Identity,
  type PeerMemory,
} from './records.ts';
import { sealOf, unsealed } from './sealed-bytes.ts';

/** Faults that are told one by one; the rest are counted. */
const faultsMax = 100;

/** What a log holds. Records that are missing or fail their checksum are undefined, and among the faults. */
export interface LogInspection {
  readonly identity: Identity | undefined;
  readonly head: Head | undefined;
  readonly applied: AppliedRecord | undefined;
  /** The last that was heard of each other member, by member number. */
  readonly peers: ReadonlyMap<number, PeerMemory>;
  readonly log: {
    /** Entries whose checksum holds. */
    readonly entries: number;
    /** Unit: bytes, as on disk without keys. */
    readonly bytes: number;
    /** Entries by their type. */
    readonly types: Readonly<Record<Entry['type'], number>>;
  };
  readonly state: {
    /** Rows whose checksum holds. */
    readonly rows: number;
    /** Unit: bytes, as on disk without keys. */
    readonly bytes: number;
  };
  /** Entries that an earlier start found broken and set aside. */
  readonly quarantined: number;
  /** What is wrong, for people: the first hundred. Empty: every checksum holds and nothing is missing. */
  readonly faults: readonly string[];
  /** How many faults there are in all. */
  readonly faultCount: number;
}

/** Hears of what is read, as it is read. */
export interface LogVisitor {
  readonly entry?: (entry: Entry) => void;
  readonly row?: (row: DecodedRow) => void;
}

/**
 * Reads everything once. `mark`: how far the log had come, where that is known (log-mark.ts). Throws `STORE_FAILED`, and
 * `LOG_CORRUPT` for a newer version's format.
 */
export async function inspectLog(disk: Disk, visitor: LogVisitor = {}, mark?: LogMark): Promise<LogInspection> {
  const faults = new Faults();
  const identity = record(disk, identityKey, decodeIdentity, 'identity', faults);
  const head = record(disk, headKey, decodeHead, 'term, vote and log (head)', faults);
  const applied = record(disk, appliedKey, decodeApplied, 'the applied index', faults);
  if (head?.quarantine !== undefined)
    faults.add(`The log is quarantined (${head.quarantine.reason}): ${head.quarantine.detail}`);
  if (mark !== undefined && identity !== undefined && identity.incarnation !== mark.incarnation) {
    faults.add(`The log is another one (${identity.incarnation}) than was here before (${mark.incarnation}).`);
  } else if (mark !== undefined && head !== undefined && (head.batch ?? 0) < mark.batch) {
    faults.add(`The log ends at entry ${head.lastIndex} of term ${head.lastTerm}, but had come to ${mark.last}.`);
  }
  const log = { entries: 0, bytes: 0, types: { normal: 0, confChange: 0, confChangeV2: 0 } };
  if (head !== undefined) await readLog(disk, head, { log, faults, visitor });
  const state = { rows: 0, bytes: 0 };
  if (applied !== undefined) {
    await readState(disk, applied, { state, faults, visitor });
    if (head !== undefined && (applied.index > head.lastIndex || applied.index < head.startIndex)) {
      faults.add(`The log reaches from ${head.startIndex} to ${head.lastIndex}, but the state is at ${applied.index}.`);
    }
  }
  const peers = new Map<number, PeerMemory>();
  for await (const { key, value } of disk.scan(peerRange.start, peerRange.end)) {
    const memory = decodePeerMemory(key, value);
    if (memory === undefined) faults.add(`The record ${key} fails its checksum.`);
    else peers.set(Number(key.slice(peerRange.start.length)), memory);
  }
  if (applied !== undefined) {
    const range = digestsRange(applied.stateGeneration);
    for await (const { key, value } of disk.scan(range.start, range.end)) {
      if (decodeDigests(key, indexOfEntryKey(key), value) === undefined)
        faults.add(`The record ${key} fails its checksum.`);
    }
  }
  let quarantined = 0;
  for await (const _ of disk.scan('q/', 'q0')) quarantined += 1;
  return { identity, head, applied, peers, log, state, quarantined, faults: faults.told, faultCount: faults.count };
}

class Faults {
  readonly told: string[] = [];
  count = 0;

  add(fault: string): void {
    this.count += 1;
    if (this.told.length < faultsMax) this.told.push(fault);
  }
}

function record<T>(
  disk: Disk,
  key: string,
  decode: (key: string, value: Uint8Array) => T | undefined,
  what: string,
  faults: Faults,
): T | undefined {
  const value = disk.get(key);
  const decoded = value === undefined ? undefined : decode(key, value);
  if (decoded === undefined) {
    faults.add(`The record of ${what} ${value === undefined ? 'is missing' : 'fails its checksum'}.`);
  }
  return decoded;
}

async function readLog(
  disk: Disk,
  head: Head,
  into: {
    readonly log: { entries: number; bytes: number; readonly types: Record<Entry['type'], number> };
    readonly faults: Faults;
    readonly visitor: LogVisitor;
  },
): Promise<void> {
  const { log, faults, visitor } = into;
  const range = entryRange(head.logGeneration);
  let expected = head.startIndex + 1;
  let last: Entry | undefined;
  const sums = new EntrySums(head.startIndex);
  const missing = (end: number): void => {
    if (end > expected) faults.add(`Entries ${expected} to ${end - 1} are missing.`);
  };
  for await (const row of disk.scan(range.start, range.end)) {
    const index = indexOfEntryKey(row.key);
    // Compacted, and not yet cleared away.
    if (index <= head.startIndex) continue;
    if (index > head.lastIndex) {
      faults.add(`Entry ${index} is behind the end of the log, ${head.lastIndex}.`);
      continue;
    }
    missing(index);
    expected = index + 1;
    const entry = decodeEntry(row.key, row.value);
    if (sums.count === index - 1 - head.startIndex) sums.append(index, [sealOf(row.value)]);
    if (entry === undefined) {
      faults.add(`Entry ${index} fails its checksum.`);
      continue;
    }
    if (entry.term < (last?.term ?? head.startTerm) || entry.term > head.term) {
      faults.add(`Entry ${index} is of term ${entry.term}, which cannot be.`);
    }
    last = entry;
    log.entries += 1;
    log.bytes += row.value.length;
    log.types[entry.type] += 1;
    visitor.entry?.(entry);
  }
  missing(head.lastIndex + 1);
  // Where entries are missing or broken, that is told already.
  const isComplete = log.entries === head.lastIndex - head.startIndex;
  if (isComplete && head.logSum !== undefined && head.logSum !== sums.total) {
    faults.add('The entries all hold, and are not those that were written last.');
  }
  if (last?.index === head.lastIndex && last.term !== head.lastTerm) {
    faults.add(`The last entry is of term ${last.term}, but ${head.lastTerm} was noted.`);
  }
}

async function readState(
  disk: Disk,
  applied: AppliedRecord,
  into: { readonly state: { rows: number; bytes: number }; readonly faults: Faults; readonly visitor: LogVisitor },
): Promise<void> {
  const { state, faults, visitor } = into;
  const range = rowRange(applied.stateGeneration);
  const digest = new DigestSum();
  let isWhole = true;
  for await (const row of disk.scan(range.start, range.end)) {
    const decoded = stateRow(row);
    if (decoded === undefined) {
      faults.add(`The state row ${rowOfKey(row.key)} fails its checksum.`);
      isWhole = false;
      continue;
    }
    state.rows += 1;
    state.bytes += row.value.length;
    visitor.row?.(decoded);
    if (decoded.kind === 'key') digest.key(1, decoded.entry);
    else if (decoded.kind === 'counter') digest.counter(1, decoded.entry);
    else digest.session(1, decoded.entry);
  }
  // Of rows that cannot all be read the digest says nothing new.
  if (!isWhole || applied.digest === undefined || isSameDigest(applied.digest, digest.value)) return;
  faults.add(
    `The rows of the state have the digest ${digestText(digest.value)}, not ${digestText(applied.digest)}: some are ` +
      'missing, or are not those that were written.',
  );
}

function stateRow(row: DiskRow): DecodedRow | undefined {
  const content = unsealed(row.value, row.key);
  return content === undefined ? undefined : decodeRow({ key: rowOfKey(row.key), value: content });
}
