/**
 * Block storage of a host that leaves the mesh. What is on shared storage is another host's to carry out from now on; what is on
 * the host's own storage goes with it, which takes an operator's force, and its owners are told.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Row } from '../../../state/table.ts';
import { volumeBackupTable, volumeGroupTable, volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostViews, ServiceDependencies } from '../../kit/dependencies.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { isSharedPool } from '../../kit/storage-pools.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { editWhileRoom } from '../../kit/transact-in-pieces.ts';
import { addMessage } from '../kit/messages.ts';
import { findPool } from '../kit/pools.ts';
import { writeBackup } from './backup-record.ts';
import { noteMemberOfGroup } from './group-record.ts';
import { writeSnapshot } from './snapshot-record.ts';
import { writeVolume } from './volume-record.ts';

/** What a removal says. */
interface Leaving {
  readonly hostId: string;
  /** What the host alone holds is given up. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** What it works with. */
interface LeavingDependencies extends ServiceDependencies {
  readonly hostViews: HostViews;
}

/** One piece of the change, in the making. */
interface Piece extends Leaving {
  readonly deps: LeavingDependencies;
  readonly attempt: Attempt;
  readonly nowMs: number;
  /** Groups that fail with a volume that is given up. */
  readonly failedGroupIds: Set<string>;
}

/** Whether a host has anything of block storage. */
export function hasVolumes(reader: StateReader, hostId: string): boolean {
  const tables = [volumeTable, volumeSnapshotTable, volumeBackupTable, volumeGroupTable];
  return tables.some((table) => table.count(reader, 'host', hostId) > 0);
}

/**
 * Moves some of it off; true while there may be more. `lostVolumeIds` are those given up in this piece. Throws `CONFLICT` for a
 * volume that the host alone holds, unless that is forced.
 */
export async function moveVolumesOff(
  deps: LeavingDependencies,
  leaving: Leaving,
): Promise<{ readonly isMore: boolean; readonly lostVolumeIds: readonly string[] }> {
  const { hostId, signal } = leaving;
  return transact(deps, { signal }, (attempt) => {
    const lostVolumeIds: string[] = [];
    const { reader, change } = attempt;
    if (!hasVolumes(reader, hostId)) return { isMore: false, lostVolumeIds };
    const piece: Piece = { ...leaving, deps, attempt, nowMs: deps.clock.nowMs(), failedGroupIds: new Set() };
    const isDone =
      editWhileRoom(attempt, volumeTable.by(reader, 'host', hostId), (row) => {
        if (moveVolume(piece, row)) lostVolumeIds.push(row.record.id);
      }) &&
      editWhileRoom(attempt, volumeSnapshotTable.by(reader, 'host', hostId), (row) => moveSnapshot(piece, row)) &&
      editWhileRoom(attempt, volumeBackupTable.by(reader, 'host', hostId), (row) => {
        const isAtWork = row.record.status !== 'available';
        const failed = { status: 'error', failReason: 'The host that was at work on it was removed from the mesh.' };
        writeBackup(change, row, { hostId: '', ...(isAtWork ? failed : {}) }, piece.nowMs);
      }) &&
      editWhileRoom(attempt, volumeGroupTable.by(reader, 'host', hostId), (row) =>
        volumeGroupTable.update(change, row, new shoal.v1.VolumeGroup({ ...row.record, hostId: '' })),
      );
    if (!isDone && change.isEmpty)
      throw new ShoalError('PRECONDITION_CHANGED', 'A volume of the host could not be moved off it.');
    return { isMore: true, lostVolumeIds };
  });
}

/** True: it is lost. */
function moveVolume(piece: Piece, row: Row<shoal.v1.Volume>): boolean {
  const { attempt, deps, force, hostId, nowMs } = piece;
  const { id, name, pool, madeGib, projectId, askedRevision, observedRevision } = row.record;
  const other = otherHost(piece, pool);
  if (other !== undefined) {
    putOnHost(attempt.change, other);
    writeVolume(attempt.change, row, { hostId: other }, nowMs);
    return false;
  }
  if (madeGib === 0 && observedRevision >= askedRevision) {
    writeVolume(attempt.change, row, { hostId: '' }, nowMs);
    return false;
  }
  if (!force) {
    throw new ShoalError(
      'CONFLICT',
      `Host ${hostId} alone holds volume ${name} (${id}) in its storage pool ${pool}. Migrate or delete it first; or force the ` +
        'removal and lose its content.',
      { facts: { hostId, volumeId: id } },
    );
  }
  const lost = { hostId: '', madeGib: Math.max(1, madeGib), status: 'error', served: null };
  const next = writeVolume(attempt.change, row, lost, nowMs);
  // Of several members the first says it: a row is written once in a change.
  if (!piece.failedGroupIds.has(next.groupId)) noteMemberOfGroup(attempt, next, nowMs);
  piece.failedGroupIds.add(next.groupId);
  addMessage(
    attempt.change,
    {
      projectId,
      resourceType: 'VOLUME',
      resourceId: id,
      action: 'create',
      text: 'The host that had it on its own storage was removed from the mesh: its content is lost.',
    },
    { id: deps.newId(), nowMs },
  );
  return true;
}

/** A snapshot goes where its volume goes: volumes have been moved before. */
function moveSnapshot({ attempt, hostId, nowMs }: Piece, row: Row<shoal.v1.VolumeSnapshot>): void {
  const volume = volumeTable.get(attempt.reader, row.record.volumeId)?.record;
  // Moved in this very piece: the view does not show it yet, and the next piece does.
  if (volume?.hostId === hostId) return;
  const next = volume?.hostId ?? '';
  if (next !== '') putOnHost(attempt.change, next);
  writeSnapshot(attempt.change, row, { hostId: next, ...(next === '' ? { status: 'error' } : {}) }, nowMs);
}

/** A member that reaches the pool, where others than the host do. */
function otherHost({ attempt, deps, hostId }: Piece, poolName: string): string | undefined {
  const adverts = deps.hostViews.adverts();
  if (isSharedPool(adverts, poolName, hostId) !== true) return undefined;
  const pool = findPool(attempt.reader, deps.hostViews, poolName);
  const others = pool?.hosts.filter((host) => host.hostId !== hostId) ?? [];
  const chosen = others.find(({ enabled }) => enabled) ?? others[0];
  if (chosen !== undefined) return chosen.hostId;
  throw new ShoalError(
    'CONFLICT',
    `No other host reaches the storage pool ${poolName}, in which there are volumes: bring one up first.`,
    { facts: { hostId, pool: poolName } },
  );
}
