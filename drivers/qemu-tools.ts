/**
 * How QEMU's programs beside QEMU (`qemu-img`, `qemu-nbd`) are run for work that takes long: under bounds on memory, ended by
 * the kernel when the agent dies, with a passphrase on standard input and nowhere else.
 */

import { ShoalError } from '../node/base/errors.ts';
import { gibBytes } from '../node/base/units.ts';

/** Address space, bytes: tables and buffers of a copy, and the stacks of librbd's threads. */
const addressSpaceBytesMax = 8 * gibBytes;

/** A copy of a disk of some TiB on slow storage. A bound against what never ends. */
export const longWorkTimeoutMs = 24 * 3_600_000;

/** The words that run `program`, which gets SIGKILL when the agent's process ends in whatever way. */
export function endsWithAgent(program: string, args: readonly string[]): readonly string[] {
  const bounds = [`--as=${addressSpaceBytesMax}`, '--core=0'];
  const argv = ['setpriv', '--pdeathsig', 'KILL', '--', 'prlimit', ...bounds, '--', program, ...args];
  return args.some((word) => word.startsWith('secret,')) ? withSecret(argv) : argv;
}

/** Options that make the passphrase on standard input known as `secret0`. */
export const secretsOptions: readonly string[] = ['--object', 'secret,id=secret0,file=/dev/stdin'];

/** The words that give a program its input through a pipe: Node's is a socket, which cannot be opened as /dev/stdin. */
function withSecret(argv: readonly string[]): readonly string[] {
  return ['bash', '-p', '-c', 'exec "$@" < <(exec cat)', 'with-secret', ...argv];
}

/** A value within QEMU's block options, where a comma is written twice. */
export function optionValue(value: string): string {
  if (value.includes('\0')) throw new ShoalError('INVALID_ARGUMENT', 'a path with a NUL');
  return value.replaceAll(',', ',,');
}

/** Reads the progress that `qemu-img -p` prints, `(12.34/100%)`, from a piece of its output; undefined when there is none. */
export function progressOf(output: string): number | undefined {
  const last = [...output.matchAll(/\(([0-9]{1,3}(?:\.[0-9]+)?)\/100%\)/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(100, Number(last));
}
