/**
 * One allocation cut into the records of a batch. Each small array of its own would cost more than filling it does, and
 * again when it is collected.
 */
export class Slab {
  readonly #bytes: ArrayBufferLike;
  #at: number;
  readonly #end: number;

  /** @param bytes what will be taken in all. */
  constructor(bytes: number) {
    // Not cleared: every byte that is taken gets written.
    const whole = Buffer.allocUnsafeSlow(bytes);
    this.#bytes = whole.buffer;
    this.#at = whole.byteOffset;
    this.#end = whole.byteOffset + bytes;
  }

  /** The next `length` bytes; throws `RangeError` when there are not so many. Whatever they hold is to be overwritten. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#end) throw new RangeError('more is taken from a slab than it has');
    const taken = new Uint8Array(this.#bytes, this.#at, length);
    this.#at += length;
    return taken;
  }
}
