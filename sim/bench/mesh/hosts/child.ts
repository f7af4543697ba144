/** A process of the bench that is asked things: one question at a time, answered over the channel of `fork`. */
import { type ChildProcess, fork } from 'node:child_process';

/** Longest that one answer may take. Unit: ms. */
const answerMsMax = 300_000;

/** The asking side. */
export class Child<Q extends object, A> {
  readonly #process: ChildProcess;

  /** @param flags for Node. */
  constructor(program: URL, flags: readonly string[] = []) {
    this.#process = fork(program, { execArgv: [...flags], serialization: 'advanced' });
  }

  /** Throws what the child threw. */
  ask(question: Q): Promise<A> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(new Error(`no answer to ${JSON.stringify(question)}`)), answerMsMax);
      const onMessage = (message: { readonly answer?: A; readonly error?: string }): void => {
        end(message.error === undefined ? undefined : new Error(message.error), message.answer);
      };
      const onExit = (code: number | null): void => end(new Error(`a process of the bench ended with ${code}`));
      const end = (error: Error | undefined, answer?: A): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        if (error === undefined) resolve(answer as A);
        else reject(error);
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(question);
    });
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** The side that is asked; it ends when nobody can ask any more. */
export function answer<Q, A>(reply: (question: Q) => Promise<A>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (question: Q) => {
    reply(question).then(
      (found) => process.send?.({ answer: found }),
      (caught: unknown) =>
        process.send?.({ error: caught instanceof Error ? (caught.stack ?? caught.message) : String(caught) }),
    );
  });
}

/** Processor time of this process so far. Unit: ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
