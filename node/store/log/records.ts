/**
 * The small records beside the log, as JSON behind a checksum: they are few, and people read them with `shoal inspect`.
 * Numbers are integers below 2^53, which JSON carries exactly.
 */
import { ShoalError } from '../../base/errors.ts';
import type { ConfState } from '../../raft/index.ts';
import { type DigestValue, digestOfText, digestText } from '../../state/digest.ts';
import { sealed, unsealed } from './sealed-bytes.ts';

/** Where the log begins and ends, and the hard state. In every batch, so that a batch that went missing is noticed. */
export interface Head {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  /** The last entry that is no longer in the log: compacted, or covered by a snapshot. 0: none. */
  readonly startIndex: number;
  readonly startTerm: number;
  /** The last entry. Equals the start when the log is empty. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Which generation of entries counts. */
  readonly logGeneration: number;
  /** Number of the batch that this head came with, from 1; absent in logs of before batches were counted. */
  readonly batch?: number;
  /** The sum of the checksums of the log's entries (entry-sums.ts); absent in logs of before there was one. */
  readonly logSum?: number;
  /** Begins the incarnation of the log that this is the head of, so that another's is not taken for it; absent likewise. */
  readonly life?: string;
  /**
   * The term fence of the log (`Quarantine.raisedTerm`), kept when the quarantine is lifted; absent: it was never
   * raised.
   */
  readonly raisedTerm?: number;
  /** Why this log must not vote; absent while there is no quarantine. */
  readonly quarantine?: Quarantine;
  /**
   * Where the log ended when its owner, no member any more, shed it with its state. Until the log has come so far again it
   * must not vote: a vote compares logs, and this one may have had what is committed. Absent: nothing is missing.
   */
  readonly shed?: ShedPlace;
}

/** The last entry of a log that was shed. */
export interface ShedPlace {
  readonly index: number;
  readonly term: number;
}

/** What the rows of the state amount to. */
export interface AppliedRecord {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  /** Which generation of rows counts. */
  readonly stateGeneration: number;
  /** Of those rows (state/digest.ts); absent: written before there were digests. */
  readonly digest?: DigestValue;
  /** Of the last revisions, up to `index`, that have no row of digests yet (kept-digests.ts). Absent: none. */
  readonly recentDigests?: string;
}

/** Who this log belongs to. */
export interface Identity {
  readonly raftId: number;
  /** Random, drawn when the log was made: a disk that was wiped comes back with another. */
  readonly incarnation: string;
  /** How often this log has been opened: an old copy put back counts from where it was taken. */
  readonly starts: number;
}

/** What another member was last heard to have promised, kept so that its disk can be checked when it comes back. */
export interface PeerMemory {
  readonly incarnation: string;
  readonly starts: number;
  /** The highest term that it has spoken in. */
  readonly term: number;
  /** The last entry that it has acknowledged, as far as logs can be compared: by term first. */
  readonly match: number;
  readonly matchTerm: number;
  /** The member's term fence as far as it is known; 0: none. What it promised in terms below is void. */
  readonly raisedTerm: number;
}

/** Why a node does not trust its own log. */
export type QuarantineReason =
  /** The head is missing or fails its checksum: term and vote are not known. */
  | 'head-broken'
  /** An entry fails its checksum, and the state does not cover it. */
  | 'entry-broken'
  /** An entry that the head names is not there, or one is there that it does not name, or another in its place. */
  | 'entry-missing'
  /** A row of the state fails its checksum, the rows do not have their digest, or what they amount to is not known. */
  | 'state-broken'
  /** A majority has another state at the same revision (consensus/replica/comparison.ts). */
  | 'state-diverged'
  /** The log is empty, but the folder or the mesh remembers one. */
  | 'disk-wiped'
  /** The database is damaged, or another's; it was set aside. */
  | 'unreadable'
  /** The mesh, or the mark beside the log, remembers more of it than it holds. */
  | 'rolled-back';

/** Why a log is not trusted, and how far its repair has come. Kept in the head until the quarantine is lifted. */
export interface Quarantine {
  readonly reason: QuarantineReason;
  /** For people. */
  readonly detail: string;
  /**
   * The term fence: the term that the node was raised to, out of reach of any vote that it may have forgotten; 0
   * before. Until then it says nothing to anybody; from then on it takes entries of later leaders, and is trusted again
   * once it has caught up with one of a term above this.
   */
  readonly raisedTerm: number;
}

/** How much of an incarnation goes into each head. Unit: characters. */
const lifeLength = 8;

/** What heads of a log of this incarnation are told by. */
export function lifeOf({ incarnation }: Pick<Identity, 'incarnation'>): string {
  return incarnation.slice(0, lifeLength);
}

/**
 * Terms by which a quarantined node raises its fence above all that it has heard of: more elections than can have
 * happened since the vote it may have forgotten.
 */
export const quarantineTermMargin = 1000;

/** The field of the head record on disk that holds the quarantine; it keeps its first name. */
const quarantineField = 'doubt';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Memberships as JSON: in a mesh of hundreds a long list, which is written with every batch and seldom changes. */
const confStateTexts = new WeakMap<ConfState, string>();

/** The record as JSON behind a checksum that covers `key` too: a record that lies under another's key does not pass. */
export function encodeRecord(key: string, record: Head | AppliedRecord | Identity | PeerMemory): Uint8Array {
  return sealed(encoder.encode(recordText(record)), key);
}

function recordText(record: Head | AppliedRecord | Identity | PeerMemory): string {
  if ('confState' in record) return appliedText(record);
  if (!('logGeneration' in record) || record.quarantine === undefined) return JSON.stringify(record);
  const { quarantine, ...head } = record;
  return JSON.stringify({ ...head, [quarantineField]: quarantine });
}

function appliedText({ index, term, confState, stateGeneration, digest, recentDigests = '' }: AppliedRecord): string {
  let members = confStateTexts.get(confState);
  if (members === undefined) {
    members = JSON.stringify(confState);
    confStateTexts.set(confState, members);
  }
  const digestField = digest === undefined ? '' : `,"digest":"${digestText(digest)}"`;
  const recentField = recentDigests === '' ? '' : `,"recentDigests":"${recentDigests}"`;
  return `{"index":${index},"term":${term},"confState":${members},"stateGeneration":${stateGeneration}${digestField}${recentField}}`;
}

/** The record as it was written, or undefined when the checksum does not hold. Throws `LOG_CORRUPT` for what is no record. */
function decodeRecord(key: string, value: Uint8Array): Record<string, unknown> | undefined {
  const content = unsealed(value, key);
  if (content === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(content));
  } catch (caught) {
    throw new ShoalError('LOG_CORRUPT', `The log's record ${key} has its checksum, and is no JSON.`, { cause: caught });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw notOurs(key);
  return { ...parsed };
}

/**
 * Each returns undefined when the record is not what was written, and throws `LOG_CORRUPT` when it is, and is nothing that
 * this version understands: taking it as broken would have a log repaired that only a newer version can read.
 */
export function decodeHead(key: string, value: Uint8Array): Head | undefined {
  const record = decodeRecord(key, value);
  if (record === undefined) return undefined;
  const quarantine = record[quarantineField];
  return {
    term: number(record, 'term'),
    vote: number(record, 'vote'),
    commit: number(record, 'commit'),
    startIndex: number(record, 'startIndex'),
    startTerm: number(record, 'startTerm'),
    lastIndex: number(record, 'lastIndex'),
    lastTerm: number(record, 'lastTerm'),
    logGeneration: number(record, 'logGeneration'),
    ...(record['batch'] === undefined ? {} : { batch: number(record, 'batch') }),
    ...(record['logSum'] === undefined ? {} : { logSum: number(record, 'logSum') }),
    ...(record['life'] === undefined ? {} : { life: text(record, 'life') }),
    ...(record['raisedTerm'] === undefined ? {} : { raisedTerm: number(record, 'raisedTerm') }),
    ...(quarantine === undefined ? {} : { quarantine: quarantineOf(quarantine) }),
    ...(record['shed'] === undefined ? {} : { shed: shedPlaceOf(record['shed']) }),
  };
}

/** As `decodeHead`. */
export function decodeApplied(key: string, value: Uint8Array): AppliedRecord | undefined {
  const record = decodeRecord(key, value);
  const conf = record?.['confState'];
  if (record === undefined) return undefined;
  if (typeof conf !== 'object' || conf === null) throw notOurs('confState');
  const lists: Record<string, unknown> = { ...conf };
  const digest = record['digest'] === undefined ? undefined : digestOfText(text(record, 'digest'));
  if (record['digest'] !== undefined && digest === undefined) throw notOurs('digest');
  return {
    index: number(record, 'index'),
    term: number(record, 'term'),
    confState: {
      voters: numbers(lists, 'voters'),
      votersOutgoing: numbers(lists, 'votersOutgoing'),
      learners: numbers(lists, 'learners'),
      learnersNext: numbers(lists, 'learnersNext'),
      autoLeave: lists['autoLeave'] === true,
    },
    stateGeneration: number(record, 'stateGeneration'),
    ...(digest === undefined ? {} : { digest }),
    ...(record['recentDigests'] === undefined ? {} : { recentDigests: text(record, 'recentDigests') }),
  };
}

/** As `decodeHead`. */
export function decodeIdentity(key: string, value: Uint8Array): Identity | undefined {
  const record = decodeRecord(key, value);
  if (record === undefined) return undefined;
  return {
    raftId: number(record, 'raftId'),
    incarnation: text(record, 'incarnation'),
    starts: number(record, 'starts'),
  };
}

/** As `decodeHead`. Without `raisedTerm`, as older versions wrote it, the member never raised a term fence. */
export function decodePeerMemory(key: string, value: Uint8Array): PeerMemory | undefined {
  const record = decodeRecord(key, value);
  if (record === undefined) return undefined;
  return {
    incarnation: text(record, 'incarnation'),
    starts: number(record, 'starts'),
    term: number(record, 'term'),
    match: number(record, 'match'),
    matchTerm: number(record, 'matchTerm'),
    // Logs written before there were term fences have none.
    raisedTerm: record['raisedTerm'] === undefined ? 0 : number(record, 'raisedTerm'),
  };
}

function number(record: Record<string, unknown>, name: string): number {
  const value = record[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw notOurs(name);
  return value;
}

function text(record: Record<string, unknown>, name: string): string {
  const value = record[name];
  if (typeof value !== 'string') throw notOurs(name);
  return value;
}

function numbers(record: Record<string, unknown>, name: string): number[] {
  const value: unknown = record[name];
  if (!Array.isArray(value)) throw notOurs(name);
  return value.map((item: unknown) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item)) throw notOurs(name);
    return item;
  });
}

/** As a quarantine: not left out when it cannot be read. */
function shedPlaceOf(value: unknown): ShedPlace {
  if (typeof value !== 'object' || value === null) throw notOurs('shed');
  const fields: Record<string, unknown> = { ...value };
  return { index: number(fields, 'index'), term: number(fields, 'term') };
}

/** A quarantine that cannot be read is not left out: the log must not vote. */
function quarantineOf(value: unknown): Quarantine {
  if (!isQuarantine(value)) throw notOurs(quarantineField);
  return value;
}

function isQuarantine(value: unknown): value is Quarantine {
  return (
    typeof value === 'object' &&
    value !== null &&
    'reason' in value &&
    'detail' in value &&
    typeof (value as { raisedTerm?: unknown }).raisedTerm === 'number'
  );
}

/** The checksum holds but the content makes no sense: written by another program or a newer version. */
function notOurs(name: string): ShoalError {
  return new ShoalError('LOG_CORRUPT', `The log holds a record whose field ${name} this version does not understand.`);
}
