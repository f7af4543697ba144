/** A place where tests run real QEMU guests: a folder of its own, and a disk of 512 bytes that prints and idles. */
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { runCommand } from '../../../drivers/command.ts';
import { LocalStorageDriver } from '../../../drivers/local/driver.ts';
import { QemuDriver, type QemuDriverOptions } from '../../../drivers/qemu/driver.ts';
import type { GuestDisk } from '../../../drivers/types.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import type { ComputeFixture } from '../../compliance/compute.ts';
import { whyNoProgram } from '../programs.ts';

/** Why QEMU guests cannot be run here; false when they can. */
export async function whyNoQemu(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root, to run QEMU as another user';
  return whyNoProgram('qemu-system-x86_64', 'qemu-img', 'setpriv', 'prlimit', 'ip');
}

/** A new folder that the user `nobody` may enter; it goes with the test. */
export async function openFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  await chmod(folder, 0o711);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What the tiny guest prints on its serial console. */
export const tinyGuestText = 'shoal-tiny-guest';

/** A boot sector: prints its text on COM1, then halts with interrupts on, for ever. */
export function tinyGuestSector(): Uint8Array {
  const sector = new Uint8Array(512);
  const code = [
    ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8], // cli; xor ax,ax; mov ds,ax
    ...[0xbe, 0x1a, 0x7c], // mov si, text
    ...[0xba, 0xf8, 0x03], // mov dx, 0x3f8
    ...[0xac, 0x84, 0xc0], // next: lodsb; test al,al
    ...[0x74, 0x03], // jz idle
    ...[0xee, 0xeb, 0xf8], // out dx,al; jmp next
    ...[0xfb, 0xf4, 0xeb, 0xfc], // idle: sti; hlt; jmp idle
    0x90,
    0x90,
    0x90,
  ];
  sector.set(code);
  sector.set(new TextEncoder().encode(`${tinyGuestText}\r\n\0`), code.length);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** The QEMU driver for the compliance suite, with the tiny guest to boot. */
export async function qemuFixture(t: Test, options: Partial<QemuDriverOptions> = {}): Promise<ComputeFixture> {
  const folder = await openFolder(t);
  let disks = 0;
  const storage = new LocalStorageDriver({ log: silentLogger }, { root: join(folder, 'disks') });
  const otherStorage = new LocalStorageDriver({ log: silentLogger }, { root: join(folder, 'other-disks') });
  for (const one of [storage, otherStorage]) await one.start(new AbortController().signal);
  // Taps are of a network of its own: the machine's stays as it is.
  const space = `shoal-test-${randomBytes(4).toString('hex')}`;
  await runCommand(['ip', 'netns', 'add', space]);
  await runCommand(['ip', '-n', space, 'link', 'set', 'lo', 'up']);
  t.teardown(() => runCommand(['ip', 'netns', 'del', space]));
  let taps = 0;
  const driverIn = (name: string): QemuDriver =>
    new QemuDriver(
      { log: silentLogger },
      { runDir: join(folder, name), launchPrefix: ['nsenter', `--net=/run/netns/${space}`, '--'], ...options },
    );
  return {
    storage,
    otherStorage,
    open: () => driverIn('run'),
    openElsewhere: () => driverIn('other-run'),
    newTap: async () => {
      taps += 1;
      await runCommand(['ip', '-n', space, 'tuntap', 'add', 'dev', `tap${taps}`, 'mode', 'tap', 'user', '0']);
      return `tap${taps}`;
    },
    hardware: async () => {
      disks += 1;
      return { disks: [await tinyDisk(join(folder, `tiny-${disks}.raw`))], nics: [], memoryMib: 16, vcpus: 1 };
    },
    crash: (guest) => {
      if (guest.pid !== undefined) process.kill(guest.pid, 'SIGKILL');
    },
    prints: tinyGuestText,
  };
}

/** Writes the tiny guest's disk (a mebibyte, since SeaBIOS shuns smaller ones) and describes it. */
export async function tinyDisk(path: string): Promise<GuestDisk> {
  const disk = new Uint8Array(mibBytes);
  disk.set(tinyGuestSector());
  await writeFile(path, disk);
  return { volumeId: randomUUID() as VolumeId, source: { kind: 'file', path, format: 'raw' }, bootIndex: 0 };
}
