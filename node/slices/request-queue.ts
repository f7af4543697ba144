/** What is to be said on a stream, taken in order by whatever carries it; ends when it is closed. */
export class RequestQueue<T> implements AsyncIterable<T> {
  #waiting: T[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  push(request: T): void {
    if (this.#isClosed) return;
    this.#waiting.push(request);
    this.#wake();
  }

  /** What was pushed before is still taken. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#isClosed) return;
      else await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#waiting.length > 0 || this.#isClosed) resolve();
    });
  }
}
