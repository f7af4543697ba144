/**
 * The one place from which an agent starts other programs (test/security/spawning.test.ts), so that no child gets more of
 * the agent than it is given by name.
 *
 * Node marks its own descriptors close-on-exec, but native code does not have to: LevelDB opens the Raft log and the host
 * store without it, and a QEMU that holds them can overwrite the log of a voter. So every program is started through a
 * few lines of bash that close whatever is above standard error and then turn into the program: same pid, same argv[0],
 * 2 ms later. (POSIX sh can name descriptors 0 to 9 only.)
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ShoalError } from '../node/base/errors.ts';
import { errnoOf } from '../node/base/system-error.ts';

/** `/proc/self/fd/*` is listed once, before the first is closed; the one that listed it is closed by then. */
const closeAndExec = `for fd in /proc/self/fd/*; do fd=\${fd##*/}; if (( fd > 2 )); then eval "exec $fd>&-"; fi; done; exec "$@"`;
/** `-p`: nothing from the environment (BASH_ENV, functions) is read. */
const wrapper = ['-p', '-c', closeAndExec, 'shoal-spawn'] as const;

const pathDefault = '/usr/sbin:/usr/bin:/sbin:/bin';

/** A program that talks over pipes and ends before the agent does. */
export function spawnPiped(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<Writable, Readable, Readable> {
  mustExist(argv);
  return spawn('bash', [...wrapper, ...argv], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

/**
 * A program that outlives the agent: in a session of its own, with `logFd` as output and error, at `/`, and with nothing
 * of the agent's environment but where programs are.
 */
export function spawnOutliving(argv: readonly string[], logFd: number): ChildProcess {
  mustExist(argv);
  const child = spawn('bash', [...wrapper, ...argv], {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? pathDefault, LANG: 'C.UTF-8' },
  });
  child.unref();
  return child;
}

/** Throws `COMMAND_MISSING` when `argv[0]` is not installed, `INVALID_ARGUMENT` when there is none. bash would only say 127. */
function mustExist(argv: readonly string[]): void {
  const [program] = argv;
  if (program === undefined) throw new ShoalError('INVALID_ARGUMENT', 'an empty command');
  for (const word of ['bash', program]) {
    if (!isProgram(word)) throw new ShoalError('COMMAND_MISSING', `${word} is not installed`, { facts: { argv } });
  }
}

function isProgram(name: string): boolean {
  if (name.includes('\0')) return false;
  const places = name.includes('/')
    ? [name]
    : (process.env['PATH'] ?? pathDefault).split(':').map((at) => join(at, name));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch (caught) {
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(errnoOf(caught) ?? '')) return false;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking for ${name}`);
    }
  });
}
