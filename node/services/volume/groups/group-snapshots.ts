/** Snapshots of all volumes of a group, at one instant. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { volumeGroupSnapshotTable, volumeGroupTable, volumeSnapshotTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner } from '../../kit/permissions.ts';
import { transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { listOf, see } from '../kit/find.ts';
import { conflict, invalid, invalidInput, invalidSnapshot, notFound } from '../kit/refusals.ts';
import { checkText } from '../kit/texts.ts';
import { deleteSnapshot } from '../records/snapshot-record.ts';
import { isSnapshotBeingCopied } from '../records/volume-record.ts';
import { checkSnapshotable, planSnapshot } from '../volumes/snapshots.ts';
import { membersMax, membersOf, mustBeAvailable } from './groups.ts';

type GroupSnapshot = shoal.v1.VolumeGroupSnapshot;

const resettable: readonly string[] = ['available', 'creating', 'deleting', 'error', 'error_deleting'];

/** Cinder's group snapshots. One of another project is `NOT_FOUND` but for administrators. */
export class VolumeGroupSnapshots {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Newest first. */
  list(
    context: RequestContext,
    reader: StateReader,
    options: { readonly allProjects: boolean },
  ): readonly GroupSnapshot[] {
    return listOf(volumeGroupSnapshotTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): GroupSnapshot {
    return see(volumeGroupSnapshotTable, 'groupSnapshot', { context, reader, id }).record;
  }

  /** Asks the hosts for one: all of its snapshots in one transaction. Throws `INVALID_ARGUMENT` for a group without volumes. */
  create(
    context: RequestContext,
    draft: { readonly groupId: string; readonly name?: string; readonly description?: string },
  ): Promise<GroupSnapshot> {
    const name = checkText('name', draft.name ?? '');
    const description = checkText('description', draft.description ?? '');
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = volumeGroupTable.get(reader, draft.groupId);
      if (row === undefined || !isOwner(context, row.record)) throw notFound('group', draft.groupId);
      mustBeAvailable(row.record, 'snapshot');
      const members = membersOf(reader, row.record.id);
      if (members.length === 0) {
        throw invalid(
          'group',
          `Cannot create group_snapshot ${name} because group ${row.record.id} contains no volumes.`,
        );
      }
      const served = members.find((member) => member.record.served !== null);
      if (served !== undefined && members.length > 1) {
        throw conflict(
          `Volume ${served.record.id} is served over the network to the host of its server: it cannot be kept at one instant with ` +
            'the others. Detach it first.',
        );
      }
      if (members.length > membersMax) throw invalid('group', `A group has ${membersMax} volumes at most.`);
      const nowMs = this.#deps.clock.nowMs();
      const { projectId, groupTypeId } = row.record;
      const userId = context.userId;
      const made = new shoal.v1.VolumeGroupSnapshot({
        id,
        name,
        description,
        projectId,
        userId,
        groupId: row.record.id,
        groupTypeId,
        status: 'creating',
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      volumeGroupSnapshotTable.insert(change, made);
      // A deletion of the group from a view without this snapshot loses the race.
      volumeGroupTable.update(change, row, new shoal.v1.VolumeGroup({ ...row.record, updatedMs: nowMs }));
      for (const member of members) {
        checkSnapshotable(member.record, true);
        const planned = { id: this.#deps.newId(), name, description, metadata: {}, groupSnapshotId: id, userId };
        planSnapshot(this.#deps, attempt, member, planned);
      }
      return made;
    });
  }

  /** Asks for its deletion, with all of its snapshots. Asked twice, it is asked once. */
  async remove(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = see(volumeGroupSnapshotTable, 'groupSnapshot', { context, reader, id });
      const { status } = row.record;
      if (status === 'deleting') return;
      if (status !== 'available' && status !== 'error') {
        throw invalid(
          'group snapshot',
          `Group snapshot ${id} status must be available or error, but current status is: ${status}.`,
        );
      }
      const nowMs = this.#deps.clock.nowMs();
      const snapshots = volumeSnapshotTable.by(reader, 'group-snapshot', indexKey(id));
      for (const snapshot of snapshots) {
        if (isSnapshotBeingCopied(reader, snapshot.record.id)) {
          throw invalidSnapshot(`Snapshot ${snapshot.record.id} is busy: a volume is being made of it.`);
        }
        deleteSnapshot(change, snapshot, nowMs);
      }
      if (snapshots.every(({ record }) => record.hostId === '')) {
        volumeGroupSnapshotTable.remove(change, row);
        return;
      }
      const next = new shoal.v1.VolumeGroupSnapshot({ ...row.record, status: 'deleting', updatedMs: nowMs });
      volumeGroupSnapshotTable.update(change, row, next);
    });
  }

  /** An administrator's word on what it is. */
  async resetStatus(context: RequestContext, id: string, status: string): Promise<void> {
    if (!resettable.includes(status))
      throw invalidInput(`Must specify a valid status: one of ${resettable.join(', ')}.`);
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = see(volumeGroupSnapshotTable, 'groupSnapshot', { context, reader, id });
      volumeGroupSnapshotTable.update(change, row, new shoal.v1.VolumeGroupSnapshot({ ...row.record, status }));
    });
  }
}
