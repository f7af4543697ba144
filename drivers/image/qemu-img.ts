/** `qemu-img` on files that a guest or a user had a hand in: within bounds, whatever the file makes of it. */
import { gibBytes } from '../../node/base/units.ts';

/** Address space, bytes: a sane disk's tables take some tens of MiB; QEMU allows far larger ones. */
const addressSpaceBytesMax = gibBytes;
/** CPU, s: making, growing and looking at a disk take some hundredths of one. */
const cpuSecondsMax = 30;

/** The command with these arguments, under bounds: beyond them it fails or is ended by the kernel, and leaves no core. */
export function boundedQemuImg(...args: readonly string[]): readonly string[] {
  const bounds = [`--as=${addressSpaceBytesMax}`, `--cpu=${cpuSecondsMax}`, '--core=0'];
  return ['prlimit', ...bounds, '--', 'qemu-img', ...args];
}
