/**
 * Which process is which. A pid alone proves nothing, since the kernel uses it again: a process is named by its pid and
 * the moment it started (clock ticks since boot, from /proc/PID/stat), which never repeat together.
 */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../node/base/errors.ts';
import { errnoOf, isMissing } from '../node/base/system-error.ts';

/** One process, for as long as the machine is up. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startTicks: number;
}

/** How often a dying process is looked at. */
const pollMs = 20;

/** The process that has this pid now; undefined when there is none, or only its zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readProc(pid, 'stat');
  return stat === undefined ? undefined : identityIn(stat, pid);
}

/** As `identify`, at once: for those that must not let anything happen between the look and the act. */
export function identifySync(pid: number): ProcessIdentity | undefined {
  try {
    return identityIn(readFileSync(`/proc/${pid}/stat`, 'utf8'), pid);
  } catch (caught) {
    if (isGone(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading /proc/${pid}/stat`);
  }
}

function identityIn(stat: string, pid: number): ProcessIdentity | undefined {
  // The name stands in parentheses and may hold spaces and parentheses itself; what counts comes after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) {
    throw new ShoalError('CANNOT_TELL', `/proc/${pid}/stat is not understood`);
  }
  return state === 'Z' || state === 'X' ? undefined : { pid, startTicks };
}

/** Whether this very process lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startTicks === identity.startTicks;
}

/** Signals this very process. False when it is gone already. */
export async function signalProcess(identity: ProcessIdentity, signalName: NodeJS.Signals): Promise<boolean> {
  // Between the check and the signal the pid could be used again only if the process died, was reaped, and all other
  // pids were handed out meanwhile.
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signalName);
    return true;
  } catch (caught) {
    if (errnoOf(caught) === 'ESRCH') return false;
    throw ShoalError.from(caught, 'DRIVER_FAILED', `signalling process ${identity.pid}`);
  }
}

/** Waits until the process is gone; false when it still lives after `timeoutMs`. Throws `CANCELLED` on abort. */
export async function waitGone(identity: ProcessIdentity, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(identity)) {
    if (signal?.aborted) throw new ShoalError('CANCELLED', `waiting for process ${identity.pid} was cancelled`);
    if (performance.now() >= deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/** Arguments of a living process; undefined when it is gone. Empty for kernel threads. */
export async function argumentsOf(pid: number): Promise<readonly string[] | undefined> {
  const text = await readProc(pid, 'cmdline');
  return text === undefined ? undefined : text.split('\0').slice(0, -1);
}

/** Every living process for which `select` returns something, in one pass over /proc. */
export async function scanProcesses<T>(
  select: (argv: readonly string[]) => T | undefined,
): Promise<readonly { readonly identity: ProcessIdentity; readonly selected: T }[]> {
  const found: { identity: ProcessIdentity; selected: T }[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const argv = await argumentsOf(Number(name));
    const selected = argv === undefined ? undefined : select(argv);
    if (selected === undefined) continue;
    const identity = await identify(Number(name));
    if (identity !== undefined) found.push({ identity, selected });
  }
  return found;
}

/** Every user under whose number a process runs now: real, effective, saved and file system. */
export async function usersOfProcesses(): Promise<Set<number>> {
  const users = new Set<number>();
  for (const name of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const status = await readProc(Number(name), 'status');
    const line = status === undefined ? undefined : /^Uid:\t([0-9\t]+)$/m.exec(status)?.[1];
    for (const uid of line?.split('\t') ?? []) users.add(Number(uid));
  }
  return users;
}

/** A name for this boot of the machine: identities from another boot mean nothing. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (caught) {
    if (isGone(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading /proc/${pid}/${file}`);
  }
}

/** ESRCH: it went away between opening and reading. */
function isGone(caught: unknown): boolean {
  return isMissing(caught) || errnoOf(caught) === 'ESRCH';
}
