/**
 * Messages as they came, for calls that are answered elsewhere: what is passed on must not lose the fields that this version
 * does not know, so it is never decoded and encoded again.
 */
import { assert, must } from '../base/assert.ts';
import type { GrpcAnswerPart, GrpcStatus } from './answer-part.ts';
import type { MethodSpec } from './service.ts';

const received = new WeakMap<object, Uint8Array>();

/** An answer that is encoded already. */
class RawMessage {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The method with requests whose bytes are kept, and that may be answered with a message that another agent encoded. */
export function keepingBytes(method: MethodSpec): MethodSpec {
  return {
    ...method,
    requestDeserialize: (bytes) => {
      const message = method.requestDeserialize(bytes);
      received.set(message, bytes);
      return message;
    },
    responseSerialize: (message) =>
      message instanceof RawMessage
        ? Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength)
        : method.responseSerialize(message),
  };
}

/** The bytes that each of a call's requests came as. */
export async function* bytesOfEach(requests: unknown): AsyncGenerator<Uint8Array, void, undefined> {
  assert(isIterable(requests), 'requests come one after the other');
  for await (const request of requests) {
    assert(typeof request === 'object' && request !== null, 'a request is an object');
    yield must(received.get(request), 'the bytes of a request');
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** A call that another agent has answered with a failure: told as that agent told it. */
export class RelayedFailure extends Error {
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus) {
    super(status.details);
    this.status = status;
  }
}

/** The one answer of a unary call. Throws `RelayedFailure`. Trailers go into `trailers`. */
export async function rawAnswer(parts: AsyncIterable<GrpcAnswerPart>, trailers: Map<string, string>): Promise<object> {
  let answer = new RawMessage(new Uint8Array());
  for await (const message of rawAnswers(parts, trailers)) answer = message;
  return answer;
}

/** The answers of a stream. Throws and fills `trailers` as `rawAnswer`. */
export async function* rawAnswers(
  parts: AsyncIterable<GrpcAnswerPart>,
  trailers: Map<string, string>,
): AsyncGenerator<RawMessage, void, undefined> {
  let failure: RelayedFailure | undefined;
  for await (const part of parts) {
    if (part.kind === 'message') {
      yield new RawMessage(part.bytes);
      continue;
    }
    if (part.status.code !== 0) failure = new RelayedFailure(part.status);
    else for (const [name, value] of part.status.trailers) trailers.set(name, value);
  }
  // Not before the parts have ended: who reads them on would look as if it had gone away.
  if (failure !== undefined) throw failure;
}
