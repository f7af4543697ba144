/**
 * Programs that outlive the agent: started in a session of their own, found again by pid *and* start time *and* command
 * line, because pids are used again.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import { readJsonFile } from '../../json-file.ts';
import {
  argumentsOf,
  identify,
  isAlive,
  type ProcessIdentity,
  scanProcesses,
  signalProcess,
  waitGone,
} from '../../process.ts';
import { spawnOutliving } from '../../spawn.ts';

/** How often a condition is looked at again. */
const pollMs = 20;
/** A small program is ready, or gone, within this even on a busy machine. */
const readyTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
/** A log that grew past this is begun again at the next start. */
const logBytesMax = 1024 * 1024;

/** A process, and the command line it ends up with after `ip netns exec` and `setpriv` have become it. */
interface DetachedIdentity extends ProcessIdentity {
  readonly argv: readonly string[];
}

/** One program that is to run once. */
export class DetachedProcess {
  readonly #recordPath: string;
  readonly #logPath: string;
  readonly #marker: string;

  /**
   * `recordPath`: where its identity is kept; `logPath`: where it writes; `marker`: an argument that no other process of
   * the machine has, by which it is found when the agent died between starting it and writing the record.
   */
  constructor(options: { readonly recordPath: string; readonly logPath: string; readonly marker: string }) {
    this.#recordPath = options.recordPath;
    this.#logPath = options.logPath;
    this.#marker = options.marker;
  }

  /** The process that an earlier start left, if it still lives and is the one. */
  async running(): Promise<DetachedIdentity | undefined> {
    const recorded = await this.#recorded();
    if (recorded !== undefined) return recorded;
    const [orphan] = await scanProcesses((argv) => (argv.includes(this.#marker) ? argv : undefined));
    return orphan === undefined ? undefined : { ...orphan.identity, argv: orphan.selected };
  }

  async #recorded(): Promise<DetachedIdentity | undefined> {
    const recorded = await readJsonFile(this.#recordPath);
    if (!isRecord(recorded)) return undefined;
    const { pid, startTicks, argv } = recorded;
    if (typeof pid !== 'number' || typeof startTicks !== 'number' || !Array.isArray(argv)) return undefined;
    const identity: DetachedIdentity = { pid, startTicks, argv: argv.map(String) };
    if (!(await isAlive(identity))) return undefined;
    // Only the end is compared: `ip netns exec NAME` stands before it until it has turned into the program.
    const found = await argumentsOf(pid);
    return found?.slice(-argv.length).join('\0') === argv.join('\0') ? identity : undefined;
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
  ): Promise<void> {
    await mkdir(dirname(this.#logPath), { recursive: true });
    if ((await sizeOf(this.#logPath)) > logBytesMax) await truncate(this.#logPath);
    const log = openSync(this.#logPath, 'a', 0o600);
    let child: ReturnType<typeof spawnOutliving>;
    try {
      child = spawnOutliving([...prefix, ...argv], log);
    } finally {
      closeSync(log);
    }
    let failed: Error | undefined;
    child.on('error', (error) => {
      failed = error;
    });
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    if (identity === undefined) throw await this.#failure(argv, 'could not be started', failed);
    try {
      await writeFileDurably(this.#recordPath, JSON.stringify({ ...identity, argv }), { mode: 0o600 });
      const deadline = performance.now() + readyTimeoutMs;
      while (!(await isReady())) {
        if (!(await isAlive(identity))) throw await this.#failure(argv, 'ended at once', failed);
        if (performance.now() > deadline) throw await this.#failure(argv, 'was not ready in time', failed);
        if (signal.aborted) throw new ShoalError('CANCELLED', `${argv[0]} was being started`);
        await delay(pollMs);
      }
    } catch (caught) {
      await end(identity);
      throw caught;
    }
  }

  /** Sends a signal; false when it does not run. */
  async signal(name: NodeJS.Signals): Promise<boolean> {
    const identity = await this.running();
    return identity !== undefined && signalProcess(identity, name);
  }

  /** Ends it, at first politely. Not running is success. Throws `DRIVER_FAILED` when it does not go. */
  async stop(): Promise<void> {
    const identity = await this.running();
    if (identity !== undefined) await end(identity);
    await rm(this.#recordPath, { force: true });
  }

  async #failure(argv: readonly string[], what: string, cause: Error | undefined): Promise<ShoalError> {
    const said = (await sizeOf(this.#logPath)) === 0 ? '' : (await readFile(this.#logPath, 'utf8')).trim().slice(-2000);
    const why = cause?.message ?? (said === '' ? 'it said nothing' : said);
    return new ShoalError('DRIVER_FAILED', `${argv[0]} ${what}: ${why}`, {
      facts: { argv, log: this.#logPath },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

async function end(identity: ProcessIdentity): Promise<void> {
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    await signalProcess(identity, name);
    if (await waitGone(identity, stopTimeoutMs)) return;
  }
  throw new ShoalError('DRIVER_FAILED', `process ${identity.pid} does not end`, { facts: { ...identity } });
}

/** Bytes in a file; 0 when there is none. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (caught) {
    if (isMissing(caught)) return 0;
    throw ShoalError.from(caught, 'DRIVER_FAILED', path);
  }
}
