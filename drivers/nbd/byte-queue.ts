/** What a socket brings, to be taken in pieces of a known length. */
import type { Socket } from 'node:net';
import { ShoalError } from '../../node/base/errors.ts';

/** One reader at a time. A socket that is not read from is not read into memory either: it pauses at `highWaterBytes`. */
export class ByteQueue {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended: ShoalError | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > highWaterBytes) socket.pause();
      this.#wake?.();
    });
    const end = (error: ShoalError): void => {
      this.#ended ??= error;
      this.#wake?.();
    };
    socket.on('error', (error) => end(ShoalError.from(error, 'UNAVAILABLE', 'talking to the NBD server')));
    socket.on('close', () => end(new ShoalError('UNAVAILABLE', 'the NBD server closed the connection')));
  }

  /** The next `length` bytes; throws what ended the connection when they do not come. */
  async take(length: number): Promise<DataView> {
    while (this.#bytes < length) {
      if (this.#ended !== undefined) throw this.#ended;
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const all =
      this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const rest = all.subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes -= length;
    return new DataView(all.buffer, all.byteOffset, length);
  }
}

const highWaterBytes = 4 * 1024 * 1024;
