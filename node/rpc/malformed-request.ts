/**
 * Requests whose bytes are no message of their type. grpc-js answers a deserializer that throws by itself, with INTERNAL
 * and its own words, before the caller is even known. So ours never throws: it hands on what is wrong, and the server
 * refuses the request as any other bad one, after the caller has been let in.
 */
import { ShoalError } from '../base/errors.ts';
import type { MethodSpec } from './service.ts';

/** What a deserializer gives for bytes that are no message. */
export class MalformedRequest {
  readonly #refusal: ShoalError;

  constructor(messageName: string, caught: unknown) {
    const why = isIllFormedText(caught) ? 'one of its strings is not valid UTF-8' : textOf(caught);
    this.#refusal = new ShoalError('INVALID_ARGUMENT', `The request is no ${messageName}: ${why}.`, { cause: caught });
  }

  /** Passes a message on. Throws `INVALID_ARGUMENT` for what is none. */
  static refuse(input: unknown): void {
    if (input instanceof MalformedRequest) throw input.#refusal;
  }
}

/** The method with a deserializer that gives a `MalformedRequest` instead of throwing. */
export function withoutThrowing(method: MethodSpec): MethodSpec {
  return {
    ...method,
    requestDeserialize: (bytes) => {
      try {
        return method.requestDeserialize(bytes);
      } catch (caught) {
        return new MalformedRequest(method.requestName, caught);
      }
    },
  };
}

function isIllFormedText(caught: unknown): boolean {
  return caught instanceof TypeError && 'code' in caught && caught.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

function textOf(caught: unknown): string {
  return caught instanceof Error ? caught.message.slice(0, 100) : 'its bytes cannot be read';
}
