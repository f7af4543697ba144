/**
 * Block storage of a host that is down and still a member. What is on shared storage another host carries out meanwhile: every
 * step there is safe to do twice. What the host alone holds waits for it, and its owners are told. A volume that a server of the
 * host has open stays: its guest may well run on, and what has it open is what grows it and keeps snapshots of it.
 */
import { shoal } from '../../../../proto/messages.ts';
import { coverageMark } from '../../../base/buggify/buggify.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import {
  hostTable,
  jobTable,
  volumeBackupTable,
  volumeMessageTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../state/tables/index.ts';
import { volumeSubject } from '../../jobs/volume-jobs.ts';
import type { HostViews, ServiceDependencies } from '../../kit/dependencies.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { isSharedPool } from '../../kit/storage-pools.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { editWhileRoom } from '../../kit/transact-in-pieces.ts';
import { addMessage } from '../kit/messages.ts';
import { findPool } from '../kit/pools.ts';
import { writeBackup } from './backup-record.ts';
import { writeSnapshot } from './snapshot-record.ts';
import { writeVolume } from './volume-record.ts';

const markVolumeMovedOffDownHost = coverageMark(
  'volume-moved-off-down-host',
  'another host carries out a volume whose host is down',
);
const markJobMovedOffDownHost = coverageMark('job-moved-off-down-host', 'a job goes on at another host than its own');
const markVolumeWaitsForDownHost = coverageMark(
  'volume-waits-for-down-host',
  'what is asked of a volume waits for the host that alone holds it',
);

/** What it works with. */
interface DownHostDependencies extends ServiceDependencies {
  readonly hostViews: HostViews;
}

/** One piece of the change, in the making. */
interface Piece {
  readonly deps: DownHostDependencies;
  readonly attempt: Attempt;
  readonly hostId: string;
  /** Name of the host, for people. */
  readonly hostName: string;
  readonly nowMs: number;
}

/** Statuses of a backup at which a host is at work on it. */
const atWork: readonly string[] = ['creating', 'deleting', 'restoring'];

/**
 * Gives some of it to other hosts; true while there may be more. Snapshots, backups and jobs follow their volumes, at the
 * latest with the next call. Writes nothing when nothing can be done.
 */
export async function moveSharedVolumesOff(
  deps: DownHostDependencies,
  hostId: string,
  signal: AbortSignal,
): Promise<boolean> {
  return transact(deps, { signal }, (attempt) => {
    const { reader, change } = attempt;
    const hostName = hostTable.find(reader, hostId)?.record.name ?? hostId;
    const piece: Piece = { deps, attempt, hostId, hostName, nowMs: deps.clock.nowMs() };
    const isWhole =
      editWhileRoom(attempt, volumeTable.by(reader, 'host', hostId), (row) => moveVolume(piece, row)) &&
      editWhileRoom(attempt, volumeSnapshotTable.by(reader, 'host', hostId), (row) => followVolume(piece, row)) &&
      editWhileRoom(attempt, volumeBackupTable.by(reader, 'host', hostId), (row) => moveBackup(piece, row));
    return !isWhole || !change.isEmpty;
  });
}

function moveVolume(piece: Piece, row: Row<shoal.v1.Volume>): void {
  const { attempt, nowMs } = piece;
  const target = targetOf(piece, row.record);
  const jobRow = jobTable.one(attempt.reader, 'subject', indexKey(volumeSubject(row.record.id)));
  const job = jobRow?.record.ownerHostId === piece.hostId ? jobRow : undefined;
  if (target === undefined || (job !== undefined && !canGoOn(piece, job.record, target))) {
    if (row.record.attachments.length === 0) tellThatItWaits(piece, row.record);
    return;
  }
  markVolumeMovedOffDownHost();
  putOnHost(attempt.change, target);
  writeVolume(attempt.change, row, { hostId: target }, nowMs);
  if (job !== undefined) moveJob(piece, job, target);
}

/** The host that is to carry out the volume; undefined: it stays. */
function targetOf(piece: Piece, { pool, attachments }: shoal.v1.Volume): string | undefined {
  const { hostId, deps } = piece;
  if (attachments.length === 0) return otherHost(piece, pool);
  // Its bytes are on that host alone, also while another one's server has them over the network.
  if (!isShared(piece, pool)) return undefined;
  // Several servers have it open: one of a host that works.
  const holders = attachments.map((attachment) => attachment.hostId ?? '');
  if (holders.includes(hostId)) return undefined;
  return holders.find((holder) => holder !== '' && deps.hostViews.condition(holder) !== 'dead');
}

/** Whether the pool is known to be one that other hosts reach as well. */
function isShared({ deps, hostId }: Pick<Piece, 'deps' | 'hostId'>, poolName: string): boolean {
  return isSharedPool(deps.hostViews.adverts(), poolName, hostId) === true;
}

/** A member that reaches the shared pool and is not down: always the same one, so that groups of volumes stay together. */
function otherHost({ attempt, deps, hostId }: Piece, poolName: string): string | undefined {
  if (!isShared({ deps, hostId }, poolName)) return undefined;
  const others = (findPool(attempt.reader, deps.hostViews, poolName)?.hosts ?? [])
    .filter((host) => host.hostId !== hostId)
    .sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
  return (others.find(({ enabled }) => enabled) ?? others[0])?.hostId;
}

/** Whether the job can be brought to its end by that host. A move to the own pool of another cannot. */
function canGoOn({ attempt, deps }: Piece, { volumeMigrate }: shoal.v1.Job, target: string): boolean {
  if (volumeMigrate === null) return true;
  return [volumeMigrate.sourcePool, volumeMigrate.targetPool].every((name) => {
    const pool = findPool(attempt.reader, deps.hostViews, name);
    return pool?.shared === true && pool.hosts.some((host) => host.hostId === target);
  });
}

function moveJob({ attempt, hostId, nowMs }: Piece, row: Row<shoal.v1.Job>, target: string): void {
  markJobMovedOffDownHost();
  const { volumeMigrate } = row.record;
  const move =
    volumeMigrate?.targetHostId === hostId
      ? { volumeMigrate: new shoal.v1.VolumeMigrateJob({ ...volumeMigrate, targetHostId: target }) }
      : {};
  const next = { ...row.record, ...move, ownerHostId: target, updatedMs: nowMs };
  jobTable.update(attempt.change, row, new shoal.v1.Job(next));
}

/** A snapshot goes where its volume has gone. One that is moved in this very piece is seen by the next. */
function followVolume({ attempt, hostId, nowMs }: Piece, row: Row<shoal.v1.VolumeSnapshot>): void {
  const next = volumeTable.get(attempt.reader, row.record.volumeId)?.record.hostId ?? '';
  if (next === '' || next === hostId) return;
  putOnHost(attempt.change, next);
  writeSnapshot(attempt.change, row, { hostId: next }, nowMs);
}

/** A backup that is made or restored goes where its volume has gone; one that is deleted anywhere: all hosts see its store. */
function moveBackup(piece: Piece, row: Row<shoal.v1.VolumeBackup>): void {
  const { attempt, hostId, nowMs } = piece;
  const { id, status, volumeId, restoreVolumeId } = row.record;
  if (!atWork.includes(status)) return;
  if (status !== 'deleting') {
    const wanted = status === 'restoring' ? restoreVolumeId : volumeId;
    const next = volumeTable.get(attempt.reader, wanted)?.record.hostId ?? '';
    if (next === '' || next === hostId) return;
    putOnHost(attempt.change, next);
    writeBackup(attempt.change, row, { hostId: next }, nowMs);
    return;
  }
  const job = jobTable.one(attempt.reader, 'subject', indexKey(`backup/${id}`));
  const next = anyHost(piece);
  if (next === undefined || job === undefined || job.record.ownerHostId !== hostId) return;
  putOnHost(attempt.change, next);
  writeBackup(attempt.change, row, { hostId: next }, nowMs);
  moveJob(piece, job, next);
}

function anyHost({ attempt, deps, hostId }: Piece): string | undefined {
  const ids = hostTable.list(attempt.reader).map(({ record }) => record.id);
  return ids.filter((id) => id !== hostId && deps.hostViews.condition(id) === 'alive').sort()[0];
}

/** Said once of each volume: a host may be down for long. */
function tellThatItWaits({ attempt, deps, hostName, nowMs }: Piece, volume: shoal.v1.Volume): void {
  const { id, projectId, status, askedRevision, observedRevision } = volume;
  if (observedRevision >= askedRevision && status !== 'deleting') return;
  markVolumeWaitsForDownHost();
  const text = `Host ${hostName} is down, and no other host can get at its content: it is done once that host is back.`;
  const told = volumeMessageTable.by(attempt.reader, 'resource', indexKey(id));
  if (told.some(({ record }) => record.userMessage.endsWith(text))) return;
  const action = status === 'deleting' ? 'delete' : status === 'extending' ? 'extend' : 'create';
  const draft = { projectId, resourceType: 'VOLUME', resourceId: id, action, text } as const;
  addMessage(attempt.change, draft, { id: deps.newId(), nowMs });
}
