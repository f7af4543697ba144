/**
 * A disk that is read or written by the agent itself, whatever it is kept as: `qemu-nbd` opens it, and the agent talks to that
 * over a Unix socket that nobody else reaches. It ends with its client, and with the agent however that dies.
 *
 *     PARENT/nbd/PID-NUMBER   sockets, of the agent with that pid; PARENT is /run/shoal, or TMP/shoal-UID for others than root
 */
import { once } from 'node:events';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { isMissing } from '../../node/base/system-error.ts';
import { endsWithAgent, secretsOptions } from '../qemu-tools.ts';
import { spawnPiped } from '../spawn.ts';
import { NbdClient } from './client.ts';

const startTimeoutMs = 20_000;
const pollMs = 10;
const endTimeoutMs = 10_000;
const attachTries = 100;
let lastNumber = 0;

/** What `qemu-nbd` is to open, as QEMU's own block options: `driver=qcow2,file.filename=...`. */
interface ServedOptions {
  readonly imageOptions: string;
  readonly readOnly: boolean;
  /** Name of the internal snapshot of the top node that is served instead. */
  readonly snapshot?: string;
  /** Another process writes it at the same time, and what is served of it does not change. */
  readonly isOpenElsewhere?: boolean;
  /** Words before the command line, e.g. to enter a network namespace. They must exec, not fork. */
  readonly prefix?: readonly string[];
  /** Passphrase of the `luks` node that names `secret0`. */
  readonly passphrase?: string;
}

/** A disk that is being served to the agent. */
export interface ServedDisk {
  readonly socketPath: string;
  /** Whether what serves it has ended. */
  isOver(): boolean;
  /** Ends it, and waits until what it wrote is closed. Throws when `qemu-nbd` failed meanwhile. */
  end(): Promise<void>;
}

/** Serves a disk on a socket until `end`, or until its last client has gone. Throws what `qemu-nbd` says. */
export async function serveDisk(options: ServedOptions, signal: AbortSignal): Promise<ServedDisk> {
  if (signal.aborted) throw new ShoalError('CANCELLED', 'opening a disk was cancelled');
  const folder = await socketFolder();
  lastNumber += 1;
  const socketPath = join(folder, `${process.pid}-${lastNumber}`);
  const argv = endsWithAgent('qemu-nbd', [
    ...[
      '--socket',
      socketPath,
      '--export-name',
      'disk',
      '--discard',
      'unmap',
      '--detect-zeroes',
      'off',
      '--shared',
      '2',
    ],
    ...(options.readOnly ? ['--read-only'] : []),
    ...(options.snapshot === undefined ? [] : ['--load-snapshot', `snapshot.name=${options.snapshot}`]),
    ...(options.passphrase === undefined ? [] : secretsOptions),
    ...['--image-opts', `${options.imageOptions}${options.isOpenElsewhere === true ? ',force-share=on' : ''}`],
  ]);
  const child = spawnPiped([...(options.prefix ?? []), ...argv]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = `${said}${text.toString('utf8')}`.slice(-2_000);
  });
  child.stdout.resume();
  child.stdin.on('error', () => {}); // It ended before it read; its status tells.
  child.stdin.end(options.passphrase ?? '');
  const ended = once(child, 'close').then(([code, signalName]) => ({ code, signalName }) as const);
  const failed = (): ShoalError =>
    new ShoalError('DRIVER_FAILED', `qemu-nbd could not open the disk: ${said.trim() || 'it said nothing'}`, {
      facts: { stderr: said.trim(), status: child.exitCode },
    });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (): Promise<void> => {
    if (!isOver()) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
    const { code } = await ended;
    clearTimeout(timer);
    await rm(socketPath, { force: true });
    if (code !== 0) throw failed();
  };
  const deadline = performance.now() + startTimeoutMs;
  while (!(await isThere(socketPath))) {
    if (isOver()) throw failed();
    if (signal.aborted || performance.now() > deadline) {
      child.kill('SIGKILL');
      await ended;
      throw signal.aborted
        ? new ShoalError('CANCELLED', 'opening a disk was cancelled')
        : new ShoalError('DEADLINE_EXCEEDED', `qemu-nbd did not open the disk in ${startTimeoutMs} ms`);
    }
    await delay(pollMs);
  }
  return { socketPath, isOver, end };
}

/** A disk that is served and attached to. */
export async function openServed(
  options: ServedOptions,
  signal: AbortSignal,
): Promise<{ readonly client: NbdClient; readonly close: () => Promise<void> }> {
  const served = await serveDisk(options, signal);
  try {
    const client = await attach(served, signal);
    return {
      client,
      close: async () => {
        client.close();
        await served.end();
      },
    };
  } catch (caught) {
    // What qemu-nbd says counts more than that it could not be reached.
    await served.end();
    throw caught;
  }
}

/** The socket is there a moment before it can be connected to, and before the disk has been opened. */
async function attach(served: ServedDisk, signal: AbortSignal): Promise<NbdClient> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await NbdClient.connect(served.socketPath, 'disk', signal);
    } catch (caught) {
      if (!ShoalError.is(caught, 'UNAVAILABLE') || served.isOver() || tries >= attachTries) throw caught;
    }
    await delay(pollMs);
  }
}

/** The folder for sockets, this user's alone; those of agents that are gone are removed. */
async function socketFolder(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(uid === 0 ? '/run/shoal' : join(tmpdir(), `shoal-${uid}`), 'nbd');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid: owner, mode } = await stat(folder);
  if (owner !== uid || (mode & 0o077) !== 0) {
    throw new ShoalError('FORBIDDEN', `${folder} is not this user's alone; remove it`);
  }
  for (const name of await readdir(folder)) {
    const pid = Number.parseInt(name, 10);
    if (pid !== process.pid && !(await isThere(`/proc/${pid}`))) await rm(join(folder, name), { force: true });
  }
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
