/** Server-Sent Events out of the text of a stream, as it comes. */

/** One event. */
interface StreamEvent {
  readonly event: string;
  /** undefined: it has none, and the last one stays. */
  readonly id: string | undefined;
  readonly data: string;
}

/** Takes text in pieces, and gives the events that are whole. */
export class EventLines {
  #rest = '';

  /** The events that `text` completes. Comments are none. */
  take(text: string): readonly StreamEvent[] {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      const lines = block.split('\n');
      const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
      if (data.length === 0) return [];
      const fieldOf = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      return [{ event: fieldOf('event') ?? 'message', id: fieldOf('id'), data: data.join('\n') }];
    });
  }
}
