/** What every storage driver refuses in a `DiskSpec`, before it touches anything. */
import { ShoalError } from '../node/base/errors.ts';
import type { VolumeId } from '../node/base/ids.ts';
import type { DiskEncryption, DiskSpec, StorageCapabilities } from './types.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const labelPattern = /^[A-Za-z0-9_-]{1,11}$/;
/** No path, no option of a program, no snapshot or pool of `rbd`, nothing hidden. */
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;
/** LUKS takes 512; QEMU's secrets are text. */
const passphraseCharsMax = 512;

/** Throws `INVALID_ARGUMENT`. `totalBytes`: all that the storage has; absent: the disk is there already. */
export function checkDiskSpec(
  spec: DiskSpec,
  on: { readonly capabilities: StorageCapabilities; readonly totalBytes?: number; readonly isCopy?: boolean },
): void {
  const refuse = (what: string): never => {
    throw new ShoalError('INVALID_ARGUMENT', what, { facts: { volumeId: spec.volumeId } });
  };
  const { sizeBytes, encryption, contents } = spec;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) refuse(`a disk of ${sizeBytes} bytes`);
  if (on.totalBytes !== undefined && sizeBytes > on.totalBytes) {
    refuse(`a disk of ${sizeBytes} bytes is larger than its storage, which has ${on.totalBytes} bytes in all`);
  }
  if (spec.shared === true && !on.capabilities.multiAttach) {
    refuse('disks of this storage cannot be open for several guests at once');
  }
  if (spec.arrival !== undefined && !on.capabilities.shared) {
    refuse('disks of this storage are on one host alone: no guest that runs comes with one');
  }
  if (encryption !== undefined) checkEncryption(encryption, on.capabilities);
  if (on.isCopy === true && (spec.imageSha256 !== undefined || contents !== undefined)) {
    refuse('a copy has its content from its origin alone');
  }
  if (contents === undefined) return;
  if (spec.imageSha256 !== undefined || encryption !== undefined) {
    refuse('only an empty disk that is not encrypted is made with a file system');
  }
  if (contents.label !== undefined && !labelPattern.test(contents.label)) {
    refuse('a label has 1 to 11 letters, digits, `-` and `_`');
  }
}

/** Throws `INVALID_ARGUMENT` for a format that the storage cannot do, or what is no cipher or passphrase. */
function checkEncryption(encryption: DiskEncryption, capabilities: StorageCapabilities): void {
  const { format, passphrase } = encryption;
  if (!capabilities.encryption.includes(format)) {
    const can = capabilities.encryption.join(', ') || 'no encryption';
    throw new ShoalError('INVALID_ARGUMENT', `this storage cannot encrypt a disk as ${format}; it does ${can}`);
  }
  if (passphrase === '' || passphrase.length > passphraseCharsMax || !/^[\x20-\x7e]*$/.test(passphrase)) {
    throw new ShoalError('INVALID_ARGUMENT', `a passphrase has 1 to ${passphraseCharsMax} printable ASCII characters`);
  }
}

/** Whether it is a UUID in lower case: what disks and their snapshots are named by. */
export function isDiskId(id: string): boolean {
  return uuidPattern.test(id);
}

/** Throws `INVALID_ARGUMENT` unless it is. */
export function checkDiskId(id: string): void {
  if (!isDiskId(id)) throw new ShoalError('INVALID_ARGUMENT', `'${id.slice(0, 100)}' is not a lower-case UUID`);
}

/** Whether an unmanaged disk may have this name. */
export function isUnmanagedName(name: string): boolean {
  return namePattern.test(name) && !uuidPattern.test(name);
}

/** Throws `INVALID_ARGUMENT` for what is no name of an unmanaged disk. A UUID is none: it would be taken for one of Shoal's. */
export function checkUnmanagedName(name: string): void {
  if (isUnmanagedName(name)) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    'the name of an unmanaged disk has 1 to 200 letters, digits, `_`, `.` and `-`, begins with none of the last two, and is no UUID',
  );
}

/** What storage says of whose disks none is served to other hosts. */
export function notServedHere(volumeId: VolumeId): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `disk ${volumeId} is on storage that serves nothing to other hosts`);
}
