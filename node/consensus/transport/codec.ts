/** Raft messages, commands and snapshots between the core's own objects and protobuf. Bytes from outside are checked here. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import {
  type ConfState,
  type Entry,
  type EntryType,
  type Message,
  newMessage,
  noBytes,
  type PeerMessageType,
} from '../../raft/index.ts';
import { type DigestValue, digestOfText, digestText } from '../../state/digest.ts';
import type { PeerMemory, SnapshotPlace } from '../../store/index.ts';
import {
  type DigestMessage,
  type Hello,
  isDigestMessage,
  isHello,
  type PeerMessage,
  type SentMessage,
  type SnapshotPart,
  type SnapshotRequest,
} from './transport.ts';

const { RaftEntryType } = shoal.v1;

type WireType = PeerMessageType | Hello['type'] | DigestMessage['type'];

/** Numbers on the wire: forever. Those from 100 on are the loop's own and never reach the core. */
const typeNumbers: Readonly<Record<WireType, number>> = {
  MsgProp: 1,
  MsgApp: 2,
  MsgAppResp: 3,
  MsgVote: 4,
  MsgVoteResp: 5,
  MsgPreVote: 6,
  MsgPreVoteResp: 7,
  MsgSnap: 8,
  MsgHeartbeat: 9,
  MsgHeartbeatResp: 10,
  MsgTransferLeader: 11,
  MsgTimeoutNow: 12,
  MsgReadIndex: 13,
  MsgReadIndexResp: 14,
  Hello: 100,
  HelloResp: 101,
  DigestAsk: 102,
  DigestTell: 103,
  DigestVerdict: 104,
};
const typeNames = new Map<number, WireType>(
  (Object.keys(typeNumbers) as (keyof typeof typeNumbers)[]).map((name) => [typeNumbers[name], name]),
);

const entryTypes: readonly EntryType[] = ['normal', 'confChange', 'confChangeV2'];
const entryTypeNumbers: Readonly<Record<EntryType, shoal.v1.RaftEntryType>> = {
  normal: RaftEntryType.RAFT_ENTRY_TYPE_NORMAL,
  confChange: RaftEntryType.RAFT_ENTRY_TYPE_CONF_CHANGE,
  confChangeV2: RaftEntryType.RAFT_ENTRY_TYPE_CONF_CHANGE_V2,
};

/** A message for the wire. */
export function messageToWire(message: PeerMessage): shoal.v1.RaftMessage.$Properties {
  if (isHello(message)) {
    const { type, to, from, term, incarnation, starts, raisedTerm, known } = message;
    const context = new TextEncoder().encode(JSON.stringify({ incarnation, starts, raisedTerm, known }));
    return { type: typeNumbers[type], to, from, term, context };
  }
  if (isDigestMessage(message)) {
    const { type, to, from, term, revision, digest, asked = 0 } = message;
    const context = digestToWire(digest);
    // Older members take a digest of another revision for an answer to another question, and drop it.
    return { type: typeNumbers[type], to, from, term, index: revision, context, rejectHint: asked };
  }
  return {
    type: isPeerMessageType(message.type) ? typeNumbers[message.type] : 0,
    to: message.to,
    from: message.from,
    term: message.term,
    logTerm: message.logTerm,
    index: message.index,
    entries: message.entries.map(entryToWire),
    commit: message.commit,
    vote: message.vote,
    snapshot: message.snapshot === null ? null : placeToWire(message.snapshot),
    reject: message.reject,
    rejectHint: message.rejectHint,
    context: message.context,
    durableIndex: message.durableIndex ?? 0,
  };
}

/**
 * A message from the wire; `from` is the peer that the connection has proved. Undefined for one that this version does not
 * know: it is dropped, as the sender may be newer. Throws `INVALID_ARGUMENT` for one that makes no sense.
 */
export function messageFromWire(wire: shoal.v1.RaftMessage, from: number): PeerMessage | undefined {
  const type = typeNames.get(wire.type);
  if (type === undefined) return undefined;
  const { to, term, logTerm, index, commit, vote, rejectHint, durableIndex } = wire;
  mustBeInRange(to);
  mustBeInRange(term);
  mustBeInRange(logTerm);
  mustBeInRange(index);
  mustBeInRange(commit);
  mustBeInRange(vote);
  mustBeInRange(rejectHint);
  mustBeInRange(durableIndex);
  if (type === 'Hello' || type === 'HelloResp') return helloFromWire(type, wire, from);
  if (type === 'DigestAsk' || type === 'DigestTell' || type === 'DigestVerdict') {
    const digest = digestFromWire(wire.context);
    // Made in a way that this version does not know: not to be compared.
    if (digest === 'other-kind') return undefined;
    const asked = rejectHint === 0 ? {} : { asked: rejectHint };
    return { type, to, from, term, revision: index, digest, ...asked };
  }
  const message: SentMessage & { durableIndex?: number } = newMessage({
    type,
    to,
    from,
    term,
    logTerm,
    index,
    entries: wire.entries.map(entryFromWire),
    commit,
    vote,
    snapshot: wire.snapshot ? { ...placeFromWire(wire.snapshot), data: noBytes } : null,
    reject: wire.reject,
    rejectHint,
    context: wire.context,
  });
  if (durableIndex !== 0) message.durableIndex = durableIndex;
  return message;
}

/** A request for the wire; a `snapshotIndex` of 0 says that it resumes nothing. */
export function snapshotRequestToWire(request: SnapshotRequest): shoal.v1.FetchSnapshotRequest.$Properties {
  return {
    indexMin: request.indexMin,
    snapshotIndex: request.resume?.index ?? 0,
    offsetBytes: request.resume?.offsetBytes ?? 0,
  };
}

/** Throws `INVALID_ARGUMENT`. */
export function snapshotRequestFromWire(wire: shoal.v1.FetchSnapshotRequest): SnapshotRequest {
  const { indexMin, snapshotIndex, offsetBytes } = wire;
  for (const value of [indexMin, snapshotIndex, offsetBytes]) mustBeInRange(value);
  return snapshotIndex === 0 ? { indexMin } : { indexMin, resume: { index: snapshotIndex, offsetBytes } };
}

/** `totalBytes` is 0 in every part but the last: it is not known before. */
export function snapshotPartToWire(part: SnapshotPart): shoal.v1.SnapshotChunk.$Properties {
  const { place, offsetBytes, data, crc32c, isLast, digest } = part;
  return {
    meta: placeToWire(place),
    offsetBytes,
    totalBytes: isLast ? offsetBytes + data.length : 0,
    data,
    crc32c,
    stateDigest: digestToWire(digest),
  };
}

/** Throws `INVALID_ARGUMENT`. */
export function snapshotPartFromWire(wire: shoal.v1.SnapshotChunk): SnapshotPart {
  mustBeInRange(wire.offsetBytes);
  if (!wire.meta) throw malformed('a snapshot without its place');
  const digest = digestFromWire(wire.stateDigest);
  return {
    place: placeFromWire(wire.meta),
    offsetBytes: wire.offsetBytes,
    data: wire.data,
    crc32c: wire.crc32c,
    isLast: wire.totalBytes !== 0,
    ...(digest === undefined || digest === 'other-kind' ? {} : { digest }),
  };
}

function isPeerMessageType(type: Message['type']): type is PeerMessageType {
  return Object.hasOwn(typeNumbers, type);
}

function entryToWire({ index, term, type, data }: Entry): shoal.v1.RaftEntry.$Properties {
  return { index, term, type: entryTypeNumbers[type], data };
}

function entryFromWire(wire: shoal.v1.RaftEntry): Entry {
  const type = entryTypes[wire.type];
  if (type === undefined) throw malformed(`an entry of unknown type ${wire.type}`);
  mustBeInRange(wire.index);
  mustBeInRange(wire.term);
  // Copied, each by itself: rows of the state lie in it for as long as they live, and must not keep the whole message.
  return { index: wire.index, term: wire.term, type, data: new Uint8Array(wire.data) };
}

/** The kind of digest that this version makes (state/digest.ts), in front of each that travels. */
const digestKind = '1:';

function digestToWire(digest: DigestValue | undefined): Uint8Array {
  return digest === undefined ? noBytes : new TextEncoder().encode(digestKind + digestText(digest));
}

function digestFromWire(bytes: Uint8Array): DigestValue | 'other-kind' | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length > 64) throw malformed('a digest that is too long');
  const text = new TextDecoder().decode(bytes);
  if (!text.startsWith(digestKind)) return 'other-kind';
  const digest = digestOfText(text.slice(digestKind.length));
  if (digest === undefined) throw malformed('a digest that cannot be read');
  return digest;
}

function helloFromWire(type: Hello['type'], wire: shoal.v1.RaftMessage, from: number): Hello {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(wire.context));
  } catch {
    throw malformed('a greeting that cannot be read');
  }
  const fields = recordOf(parsed);
  const known = fields['known'];
  return {
    type,
    to: wire.to,
    from,
    term: wire.term,
    incarnation: textOf(fields['incarnation']),
    starts: numberOf(fields['starts']),
    raisedTerm: optionalNumberOf(fields['raisedTerm']),
    known: known === undefined ? undefined : memoryOf(recordOf(known)),
  };
}

function memoryOf(fields: Record<string, unknown>): PeerMemory {
  return {
    incarnation: textOf(fields['incarnation']),
    starts: numberOf(fields['starts']),
    term: numberOf(fields['term']),
    match: numberOf(fields['match']),
    matchTerm: numberOf(fields['matchTerm']),
    raisedTerm: optionalNumberOf(fields['raisedTerm']),
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw malformed('a greeting without fields');
  return { ...value };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > 64) throw malformed('a greeting without a name');
  return value;
}

/** 0 when an older peer leaves it out. */
function optionalNumberOf(value: unknown): number {
  return value === undefined ? 0 : numberOf(value);
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw malformed('a greeting without a number');
  mustBeInRange(value);
  return value;
}

function placeToWire(place: SnapshotPlace): shoal.v1.RaftSnapshotMeta.$Properties {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = place.confState;
  return {
    index: place.index,
    term: place.term,
    confState: {
      voters: [...voters],
      votersOutgoing: [...votersOutgoing],
      learners: [...learners],
      learnersNext: [...learnersNext],
      autoLeave,
    },
  };
}

function placeFromWire(wire: shoal.v1.RaftSnapshotMeta): SnapshotPlace {
  mustBeInRange(wire.index);
  mustBeInRange(wire.term);
  const conf = wire.confState;
  if (!conf) throw malformed('a snapshot without its members');
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = conf;
  for (const id of [...voters, ...votersOutgoing, ...learners, ...learnersNext]) mustBeInRange(id);
  const confState: ConfState = { voters, votersOutgoing, learners, learnersNext, autoLeave };
  return { index: wire.index, term: wire.term, confState };
}

function mustBeInRange(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(`a number outside [0, 2^53): ${value}`);
}

function malformed(what: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `A peer sent ${what}.`);
}
