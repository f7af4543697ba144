/** What happened, one line an event: kept as a checksum and its last lines, and written out whole where that is asked for. */
import { createHash } from 'node:crypto';

/** Lines kept for a report of a failure. */
const lastLinesMax = 400;
/** Text that is summed at once: a call of the hash for each line would cost more than the line. Unit: characters. */
const summedAtOnce = 32_768;

export class Trace {
  lines = 0;
  readonly #now: () => number;
  readonly #write: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  #last: string[] = [];
  /** Lines that are not summed yet. */
  #unsummed = '';

  /** @param write takes each line. */
  constructor(now: () => number, write?: (line: string) => void) {
    this.#now = now;
    this.#write = write;
  }

  /** @param who a node (`n3`), a client (`c1`), or a part of the world (`net`, `fault`). */
  add(who: string, what: string): void {
    const line = `${this.#now().toFixed(3).padStart(12)} ${who.padEnd(6)} ${what}\n`;
    this.lines += 1;
    this.#unsummed += line;
    if (this.#unsummed.length > summedAtOnce) this.#sum();
    this.#last.push(line);
    if (this.#last.length > 2 * lastLinesMax) this.#last = this.#last.slice(-lastLinesMax);
    this.#write?.(line);
  }

  /** The newest lines that `wanted` lets through, at most `count`. */
  last(count: number, wanted: (line: string) => boolean = () => true): readonly string[] {
    return this.#last.filter(wanted).slice(-count);
  }

  /** SHA-256 of all lines so far, hex. */
  digest(): string {
    this.#sum();
    return this.#hash.copy().digest('hex');
  }

  #sum(): void {
    this.#hash.update(this.#unsummed);
    this.#unsummed = '';
  }
}

/** Facts as text that is the same on every machine: errors by code and message, no stacks. */
export function factsText(facts: object): string {
  return JSON.stringify(facts, (_key, value: unknown) => {
    if (value instanceof Error) {
      const code: unknown = 'code' in value ? value.code : undefined;
      return `${typeof code === 'string' ? `${code}: ` : ''}${value.message}`;
    }
    if (value === Number.POSITIVE_INFINITY) return 'Infinity';
    return value instanceof Uint8Array ? `${value.length} bytes` : value;
  });
}
