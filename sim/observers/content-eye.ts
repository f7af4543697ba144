/**
 * The eye on what volumes hold. Records say of what a volume is made, when it is put back, restored or swapped, and where it is;
 * what guests write is seen from outside. Nothing is believed of what drivers were called for.
 */
import type { VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { indexKey } from '../../node/state/table.ts';
import {
  imageTable,
  jobTable,
  volumeBackupTable,
  volumeGroupSnapshotTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { shoal } from '../../proto/messages.ts';
import type { ContentChecker } from '../checkers/contents.ts';
import type { VolumeChecker } from '../checkers/volumes.ts';
import { type HostMachine, machineOf } from '../world/machine.ts';
import { RecordList } from './record-list.ts';

type Volume = shoal.v1.Volume;

/** Statuses in which a volume holds what it is to hold. */
const resting: ReadonlySet<string> = new Set([
  ...['available', 'in-use', 'attaching', 'detaching', 'reserved', 'extending', 'retyping', 'maintenance'],
  ...['backing-up', 'uploading', 'awaiting-transfer', 'error_extending'],
]);

interface ContentEyeDeps {
  /** All machines of the world, by member. */
  readonly machines: readonly HostMachine[];
  readonly contents: ContentChecker;
  readonly volumes: VolumeChecker;
}

/** See above. */
export class ContentEye {
  readonly #deps: ContentEyeDeps;
  readonly #list = new RecordList(volumeTable);
  /** As it was recorded last. */
  readonly #last = new Map<string, Volume>();
  /** Snapshot that a backup was read from, by the backup. */
  readonly #sources = new Map<string, string>();
  /** The backup that is being put into a volume, by the volume. */
  readonly #restoring = new Map<string, string>();
  /** The volume whose content comes into another, by the other. */
  readonly #swaps = new Map<string, string>();
  readonly #judgedGroups = new Set<string>();

  constructor(deps: ContentEyeDeps) {
    this.#deps = deps;
  }

  /** A key of the state has changed. */
  note(reader: StateReader, key: string): void {
    if (key.startsWith(volumeTable.prefix)) this.#noteVolume(reader, key);
    if (key.startsWith(volumeBackupTable.prefix)) this.#noteBackup(reader, key);
    if (key.startsWith(volumeGroupSnapshotTable.prefix)) this.#noteGroupSnapshot(reader, key);
  }

  /** Looks at every volume where its record says that it is. */
  look(reader: StateReader): void {
    const { contents } = this.#deps;
    for (const record of this.#list.of(reader)) {
      if (record.madeGib === 0 || !resting.has(record.status) || this.#isBeingFilled(record)) continue;
      contents.holds(record.id, this.placeOf(record), this.#storageOf(record)?.contentOf(record.id as VolumeId));
    }
  }

  /** Where its record says that it is. */
  placeOf(record: Pick<Volume, 'pool' | 'hostId'>): string {
    return placeOf(record, this.#deps.machines);
  }

  #noteVolume(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const { contents, volumes } = this.#deps;
    const record = this.#list.record(found.value);
    const { id, status } = record;
    const before = this.#last.get(id);
    this.#last.set(id, record);
    if (record.madeGib > 0 && (before?.madeGib ?? 0) === 0 && contents.contentsOf(id) === undefined) {
      this.#begins(reader, record);
    }
    if (before?.status === 'reverting' && status !== 'reverting') {
      if (resting.has(status)) contents.becomes(id, volumes.instantsOf(before.revertSnapshotId));
      else contents.forget(id);
    }
    const backupId = this.#restoring.get(id);
    if (backupId !== undefined && status !== 'restoring-backup' && before?.status === 'restoring-backup') {
      if (status === 'available') contents.becomes(id, this.#contentsOfBackup(backupId));
      else contents.forget(id);
      this.#restoring.delete(id);
    }
    this.#noteSwap(reader, record, before);
  }

  /** A server goes over to it from another: it has the other's content once both records say so. */
  #noteSwap(reader: StateReader, { id, migrationStatus }: Volume, before: Volume | undefined): void {
    const { contents } = this.#deps;
    if (migrationStatus === 'migrating' && before?.migrationStatus !== 'migrating') {
      const job = jobTable
        .by(reader, 'under-way', 'yes')
        .find(({ record }) => record.volumeSwap?.targetVolumeId === id);
      const sourceId = job?.record.volumeSwap?.volumeId ?? '';
      if (sourceId !== '') this.#swaps.set(id, sourceId);
    }
    const sourceId = this.#swaps.get(id);
    if (sourceId === undefined || migrationStatus === 'migrating') return;
    this.#swaps.delete(id);
    const source = contents.contentsOf(sourceId);
    // One that was taken back may have been filled half.
    if (migrationStatus !== 'completing' || source === undefined) contents.forget(id);
    else contents.becomes(id, source);
  }

  #isBeingFilled({ id, status, migrationStatus }: Volume): boolean {
    return status === 'reserved' && migrationStatus === 'migrating' && this.#swaps.has(id);
  }

  /** It has bytes from now on: those of what it was made of. */
  #begins(reader: StateReader, record: Volume): void {
    const { contents, volumes } = this.#deps;
    const { id } = record;
    if (record.managedName !== '') contents.forget(id);
    else if (record.sourceSnapshotId !== '') contents.becomes(id, volumes.instantsOf(record.sourceSnapshotId));
    else if (record.sourceVolumeId !== '') contents.becomes(id, volumes.instantsOf(id));
    else if (record.sourceBackupId !== '') contents.becomes(id, this.#contentsOfBackup(record.sourceBackupId));
    else if (record.imageId === '') contents.becomes(id, ['']);
    else {
      const sha256 = imageTable.get(reader, record.imageId)?.record.sha256;
      if (sha256 === undefined) contents.forget(id);
      else contents.becomes(id, [`image ${sha256}`]);
    }
  }

  #noteBackup(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const { id, snapshotId, status, restoreVolumeId } = volumeBackupTable.decode(found.value);
    this.#sources.set(id, snapshotId === '' ? id : snapshotId);
    if (status === 'restoring' && restoreVolumeId !== '') this.#restoring.set(restoreVolumeId, id);
  }

  #contentsOfBackup(backupId: string): ReadonlySet<string> {
    return this.#deps.volumes.instantsOf(this.#sources.get(backupId) ?? backupId);
  }

  /** Those of its members that one host has are of one instant. */
  #noteGroupSnapshot(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const { id, status } = volumeGroupSnapshotTable.decode(found.value);
    if (status !== 'available' || this.#judgedGroups.has(id)) return;
    this.#judgedGroups.add(id);
    const snapshots = volumeSnapshotTable.by(reader, 'group-snapshot', indexKey(id)).map(({ record }) => record);
    for (const hostId of new Set(snapshots.map((snapshot) => snapshot.hostId))) {
      const members = snapshots.flatMap((snapshot) => {
        const content = this.#storageOf(snapshot)?.contentOf(
          snapshot.volumeId as VolumeId,
          snapshot.id as VolumeSnapshotId,
        );
        return snapshot.hostId !== hostId || content === undefined ? [] : [{ volumeId: snapshot.volumeId, content }];
      });
      this.#deps.contents.groupKept(id, members);
    }
  }

  #storageOf({ pool, hostId }: Pick<Volume, 'pool' | 'hostId'>): HostMachine['storages'][number] | undefined {
    const { machines } = this.#deps;
    return (machineOf(machines, hostId) ?? machines[0])?.pool(pool);
  }
}

/** The place of a volume's bytes: a pool that all hosts reach, or a host's own one. */
export function placeOf(
  { pool, hostId }: Pick<Volume, 'pool' | 'hostId'>,
  machines: readonly Pick<HostMachine, 'pool'>[],
): string {
  return machines[0]?.pool(pool)?.shared === true ? pool : `${pool} of ${hostId}`;
}
