/** What waits to be sent to one peer: in order, bounded in number and in bytes; beyond a bound the oldest is dropped. */
export class MessageQueue<T> {
  readonly #bounds: { readonly messagesMax: number; readonly bytesMax: number };
  readonly #items: { readonly message: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(bounds: { readonly messagesMax: number; readonly bytesMax: number }) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Messages dropped since the queue was made. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a message of about `bytes`. The newest always stays, even when it alone is over the bound. */
  push(message: T, bytes: number): void {
    this.#items.push({ message, bytes });
    this.#bytes += bytes;
    while (
      this.#items.length > 1 &&
      (this.#items.length > this.#bounds.messagesMax || this.#bytes > this.#bounds.bytesMax)
    ) {
      this.shift();
      this.#dropped++;
    }
  }

  /** Takes the oldest message; undefined when there is none. */
  shift(): T | undefined {
    const first = this.#items.shift();
    if (first === undefined) return undefined;
    this.#bytes -= first.bytes;
    return first.message;
  }

  clear(): void {
    this.#dropped += this.#items.length;
    this.#items.length = 0;
    this.#bytes = 0;
  }
}
