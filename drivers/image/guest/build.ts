/**
 * Builds the demo guest: a bootable BIOS disk of 27 MiB from Debian's cloud kernel, static busybox and dropbear, about
 * 15 MiB as qcow2. No root, no loop device, no mount: partitions are written into a plain file at their offsets.
 *
 *     sector 0            MBR with syslinux' boot code
 *     1 MiB,  22 MiB      FAT16: syslinux, kernel, initramfs
 *     23 MiB,  4 MiB      ext4: what outlives a boot (`/mnt/state`)
 *
 * What the guest does is in files/init. It needs 96 MiB of memory.
 */
import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { type CommandRunner, runCommand } from '../../command.ts';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { findKernel, type GuestKernel, loadModules } from './kernel.ts';
import { readDynamicPrograms, readInput } from './programs.ts';

/** Debian packages that the build needs; the kernel may also be unpacked elsewhere (`kernelRoot`). */
export const guestBuildPackages = [
  'linux-image-cloud-amd64',
  'busybox-static',
  'dropbear-bin',
  'syslinux',
  'syslinux-common',
  'mtools',
  'dosfstools',
  'e2fsprogs',
  'qemu-utils',
] as const;

/** What was built, or found built. */
export interface GuestImage {
  readonly qcow2Path: string;
  /** Size of the qcow2 file. */
  readonly bytes: number;
  /** Size that a guest sees. */
  readonly virtualSizeBytes: number;
  readonly kernelVersion: string;
  /** False: an image of the same inputs was there. */
  readonly built: boolean;
}

/** Where inputs are taken from. */
interface GuestBuildOptions {
  /** Below which `boot/vmlinuz-*` and `lib/modules` are looked for. Default `/`. */
  readonly kernelRoot?: string;
  /** Default: busybox-static's. */
  readonly busyboxPath?: string;
  /**
   * True: anybody who opens the serial console or posts to `/cgi-bin/run` is root. For tests that look at a guest from
   * outside; default false.
   */
  readonly isOpen?: boolean;
  readonly run?: CommandRunner;
}

const sectorBytes = 512;
const bootStart = mibBytes;
const bootBytes = 22 * mibBytes;
const stateStart = bootStart + bootBytes;
const stateBytes = 4 * mibBytes;
const diskBytes = stateStart + stateBytes;

const mbrPath = '/usr/lib/syslinux/mbr/mbr.bin';
const filesDir = new URL('./files/', import.meta.url).pathname;
/** What an open guest has besides. */
const openFilesDir = new URL('./open-files/', import.meta.url).pathname;
/** Programs of dropbear-bin: the SSH server, and what makes its host key. */
const sshPrograms = ['/usr/sbin/dropbear', '/usr/bin/dropbearkey'];
/** Drivers of everything that the QEMU driver gives a guest. */
const modules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_net',
  'virtio_balloon',
  'virtio_rng',
  'evdev',
  'button',
  'ext4',
  'isofs',
  'vfat',
  'nls_ascii',
  'nls_cp437',
];
const gzipAsync = promisify(gzip);

/**
 * Makes `OUTDIR/shoal-guest-HASH.qcow2`, unless it is there: the hash is of everything that goes in.
 * `NOT_FOUND` or `COMMAND_MISSING` name what to install. Takes about 2 s.
 */
export async function buildGuestImage(outDir: string, options: GuestBuildOptions = {}): Promise<GuestImage> {
  const run = options.run ?? runCommand;
  const kernel = await findKernel(options.kernelRoot);
  const initramfs = await packInitramfs(kernel, options, run);
  const vmlinuz = await readFile(kernel.imagePath);
  const bootConfig = await readFile(join(filesDir, 'syslinux.cfg'));
  const bootCode = await readInput(mbrPath, 'syslinux-common');
  const hash = createHash('sha256');
  for (const part of [initramfs, vmlinuz, bootConfig, bootCode, Buffer.from(`layout ${diskBytes}`)]) hash.update(part);
  const qcow2Path = join(outDir, `shoal-guest-${hash.digest('hex').slice(0, 16)}.qcow2`);
  const found = await sizeOf(qcow2Path);
  const about = { qcow2Path, virtualSizeBytes: diskBytes, kernelVersion: kernel.version };
  if (found !== undefined) return { ...about, bytes: found, built: false };

  await mkdir(outDir, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), 'shoal-guest-'));
  try {
    const raw = join(work, 'disk.raw');
    await writePartitionTable(raw, bootCode);
    await writeFile(join(work, 'vmlinuz'), vmlinuz);
    await writeFile(join(work, 'initrd.gz'), initramfs);
    await writeFile(join(work, 'syslinux.cfg'), bootConfig);
    const volume = ['-F', '16', '-n', 'SHOALBOOT', '-h', String(bootStart / sectorBytes)];
    await run([
      'mkfs.fat',
      '--invariant',
      ...volume,
      '--offset',
      String(bootStart / sectorBytes),
      raw,
      String(bootBytes / 1024),
    ]);
    const sources = ['vmlinuz', 'initrd.gz', 'syslinux.cfg'].map((name) => join(work, name));
    await run(['mcopy', '-i', `${raw}@@${bootStart}`, ...sources, '::'], { env: { MTOOLS_SKIP_CHECK: '1' } });
    await run(['syslinux', '-t', String(bootStart), '--install', raw]);
    const ext4 = ['-q', '-t', 'ext4', '-O', '^metadata_csum,^resize_inode', '-m', '0', '-L', 'shoal-state'];
    await run(['mke2fs', ...ext4, '-E', `offset=${stateStart},root_owner=0:0`, raw, `${stateBytes / 1024}k`]);
    // Converted beside its final name, so that a build that is cut short is never taken for an image.
    const beside = `${qcow2Path}.${process.pid}.tmp`;
    await run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-c', raw, beside]);
    await chmod(beside, 0o644);
    await rename(beside, qcow2Path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const bytes = await sizeOf(qcow2Path);
  if (bytes === undefined) throw new ShoalError('DRIVER_FAILED', `${qcow2Path} went away while it was built`);
  return { ...about, bytes, built: true };
}

async function packInitramfs(kernel: GuestKernel, options: GuestBuildOptions, run: CommandRunner): Promise<Uint8Array> {
  const folders = ['bin', 'dev', 'modules'].map((path): CpioEntry => ({ path, mode: 0o755 }));
  const loaded = await loadModules(kernel, modules);
  const entries: readonly CpioEntry[] = [
    ...folders,
    { path: 'bin/busybox', mode: 0o755, content: await readBusybox(options.busyboxPath) },
    ...loaded.map(({ name, content }) => ({ path: `modules/${name}`, mode: 0o644, content })),
    { path: 'modules/order', mode: 0o644, content: Buffer.from(loaded.map(({ name }) => `${name}\n`).join('')) },
    ...(await readFolder(filesDir)),
    ...(options.isOpen === true ? await readFolder(openFilesDir) : []),
    ...(await readDynamicPrograms(sshPrograms, 'dropbear-bin', run)),
  ];
  // By path, so that parents come first and the result does not depend on the file system's order; a folder comes once.
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const sorted = [...byPath.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  return gzipAsync(cpioArchive(sorted), { level: 9 });
}

/** All below `folder`; what lies in `etc` is read, the rest is run. */
async function readFolder(folder: string): Promise<readonly CpioEntry[]> {
  const entries: CpioEntry[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (path === 'syslinux.cfg') continue;
    if (entry.isDirectory()) entries.push({ path, mode: 0o755 });
    else {
      const mode = path.startsWith('etc/') ? 0o644 : 0o755;
      entries.push({ path, mode, content: await readFile(join(folder, path)) });
    }
  }
  return entries;
}

/** Boot code, two partitions, signature. The BIOS reads LBA numbers; the old geometry fields say "too far". */
async function writePartitionTable(path: string, bootCode: Uint8Array): Promise<void> {
  const sector = Buffer.alloc(sectorBytes);
  sector.set(bootCode.subarray(0, 440));
  const partition = (index: number, type: number, start: number, bytes: number): void => {
    const at = 446 + 16 * index;
    sector.writeUInt8(index === 0 ? 0x80 : 0, at);
    sector.set([0xfe, 0xff, 0xff], at + 1);
    sector.writeUInt8(type, at + 4);
    sector.set([0xfe, 0xff, 0xff], at + 5);
    sector.writeUInt32LE(start / sectorBytes, at + 8);
    sector.writeUInt32LE(bytes / sectorBytes, at + 12);
  };
  partition(0, 0x06, bootStart, bootBytes);
  partition(1, 0x83, stateStart, stateBytes);
  sector.set([0x55, 0xaa], 510);
  await writeFile(path, sector);
  await truncate(path, diskBytes);
}

/** busybox must be the static one: nothing else of a root file system is in the guest. */
async function readBusybox(path: string | undefined): Promise<Uint8Array> {
  for (const candidate of path === undefined ? ['/bin/busybox', '/usr/bin/busybox'] : [path]) {
    if ((await sizeOf(candidate)) === undefined) continue;
    const file = await open(candidate, 'r');
    try {
      const binary = await file.readFile();
      if (binary.includes('/lib64/ld-linux')) {
        throw new ShoalError('NOT_FOUND', `${candidate} is not static: install busybox-static`);
      }
      return binary;
    } finally {
      await file.close();
    }
  }
  throw new ShoalError('NOT_FOUND', 'there is no busybox: install busybox-static');
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
