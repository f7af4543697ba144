/**
 * Programs that outlive the agent: started in a session of their own, found again by pid *and* start time *and* command
 * line, because pids are used again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, sleep } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { writeAtomically } from './book.ts';
import { list, number, record, text } from './json.ts';

/** How often a condition is looked at again. */
const pollMs = 20;
/** A small program is ready, or gone, within this even on a busy machine. */
const readyTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
/** A log that grew past this is begun anew at the next start. */
const logBytesMax = 1024 * 1024;

/** Who a process is. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the process's start, from /proc. */
  readonly startTicks: string;
  /** The command line it ends up with, after `ip netns exec` and `setpriv` have become it. */
  readonly argv: readonly string[];
}

/** One program that is to run once. */
export class DetachedProcess {
  readonly #clock: Clock;
  readonly #recordPath: string;
  readonly #logPath: string;

  /** `recordPath`: where its identity is kept; `logPath`: where it writes. */
  constructor(clock: Clock, paths: { readonly recordPath: string; readonly logPath: string }) {
    this.#clock = clock;
    this.#recordPath = paths.recordPath;
    this.#logPath = paths.logPath;
  }

  /** The process that an earlier start left, if it still lives and is the one. */
  async running(): Promise<ProcessIdentity | undefined> {
    const identity = await this.#recorded();
    return identity !== undefined && (await isAlive(identity)) ? identity : undefined;
  }

  /**
   * Starts it and waits until `isReady`. Throws `DRIVER_FAILED` with the end of its log when it ends before or is not
   * ready in time; nothing is left running then.
   * @param prefix what comes before `argv` and turns into it (`ip netns exec NAME`).
   */
  async start(
    prefix: readonly string[],
    argv: readonly string[],
    isReady: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<ProcessIdentity> {
    const [program = '', ...args] = [...prefix, ...argv];
    mkdirSync(dirname(this.#logPath), { recursive: true });
    if ((await stat(this.#logPath).catch(() => undefined))?.size ?? 0 > logBytesMax) await truncate(this.#logPath);
    const log = openSync(this.#logPath, 'a', 0o600);
    let child: ChildProcess;
    try {
      child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
    } finally {
      closeSync(log);
    }
    let failed: Error | undefined;
    child.on('error', (error) => {
      failed = error;
    });
    child.unref();
    const startTicks = child.pid === undefined ? undefined : await startTicksOf(child.pid);
    if (child.pid === undefined || startTicks === undefined)
      throw await this.#failure(argv, 'could not be started', failed);
    const identity: ProcessIdentity = { pid: child.pid, startTicks, argv };
    await writeAtomically(this.#recordPath, JSON.stringify(identity));
    try {
      const deadline = this.#clock.monotonicMs() + readyTimeoutMs;
      while (!(await isReady())) {
        if (!(await isAlive(identity))) throw await this.#failure(argv, 'ended at once', failed);
        if (this.#clock.monotonicMs() > deadline) throw await this.#failure(argv, 'was not ready in time', failed);
        await sleep(this.#clock, pollMs, signal);
      }
    } catch (caught) {
      await this.stop();
      throw ShoalError.from(caught, 'CANCELLED');
    }
    return identity;
  }

  /** Sends a signal; false when it does not run. */
  async signal(name: NodeJS.Signals): Promise<boolean> {
    const identity = await this.running();
    return identity !== undefined && send(identity.pid, name);
  }

  /** Ends it, at first politely. Not running is success. Throws `DRIVER_FAILED` when it does not go. */
  async stop(): Promise<void> {
    for (const name of ['SIGTERM', 'SIGKILL'] as const) {
      const identity = await this.running();
      if (identity === undefined) break;
      send(identity.pid, name);
      const deadline = this.#clock.monotonicMs() + stopTimeoutMs;
      while ((await isAlive(identity)) && this.#clock.monotonicMs() < deadline) await sleep(this.#clock, pollMs);
    }
    const identity = await this.running();
    if (identity !== undefined) {
      throw new ShoalError('DRIVER_FAILED', `process ${identity.pid} does not end`, { facts: { ...identity } });
    }
    await rm(this.#recordPath, { force: true });
  }

  async #recorded(): Promise<ProcessIdentity | undefined> {
    let content: string;
    try {
      content = await readFile(this.#recordPath, 'utf8');
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw ShoalError.from(caught, 'CANNOT_TELL', this.#recordPath);
    }
    const value = record(JSON.parse(content));
    const pid = number(value['pid']);
    const startTicks = text(value['startTicks']);
    if (pid === undefined || startTicks === undefined) return undefined;
    return { pid, startTicks, argv: list(value['argv']).map(String) };
  }

  async #failure(argv: readonly string[], what: string, cause: Error | undefined): Promise<ShoalError> {
    const said = (await readFile(this.#logPath, 'utf8').catch(() => '')).trim().slice(-2000);
    return new ShoalError(
      'DRIVER_FAILED',
      `${argv[0]} ${what}: ${cause?.message ?? (said === '' ? 'no output' : said)}`,
      {
        facts: { argv, log: this.#logPath },
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}

/** Whether that very process lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if ((await startTicksOf(identity.pid)) !== identity.startTicks) return false;
  const cmdline = await readProc(identity.pid, 'cmdline');
  return cmdline?.endsWith(`${identity.argv.join('\0')}\0`) ?? false;
}

/** Start time of a process, in ticks; undefined when there is none, or only its zombie. */
export async function startTicksOf(pid: number): Promise<string | undefined> {
  const content = await readProc(pid, 'stat');
  // The second field is the program's name in parentheses and may hold anything: count from its end.
  const fields = content?.slice(content.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

/** A file of /proc/PID; undefined when the process is gone. */
async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (caught) {
    // ESRCH: it ended between open and read.
    if (isMissing(caught) || (caught instanceof Error && 'code' in caught && caught.code === 'ESRCH')) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `/proc/${pid}/${file}`);
  }
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (caught) {
    if (caught instanceof Error && 'code' in caught && caught.code === 'ESRCH') return false;
    throw ShoalError.from(caught, 'DRIVER_FAILED', `signal ${name} to ${pid}`);
  }
}

/** Whether a file operation failed because the file is not there. */
export function isMissing(caught: unknown): boolean {
  return caught instanceof Error && 'code' in caught && caught.code === 'ENOENT';
}

/** Whether a file exists and holds something. */
export async function isFilled(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      return (await file.stat()).size > 0;
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', path);
  }
}
