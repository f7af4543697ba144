/**
 * What a guest's machine starts with. UEFI is Debian's `ovmf`: code that is the host's and is only read, and a store for the guest's own
 * variables, made from the package's when the guest has none. The store is in QEMU's folder, and goes with the guest's files.
 */
import { chmod, constants, copyFile, lchown, lstat, rename, rm } from 'node:fs/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { GuestHardware } from '../../types/hardware.ts';

/** One build of the firmware. */
interface Build {
  readonly code: string;
  /** What a guest's store of variables is made from. */
  readonly variables: string;
}

/** Which builds a host has. */
export interface FirmwareFiles {
  readonly uefi?: Build;
  /** Starts nothing but what Microsoft's or a distributor's key has signed. */
  readonly secure?: Build;
}

const folder = '/usr/share/OVMF';
const builds = {
  uefi: { code: `${folder}/OVMF_CODE_4M.fd`, variables: `${folder}/OVMF_VARS_4M.fd` },
  secure: { code: `${folder}/OVMF_CODE_4M.ms.fd`, variables: `${folder}/OVMF_VARS_4M.ms.fd` },
} as const;

/** Looks for the firmware. */
export async function findFirmware(): Promise<FirmwareFiles> {
  const found: { uefi?: Build; secure?: Build } = {};
  for (const kind of ['uefi', 'secure'] as const) {
    const build = builds[kind];
    if ((await isThere(build.code)) && (await isThere(build.variables))) found[kind] = build;
  }
  return found;
}

/** The build that a guest starts with; undefined: BIOS. `DRIVER_FAILED` when the host does not have it. */
export function firmwareOf(hardware: GuestHardware, files: FirmwareFiles = {}): Build | undefined {
  if (hardware.firmware !== 'uefi') return undefined;
  const build = hardware.secureBoot === true ? files.secure : files.uefi;
  if (build !== undefined) return build;
  throw new ShoalError('DRIVER_FAILED', 'this host has no UEFI firmware for guests (Debian: ovmf)');
}

/** `-blockdev` and `-global` of the firmware; the machine is told of the nodes (`firmwareOfMachine`). */
export function firmwareWords(
  hardware: GuestHardware,
  files: FirmwareFiles | undefined,
  store: string,
): readonly string[] {
  const build = firmwareOf(hardware, files);
  if (build === undefined) return [];
  const node = (name: string, filename: string, isReadOnly: boolean): readonly string[] => {
    const file = { driver: 'file', filename, 'read-only': isReadOnly };
    return ['-blockdev', JSON.stringify({ driver: 'raw', 'node-name': name, file, 'read-only': isReadOnly })];
  };
  const isSecure = hardware.secureBoot === true;
  return [
    ...node('firmware', build.code, true),
    ...node('variables', store, false),
    // Else the guest's kernel could write the variables that say whose signature counts.
    ...(isSecure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
  ];
}

/** What the machine is told of its firmware. */
export function firmwareOfMachine({ firmware, secureBoot }: GuestHardware): string {
  if (firmware !== 'uefi') return '';
  return `,pflash0=firmware,pflash1=variables${secureBoot === true ? ',smm=on' : ''}`;
}

/** Makes the guest's store, unless it has one, and gives it to `uid`. Whole or not at all. */
export async function prepareVariables(
  build: { readonly variables: string },
  store: string,
  uid: number,
): Promise<void> {
  if (await isThere(store)) return;
  const half = `${store}.new`;
  await rm(half, { force: true });
  await copyFile(build.variables, half, constants.COPYFILE_EXCL);
  await chmod(half, 0o600);
  if (process.getuid?.() === 0) await lchown(half, uid, uid);
  await rename(half, store);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
