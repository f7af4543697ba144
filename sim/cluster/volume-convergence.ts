/** How far storages are from what the records want of them: nothing is under way, and every disk has a record that says where it is. */
import { disksOf, isOwnDisk, rescueDiskOf } from '../../node/services/volume/kit/disks-of-server.ts';
import {
  volumeBackupTable,
  volumeGroupSnapshotTable,
  volumeGroupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { shoal } from '../../proto/messages.ts';
import { placeOf } from '../observers/content-eye.ts';
import type { HostMachine } from '../world/machine.ts';

type Storage = HostMachine['storages'][number];
type Disk = Storage['disks'] extends Map<infer _Id, infer Found> ? Found : never;

/** Statuses of volumes, snapshots, backups and groups that a host is to end. */
const underWay: ReadonlySet<string> = new Set([
  ...['creating', 'downloading', 'managing', 'attaching', 'detaching', 'extending', 'reverting', 'deleting'],
  ...['retyping', 'maintenance', 'backing-up', 'restoring-backup', 'restoring', 'uploading', 'updating'],
]);
/** And of a volume that moves. */
const moving: ReadonlySet<string> = new Set(['starting', 'migrating', 'completing']);

const tables = [
  ['snapshot', volumeSnapshotTable],
  ['backup', volumeBackupTable],
  ['group', volumeGroupTable],
  ['group snapshot', volumeGroupSnapshotTable],
] as const;

/** What is not as it should be, in words. */
export function volumeDifferences(
  reader: StateReader,
  machines: readonly HostMachine[],
  servers: readonly shoal.v1.Server[],
): readonly string[] {
  const found: string[] = [];
  const volumes = new Map(volumeTable.list(reader).map(({ record }) => [record.id, record]));
  /** By disk: where its record says that it is. */
  const places = new Map<string, string>();
  for (const server of servers) {
    // One that is shelved and offloaded has no disks of its own anywhere.
    if (server.hostId === '') continue;
    for (const disk of [...disksOf(server), ...[rescueDiskOf(server) ?? []].flat()].filter(isOwnDisk)) {
      places.set(disk.volumeId ?? '', placeOf({ pool: disk.pool ?? '', hostId: server.hostId }, machines));
    }
  }
  for (const record of volumes.values()) {
    places.set(record.id, placeOf(record, machines));
    if (underWay.has(record.status)) found.push(`volume ${record.id} is ${record.status}`);
    if (moving.has(record.migrationStatus)) found.push(`the move of volume ${record.id} is ${record.migrationStatus}`);
  }
  for (const [what, table] of tables) {
    for (const { record } of table.list(reader)) {
      if (underWay.has(record.status))
        found.push(`${what} ${record.id} is ${record.status}${ofVolume(record, volumes)}`);
    }
  }
  const looked = new Set<Storage>();
  for (const { raftId, hostId, storages } of machines) {
    for (const storage of storages) {
      if (looked.has(storage)) continue;
      looked.add(storage);
      const where = storage.shared ? storage.name : `${storage.name} of n${raftId}`;
      for (const [volumeId, disk] of storage.disks) {
        if (places.get(volumeId) !== placeOf({ pool: storage.name, hostId }, machines))
          found.push(`${where} has disk ${volumeId}`);
        for (const text of leftOn(reader, disk, volumes.get(volumeId)))
          found.push(`${where}: disk ${volumeId} ${text}`);
      }
    }
  }
  return found;
}

/** Of which volume something is, in words. */
function ofVolume(record: object, volumes: ReadonlyMap<string, shoal.v1.Volume>): string {
  const volumeId: unknown = Reflect.get(record, 'volumeId');
  const volume = typeof volumeId === 'string' ? volumes.get(volumeId) : undefined;
  if (volume === undefined) return '';
  return `, of volume ${volume.id}, which is ${volume.status}, of ${volume.madeGib} GiB in ${volume.pool}`;
}

/** What a disk has that no record speaks of. */
function leftOn(reader: StateReader, disk: Disk, volume: shoal.v1.Volume | undefined): readonly string[] {
  const left: string[] = [];
  for (const snapshotId of disk.snapshots.keys()) {
    // What a backup was read from stays until the next one, which reads only what differs from it.
    const isKept = volumeSnapshotTable.exists(reader, snapshotId) || volumeBackupTable.exists(reader, snapshotId);
    if (!isKept) left.push(`has snapshot ${snapshotId}`);
  }
  if (volume === undefined) return left;
  if (disk.served !== undefined && volume.served === null) left.push('is served to another host');
  if (volume.attachments.length === 0 && (disk.lock !== undefined || disk.sharers.length > 0)) left.push('is locked');
  return left;
}
