/** A process of the bench, as its parent sees it; and the other end of the channel. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig, Answer, Answers, Asked, HostsConfig, Question } from './messages.ts';

/** Standard error kept of a process, to say why it ended. Unit: characters. */
const errorCharactersMax = 4000;
/** Time for ending in order, so that a profile gets written. Unit: milliseconds. */
const endMsMax = 5000;

export class Child {
  readonly ready: Promise<void>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #ids = 0;
  #stderr = '';
  #isOver = false;

  /** Starts it. @param nodeOptions given to its Node, such as `--cpu-prof`. */
  static async start(config: AgentConfig | HostsConfig, nodeOptions: readonly string[]): Promise<Child> {
    const file = join(config.folder, 'process.json');
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    const child = new Child(join(import.meta.dirname, `${config.role}-process.ts`), file, nodeOptions);
    await child.ready;
    return child;
  }

  private constructor(program: string, config: string, nodeOptions: readonly string[]) {
    this.#process = fork(program, [config], {
      execArgv: [...nodeOptions],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#process.stderr?.on('data', (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-errorCharactersMax);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.on('exit', (code, signal) => {
        this.#isOver = true;
        const error = new Error(`a process of the bench ended (${code ?? signal}) ${this.#stderr}`);
        ready.reject(error);
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
    this.#process.on('message', (answer: Answer) => {
      if (answer.id === 0) ready.resolve();
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.result);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
    if (this.#isOver) return Promise.reject(new Error(`a process of the bench has ended ${this.#stderr}`));
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#process.send({ ...question, id }, (error) => {
      if (error !== null) reject(error);
    });
    // The process answers each kind of question with its kind of answer: `Answers` is that table.
    return promise as Promise<Answers[Q['ask']]>;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends it in its own way, so that a profile gets written; kills it when that takes too long. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), endMsMax);
    this.#process.disconnect();
    await this.#ended;
    clearTimeout(timer);
  }
}

/** The other end: answers the parent's questions, and ends when the parent does. */
export function answerParent(answer: (question: Question) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (asked: Asked) => {
    const { id } = asked;
    answer(asked).then(
      (result) => tell({ id, result }),
      (error: unknown) => tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  tell({ id: 0, result: true });
}

function tell(answer: Answer): void {
  // The parent may be gone; then there is nobody to tell.
  if (process.connected) process.send?.(answer);
}
