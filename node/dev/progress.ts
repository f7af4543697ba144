/** Progress of long work: each step with the time it took. One line a step; plain where the output is no terminal. */
import { styleText } from 'node:util';

/** Writes steps to a stream. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #startedMs = performance.now();

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** Runs one step; shows its name while it runs, and how long it took or that it failed afterwards. */
  async step<T>(name: string, run: () => Promise<T> | T): Promise<T> {
    const startedMs = performance.now();
    const live = this.#out.isTTY;
    const frames = ['|', '/', '-', '\\'];
    let frame = 0;
    const draw = (): void => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
      this.#out.write(`\r  ${frames[frame++ % frames.length]} ${name} ${seconds} s `);
    };
    const timer = live ? setInterval(draw, 120) : undefined;
    const end = (mark: string): void => {
      clearInterval(timer);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
      this.#out.write(`${live ? '\r\u001b[K' : ''}  ${mark} ${seconds} s  ${name}\n`);
    };
    try {
      const result = await run();
      end(live ? styleText('green', 'ok') : 'ok');
      return result;
    } catch (caught) {
      end(live ? styleText('red', 'FAILED') : 'FAILED');
      throw caught;
    }
  }

  /** Lines of text. */
  note(...lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${line}\n`);
  }
}
