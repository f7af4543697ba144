/** Slice requests and replies between their own objects and protobuf. Bytes from outside are checked here. */
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { DigestValue } from '../state/digest.ts';
import { bucketsMax, bucketsMin } from '../state/slices/slice-digests.ts';
import { type SliceTerm, termCharactersMax, termsMax } from '../state/slices/slice-terms.ts';
import type { ClusterStatus, QuorumOutlook } from '../state/types.ts';
import { packed, unpacked } from './packed-piece.ts';
import type { SliceReply, SliceRequest } from './slice-channel.ts';

const digestBytes = 8;
const outlooks: readonly QuorumOutlook[] = ['answers', 'awaited', 'lost'];

export function requestToWire(request: SliceRequest): shoal.v1.ISliceRequest {
  switch (request.kind) {
    case 'subscribe': {
      const { held, asked, revision, termsNumber } = request;
      return { subscribe: { held: [...held], asked: [...asked], revision, termsNumber, acceptsPacked: true } };
    }
    case 'change': {
      const { add, remove, termsNumber } = request;
      return { change: { add: [...add], remove: [...remove], termsNumber } };
    }
    case 'digests':
      return { digests: { digests: digestsToBytes(request.digests) } };
    case 'reach':
      return { reach: request.revision };
  }
}

/** Throws `INVALID_ARGUMENT`. */
export function requestFromWire({ subscribe, change, digests, reach }: shoal.v1.SliceRequest): SliceRequest {
  if (subscribe) {
    const { held, asked, revision, termsNumber } = subscribe;
    mustBeTerms([...held, ...asked]);
    mustBeNumber(revision);
    mustBeNumber(termsNumber);
    return { kind: 'subscribe', held, asked, revision, termsNumber };
  }
  if (change) {
    const { add, remove, termsNumber } = change;
    mustBeTerms(add);
    mustBeTerms(remove);
    mustBeNumber(termsNumber);
    return { kind: 'change', add, remove, termsNumber };
  }
  if (digests) return { kind: 'digests', digests: digestsFromBytes(digests.digests) };
  if (reach === undefined || reach === null) throw malformed('a request of no kind');
  mustBeNumber(reach);
  return { kind: 'reach', revision: reach };
}

/** Whether who subscribes with this request takes packed pieces: agents of earlier versions do not. */
export function acceptsPacked({ subscribe }: shoal.v1.SliceRequest): boolean {
  return subscribe?.acceptsPacked ?? false;
}

/** @param packs the subscriber takes packed pieces. */
export function replyToWire(reply: SliceReply, packs: boolean): shoal.v1.ISliceReply {
  switch (reply.kind) {
    case 'ask-digests':
      return { askDigests: {} };
    case 'status': {
      const { quorum, leaderRaftId, term, commitIndex, appliedIndex, isJoint, ...lists } = reply.status;
      return {
        status: {
          quorum,
          leaderRaftId,
          term,
          commitIndex,
          appliedIndex,
          isJoint,
          voters: [...lists.voters],
          learners: [...lists.learners],
          missingVoters: [...lists.missingVoters],
        },
      };
    }
    case 'piece': {
      const { revision, puts, deletes, cleared, isWhole, termsNumber } = reply.delta;
      const repair = cleared === undefined ? {} : { buckets: cleared.buckets, cleared: [...cleared.numbers] };
      const piece = { revision, puts: [...puts], deletes: [...deletes], isWhole, termsNumber, ...repair };
      const packedPiece = packs ? packed(shoal.v1.SlicePiece.encode(piece).finish()) : undefined;
      return packedPiece === undefined ? { piece } : { packedPiece };
    }
  }
}

/** Undefined for a kind that this version does not know. Throws `INVALID_ARGUMENT`. */
export function replyFromWire({ piece, packedPiece, askDigests, status }: shoal.v1.SliceReply): SliceReply | undefined {
  if (askDigests) return { kind: 'ask-digests' };
  if (status) return { kind: 'status', status: statusFromWire(status) };
  if (packedPiece) return pieceFromWire(unpackedPiece(packedPiece));
  return piece ? pieceFromWire(piece) : undefined;
}

function unpackedPiece(bytes: Uint8Array): shoal.v1.SlicePiece {
  const content = unpacked(bytes);
  try {
    return shoal.v1.SlicePiece.decode(content);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A peer sent a packed piece that is none.', { cause: caught });
  }
}

function pieceFromWire(piece: shoal.v1.SlicePiece): SliceReply {
  const { revision, puts, deletes, buckets, cleared, isWhole, termsNumber } = piece;
  mustBeNumber(revision);
  mustBeNumber(termsNumber);
  for (const row of puts) mustBeNumber(row.revision);
  const repair = buckets === 0 ? {} : { cleared: { buckets: mustBeBuckets(buckets), numbers: new Set(cleared) } };
  return { kind: 'piece', delta: { revision, puts: puts.map(rowFromWire), deletes, isWhole, termsNumber, ...repair } };
}

/** The value is copied: it is kept, and must not keep the whole message with it. */
function rowFromWire({ key, value, revision }: shoal.v1.SliceRow): {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
} {
  return { key, value: new Uint8Array(value), revision };
}

function statusFromWire(status: shoal.v1.SliceStatus): ClusterStatus {
  const quorum = outlooks.find((outlook) => outlook === status.quorum);
  if (quorum === undefined) throw malformed('a status without an outlook');
  const { leaderRaftId, term, commitIndex, appliedIndex, voters, isJoint, learners, missingVoters } = status;
  for (const value of [leaderRaftId, term, commitIndex, appliedIndex]) mustBeNumber(value);
  return {
    hasQuorum: quorum === 'answers',
    quorum,
    leaderRaftId,
    term,
    commitIndex,
    appliedIndex,
    voters,
    isJoint,
    learners,
    missingVoters,
  };
}

function digestsToBytes(digests: readonly DigestValue[]): Uint8Array {
  const bytes = new Uint8Array(digests.length * digestBytes);
  const view = new DataView(bytes.buffer);
  digests.forEach(({ high, low }, at) => {
    view.setInt32(at * digestBytes, high);
    view.setInt32(at * digestBytes + 4, low);
  });
  return bytes;
}

function digestsFromBytes(bytes: Uint8Array): readonly DigestValue[] {
  const count = mustBeBuckets(bytes.length / digestBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, at) => ({
    high: view.getInt32(at * digestBytes),
    low: view.getInt32(at * digestBytes + 4),
  }));
}

function mustBeBuckets(count: number): number {
  const isPowerOfTwo = Number.isInteger(count) && (count & (count - 1)) === 0;
  if (!isPowerOfTwo || count < bucketsMin || count > bucketsMax) throw malformed(`${count} buckets of digests`);
  return count;
}

function mustBeTerms(terms: readonly SliceTerm[]): void {
  if (terms.length > termsMax) throw malformed(`more than ${termsMax} terms`);
  for (const term of terms) {
    if (term === '' || term === '/' || term.length > termCharactersMax) throw malformed('a term that is none');
  }
}

function mustBeNumber(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(`a number outside [0, 2^53): ${value}`);
}

function malformed(what: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `A peer sent ${what}.`);
}
