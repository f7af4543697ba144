/** Messages on a stream between two linked hosts: each after its length, four bytes, the highest first. */
import type { Stream } from '@libp2p/interface';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { tooLarge } from './gossip.ts';

const lengthBytes = 4;

/** What is taken from a stream. */
export interface FrameLimits {
  readonly frameBytesMax: number;
  /** All frames of a stream together. */
  readonly totalBytesMax: number;
  /** From one frame to the next, ms. */
  readonly silenceMsMax: number;
}

/** A message as it goes over a stream. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthBytes + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length);
  bytes.set(message, lengthBytes);
  return bytes;
}

/**
 * The messages of a stream until the far side has no more. Throws `TOO_LARGE`, `DEADLINE_EXCEEDED` after too long a silence,
 * and `UNAVAILABLE` when the stream breaks or ends within a message. The reader closes the stream.
 */
export async function* framesOf(
  stream: Stream,
  limits: FrameLimits,
  clock: Pick<Clock, 'setTimeout'>,
): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  let pending = Buffer.alloc(0);
  let total = 0;
  for (;;) {
    const next = await within(limits.silenceMsMax, clock, chunks.next());
    if (next.done === true) break;
    const piece = next.value instanceof Uint8Array ? next.value : next.value.subarray();
    total += piece.length;
    if (total > limits.totalBytesMax) throw tooLarge(total);
    pending = Buffer.concat([pending, piece]);
    for (;;) {
      if (pending.length < lengthBytes) break;
      const length = pending.readUInt32BE(0);
      if (length > limits.frameBytesMax) throw tooLarge(length);
      if (pending.length < lengthBytes + length) break;
      yield Uint8Array.from(pending.subarray(lengthBytes, lengthBytes + length));
      pending = pending.subarray(lengthBytes + length);
    }
  }
  if (pending.length > 0) throw new ShoalError('UNAVAILABLE', 'A stream of a peer ended within a message.');
}

async function within<T>(ms: number, clock: Pick<Clock, 'setTimeout'>, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimeout(() => late.reject(new ShoalError('DEADLINE_EXCEEDED', 'A peer answers no more.')), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
