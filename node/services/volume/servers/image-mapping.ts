/**
 * Images that have no content and say how the disks of a server are made: Nova's property `block_device_mapping`, as images of
 * servers that boot from volumes have it. Anybody may write such a property, so that what is read of it is checked like a request.
 */
import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ownValue } from '../../../base/own-value.ts';
import { disksOf } from '../kit/disks-of-server.ts';
import { disksMax } from '../records/server-disks.ts';
import type { BlockDeviceDraft } from './block-devices.ts';

/** Longest mapping that is read, characters: Glance's bound of a property. */
const mappingCharactersMax = 65_535;

/** The properties of an image of a server that boots from a volume. @param snapshotIds by volume. */
export function mappingProperties(
  server: shoal.v1.Server,
  snapshotIds: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const mapping = disksOf(server).map((disk) => {
    const snapshotId = snapshotIds.get(disk.volumeId);
    const common = {
      device_name: disk.device === '' ? null : `/dev/${disk.device}`,
      boot_index: disk.bootIndex,
      delete_on_termination: disk.deleteOnTermination,
      device_type: 'disk',
      disk_bus: disk.bus === '' ? null : disk.bus,
      guest_format: disk.guestFormat === '' ? null : disk.guestFormat,
      tag: disk.tag === '' ? null : disk.tag,
      volume_size: disk.kind === 'swap' ? disk.sizeMib : disk.sizeGib,
      no_device: null,
      image_id: null,
      volume_id: null,
    };
    return snapshotId === undefined
      ? { ...common, source_type: 'blank', destination_type: 'local', snapshot_id: null }
      : { ...common, source_type: 'snapshot', destination_type: 'volume', snapshot_id: snapshotId };
  });
  return { block_device_mapping: JSON.stringify(mapping), bdm_v2: 'True', root_device_name: '/dev/vda' };
}

/**
 * The disks that an image says; undefined: it says nothing of disks, and is content. Throws `INVALID_ARGUMENT` for a mapping that
 * cannot be understood.
 */
export function mappingOf(image: Pick<shoal.v1.Image, 'id' | 'properties'>): readonly BlockDeviceDraft[] | undefined {
  const text = ownValue(image.properties, 'block_device_mapping');
  if (text === undefined || text === '' || text === '[]') return undefined;
  const devices = parsed(text);
  if (!Array.isArray(devices)) throw malformed(image.id, 'it is no list');
  if (devices.length > disksMax) throw malformed(image.id, `it names more than ${disksMax} disks`);
  return devices.map((device: unknown) => deviceOf(image.id, device));
}

function parsed(text: string): unknown {
  if (text.length > mappingCharactersMax) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller, with the image's id.
    return undefined;
  }
}

function deviceOf(imageId: string, device: unknown): BlockDeviceDraft {
  if (typeof device !== 'object' || device === null) throw malformed(imageId, 'a disk is no object');
  const fields = new Map<string, unknown>(Object.entries(device));
  const sourceType = sources.find((known) => known === fields.get('source_type'));
  const destinationType = destinations.find((known) => known === fields.get('destination_type'));
  if (sourceType === undefined) throw malformed(imageId, 'the source_type of a disk is not known');
  const text = (name: string): string | undefined => {
    const value = fields.get(name);
    if (value === null || value === undefined || value === '') return undefined;
    if (typeof value !== 'string' || value.length > 255)
      throw malformed(imageId, `${name} is no text of at most 255 characters`);
    return value;
  };
  const count = (name: string): number | undefined => {
    const value = fields.get(name);
    if (value === null || value === undefined) return undefined;
    const isCount = typeof value === 'number' && Number.isInteger(value) && value >= -1 && value <= 2 ** 31 - 1;
    if (!isCount) throw malformed(imageId, `${name} is no whole number`);
    return value;
  };
  const uuid = text(`${sourceType}_id`);
  const [bootIndex, size] = [count('boot_index'), count('volume_size')];
  const [deviceName, diskBus, guestFormat, tag] = ['device_name', 'disk_bus', 'guest_format', 'tag'].map(text);
  const isSwap = guestFormat === 'swap' && destinationType === 'local';
  return {
    sourceType,
    ...(destinationType === undefined ? {} : { destinationType }),
    ...(uuid === undefined ? {} : { uuid }),
    ...(bootIndex === undefined ? {} : { bootIndex }),
    deleteOnTermination: fields.get('delete_on_termination') === true,
    ...(size === undefined || size <= 0 ? {} : isSwap ? { swapMib: size } : { volumeSizeGib: size }),
    ...(deviceName === undefined ? {} : { deviceName }),
    ...(diskBus === undefined ? {} : { diskBus }),
    ...(guestFormat === undefined ? {} : { guestFormat }),
    ...(tag === undefined ? {} : { tag }),
  };
}

const sources = ['image', 'volume', 'snapshot', 'blank'] as const;
const destinations = ['local', 'volume'] as const;

/**
 * The disks of a server that is made of such an image: those of the image, but for the ones that the request names itself (by their
 * device, or as what is booted).
 */
export function mergedDevices(
  ofImage: readonly BlockDeviceDraft[],
  asked: readonly BlockDeviceDraft[],
  imageId: string,
): readonly BlockDeviceDraft[] {
  // The image itself, as some clients name it beside `imageRef`: it is no disk.
  const named = asked.filter(({ sourceType, uuid }) => sourceType !== 'image' || uuid !== imageId);
  const names = new Set(named.flatMap(({ deviceName }) => deviceName ?? []));
  const bootsOther = named.some(({ bootIndex }) => bootIndex === 0);
  const kept = ofImage.filter(
    ({ deviceName, bootIndex }) =>
      !(deviceName !== undefined && names.has(deviceName)) && !(bootsOther && bootIndex === 0),
  );
  return [...kept, ...named];
}

function malformed(imageId: string, why: string): ShoalError {
  return new ShoalError(
    'INVALID_ARGUMENT',
    `Block Device Mapping is Invalid: the property block_device_mapping of image ${imageId} cannot be understood: ${why}.`,
  );
}
