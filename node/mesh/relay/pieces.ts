/** Bodies and messages in pieces, as they cross the wire of a relayed call. */
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { GrpcAnswerPart } from '../../rpc/answer-part.ts';
import { grpcStatusOf } from './heads.ts';
import { pieceBytesMax, relayedMessageBytesMax } from './relay-limits.ts';

type Piece = shoal.v1.IRelayPiece;

/** A part of a body, or one gRPC message, cut to size. Of nothing there is one empty piece: an empty message is one, too. */
export function* piecesOf(bytes: Uint8Array): Generator<Piece, void, undefined> {
  for (let at = 0; at === 0 || at < bytes.length; at += pieceBytesMax) {
    const end = Math.min(bytes.length, at + pieceBytesMax);
    yield { data: { bytes: bytes.subarray(at, end), continues: end < bytes.length } };
  }
}

/** Parts of a body until its end. Throws `CANCELLED` where the pieces break off before it, `INVALID_ARGUMENT`. */
export async function* bodyOf(pieces: AsyncIterator<Piece>): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const piece = await next(pieces);
    if (piece.end) return;
    const bytes = dataOf(piece).bytes ?? empty;
    if (bytes.length > 0) yield bytes;
  }
}

/** Whole gRPC messages until their end. Throws as `bodyOf`, and `TOO_LARGE`. */
export async function* messagesOf(pieces: AsyncIterator<Piece>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of answerPartsOf(pieces)) if (part.kind === 'message') yield part.bytes;
}

/** As `messagesOf`, and how the call ended. */
export async function* answerPartsOf(pieces: AsyncIterator<Piece>): AsyncGenerator<GrpcAnswerPart, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await next(pieces);
    if (piece.end) {
      if (parts.length > 0) throw malformed('a message has no end');
      yield { kind: 'end', status: grpcStatusOf(piece.end) };
      return;
    }
    const { bytes, continues } = dataOf(piece);
    const part = bytes ?? empty;
    length += part.length;
    if (length > relayedMessageBytesMax) {
      throw new ShoalError('TOO_LARGE', `A relayed message is larger than ${relayedMessageBytesMax} bytes.`);
    }
    if (continues === true) {
      if (part.length === 0) throw malformed('a piece in the middle of a message is empty');
      parts.push(part);
      continue;
    }
    yield { kind: 'message', bytes: parts.length === 0 ? part : Buffer.concat([...parts, part]) };
    parts = [];
    length = 0;
  }
}

const empty = new Uint8Array();

async function next(pieces: AsyncIterator<Piece>): Promise<Piece> {
  const { done, value } = await pieces.next();
  // Both ends of a stream look alike when its connection is lost: what is whole says so.
  if (done === true) throw new ShoalError('CANCELLED', 'The relayed call broke off.');
  return value;
}

function dataOf({ data }: Piece): shoal.v1.IRelayData {
  if (!data) throw malformed('a piece has no data where only data may come');
  if ((data.bytes?.length ?? 0) > pieceBytesMax) throw malformed(`a piece is larger than ${pieceBytesMax} bytes`);
  return data;
}

function malformed(why: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `The relayed call is malformed: ${why}.`);
}
