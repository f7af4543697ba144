/** What is done with the disks of one guest that runs, over its monitor. Files and rights are its caller's (driver.ts). */
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import type { DiskLimits, DiskSnapshot, GuestDisk } from '../../types.ts';
import type { QemuGuest } from '../guest/guest.ts';
import {
  absentOf,
  addDevice,
  deviceIds,
  ignoringAbsent,
  listOf,
  peripherals,
  unclear,
  unplugDevice,
} from '../guest/hot-plug.ts';
import { freeSlot } from '../hardware/free-slot.ts';
import {
  type DevicePlaces,
  type DiskNodes,
  diskDevice,
  diskDeviceId,
  diskNodes,
  layers,
  type NodeSet,
  nodeName,
  scsiController,
  secretName,
  volumeOfDevice,
  volumeOfNode,
} from './disk-nodes.ts';

const releaseTimeoutMs = 5_000;
/** A device that is gone lets go of its nodes within a turn or two of QEMU's main loop: first pause, doubled up to the last. */
const releasePollMsMin = 2;
const releasePollMsMax = 100;

/** A block node as QEMU tells of it. */
interface NodeFound {
  readonly name: string;
  readonly sizeBytes: number;
  /** What it is open from: a path, or its options as JSON. */
  readonly file: string;
  readonly snapshots: readonly string[];
}

/** Which disks the guest has, by what its devices read. */
export async function pluggedDisks(guest: QemuGuest, signal?: AbortSignal): Promise<readonly VolumeId[]> {
  return [...(await devicesByDisk(guest, signal)).keys()].sort();
}

/** Ids of the devices, by the disk that each reads: another than its id says, once a guest has gone over to another disk. */
export async function devicesByDisk(guest: QemuGuest, signal?: AbortSignal): Promise<ReadonlyMap<VolumeId, string>> {
  const found = new Map<VolumeId, string>();
  for (const id of await deviceIds(guest, signal)) {
    const named = volumeOfDevice(id);
    if (named === undefined) continue;
    const path = `${peripherals}/${id}`;
    const node = await guest.execute('qom-get', { path, property: 'drive' }, signal).catch(absentOf);
    // Nothing: the guest has just let go of it.
    if (node === undefined) continue;
    found.set((volumeOfNode(String(node)) ?? named) as VolumeId, id);
  }
  return found;
}

/**
 * Adds nodes and device. `disk` names files as the guest's QEMU sees them. What an earlier try left is replaced.
 * @param places where the guest had its devices; absent: QEMU chooses.
 */
export async function plugDisk(
  guest: QemuGuest,
  disk: GuestDisk,
  signal: AbortSignal,
  places?: DevicePlaces,
): Promise<void> {
  const has = async (): Promise<boolean> => (await devicesByDisk(guest, signal)).has(disk.volumeId);
  if (await has()) return;
  for (const set of ['d', 'e'] as const) await dropNodes(guest, disk.volumeId, set, signal);
  const { top } = await addNodes(guest, diskNodes(disk), disk.volumeId, 'd', signal);
  try {
    const devices = await deviceIds(guest, signal);
    if (disk.bus === 'scsi' && !devices.includes(scsiController.id)) {
      const slot = await freeSlot(guest, signal);
      await addDevice(guest, { ...scsiController, ...slot, ...places?.get(scsiController.id) }, 'disk', signal);
    }
    if (disk.bus === 'sata' || disk.bus === 'ide') {
      throw new ShoalError(
        'CONFLICT',
        `disk ${disk.volumeId} cannot be plugged in: ${disk.bus} takes none while it runs`,
      );
    }
    // Its own name may be the device's that it had before its guest went over to another disk.
    const names = ['', '-2', '-3', '-4'].map((more) => diskDeviceId(disk.volumeId) + more);
    const id = names.find((name) => !devices.includes(name));
    if (id === undefined) throw new ShoalError('CONFLICT', `all names of disk ${disk.volumeId} are taken in the guest`);
    const place = places?.get(diskDeviceId(disk.volumeId));
    const slot = disk.bus === 'scsi' ? {} : await freeSlot(guest, signal);
    await addDevice(guest, { ...diskDevice(disk, top), id, ...slot, ...place }, 'disk', signal);
    if (disk.limits !== undefined) await limitDisk(guest, disk.volumeId, disk.limits, signal);
  } catch (caught) {
    if (!(await has())) await dropNodes(guest, disk.volumeId, 'd');
    throw caught;
  }
}

/** Opens the nodes; secrets are gone again when it returns. All or none. */
export async function addNodes(
  guest: QemuGuest,
  { secrets, nodes, top }: DiskNodes,
  volumeId: VolumeId,
  set: NodeSet,
  signal: AbortSignal,
): Promise<{ readonly top: string }> {
  const dropSecrets = async (): Promise<void> => {
    for (const secret of secrets) await ignoringAbsent(guest.execute('object-del', { id: secret['id'] }));
  };
  await dropSecrets();
  try {
    for (const secret of secrets) await guest.execute('object-add', { ...secret }, signal);
    for (const node of nodes) await guest.execute('blockdev-add', { ...node }, signal);
  } catch (caught) {
    await dropNodes(guest, volumeId, set);
    throw caught;
  } finally {
    await dropSecrets();
  }
  return { top };
}

/**
 * Asks the guest to let go of the disk, waits until it has, and closes its nodes. `UNAVAILABLE` when it does not in time: the
 * request stands.
 */
export async function unplugDisk(guest: QemuGuest, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
  const id = (await devicesByDisk(guest, signal)).get(volumeId);
  if (id !== undefined) await unplugDevice(guest, id, `disk ${volumeId}`, signal);
  for (const set of ['d', 'e'] as const) await dropNodes(guest, volumeId, set, signal);
}

/** Makes the disk larger; never smaller. */
export async function resizeDisk(
  guest: QemuGuest,
  volumeId: VolumeId,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<void> {
  const top = await topOf(guest, volumeId, signal);
  const now = (await nodesOf(guest, signal)).find((node) => node.name === top);
  if (now === undefined) throw new ShoalError('CANNOT_TELL', `QEMU does not tell the size of disk ${volumeId}`);
  // Also when it has the size already: the storage may have grown without the guest having been told.
  if (now.sizeBytes > sizeBytes) return;
  await guest.execute('block_resize', { 'node-name': top, size: sizeBytes }, signal);
}

/** Keeps the content of all at one instant; those that are there already are kept as they are. */
export async function snapshotDisks(
  guest: QemuGuest,
  snapshots: readonly DiskSnapshot[],
  signal: AbortSignal,
): Promise<void> {
  const actions = [];
  for (const snapshot of await missingSnapshots(guest, snapshots, signal)) {
    const data = { device: await topOf(guest, snapshot.volumeId, signal), name: snapshot.snapshotId };
    actions.push({ type: 'blockdev-snapshot-internal-sync', data });
  }
  if (actions.length > 0) await guest.execute('transaction', { actions }, signal);
}

/** Those of them that are not there. `NOT_FOUND` when the guest does not have a disk. */
export async function missingSnapshots(
  guest: QemuGuest,
  snapshots: readonly DiskSnapshot[],
  signal: AbortSignal,
): Promise<readonly DiskSnapshot[]> {
  for (const { volumeId } of snapshots) await topOf(guest, volumeId, signal);
  const all = await nodesOf(guest, signal);
  return snapshots.filter(({ volumeId, snapshotId }) => !hasSnapshot(all, volumeId, snapshotId));
}

/** Absent is success. */
export async function removeSnapshot(guest: QemuGuest, snapshot: DiskSnapshot, signal: AbortSignal): Promise<void> {
  if ((await missingSnapshots(guest, [snapshot], signal)).length > 0) return;
  const device = await topOf(guest, snapshot.volumeId, signal);
  await guest.execute('blockdev-snapshot-delete-internal-sync', { device, name: snapshot.snapshotId }, signal);
}

/** Replaces the disk's limits; none of them is a limit by itself when it is absent. */
export async function limitDisk(
  guest: QemuGuest,
  volumeId: VolumeId,
  limits: DiskLimits,
  signal?: AbortSignal,
): Promise<void> {
  const { qdev } = await deviceOf(guest, volumeId, signal);
  await guest.execute('block_set_io_throttle', { id: qdev, ...throttleOf(limits) }, signal);
}

/** QEMU's words for limits; 0 is none. */
function throttleOf(limits: DiskLimits): Readonly<Record<string, number>> {
  const bursts: [string, number | undefined][] = [
    ['bps_max', limits.bytesPerSMax],
    ['bps_rd_max', limits.readBytesPerSMax],
    ['bps_wr_max', limits.writeBytesPerSMax],
    ['iops_max', limits.iopsMax],
    ['iops_rd_max', limits.readIopsMax],
    ['iops_wr_max', limits.writeIopsMax],
    ['iops_size', limits.sizeIopsBytes],
  ];
  return {
    bps: limits.bytesPerS ?? 0,
    bps_rd: limits.readBytesPerS ?? 0,
    bps_wr: limits.writeBytesPerS ?? 0,
    iops: limits.iops ?? 0,
    iops_rd: limits.readIops ?? 0,
    iops_wr: limits.writeIops ?? 0,
    ...Object.fromEntries(bursts.filter(([, value]) => value !== undefined && value > 0)),
  };
}

/** Closes the disk's nodes of a set, from the top. Not there is success. */
export async function dropNodes(
  guest: QemuGuest,
  volumeId: VolumeId,
  set: NodeSet,
  signal?: AbortSignal,
): Promise<void> {
  const there = (await nodesOf(guest, signal)).map((node) => node.name);
  for (const layer of layers) {
    const name = nodeName(volumeId, layer, set);
    if (there.includes(name)) await dropNode(guest, name, signal);
  }
  await ignoringAbsent(guest.execute('object-del', { id: secretName(volumeId) }, signal));
}

/** A device that is gone lets go of its node a moment later. */
async function dropNode(guest: QemuGuest, name: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + releaseTimeoutMs;
  for (let pauseMs = releasePollMsMin; ; pauseMs = Math.min(2 * pauseMs, releasePollMsMax)) {
    try {
      await guest.execute('blockdev-del', { 'node-name': name }, signal);
      return;
    } catch (caught) {
      const mayPass = ShoalError.is(caught, 'DRIVER_FAILED') && /is in use/.test(caught.message);
      if (!mayPass || performance.now() > deadline) throw caught;
    }
    await delay(pauseMs);
  }
}

/** Name of the node that the disk's device reads. `NOT_FOUND` when the guest does not have the disk. */
async function topOf(guest: QemuGuest, volumeId: VolumeId, signal?: AbortSignal): Promise<string> {
  return (await deviceOf(guest, volumeId, signal)).top;
}

/** The device that reads the disk, as QEMU names it, and the node that it reads. `NOT_FOUND` when the guest does not have it. */
export async function deviceOf(
  guest: QemuGuest,
  volumeId: VolumeId,
  signal?: AbortSignal,
): Promise<{ readonly qdev: string; readonly top: string; readonly sizeBytes: number }> {
  const id = (await devicesByDisk(guest, signal)).get(volumeId);
  const path = `${peripherals}/${id}`;
  for (const entry of await listOf(guest, 'query-block', undefined, signal)) {
    const { qdev, inserted } = entry;
    // virtio-blk names the part of the device that does the work; SCSI the device, by its id.
    const isIt = qdev === id || qdev === path || qdev === `${path}/virtio-backend`;
    if (!isIt || typeof qdev !== 'string' || !isRecord(inserted)) continue;
    const { image } = inserted;
    const top = inserted['node-name'];
    const sizeBytes = isRecord(image) ? image['virtual-size'] : undefined;
    if (typeof top === 'string' && typeof sizeBytes === 'number') return { qdev, top, sizeBytes };
  }
  throw new ShoalError('NOT_FOUND', `guest ${guest.serverId} does not have disk ${volumeId}`);
}

/** All of QEMU's block nodes that have names. */
export async function nodesOf(guest: QemuGuest, signal?: AbortSignal): Promise<readonly NodeFound[]> {
  return (await listOf(guest, 'query-named-block-nodes', undefined, signal)).map((entry) => {
    const { image } = entry;
    const name = entry['node-name'];
    if (typeof name !== 'string' || !isRecord(image)) throw unclear('its block nodes');
    const sizeBytes = image['virtual-size'];
    const snapshots = Array.isArray(image['snapshots']) ? (image['snapshots'] as readonly unknown[]) : [];
    return {
      name,
      sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : 0,
      file: String(entry['file']),
      snapshots: snapshots.map((snapshot) => (isRecord(snapshot) ? String(snapshot['name']) : '')),
    };
  });
}

function hasSnapshot(all: readonly NodeFound[], volumeId: VolumeId, snapshotId: VolumeSnapshotId): boolean {
  const names = (['d', 'e'] as const).flatMap((set) => layers.map((layer) => nodeName(volumeId, layer, set)));
  return all.some((node) => names.includes(node.name) && node.snapshots.includes(snapshotId));
}
