/**
 * Opens a log and finds out what it is worth. Every outcome:
 *
 * | found | done |
 * |---|---|
 * | nothing | a new log; with `expectsContents` quarantined (`disk-wiped`) |
 * | a log whose every checksum holds, from its start to the end that its head names, and with their sum | used |
 * | a broken entry that the durable state covers | the log begins behind the state; nothing is lost |
 * | a missing entry that the durable state covers | the same, quarantined: what else went with it is not known |
 * | a broken or missing entry behind the state, or entries that the head does not name | the log ends before it; what follows is set aside; quarantined |
 * | every entry holds, and their sum does not: one is another than was written | the log is emptied behind the state; quarantined |
 * | fewer batches or starts than the mark beside the log has (log-mark.ts) | used as far as it goes; quarantined |
 * | no head, or a broken one | the log is emptied behind the state; term and vote are not known; quarantined |
 * | a broken row of the state, or no applied record or a broken one | state and log are emptied; quarantined |
 * | rows that do not have the digest noted with the applied index: some missing, some of another time | the same |
 * | a note that the others hold another state (`state-diverged`) | the same |
 * | a torn batch at the end | LevelDB drops it whole; nobody was told that it was durable |
 *
 * Quarantined: the log must not vote, nor promise anything else, until it has been repaired from the others
 * (consensus/trust/repair.ts). Where there are no others, as the log's owner is the only voter, a log that would be
 * quarantined is refused (`LOG_CORRUPT`), and left as it is; `salvages` takes what is left of it.
 */

import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { type ConfState, type Entry, emptyConfState } from '../../raft/index.ts';
import { digestText, isSameDigest } from '../../state/digest.ts';
import type { KnownDigest } from '../../state/recent-digests.ts';
import { StateMachine } from '../../state/state-machine.ts';
import { beyondRepair } from './beyond-repair.ts';
import type { Disk, DiskOp } from './disk.ts';
import { decodeEntry } from './entry-record.ts';
import { EntrySums } from './entry-sums.ts';
import { decodeDigests, digestsOfText } from './kept-digests.ts';
import {
  appliedKey,
  digestsRange,
  entryKey,
  entryRange,
  headKey,
  identityKey,
  indexOfEntryKey,
  otherGenerations,
  peerRange,
  quarantineKey,
  rowOfKey,
  rowRange,
} from './keys.ts';
import { isOnlyVoter, type MarkKeeper, markOf } from './log-mark.ts';
import { LogStore } from './log-store.ts';
import { LogTail } from './log-tail.ts';
import {
  type AppliedRecord,
  decodeApplied,
  decodeHead,
  decodeIdentity,
  decodePeerMemory,
  encodeRecord,
  type Head,
  type Identity,
  lifeOf,
  type PeerMemory,
  type Quarantine,
  type QuarantineReason,
} from './records.ts';
import { sealOf, unsealed } from './sealed-bytes.ts';

const markWipedDiskOpened = coverageMark('wiped-disk-opened', 'an empty disk is found where a log was');
const failpointRecoveryDecidedNotWritten = failpoint(
  'recovery.decided-not-written',
  'a start has looked at the log and written nothing',
);
const failpointRecoveryWritten = failpoint('recovery.written', 'a start has written what it found');
const markIdentityRecordBroken = coverageMark('identity-record-broken', 'the record of whose log it is has rotted');
const markDivergedStateGivenUp = coverageMark(
  'diverged-state-given-up',
  'a state that the others do not have is given up at a start',
);
const markHeadRecordBroken = coverageMark('head-record-broken', 'the record of term and vote has rotted');
const markLogBehindItsMark = coverageMark('log-behind-its-mark', 'a log holds less than its mark says');
const markStateBroken = coverageMark('state-broken', 'a row of the state has rotted');
const markEntryReplaced = coverageMark('entry-replaced', 'entries all hold, and are not those that were written last');
const markBadEntryCoveredByState = coverageMark('bad-entry-covered-by-state', 'a bad entry is covered by the state');
const markLogCut = coverageMark('log-cut', 'a log ends before a bad entry');
const markRowsWithoutTheirDigest = coverageMark(
  'rows-without-their-digest',
  'the rows of the state are not all that were written',
);
const markPeerMemoryBroken = coverageMark('peer-memory-broken', 'what was remembered of a peer has rotted');

/** What an opener knows that the log cannot say of itself. */
export interface OpenOptions {
  /** Whose log it is. A log of another member is refused (`IDENTITY_MISMATCH`). */
  readonly raftId: number;
  /** Random, for a log that is made now. */
  readonly newIncarnation: string;
  /** The log must be there: when it is not, the disk was wiped or swapped. */
  readonly expectsContents?: boolean;
  /** Quarantines the log for this reason, whatever it holds. */
  readonly quarantine?: Omit<Quarantine, 'raisedTerm'>;
  /** The first member of a new mesh: the log is made with it as the only voter. */
  readonly bootstrap?: boolean;
  /** The mark of this log: judged by, and kept from then on. Absent: there is none. */
  readonly mark?: MarkKeeper | undefined;
  /** Whether others may have what this log has lost, for when it does not say itself who votes; default true. */
  readonly hasPeers?: boolean | undefined;
  /** For `shoal recover`: a log that is beyond repair is opened with what is left of it; rows that are broken go. */
  readonly salvages?: boolean | undefined;
}

/** A log that may be used, quarantined or not (`store.quarantine`), with the state that it holds. */
export interface OpenedLog {
  readonly store: LogStore;
  /** The state as of the durable applied index. */
  readonly machine: StateMachine;
  /** What its digest was at the last revisions, as far as they are known; in their order. */
  readonly digests: readonly KnownDigest[];
  /** The log was made now. */
  readonly isNew: boolean;
  /** What was found wrong and how it was dealt with, for people. */
  readonly findings: readonly string[];
}

const stateUnreadable = 'The state cannot be read and has to come from the others.';
/** Generations skip what a lost head may have named. */
const generationGap = 1000;

/**
 * Opens the log on `disk`. Throws `STORE_FAILED`, `IDENTITY_MISMATCH`, or `LOG_CORRUPT`: for a newer version's format, or for
 * damage that nobody can repair, with nothing changed.
 */
export async function openLogStore(disk: Disk, options: OpenOptions): Promise<OpenedLog> {
  const recovery = new Recovery(disk, options);
  return recovery.run();
}

class Recovery {
  readonly #disk: Disk;
  readonly #options: OpenOptions;
  readonly #findings: string[] = [];
  readonly #fixes: DiskOp[] = [];
  #quarantine: Quarantine | undefined;
  /** Who votes, as far as the log says. */
  #confState: ConfState | undefined;

  constructor(disk: Disk, options: OpenOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  async run(): Promise<OpenedLog> {
    const identityBytes = this.#disk.get(identityKey);
    const headBytes = this.#disk.get(headKey);
    const appliedBytes = this.#disk.get(appliedKey);
    const isNew = identityBytes === undefined && headBytes === undefined && appliedBytes === undefined;
    const identity = this.#identity(identityBytes, isNew);
    if (this.#options.quarantine !== undefined)
      this.#quarantineFor(this.#options.quarantine.reason, this.#options.quarantine.detail);
    if (isNew && this.#options.expectsContents) {
      markWipedDiskOpened();
      this.#quarantineFor('disk-wiped', 'The log is empty, but there was one before.');
    }
    const found = isNew ? this.#fresh() : await this.#existing(headBytes, appliedBytes, identity);
    this.#mustBeRepairable();
    const peers = await this.#peers();
    const digests = await this.#digests(found.applied);
    const batch = Math.max(found.head.batch ?? 0, this.#options.mark?.found?.batch ?? 0) + 1;
    const decided = { ...found.head, batch, logSum: found.sums.total, life: lifeOf(identity) };
    const head = this.#quarantine === undefined ? decided : { ...decided, quarantine: this.#quarantine };
    const { mark } = this.#options;
    const applied = { ...found.applied, digest: found.machine.digest };
    const store = new LogStore(this.#disk, { ...found, applied, head, identity, peers, mark });
    failpointRecoveryDecidedNotWritten();
    // What was decided is written before anybody acts on it, together with the count of starts.
    await this.#disk.write([
      ...this.#fixes,
      { key: headKey, value: encodeRecord(headKey, head) },
      { key: appliedKey, value: encodeRecord(appliedKey, applied) },
      { key: identityKey, value: encodeRecord(identityKey, identity) },
    ]);
    mark?.note(markOf({ identity, batch, head, applied: found.applied }));
    await mark?.sync();
    // What is left of a damaged log stays until it has been repaired: it may be all there is.
    const others =
      this.#quarantine === undefined
        ? [
            ...otherGenerations('l', head.logGeneration),
            ...otherGenerations('r', found.applied.stateGeneration),
            ...otherGenerations('d', found.applied.stateGeneration),
          ]
        : [];
    for (const range of [
      ...others,
      { start: entryRange(head.logGeneration).start, end: entryKey(head.logGeneration, head.startIndex + 1) },
    ]) {
      await this.#disk.clear(range.start, range.end);
    }
    failpointRecoveryWritten();
    return { store, machine: found.machine, digests, isNew, findings: this.#findings };
  }

  /** Damage that nobody can repair is refused, before anything is written. */
  #mustBeRepairable(): void {
    const { raftId, mark, hasPeers = true, salvages = false } = this.#options;
    if (this.#quarantine === undefined || salvages) return;
    // Either may be of before the other; who has ever been seen to vote beside this member may hold what is lost.
    const said = [mark?.found?.isAlone, this.#confState && isOnlyVoter(raftId, this.#confState)].filter(
      (isAlone) => isAlone !== undefined,
    );
    const isAlone = said.length === 0 ? !hasPeers : !said.includes(false);
    if (isAlone)
      throw beyondRepair(this.#findings.length > 0 ? this.#findings : [this.#quarantine.detail], mark?.found);
  }

  #identity(bytes: Uint8Array | undefined, isNew: boolean): Identity {
    const { raftId, newIncarnation } = this.#options;
    const found = bytes === undefined ? undefined : decodeIdentity(identityKey, bytes);
    if (found === undefined) {
      if (bytes !== undefined) markIdentityRecordBroken();
      if (!isNew) {
        const fault = bytes === undefined ? 'is missing' : 'fails its checksum';
        this.#quarantineFor('head-broken', `The identity record ${fault}.`);
      }
      return { raftId, incarnation: newIncarnation, starts: 1 };
    }
    if (found.raftId !== raftId) {
      throw new ShoalError('IDENTITY_MISMATCH', `The log belongs to member ${found.raftId}, not to ${raftId}.`, {
        facts: { found: found.raftId, expected: raftId },
      });
    }
    return { ...found, starts: found.starts + 1 };
  }

  #fresh(): Found {
    // A mesh begins behind an entry that nobody has: so every later member begins with a snapshot, which tells the
    // membership that no log entry tells.
    const start = this.#options.bootstrap ? 1 : 0;
    const confState: ConfState = this.#options.bootstrap
      ? { ...emptyConfState, voters: [this.#options.raftId] }
      : emptyConfState;
    return this.#emptied({ index: start, term: start, confState, stateGeneration: 1 }, new StateMachine(), {
      term: start,
      logGeneration: 1,
    });
  }

  async #existing(
    headBytes: Uint8Array | undefined,
    appliedBytes: Uint8Array | undefined,
    identity: Identity,
  ): Promise<Found> {
    const storedHead = headBytes === undefined ? undefined : decodeHead(headKey, headBytes);
    this.#quarantine ??= storedHead?.quarantine;
    const storedApplied = appliedBytes === undefined ? undefined : decodeApplied(appliedKey, appliedBytes);
    this.#confState = storedApplied?.confState;
    this.#compareWithMark(identity, storedHead);
    if (storedHead?.quarantine?.reason === 'state-diverged' && storedHead.quarantine.raisedTerm === 0) {
      // The others have told that the rows are wrong: they are not to be read again.
      markDivergedStateGivenUp();
      return this.#withoutState(storedHead);
    }
    const machine = storedApplied === undefined ? undefined : await this.#loadState(storedApplied);
    if (storedHead === undefined) {
      markHeadRecordBroken();
      this.#quarantineFor('head-broken', 'The record of term, vote and log is missing or fails its checksum.');
      const generations = { term: storedApplied?.term ?? 0, logGeneration: generationGap };
      return storedApplied === undefined || machine === undefined
        ? this.#emptied(nothingApplied(generationGap), new StateMachine(), generations)
        : this.#emptied(storedApplied, machine, generations);
    }
    if (storedApplied === undefined || machine === undefined) return this.#withoutState(storedHead);
    return this.#withState(storedHead, storedApplied, machine);
  }

  /** A log that is behind its mark has lost what lies between. */
  #compareWithMark({ incarnation, starts }: Identity, head: Head | undefined): void {
    const mark = this.#options.mark?.found;
    // A head that is missing is found out as such, and another's database when the folder is opened.
    if (mark === undefined || head === undefined || incarnation !== mark.incarnation) return;
    // This start is counted in `starts`.
    const hasLost = (head.batch ?? 0) < mark.batch || starts - 1 < mark.starts;
    if (!hasLost) return;
    markLogBehindItsMark();
    this.#quarantineFor(
      'rolled-back',
      `The log holds ${head.batch ?? 0} batches of ${mark.batch} that were durable, of start ${starts - 1} of ` +
        `${mark.starts}, and ends at entry ${head.lastIndex} of term ${head.lastTerm}; it had come to ${mark.last}.`,
    );
  }

  /** The state is of no use, and the log never reaches back to the first entry (a mesh begins behind one). */
  #withoutState(head: Head): Found {
    const generation = head.logGeneration + generationGap;
    markStateBroken();
    this.#quarantineFor(
      'state-broken',
      head.quarantine?.reason === 'state-diverged' ? head.quarantine.detail : stateUnreadable,
    );
    return this.#emptied(nothingApplied(generation), new StateMachine(), {
      term: head.term,
      logGeneration: generation,
    });
  }

  async #withState(head: Head, applied: AppliedRecord, machine: StateMachine): Promise<Found> {
    if (applied.index > head.lastIndex || applied.index < head.startIndex) {
      this.#quarantineFor('entry-missing', `The log ends at ${head.lastIndex}, but the state is at ${applied.index}.`);
      return this.#emptied(applied, machine, { term: head.term, logGeneration: head.logGeneration + generationGap });
    }
    const log = await this.#readLog(head);
    if (log.badIndex === undefined) {
      if (head.logSum === undefined || head.logSum === log.sums.total) return { head, applied, ...log, machine };
      markEntryReplaced();
      this.#quarantineFor('entry-missing', 'The entries of the log are not those that were written last.');
      return this.#emptied(applied, machine, { term: head.term, logGeneration: head.logGeneration + generationGap });
    }
    if (log.badIndex <= applied.index) {
      // Everything up to the applied index is in the state, and was committed; only what follows is needed.
      const behind = { ...head, startIndex: applied.index, startTerm: applied.term };
      const rest = await this.#readLog(behind);
      if (rest.badIndex === undefined) {
        const finding = `Entry ${log.badIndex} is ${log.fault}; the state covers it, and the log begins behind.`;
        markBadEntryCoveredByState();
        if (log.fault === 'broken') this.#findings.push(finding);
        else this.#quarantineFor('entry-missing', finding);
        return { head: behind, applied, ...rest, machine };
      }
      return this.#cut(behind, applied, machine, rest);
    }
    return this.#cut(head, applied, machine, log);
  }

  /** Ends the log before a bad entry and sets aside what follows. */
  async #cut(head: Head, applied: AppliedRecord, machine: StateMachine, log: ReadLog): Promise<Found> {
    markLogCut();
    const bad = log.badIndex ?? head.lastIndex + 1;
    this.#quarantineFor(
      log.fault === 'broken' ? 'entry-broken' : 'entry-missing',
      `Entry ${bad} is ${log.fault}; the log is used up to ${bad - 1}, what follows is set aside.`,
    );
    const range = entryRange(head.logGeneration);
    for await (const row of this.#disk.scan(entryKey(head.logGeneration, bad), range.end)) {
      this.#fixes.push({ key: quarantineKey(head.logGeneration, indexOfEntryKey(row.key)), value: row.value });
      this.#fixes.push({ key: row.key, value: undefined });
    }
    const { tail, sums } = log;
    return {
      head: {
        ...head,
        commit: Math.min(head.commit, tail.lastIndex),
        lastIndex: tail.lastIndex,
        lastTerm: tail.lastTerm,
      },
      applied,
      tail,
      sums,
      machine,
    };
  }

  /** Reads the log that `head` describes up to the first entry that is not right. */
  async #readLog(head: Head): Promise<ReadLog> {
    const tail = new LogTail(head.startIndex, head.startTerm);
    const end = entryRange(head.logGeneration).end;
    const sums = new EntrySums(head.startIndex);
    let batch: Entry[] = [];
    let expected = head.startIndex + 1;
    let fault: ReadLog['fault'];
    for await (const row of this.#disk.scan(entryKey(head.logGeneration, expected), end)) {
      const entry = decodeEntry(row.key, row.value);
      if (indexOfEntryKey(row.key) !== expected) fault = 'missing';
      else if (expected > head.lastIndex) fault = 'unexpected';
      else if (entry === undefined) fault = 'broken';
      if (fault !== undefined || entry === undefined) break;
      batch.push(entry);
      sums.append(expected, [sealOf(row.value)]);
      expected += 1;
      if (batch.length === 1000) {
        tail.append(batch);
        batch = [];
      }
    }
    tail.append(batch);
    if (fault === undefined && expected <= head.lastIndex) fault = 'missing';
    if (fault === undefined && tail.lastTerm !== head.lastTerm) fault = 'unexpected';
    return { tail, sums, badIndex: fault === undefined ? undefined : expected, fault };
  }

  async #loadState(applied: AppliedRecord): Promise<StateMachine | undefined> {
    const machine = new StateMachine();
    const range = rowRange(applied.stateGeneration);
    for await (const { key, value } of this.#disk.scan(range.start, range.end)) {
      const content = unsealed(value, key);
      if (content === undefined) {
        this.#findings.push(`The state row ${rowOfKey(key)} fails its checksum.`);
        if (!(this.#options.salvages ?? false)) return undefined;
        this.#quarantineFor('state-broken', 'Rows of the state are broken and left out.');
        continue;
      }
      // Copied: what LevelDB hands out may be a part of something larger.
      machine.load({ key: rowOfKey(key), value: new Uint8Array(content) });
    }
    machine.loaded(applied.index);
    if (applied.digest !== undefined && !isSameDigest(applied.digest, machine.digest)) {
      markRowsWithoutTheirDigest();
      this.#findings.push(
        `The rows of the state at ${applied.index} have the digest ${digestText(machine.digest)}, not ` +
          `${digestText(applied.digest)}: some are missing or are not those that were written.`,
      );
      if (!(this.#options.salvages ?? false)) return undefined;
      this.#quarantineFor('state-broken', 'What is left of the state is taken as it is.');
    }
    return machine;
  }

  async #digests({ stateGeneration, index, recentDigests = '' }: AppliedRecord): Promise<readonly KnownDigest[]> {
    const digests: KnownDigest[] = [];
    const range = digestsRange(stateGeneration);
    for await (const { key, value } of this.#disk.scan(range.start, range.end)) {
      // Only a help where states differ: a row that is broken is forgotten.
      const row = decodeDigests(key, indexOfEntryKey(key), value);
      if (row === undefined) this.#findings.push(`The record ${key} fails its checksum and is forgotten.`);
      else digests.push(...row);
    }
    return [...digests, ...digestsOfText(index, recentDigests)];
  }

  async #peers(): Promise<Map<number, PeerMemory>> {
    const peers = new Map<number, PeerMemory>();
    for await (const { key, value } of this.#disk.scan(peerRange.start, peerRange.end)) {
      // Only a help in finding others' faults: one that is broken is forgotten.
      const memory = decodePeerMemory(key, value);
      if (memory === undefined) {
        markPeerMemoryBroken();
        this.#findings.push(`The record ${key} fails its checksum and is forgotten.`);
      } else peers.set(Number(key.slice(peerRange.start.length)), memory);
    }
    return peers;
  }

  /** An empty log behind `applied`. */
  #emptied(
    applied: AppliedRecord,
    machine: StateMachine,
    head: { readonly term: number; readonly logGeneration: number },
  ): Found {
    machine.loaded(applied.index);
    return {
      head: {
        term: Math.max(head.term, applied.term),
        vote: 0,
        commit: applied.index,
        startIndex: applied.index,
        startTerm: applied.term,
        lastIndex: applied.index,
        lastTerm: applied.term,
        logGeneration: head.logGeneration,
      },
      applied,
      tail: new LogTail(applied.index, applied.term),
      sums: new EntrySums(applied.index),
      machine,
    };
  }

  #quarantineFor(reason: QuarantineReason, detail: string): void {
    this.#findings.push(detail);
    // The first reason stands. A term raised before counts no more: what is missing now was missed after that.
    this.#quarantine = { reason: this.#quarantine?.reason ?? reason, detail, raisedTerm: 0 };
  }
}

interface Found {
  readonly head: Head;
  readonly applied: AppliedRecord;
  readonly tail: LogTail;
  readonly sums: EntrySums;
  readonly machine: StateMachine;
}

interface ReadLog {
  readonly tail: LogTail;
  readonly sums: EntrySums;
  readonly badIndex: number | undefined;
  readonly fault: 'missing' | 'unexpected' | 'broken' | undefined;
}

function nothingApplied(stateGeneration: number): AppliedRecord {
  return { index: 0, term: 0, confState: emptyConfState, stateGeneration };
}
