/**
 * The disks that a server is to be made with (`block_device_mapping_v2`), checked against the records: everything that can be
 * refused without a host is refused here, in Nova's words.
 */
import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { hostTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { HostViews } from '../../kit/dependencies.ts';
import { isSharedPool, servesPool } from '../../kit/storage-pools.ts';
import { ownVolume } from '../kit/find.ts';
import { poolOfType } from '../kit/pools.ts';
import { mustBeFree } from '../records/plug.ts';
import { disksMax } from '../records/server-disks.ts';
import { checkBytesAtRest } from '../records/volume-record.ts';
import { type CheckedVolume, checkVolumeDraft } from '../volumes/volume-draft.ts';

/** One entry of the mapping, as an API's edge has read it. */
export interface BlockDeviceDraft {
  readonly sourceType: 'image' | 'volume' | 'snapshot' | 'blank';
  /** Absent: `local` for images and blank ones, `volume` for the others. */
  readonly destinationType?: 'local' | 'volume';
  /** Of the image, volume or snapshot. */
  readonly uuid?: string;
  /** Absent or negative: it is not booted from. */
  readonly bootIndex?: number;
  readonly deleteOnTermination?: boolean;
  readonly volumeSizeGib?: number;
  /** Of a local swap disk, which has no size in GiB; absent: as large as the flavor has one. */
  readonly swapMib?: number;
  /** Id or name. */
  readonly volumeType?: string;
  readonly deviceName?: string;
  /** "virtio" or "scsi"; absent: as the image says. */
  readonly diskBus?: string;
  /** "swap", or a file system. */
  readonly guestFormat?: string;
  readonly tag?: string;
}

/** One disk of the server to be. */
export interface CheckedDisk {
  readonly kind: 'ephemeral' | 'swap' | 'volume';
  readonly bootIndex: number;
  readonly deleteOnTermination: boolean;
  readonly tag: string;
  readonly bus: string;
  readonly guestFormat: string;
  readonly sizeGib: number;
  readonly sizeMib: number;
  /** A volume that is there. */
  readonly volumeId?: string;
  /** A volume that is made with the server. */
  readonly newVolume?: CheckedVolume;
}

/** All of them. */
export interface CheckedDisks {
  readonly disks: readonly CheckedDisk[];
  /** The root disk is one of them, and no disk of the image's own is made. */
  readonly isRootVolume: boolean;
  /** The image that the server boots from by the mapping; undefined: as the request says. */
  readonly imageId?: string;
  /** Pools that the server's host must reach, and the room that is needed there. */
  readonly pools: readonly { readonly name: string; readonly gib: number }[];
  /** Name of the one host that has volumes of it on its own storage; undefined: any will do. */
  readonly hostName?: string;
}

/** What the check is made with. */
interface BlockDeviceOptions {
  readonly hostViews: HostViews;
  readonly storage: string;
}

/** What it is checked for. */
interface BlockDeviceRequest {
  readonly devices: readonly BlockDeviceDraft[];
  readonly imageId: string;
  readonly flavor: shoal.v1.Flavor;
  readonly serversMax: number;
}

/** 400, in Nova's words. */
function badRequest(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}

function invalidMapping(reason: string): ShoalError {
  return badRequest(`Block Device Mapping is Invalid: ${reason}`);
}

/** Checks a mapping. Throws what Nova answers. */
export function checkBlockDevices(
  context: RequestContext,
  reader: StateReader,
  { devices, imageId, flavor, serversMax }: BlockDeviceRequest,
  options: BlockDeviceOptions,
): CheckedDisks {
  if (devices.length > disksMax) throw invalidMapping(`a server has ${disksMax} disks at most.`);
  const localImage = devices.find((device) => device.sourceType === 'image' && destinationOf(device) === 'local');
  checkBootOrder(devices, imageId !== '' && localImage === undefined);
  if (localImage !== undefined) checkLocalImage(localImage, imageId);
  if (serversMax > 1 && devices.some(({ sourceType }) => sourceType === 'volume')) {
    throw badRequest('Cannot attach one or more volumes to multiple instances');
  }
  const others = devices.filter((device) => device !== localImage);
  const volumes = others
    .filter((device) => destinationOf(device) === 'volume')
    .map((device) => volumeDisk(context, reader, device));
  checkOnce(volumes);
  const local = others.filter((device) => destinationOf(device) === 'local');
  const disks = [...ownDisks(local, flavor), ...volumes].sort(
    (a, b) => Number(b.bootIndex === 0) - Number(a.bootIndex === 0),
  );
  const isRootVolume = disks.some(({ kind, bootIndex }) => kind === 'volume' && bootIndex === 0);
  return {
    disks,
    isRootVolume,
    ...(localImage === undefined ? {} : { imageId: localImage.uuid ?? '' }),
    ...placesOf(reader, volumes, options),
  };
}

function destinationOf({ destinationType, sourceType }: BlockDeviceDraft): 'local' | 'volume' {
  return destinationType ?? (sourceType === 'image' || sourceType === 'blank' ? 'local' : 'volume');
}

/** One boots first, the others after it without a gap. @param hasImage the request's image is the first. */
function checkBootOrder(devices: readonly BlockDeviceDraft[], hasImage: boolean): void {
  const booted = devices.flatMap(({ bootIndex }) => (bootIndex === undefined || bootIndex < 0 ? [] : [bootIndex]));
  if (hasImage && booted.includes(0)) {
    // As with Nova's own client, which names the image in both places, what is mapped as the first is what is booted.
    if (devices.some(({ bootIndex, sourceType }) => bootIndex === 0 && sourceType === 'image')) return;
  }
  const order = [...booted, ...(hasImage ? [0] : [])].sort((a, b) => a - b);
  if (order.length > 0 && order.every((index, at) => index === at)) return;
  throw invalidMapping('Boot sequence for the instance and image/block device mapping combination is not valid.');
}

function checkLocalImage({ uuid = '', bootIndex }: BlockDeviceDraft, imageId: string): void {
  if (bootIndex !== 0) throw invalidMapping('Mapping image to local is not supported.');
  if (uuid === '' || (imageId !== '' && uuid !== imageId)) {
    throw invalidMapping(`failed to get image ${uuid.slice(0, 64)}: it is not the image that the server is made of.`);
  }
}

/** A disk that is a volume: one that is there, or one to be made. */
function volumeDisk(context: RequestContext, reader: StateReader, device: BlockDeviceDraft): CheckedDisk {
  const { sourceType, uuid = '', volumeSizeGib, bootIndex = -1, diskBus = '' } = device;
  if (sourceType !== 'blank' && uuid === '') throw invalidMapping(`a ${sourceType} needs its uuid.`);
  if (!['', 'virtio', 'scsi'].includes(diskBus))
    throw invalidMapping(`disk_bus ${diskBus.slice(0, 64)} is not supported.`);
  const base = {
    kind: 'volume' as const,
    bootIndex: Math.max(-1, bootIndex),
    deleteOnTermination: device.deleteOnTermination ?? false,
    tag: device.tag ?? '',
    bus: diskBus,
    guestFormat: '',
    sizeMib: 0,
  };
  if (sourceType === 'volume') {
    const volume = existingVolume(context, reader, uuid, bootIndex === 0);
    return { ...base, volumeId: uuid, sizeGib: volume.sizeGib };
  }
  if (sourceType === 'blank' && (volumeSizeGib ?? 0) === 0) {
    throw invalidMapping("Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size");
  }
  if (sourceType === 'image' && (volumeSizeGib ?? 0) === 0) {
    throw invalidMapping("Images with destination_type 'volume' need to have a non-zero size specified");
  }
  const newVolume = newVolumeOf(context, reader, device);
  if (bootIndex === 0 && !newVolume.bootable) throw badRequest(`Block Device ${uuid || 'blank'} is not bootable.`);
  return { ...base, newVolume, sizeGib: newVolume.sizeGib };
}

function existingVolume(context: RequestContext, reader: StateReader, id: string, isBooted: boolean): shoal.v1.Volume {
  try {
    const volume = ownVolume(context, reader, id).record;
    mustBeFree(volume, '');
    checkBytesAtRest(volume);
    if (isBooted && !volume.bootable) throw badRequest(`Block Device ${id} is not bootable.`);
    return volume;
  } catch (caught) {
    if (ShoalError.is(caught, 'NOT_FOUND')) throw invalidMapping(`failed to get volume ${id.slice(0, 64)}.`);
    throw caught;
  }
}

function newVolumeOf(context: RequestContext, reader: StateReader, device: BlockDeviceDraft): CheckedVolume {
  const { sourceType, uuid = '', volumeSizeGib, volumeType } = device;
  const from = sourceType === 'image' ? { imageId: uuid } : sourceType === 'snapshot' ? { snapshotId: uuid } : {};
  try {
    return checkVolumeDraft(context, reader, {
      ...from,
      ...(volumeSizeGib === undefined || volumeSizeGib === 0 ? {} : { sizeGib: volumeSizeGib }),
      ...(volumeType === undefined ? {} : { type: volumeType }),
    });
  } catch (caught) {
    if (!ShoalError.is(caught, 'NOT_FOUND')) throw caught;
    const isSource = caught.facts['kind'] === 'snapshot';
    throw isSource ? invalidMapping(`failed to get snapshot ${uuid.slice(0, 64)}.`) : badRequest(caught.message);
  }
}

/** Disks of the server's own beside the root: as the mapping says, else as the flavor does. */
function ownDisks(devices: readonly BlockDeviceDraft[], flavor: shoal.v1.Flavor): readonly CheckedDisk[] {
  for (const { sourceType } of devices) {
    if (sourceType !== 'blank') throw invalidMapping(`a ${sourceType} cannot have the destination_type local.`);
  }
  const swaps = devices.filter(({ guestFormat }) => guestFormat === 'swap');
  if (swaps.length > 1) throw invalidMapping('More than one swap drive requested.');
  const ephemerals = devices.filter(({ guestFormat }) => guestFormat !== 'swap');
  const swapMib = swaps[0]?.swapMib ?? flavor.swapMib;
  if (swapMib > flavor.swapMib) throw invalidMapping('Swap drive requested is larger than instance type allows.');
  const sizes = ephemerals.map(({ volumeSizeGib }) => volumeSizeGib ?? flavor.ephemeralGib);
  if (sizes.reduce((sum, size) => sum + size, 0) > flavor.ephemeralGib) {
    throw invalidMapping('Ephemeral disks requested are larger than the instance type allows.');
  }
  const wanted = ephemerals.length === 0 && flavor.ephemeralGib > 0 ? [{ sizeGib: flavor.ephemeralGib }] : [];
  const mapped = ephemerals.map(({ guestFormat = '', tag = '' }, at) => ({
    sizeGib: sizes[at] ?? 0,
    guestFormat,
    tag,
  }));
  const own = {
    bootIndex: -1,
    deleteOnTermination: true,
    bus: 'virtio',
    tag: '',
    guestFormat: '',
    sizeGib: 0,
    sizeMib: 0,
  };
  return [
    ...[...wanted, ...mapped]
      .filter(({ sizeGib }) => sizeGib > 0)
      .map((disk) => ({ ...own, ...disk, kind: 'ephemeral' as const })),
    ...(swapMib > 0 ? [{ ...own, kind: 'swap' as const, sizeMib: swapMib, guestFormat: 'swap' }] : []),
  ];
}

function checkOnce(volumes: readonly CheckedDisk[]): void {
  const ids = volumes.flatMap(({ volumeId }) => volumeId ?? []);
  if (new Set(ids).size !== ids.length) throw invalidMapping('a volume is named twice.');
}

/**
 * The pools that the volumes are in, and the host that has some of them, or what they are made of, on its own storage. Of several
 * hosts' one is the server's, and the others serve it what they have: their pools are none that the server's host must reach.
 */
function placesOf(
  reader: StateReader,
  disks: readonly CheckedDisk[],
  { hostViews, storage }: BlockDeviceOptions,
): Pick<CheckedDisks, 'pools' | 'hostName'> {
  const adverts = hostViews.adverts();
  const held = disks.flatMap((disk) => holderOf(reader, adverts, disk) ?? []);
  const hostId = hostAmong(held);
  const pools = new Map<string, number>();
  for (const disk of disks) {
    const { volumeId, newVolume, sizeGib } = disk;
    const isServed = held.some((one) => one.disk === disk && one.hostId !== hostId);
    if (isServed) continue;
    const volume = volumeId === undefined ? undefined : volumeTable.get(reader, volumeId)?.record;
    const pool = volume?.pool ?? poolOfType(reader, newVolume?.type, { storage });
    const isToBeMade = volume === undefined || volume.hostId === '';
    pools.set(pool, (pools.get(pool) ?? 0) + (isToBeMade ? sizeGib : 0));
  }
  const host = hostId === undefined ? undefined : hostTable.get(reader, hostId)?.record;
  return {
    pools: [...pools].map(([name, gib]) => ({ name, gib })),
    ...(host === undefined ? {} : { hostName: host.name }),
  };
}

/** A disk that one host has on its own storage. */
interface HeldDisk {
  readonly disk: CheckedDisk;
  readonly hostId: string;
  /** No other host can have it: it is not served, or is what a new volume is made of. */
  readonly isBound: boolean;
}

/** Undefined: any host that reaches its pool can have it. */
function holderOf(
  reader: StateReader,
  adverts: ReturnType<BlockDeviceOptions['hostViews']['adverts']>,
  disk: CheckedDisk,
): HeldDisk | undefined {
  const { volumeId, newVolume } = disk;
  const volume = volumeId === undefined ? undefined : volumeTable.get(reader, volumeId)?.record;
  const held = volume ?? newVolume?.source.snapshot ?? newVolume?.source.volume;
  if (held === undefined || held.hostId === '' || isSharedPool(adverts, held.pool, held.hostId) === true)
    return undefined;
  const isBound = volume === undefined || !servesPool(adverts, held.pool, held.hostId);
  return { disk, hostId: held.hostId, isBound };
}

/** The host that the server is to be on: what cannot be served decides, then what it boots from, then where most of it is. */
function hostAmong(held: readonly HeldDisk[]): string | undefined {
  const bound = new Set(held.filter(({ isBound }) => isBound).map(({ hostId }) => hostId));
  if (bound.size > 1) {
    throw badRequest(
      'The volumes are on the own storage of different hosts, which do not serve them to others: no server can have them all. Migrate one of them.',
    );
  }
  const [only] = bound;
  if (only !== undefined) return only;
  const root = held.find(({ disk }) => disk.bootIndex === 0);
  if (root !== undefined) return root.hostId;
  const gib = new Map<string, number>();
  for (const { hostId, disk } of held) gib.set(hostId, (gib.get(hostId) ?? 0) + disk.sizeGib);
  return [...gib].sort((a, b) => b[1] - a[1])[0]?.[0];
}
