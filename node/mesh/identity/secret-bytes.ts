import { inspect } from 'node:util';

/** What a secret prints as, wherever it is printed. */
const redactedText = '[redacted]';

/**
 * Bytes that must never reach a log, an error or a JSON document by accident. Printing, interpolating or serialising one
 * gives `[redacted]`; a caller that needs the bytes asks for them by name.
 */
export class SecretBytes {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The bytes themselves. Do not keep them, do not print them. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return redactedText;
  }

  toJSON(): string {
    return redactedText;
  }

  [inspect.custom](): string {
    return redactedText;
  }
}
