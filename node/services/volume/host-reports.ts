/**
 * What a host tells the records of volumes and snapshots. Each report is one transaction that first looks whether the record
 * still speaks of this host and still asks for what was done: one that comes late changes nothing, and the same one twice changes
 * nothing the second time.
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { beginningOf } from '../../base/text.ts';
import { indexKey, type Row } from '../../state/table.ts';
import {
  serverTable,
  volumeBackupTable,
  volumeGroupSnapshotTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../state/tables/index.ts';
import { endJobAbout } from '../jobs/volume-job-end.ts';
import { volumeSubject } from '../jobs/volume-jobs.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import type { ServedAt, SnapshotMade, VolumeFault, VolumeReports } from '../kit/reporting/volume-reporting.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { amountsOfGrowth, chargeAnyway, refund } from './kit/charges.ts';
import { addMessage, type MessageAction } from './kit/messages.ts';
import { writeBackup } from './records/backup-record.ts';
import { noteMemberOfGroup } from './records/group-record.ts';
import { endGroupSnapshot } from './records/group-snapshot-record.ts';
import { diskOf, volumeDisks, waitsForVolumes, withoutServer, writeDisks } from './records/server-disks.ts';
import { removeSnapshotRow, writeSnapshot } from './records/snapshot-record.ts';
import { removeVolumeRow, restingStatus, waitsForContent, writeVolume } from './records/volume-record.ts';

type Volume = shoal.v1.Volume;
type Snapshot = shoal.v1.VolumeSnapshot;
type Server = shoal.v1.Server;

const markVolumeReportComesLate = coverageMark(
  'volume-report-comes-late',
  'a report speaks of a volume that has gone, or has another host',
);
const markVolumeReportOfOldRequest = coverageMark(
  'volume-report-of-old-request',
  'a volume was asked for something else while its host was at it',
);

/** Statuses that end when the host has done what they say. */
const underWay: readonly string[] = ['creating', 'extending', 'reverting', 'managing'];

/** What a failure makes of each status, and what it was about. Of those that are not here the status stays. */
const failures: ReadonlyMap<string, { readonly status: string; readonly action: MessageAction }> = new Map([
  ['creating', { status: 'error', action: 'create' }],
  ['managing', { status: 'error_managing', action: 'create' }],
  ['extending', { status: 'error_extending', action: 'extend' }],
  ['reverting', { status: 'error', action: 'revert' }],
  ['deleting', { status: 'error_deleting', action: 'delete' }],
]);

/** The same of a volume that somebody has, or is about to have: one that was to have content, and has none, is of no use to anybody. */
function ofUse(volume: Volume): { readonly status: string; readonly action: MessageAction } {
  // A server that is to have one without bytes is told when its host finds none, and goes on without it.
  const isUseless = waitsForContent(volume) || (volume.madeGib === 0 && volume.status === 'attaching');
  return isUseless ? { status: 'error', action: 'create' } : { status: volume.status, action: 'extend' };
}

/** Longest text of a server's fault, characters: Nova's column. */
const faultCharactersMax = 255;

/** The reports of one host. Given to its kinds. */
export class VolumeReportService implements VolumeReports {
  readonly #deps: ServiceDependencies;
  readonly #hostId: HostId;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: ServiceDependencies, hostId: HostId, signal: AbortSignal) {
    this.#deps = deps;
    this.#hostId = hostId;
    this.#signal = signal;
  }

  async made(volume: Volume, sizeGib: number): Promise<void> {
    await this.#report(volume, (attempt, row, isCurrent) => {
      const { record } = row;
      const isEnd = isCurrent && underWay.includes(record.status);
      // What was there before is as large as it is; it was admitted as the least.
      const isFound = record.managedName !== '' && record.madeGib === 0 && record.sizeGib !== sizeGib;
      if (isFound) {
        chargeAnyway(attempt.change, record.projectId, amountsOfGrowth(sizeGib - record.sizeGib, record.typeId));
      }
      const next = this.#write(attempt, row, {
        ...(isFound ? { sizeGib } : {}),
        madeGib: sizeGib,
        observedRevision: Math.max(record.observedRevision, volume.askedRevision),
        launchedMs: record.launchedMs === 0 ? this.#nowMs : record.launchedMs,
        ...(isEnd ? { status: restingStatus(record.attachments), revertSnapshotId: '' } : {}),
      });
      if (!isEnd) return;
      this.#endMaking(attempt, next);
      for (const serverId of serverIdsOf(next)) this.#beginServer(attempt, serverId, next);
    });
  }

  async removed(volume: Volume): Promise<void> {
    await this.#report(volume, ({ reader, change }, row) => {
      if (row.record.status !== 'deleting') return;
      if (volumeSnapshotTable.count(reader, 'volume', indexKey(volume.id)) > 0) {
        throw new ShoalError('UNAVAILABLE', `volume ${volume.id} still has snapshots, which go first`);
      }
      removeVolumeRow(change, reader, row);
    });
  }

  async failed(volume: Volume, fault: VolumeFault): Promise<void> {
    await this.#report(volume, (attempt, row, isCurrent) => {
      const { record } = row;
      // One that was told of before, and has come to look usable since, is told of again.
      const isTold = record.observedRevision >= volume.askedRevision;
      const isUseless = waitsForContent(record) && !record.status.startsWith('error');
      if (!isCurrent || (isTold && !isUseless)) {
        markVolumeReportOfOldRequest();
        return;
      }
      const { status, action } = failures.get(record.status) ?? ofUse(record);
      const isGrowth = action === 'extend' && record.madeGib > 0 && record.sizeGib > record.madeGib;
      if (isGrowth) {
        refund(attempt.change, record.projectId, amountsOfGrowth(record.sizeGib - record.madeGib, record.typeId));
      }
      const next = this.#write(attempt, row, {
        status,
        observedRevision: volume.askedRevision,
        revertSnapshotId: '',
        ...(isGrowth ? { sizeGib: record.madeGib } : {}),
      });
      this.#tell(attempt, { ...record, resourceType: 'VOLUME' }, action, fault.message);
      this.#endMaking(attempt, next, fault);
      for (const serverId of serverIdsOf(next)) this.#failServer(attempt, serverId, next, fault);
      if (record.madeGib === 0) this.#failSnapshots(attempt, record.id, fault);
    });
  }

  /** Without bytes there is nothing to keep: who waits for a snapshot is told. */
  #failSnapshots(attempt: Attempt, volumeId: string, fault: VolumeFault): void {
    const snapshots = volumeSnapshotTable.by(attempt.reader, 'volume', indexKey(volumeId));
    const waiting = snapshots.filter(({ record }) => record.status === 'creating');
    for (const row of waiting) {
      const fields = { status: 'error', observedRevision: row.record.askedRevision };
      writeSnapshot(attempt.change, row, fields, this.#nowMs);
      this.#tell(attempt, { ...row.record, resourceType: 'VOLUME_SNAPSHOT' }, 'snapshotCreate', fault.message);
    }
    this.#endGroups(
      attempt,
      waiting.map(({ record }) => record),
      'error',
    );
  }

  async served(volume: Volume, { generation, address, port }: ServedAt): Promise<void> {
    await this.#report(volume, (attempt, row) => {
      const { served } = row.record;
      if (served === null || served.ending || served.generation !== generation) return;
      this.#write(attempt, row, { served: new shoal.v1.ServedVolume({ ...served, address, port }) });
    });
  }

  async unserved(volume: Volume): Promise<void> {
    await this.#report(volume, (attempt, row) => {
      const { served, attachments, status } = row.record;
      // Attached again meanwhile: what is served now is another matter.
      if (served?.ending !== true || served.generation !== volume.served?.generation) return;
      const isFree = status === 'detaching' && attachments.length === 0;
      this.#write(attempt, row, { served: null, ...(isFree ? { status: 'available' } : {}) });
    });
  }

  async snapshotsMade(snapshots: readonly Snapshot[], made: SnapshotMade): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      for (const snapshot of snapshots) {
        const row = this.#own(attempt, snapshot);
        if (row === undefined || row.record.status !== 'creating') continue;
        const fields = { ...made, status: 'available', progressPercent: 100, observedRevision: snapshot.askedRevision };
        writeSnapshot(attempt.change, row, fields, this.#nowMs);
      }
      this.#endGroups(attempt, snapshots, 'available');
    });
  }

  async snapshotRemoved(snapshot: Snapshot): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = this.#own(attempt, snapshot);
      if (row === undefined || row.record.status !== 'deleting') return;
      removeSnapshotRow(attempt.change, row);
      this.#endGroups(attempt, [snapshot], 'gone');
    });
  }

  async snapshotFailed(snapshot: Snapshot, fault: VolumeFault): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = this.#own(attempt, snapshot);
      if (row === undefined || row.record.observedRevision >= snapshot.askedRevision) return;
      const isDeletion = row.record.status === 'deleting';
      const status = isDeletion ? 'error_deleting' : 'error';
      writeSnapshot(attempt.change, row, { status, observedRevision: snapshot.askedRevision }, this.#nowMs);
      const action = isDeletion ? 'snapshotDelete' : 'snapshotCreate';
      this.#tell(attempt, { ...row.record, resourceType: 'VOLUME_SNAPSHOT' }, action, fault.message);
      this.#endGroups(attempt, [snapshot], 'error');
    });
  }

  async attached(server: Server, volumeId: string): Promise<void> {
    await this.#reportDisk(server, volumeId, (attempt, row, disk) => {
      const volume = volumeTable.get(attempt.reader, volumeId);
      if (disk.attached !== true) {
        // A guest that is off gets it when it starts, and its host has not looked for it: one that could not be made is not there.
        if (volume?.record.madeGib === 0) {
          this.#notAttached(attempt, row, disk, 'The volume could not be made.');
          return;
        }
        this.#writeDisk(attempt, row, disk, new shoal.v1.ServerDisk({ ...disk, attached: true }));
      }
      const attachment = volume?.record.attachments.find(({ serverId }) => serverId === server.id);
      if (volume === undefined || attachment === undefined || attachment.status !== 'attaching') return;
      const next = new shoal.v1.VolumeAttachment({ ...attachment, status: 'attached', attachedMs: this.#nowMs });
      const attachments = volume.record.attachments.map((one) => (one === attachment ? next : one));
      this.#write(attempt, volume, { attachments, status: restingStatus(attachments) });
    });
  }

  async resized(server: Server, volumeId: string, sizeGib: number): Promise<void> {
    await this.#reportDisk(server, volumeId, (attempt, row, disk) => {
      if ((disk.sizeGib ?? 0) >= sizeGib) return;
      this.#writeDisk(attempt, row, disk, new shoal.v1.ServerDisk({ ...disk, sizeGib }));
    });
  }

  async detached(server: Server, volumeId: string): Promise<void> {
    await this.#reportDisk(server, volumeId, (attempt, row, disk) => {
      if (disk.detaching === true) this.#free(attempt, row, disk);
    });
  }

  async attachFailed(server: Server, volumeId: string, fault: VolumeFault): Promise<void> {
    await this.#reportDisk(server, volumeId, (attempt, row, disk) => {
      if (disk.attached !== true) this.#notAttached(attempt, row, disk, fault.message);
    });
  }

  async detachFailed(server: Server, volumeId: string, fault: VolumeFault): Promise<void> {
    await this.#reportDisk(server, volumeId, (attempt, row, disk) => {
      if (disk.detaching !== true) return;
      this.#writeDisk(attempt, row, disk, new shoal.v1.ServerDisk({ ...disk, detaching: false }));
      const volume = volumeTable.get(attempt.reader, volumeId);
      if (volume === undefined) return;
      const attachments = volume.record.attachments.map((one) =>
        one.serverId === server.id ? new shoal.v1.VolumeAttachment({ ...one, status: 'attached' }) : one,
      );
      this.#write(attempt, volume, { attachments, status: restingStatus(attachments) });
      this.#tell(attempt, { ...volume.record, resourceType: 'VOLUME' }, 'detach', fault.message);
    });
  }

  get #options(): { readonly signal: AbortSignal } {
    return { signal: this.#signal };
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  /** Runs `work` on the record if it is still this host's; `isCurrent`: nothing else has been asked of it since. */
  async #report(volume: Volume, work: (attempt: Attempt, row: Row<Volume>, isCurrent: boolean) => void): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = volumeTable.get(attempt.reader, volume.id);
      if (row === undefined || row.record.hostId !== this.#hostId) markVolumeReportComesLate();
      else work(attempt, row, row.record.askedRevision === volume.askedRevision);
    });
  }

  /** The snapshot's row, if it is this host's and nothing else has been asked of it. */
  #own({ reader }: Attempt, snapshot: Snapshot): Row<Snapshot> | undefined {
    const row = volumeSnapshotTable.get(reader, snapshot.id);
    const isOurs = row?.record.hostId === this.#hostId && row.record.askedRevision === snapshot.askedRevision;
    return isOurs ? row : undefined;
  }

  /** Runs `work` on a server's disk if the server is still this host's at this generation. */
  async #reportDisk(
    server: Server,
    volumeId: string,
    work: (attempt: Attempt, row: Row<Server>, disk: shoal.v1.IServerDisk) => void,
  ): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      const isOurs = row?.record.hostId === this.#hostId && row.record.generation === server.generation;
      const disk = row === undefined ? undefined : diskOf(row.record, volumeId);
      // Detached and attached again meanwhile: what is said is of the disk before.
      const isSame = disk?.attachmentId === diskOf(server, volumeId)?.attachmentId;
      if (row === undefined || !isOurs || disk === undefined || !isSame) markVolumeReportComesLate();
      else work(attempt, row, disk);
    });
  }

  /** The server goes without it, and the owner is told why. */
  #notAttached(attempt: Attempt, row: Row<Server>, disk: shoal.v1.IServerDisk, why: string): void {
    const volume = this.#free(attempt, row, disk);
    if (volume !== undefined) this.#tell(attempt, { ...volume, resourceType: 'VOLUME' }, 'attach', why);
  }

  /** The server's disk and the volume's attachment go. Returns the volume as it is then. */
  #free(attempt: Attempt, row: Row<Server>, disk: shoal.v1.IServerDisk): Volume | undefined {
    const disks = row.record.disks.filter((one) => one !== disk);
    writeDisks(attempt.change, row, disks, this.#nowMs);
    const volume = volumeTable.get(attempt.reader, disk.volumeId ?? '');
    if (volume === undefined) return undefined;
    return this.#write(attempt, volume, withoutServer(volume.record, row.record.id));
  }

  #writeDisk(attempt: Attempt, row: Row<Server>, disk: shoal.v1.IServerDisk, next: shoal.v1.ServerDisk): void {
    const disks = row.record.disks.map((one) => (one === disk ? next : one));
    writeDisks(attempt.change, row, disks, this.#nowMs);
  }

  /** Writes the record unless nothing but its time would change. */
  #write({ change }: Attempt, row: Row<Volume>, fields: Partial<shoal.v1.Volume.$Properties>): Volume {
    const next = new shoal.v1.Volume({ ...row.record, ...fields });
    const bytes = (volume: Volume): Buffer => Buffer.from(shoal.v1.Volume.encode(volume).finish());
    if (bytes(next).equals(bytes(row.record))) return row.record;
    return writeVolume(change, row, fields, this.#nowMs);
  }

  /** What waited for it to be made: the job that made it, its group, the backup that it was made of. */
  #endMaking(attempt: Attempt, volume: Volume, fault?: VolumeFault): void {
    const about = { subject: volumeSubject(volume.id), nowMs: this.#nowMs };
    endJobAbout(attempt, { ...about, kinds: ['volume-copy', 'volume-restore'] }, fault);
    noteMemberOfGroup(attempt, volume, this.#nowMs);
    this.#endRestoration(attempt, volume);
  }

  /** A backup that the volume was made of, or put back from, is free again. */
  #endRestoration({ reader, change }: Attempt, volume: Volume): void {
    const backup = volumeBackupTable.get(reader, volume.sourceBackupId);
    if (backup?.record.status !== 'restoring' || backup.record.restoreVolumeId !== volume.id) return;
    writeBackup(change, backup, { status: 'available', restoreVolumeId: '' }, this.#nowMs);
  }

  /** A server that waits for its volumes goes on when this was the last of them. */
  #beginServer({ reader, change }: Attempt, serverId: string, volume: Volume): void {
    const row = serverTable.get(reader, serverId);
    if (row?.record.taskState !== waitsForVolumes) return;
    const isMade = (id: string): boolean => id === volume.id || (volumeTable.get(reader, id)?.record.madeGib ?? 0) > 0;
    if (!volumeDisks(row.record).every(({ volumeId }) => isMade(volumeId ?? ''))) {
      // Two volumes may become ready at once, each in a view without the other.
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, updatedMs: this.#nowMs }));
      return;
    }
    serverTable.update(
      change,
      row,
      new shoal.v1.Server({ ...row.record, taskState: 'spawning', updatedMs: this.#nowMs }),
    );
  }

  /** A server that waits for its volumes will not be made. */
  #failServer({ reader, change }: Attempt, serverId: string, volume: Volume, fault: VolumeFault): void {
    const row = serverTable.get(reader, serverId);
    if (row?.record.taskState !== waitsForVolumes) return;
    const next = new shoal.v1.Server({
      ...row.record,
      status: shoal.v1.ServerStatus.SERVER_STATUS_ERROR,
      taskState: '',
      updatedMs: this.#nowMs,
      fault: new shoal.v1.ServerFault({
        code: 500,
        message: beginningOf(
          `Build of instance ${serverId} aborted: volume ${volume.id}: ${fault.message}`,
          faultCharactersMax,
        ),
        details: fault.details,
        createdMs: this.#nowMs,
      }),
    });
    serverTable.update(change, row, next);
  }

  #endGroups(attempt: Attempt, snapshots: readonly Snapshot[], end: 'available' | 'error' | 'gone'): void {
    const ids = new Set(snapshots.map(({ groupSnapshotId }) => groupSnapshotId).filter((id) => id !== ''));
    for (const id of ids) {
      const row = volumeGroupSnapshotTable.get(attempt.reader, id);
      const done = new Set(snapshots.map((snapshot) => snapshot.id));
      if (row !== undefined) endGroupSnapshot(attempt, row, { done, end, nowMs: this.#nowMs });
    }
  }

  #tell(
    { change }: Attempt,
    about: { readonly id: string; readonly projectId: string; readonly resourceType: 'VOLUME' | 'VOLUME_SNAPSHOT' },
    action: MessageAction,
    text: string,
  ): void {
    const { id, projectId, resourceType } = about;
    addMessage(
      change,
      { projectId, resourceType, resourceId: id, action, text },
      { id: this.#deps.newId(), nowMs: this.#nowMs },
    );
  }
}

function serverIdsOf({ attachments }: Volume): readonly string[] {
  return attachments.flatMap(({ serverId }) =>
    serverId === null || serverId === undefined || serverId === '' ? [] : [serverId],
  );
}
