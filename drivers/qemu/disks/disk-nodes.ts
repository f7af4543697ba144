/**
 * A disk as QEMU's block graph has it, from the storage up to what the guest's device reads:
 *
 *     src   opens the file, the RBD image, or the NBD export
 *     fmt   reads the format; an explicit one, so that QEMU never guesses
 *     key   decrypts, where the disk is LUKS of QEMU's own
 *     win   only its beginning, while it is filled with a smaller disk that it takes the place of
 *
 * Names are made from the disk's id. There are two sets of them (`d`, `e`), since a disk that is being moved is there twice.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import type { DiskSource, GuestDisk } from '../../types.ts';

type Options = Readonly<Record<string, unknown>>;

/** Properties of a device that say its place, as QEMU takes them. */
export type DevicePlace = Readonly<Record<string, string | number>>;

/** By the id of the device; of a disk, by the id that its device has at a start. */
export type DevicePlaces = ReadonlyMap<string, DevicePlace>;

/** Which of the two sets of names. */
export type NodeSet = 'd' | 'e';
/** From the top. */
export const layers = ['win', 'key', 'fmt', 'src'] as const;
type Layer = (typeof layers)[number];

/** What has to be made for one disk, in this order, and the name of what the device reads. */
export interface DiskNodes {
  /** Kept only until the nodes are open. */
  readonly secrets: readonly Options[];
  readonly nodes: readonly Options[];
  readonly top: string;
}

/** The disk's nodes. `INVALID_ARGUMENT` for a disk that QEMU cannot open. */
export function diskNodes(disk: GuestDisk, set: NodeSet = 'd'): DiskNodes {
  const name = (layer: Layer): string => nodeName(disk.volumeId, layer, set);
  const { source, encryption } = disk;
  const also = disk.readOnly === true ? { 'read-only': true } : {};
  const secrets: Options[] = [];
  const key = secretName(disk.volumeId);
  if (encryption !== undefined) secrets.push({ 'qom-type': 'secret', id: key, data: encryption.passphrase });
  const src = {
    ...protocolNode(source, name('src')),
    ...(source.kind === 'nbd' ? { 'tls-creds': credentialsName(disk.volumeId, set) } : {}),
    ...also,
  };
  const fmt = {
    driver: source.kind === 'file' ? source.format : 'raw',
    'node-name': name('fmt'),
    file: name('src'),
    ...backingOf(source),
    discard: 'unmap',
    ...also,
  };
  if (encryption === undefined) return { secrets, nodes: [src, fmt], top: name('fmt') };
  const decrypting = {
    driver: 'luks',
    'node-name': name('key'),
    file: name('fmt'),
    'key-secret': key,
    discard: 'unmap',
  };
  return { secrets, nodes: [src, fmt, { ...decrypting, ...also }], top: name('key') };
}

const deviceDrivers = { virtio: 'virtio-blk-pci', scsi: 'scsi-hd', sata: 'ide-hd', ide: 'ide-hd' } as const;

/** By which the guest finds a disk: `/dev/disk/by-id/virtio-SERIAL`. Virtio has room for 20 characters. */
export function serialOfDisk(volumeId: string): string {
  return volumeId.slice(0, 20);
}

/** The device through which the guest uses the disk. `bus`: the SCSI controller's, for a disk of that kind. */
export function diskDevice(disk: GuestDisk, top: string): Options {
  const isScsi = disk.bus === 'scsi';
  return {
    driver: deviceDrivers[disk.bus ?? 'virtio'],
    id: diskDeviceId(disk.volumeId),
    ...(isScsi ? { bus: `${scsiController.id}.0` } : {}),
    drive: top,
    serial: serialOfDisk(disk.volumeId),
    werror: 'stop',
    rerror: 'stop',
    ...(disk.shared === true ? { 'share-rw': true } : {}),
    ...(disk.bootIndex === undefined ? {} : { bootindex: disk.bootIndex }),
  };
}

/** The controller of SCSI disks, there when the guest has one. */
export const scsiController = { driver: 'virtio-scsi-pci', id: 'scsi0' } as const;

/** Id of a disk's device: what hot-plug and events name it by. */
export function diskDeviceId(volumeId: string): string {
  return `disk-${volumeId}`;
}

/** The disk whose device has this id; undefined for any other device. */
export function volumeOfDevice(id: string): string | undefined {
  return /^disk-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-[0-9])?$/.exec(id)?.[1];
}

/** Names of QEMU's objects that hold a disk's passphrase, and what it proves itself with to another host. */
export function secretName(volumeId: string): string {
  return `key-${volumeId}`;
}

export function credentialsName(volumeId: string, set: NodeSet = 'd'): string {
  return set === 'd' ? `tls-${volumeId}` : `tls-${volumeId}-${set}`;
}

/**
 * Name of a block node. QEMU allows 31 characters, too few for a UUID in hex, so it stands in base 36.
 */
export function nodeName(volumeId: string, layer: Layer, set: NodeSet = 'd'): string {
  const digits = BigInt(`0x${volumeId.replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0');
  return `${set}${digits}-${layer}`;
}

/** The disk of a block node that has such a name; undefined for any other. */
export function volumeOfNode(name: string): string | undefined {
  const digits = /^[de]([0-9a-z]{25})-(?:win|key|fmt|src)$/.exec(name)?.[1];
  if (digits === undefined) return undefined;
  let value = 0n;
  for (const digit of digits) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  const hex = value.toString(16).padStart(32, '0');
  if (hex.length > 32) return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** What lies below a file, named here, so that what stands in its header counts for nothing. */
function backingOf(source: DiskSource): Options {
  if (source.kind !== 'file' || source.backingPath === undefined || source.backingFormat === undefined) return {};
  const file = { driver: 'file', filename: source.backingPath, 'read-only': true };
  return { backing: { driver: source.backingFormat, file, 'read-only': true } };
}

function protocolNode(source: DiskSource, name: string): Options {
  switch (source.kind) {
    case 'file':
      return { driver: 'file', 'node-name': name, filename: source.path, discard: 'unmap' };
    case 'rbd':
      return {
        driver: 'rbd',
        'node-name': name,
        pool: source.pool,
        image: source.image,
        user: source.user,
        conf: source.confPath,
        discard: 'unmap',
      };
    case 'nbd':
      return {
        driver: 'nbd',
        'node-name': name,
        server: { type: 'inet', host: source.host, port: String(source.port) },
        export: source.exportName,
        // A moment without its host stops the guest's writes, and no longer one fails them.
        'reconnect-delay': 30,
        discard: 'unmap',
      };
    case 'fake':
      throw new ShoalError('INVALID_ARGUMENT', `${source.name} is on fake storage, which QEMU cannot open`);
  }
}
