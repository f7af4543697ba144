/** The disks of a new server as Nova's callers name them, read for the service that checks them. */
import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { BlockDeviceDraft } from '../../../node/services/volume/servers/block-devices.ts';
import type { newServerBody } from '../schemas/compute.ts';
import { readFlag } from './kit/common.ts';

type NewServer = Static<typeof newServerBody>['server'];
type Device = NonNullable<NewServer['block_device_mapping_v2']>[number];

/** Microversion from which a new volume's type may be named. */
const volumeTypeFrom = 67;

/** Both forms of the mapping. Throws `INVALID_ARGUMENT` for what is no disk. */
export function blockDevicesOf(server: NewServer, microversion: number): readonly BlockDeviceDraft[] {
  const former = server.block_device_mapping ?? [];
  const devices = server.block_device_mapping_v2 ?? [];
  if (former.length > 0 && devices.length > 0) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'Using different block_device_mapping syntaxes is not allowed in the same request.',
    );
  }
  const hasImage = (server.imageRef ?? '') !== '';
  return former.length > 0
    ? former.map((device, at) => formerDevice(device, !hasImage && at === 0))
    : devices.map((device) => deviceOf(device, microversion));
}

/** The image as the root disk on the server's own storage: what else is said of it must be what every such disk is. */
function checkRootImage(device: Device): void {
  const isOrdinary =
    readFlag(String(device.delete_on_termination ?? 'true')) === true &&
    (device.disk_bus ?? 'virtio') === 'virtio' &&
    [device.volume_size, device.volume_type, device.guest_format, device.tag, device.device_name].every(
      (value) => value == null,
    );
  if (isOrdinary) return;
  throw new ShoalError(
    'NOT_IMPLEMENTED',
    'This version of Shoal does not have block devices of an image on local storage that differ from the ordinary root disk.',
  );
}

function deviceOf(device: Device, microversion: number): BlockDeviceDraft {
  if (device.no_device != null) throw invalid('no_device takes nothing away, as images here map no disks');
  if ((device.device_type ?? 'disk') !== 'disk')
    throw invalid(`device_type ${text(device.device_type)} is not supported`);
  if (device.source_type === undefined) throw invalid('a disk needs its source_type');
  if (device.volume_type != null && microversion < volumeTypeFrom) {
    throw invalid('volume_type may be said from microversion 2.67 on');
  }
  const isLocalImage = device.source_type === 'image' && (device.destination_type ?? 'local') === 'local';
  if (isLocalImage && Number(device.boot_index ?? -1) === 0) checkRootImage(device);
  const { boot_index: bootIndex, delete_on_termination: goes } = device;
  return {
    sourceType: device.source_type,
    ...(device.destination_type === undefined ? {} : { destinationType: device.destination_type }),
    ...(device.uuid == null ? {} : { uuid: device.uuid }),
    ...(bootIndex == null ? {} : { bootIndex: Number(bootIndex) }),
    ...(goes === undefined ? {} : { deleteOnTermination: readFlag(String(goes)) === true }),
    ...sizeOf(device),
    ...(device.volume_type == null ? {} : { volumeType: device.volume_type }),
    ...(device.device_name == null ? {} : { deviceName: device.device_name }),
    ...(device.disk_bus == null ? {} : { diskBus: device.disk_bus }),
    ...(device.guest_format == null ? {} : { guestFormat: device.guest_format }),
    ...(device.tag === undefined ? {} : { tag: device.tag }),
  };
}

/** The size of a local swap disk is in MiB, as Nova has it; that of each other one in GiB. */
function sizeOf(device: Device): Pick<BlockDeviceDraft, 'swapMib' | 'volumeSizeGib'> {
  if (device.volume_size === undefined) return {};
  const isSwap = device.guest_format === 'swap' && (device.destination_type ?? 'local') === 'local';
  return { [isSwap ? 'swapMib' : 'volumeSizeGib']: Number(device.volume_size) };
}

/** The form of before 2012: a volume or a snapshot, and where the guest is to have it. */
function formerDevice(device: object, isBooted: boolean): BlockDeviceDraft {
  const fields = new Map<string, unknown>(Object.entries(device));
  const [volumeId, snapshotId] = [fields.get('volume_id'), fields.get('snapshot_id')];
  const [size, name] = [fields.get('volume_size'), fields.get('device_name')];
  const uuid = typeof volumeId === 'string' ? volumeId : snapshotId;
  if (typeof uuid !== 'string' || uuid === '') throw invalid('a disk needs its volume_id or snapshot_id');
  const sizeGib = size === undefined || size === null || size === '' ? undefined : Number(size);
  if (sizeGib !== undefined && !(Number.isInteger(sizeGib) && sizeGib > 0))
    throw invalid(`volume_size ${text(size)} is no size`);
  return {
    sourceType: typeof volumeId === 'string' ? 'volume' : 'snapshot',
    destinationType: 'volume',
    uuid,
    deleteOnTermination: readFlag(String(fields.get('delete_on_termination') ?? 'false')) === true,
    ...(isBooted ? { bootIndex: 0 } : {}),
    ...(sizeGib === undefined ? {} : { volumeSizeGib: sizeGib }),
    ...(typeof name === 'string' && name !== '' ? { deviceName: name } : {}),
  };
}

function invalid(reason: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Block Device Mapping is Invalid: ${reason}.`);
}

function text(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 64);
}
