/**
 * Is KVM usable? That /dev/kvm is there proves nothing: in many virtual machines it opens and then hangs or kills the
 * guest. So a guest of 512 bytes is run whose only act is to end QEMU with a status that nothing else produces.
 */
import { access, chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { isMissing } from '../../node/base/system-error.ts';
import type { CommandRunner } from '../command.ts';
import { readJsonFile } from '../json-file.ts';
import { bootId } from '../process.ts';

/** TCG needs 60-300 ms for it; a KVM that works needs less. */
const probeTimeoutMs = 3_000;
/** isa-debug-exit ends QEMU with (value << 1) | 1; the guest writes 0x21. */
const provenStatus = 67;

/**
 * What every processor with virtualisation has, and an end with an error where the accelerator does not give it to guests.
 * A KVM below another hypervisor may run 7 bytes of real mode, twenty times slower than emulation, and hang a Linux guest:
 * seen where it lacks SSE3. A real one never does.
 */
const baselineCpu = 'kvm64,enforce';

/** `mov al,0x21; out 0xf4,al; hlt; jmp $-1`, padded, with the boot signature. */
function probeSector(): Uint8Array {
  const sector = new Uint8Array(512);
  sector.set([0xb0, 0x21, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd]);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** What the probe found. */
interface ProbeResult {
  readonly usable: boolean;
  /** For people: how it was found out. */
  readonly reason: string;
}

/**
 * Runs the probe guest with `accelerator`, with the rights (`prefix`) that real guests will have. At most 3 s.
 * Throws `COMMAND_MISSING` when QEMU is not installed.
 */
export async function probeAccelerator(
  run: CommandRunner,
  options: { readonly binary: string; readonly accelerator: 'kvm' | 'tcg'; readonly prefix: readonly string[] },
): Promise<ProbeResult> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-probe-'));
  try {
    const disk = join(folder, 'sector');
    // A floppy may be read-only, so that QEMU's user needs no right to write here.
    await writeFile(disk, probeSector());
    // Not as modes of what is made: the agent's umask leaves others no right, and the guest's user is another.
    await chmod(disk, 0o644);
    await chmod(folder, 0o755);
    const argv = [...options.prefix, options.binary];
    argv.push('-accel', options.accelerator, '-machine', 'pc', '-m', '16', '-cpu', baselineCpu);
    argv.push('-no-user-config', '-nodefaults', '-display', 'none');
    argv.push('-device', 'isa-debug-exit,iobase=0xf4,iosize=4');
    argv.push('-drive', `file=${disk},if=floppy,format=raw,readonly=on`, '-boot', 'a');
    const result = await run(argv, { timeoutMs: probeTimeoutMs, okStatus: [...Array(256).keys()] });
    return result.status === provenStatus
      ? { usable: true, reason: `a probe guest ran under ${options.accelerator}` }
      : { usable: false, reason: `the probe guest ended with ${result.status}: ${result.stderr.trim().slice(-300)}` };
  } catch (caught) {
    if (ShoalError.is(caught, 'DEADLINE_EXCEEDED')) {
      return { usable: false, reason: `the probe guest hung for ${probeTimeoutMs} ms` };
    }
    if (ShoalError.is(caught, 'COMMAND_FAILED')) return { usable: false, reason: caught.message };
    throw caught;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * `probeAccelerator` for KVM, remembered in `cachePath` for as long as the machine is up and QEMU's binary stays the
 * same: an agent that restarts adopts its guests without waiting for a hanging probe.
 */
export async function probeKvm(
  run: CommandRunner,
  options: { readonly binary: string; readonly prefix: readonly string[]; readonly cachePath: string },
): Promise<ProbeResult> {
  try {
    await access('/dev/kvm');
  } catch (caught) {
    if (isMissing(caught)) return { usable: false, reason: 'there is no /dev/kvm' };
    throw ShoalError.from(caught, 'CANNOT_TELL', 'looking at /dev/kvm');
  }
  const key = `${await bootId()} ${await binaryStamp(run, options.binary)} ${options.prefix.join(' ')}`;
  const cached = await readJsonFile(options.cachePath);
  if (isRecord(cached) && cached['key'] === key && typeof cached['usable'] === 'boolean') {
    return { usable: cached['usable'], reason: `${String(cached['reason'])} (remembered)` };
  }
  const result = await probeAccelerator(run, { ...options, accelerator: 'kvm' });
  await writeFileDurably(options.cachePath, JSON.stringify({ key, ...result }));
  return result;
}

/** Changes when the package is upgraded. */
async function binaryStamp(run: CommandRunner, binary: string): Promise<string> {
  const found = binary.includes('/')
    ? binary
    : (await run(['sh', '-c', 'command -v "$1"', 'sh', binary])).stdout.trim();
  const { size, mtimeMs } = await stat(found);
  return `${found} ${size} ${mtimeMs}`;
}

/** The group that may use /dev/kvm; undefined when root's own group is enough, or there is no such device. */
export async function kvmGid(): Promise<number | undefined> {
  try {
    const { gid } = await stat('/dev/kvm');
    return gid === 0 ? undefined : gid;
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', 'looking at /dev/kvm');
  }
}
