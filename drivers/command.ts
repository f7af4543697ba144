/** Runs the programs that drivers need, with bounds on time and output, and keeps the evidence when one fails. */
import { ShoalError } from '../node/base/errors.ts';
import { mibBytes } from '../node/base/units.ts';
import { spawnPiped } from './spawn.ts';

/** How to run it. */
export interface CommandOptions {
  /** Given on standard input. */
  readonly stdin?: string;
  /** Ended with SIGKILL after this. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Exit statuses that are answers, not failures. Default: only 0. */
  readonly okStatus?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of standard output as it comes: progress. */
  readonly onOutput?: (text: string) => void;
  /** Cap on standard output; more is a failure. Default 16 MiB. */
  readonly outputBytesMax?: number;
}

/** What it said. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs. The real one is `runCommand`; tests pass a scripted one. */
export type CommandRunner = (argv: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

const stderrBytesMax = 64 * 1024;

/**
 * Runs `argv[0]` with the rest as arguments; no shell is involved.
 * Throws `COMMAND_MISSING` when there is no such program, `DEADLINE_EXCEEDED`, `CANCELLED`, or `COMMAND_FAILED` with
 * argv, exit status and standard error among its facts.
 */
export const runCommand: CommandRunner = (argv, options = {}) => {
  const [program] = argv;
  if (program === undefined) throw new ShoalError('INVALID_ARGUMENT', 'an empty command');
  const okStatus = options.okStatus ?? [0];
  const timeoutMs = options.timeoutMs ?? 30_000;
  const outputBytesMax = options.outputBytesMax ?? 16 * mibBytes;
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new ShoalError('CANCELLED', `${program}: cancelled before it ran`, { facts: { argv } }));
      return;
    }
    let child: ReturnType<typeof spawnPiped>;
    try {
      child = spawnPiped(argv, options.env);
    } catch (caught) {
      if (ShoalError.is(caught, 'COMMAND_MISSING')) {
        reject(caught);
        return;
      }
      // Arguments with a NUL and the like: node refuses them before any process exists.
      reject(new ShoalError('COMMAND_FAILED', `${program} could not be run`, { facts: { argv }, cause: caught }));
      return;
    }
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let stdoutBytes = 0;
    let stderrBytes = 0;
    let ended: 'DEADLINE_EXCEEDED' | 'CANCELLED' | 'output' | undefined;
    const kill = (why: NonNullable<typeof ended>): void => {
      ended ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill('DEADLINE_EXCEEDED'), timeoutMs);
    const onAbort = (): void => kill('CANCELLED');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > outputBytesMax) kill('output');
      else stdout.push(chunk);
      options.onOutput?.(chunk.toString('utf8'));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderrBytes < stderrBytesMax) stderr.push(chunk.subarray(0, stderrBytesMax - stderrBytes));
      stderrBytes += chunk.length;
    });
    // A program that does not read its input closes it early; its exit status tells the story.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.on('error', (error) => {
      settle();
      const why = `${program} could not be run: ${error.message}`;
      reject(new ShoalError('COMMAND_FAILED', why, { facts: { argv }, cause: error }));
    });
    child.on('close', (code, signalName) => {
      settle();
      const out = Buffer.concat(stdout).toString('utf8');
      const err = Buffer.concat(stderr).toString('utf8');
      const facts = { argv, status: code, signal: signalName, stderr: err.trim().slice(-2000) };
      if (ended === 'DEADLINE_EXCEEDED') {
        reject(new ShoalError('DEADLINE_EXCEEDED', `${program} took longer than ${timeoutMs} ms`, { facts }));
      } else if (ended === 'CANCELLED') {
        reject(new ShoalError('CANCELLED', `${program} was cancelled`, { facts }));
      } else if (ended === 'output') {
        reject(new ShoalError('COMMAND_FAILED', `${program} printed more than ${outputBytesMax} bytes`, { facts }));
      } else if (code === null || !okStatus.includes(code)) {
        const said = err.trim() || out.trim() || 'nothing';
        reject(new ShoalError('COMMAND_FAILED', `${program} ended with ${code ?? signalName}: ${said}`, { facts }));
      } else {
        resolve({ status: code, stdout: out, stderr: err });
      }
    });
  });
};
