/** Groups: volumes of which snapshots are made at one instant. A group is a record alone; no host does anything for it. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import {
  volumeGroupSnapshotTable,
  volumeGroupTable,
  volumeGroupTypeTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { pointAt } from '../../kit/pointed-at.ts';
import { chargeQuota, refundQuota } from '../../kit/quota.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import type { VolumeDependencies, VolumeOptions } from '../kit/dependencies.ts';
import { listOf, ownVolume, see } from '../kit/find.ts';
import { invalid, invalidInput, invalidVolume, notFound, overVolumeQuota } from '../kit/refusals.ts';
import { checkText } from '../kit/texts.ts';
import { isBeingMade } from '../records/group-record.ts';
import { usableType } from '../records/type-record.ts';
import { checkBytesAtRest, checkDeletable, deleteVolume, writeVolume } from '../records/volume-record.ts';
import { checkVolumeDraft } from '../volumes/volume-draft.ts';
import { planVolume } from '../volumes/volume-plan.ts';
import { usableGroupType } from './group-types.ts';

type Group = shoal.v1.VolumeGroup;

/** Volumes of one group: their snapshots are made by one transaction, and at one instant. */
export const membersMax = 64;
const typesMax = 64;
const resettable: readonly string[] = ['creating', 'available', 'deleting', 'error', 'updating'];

/** What a caller asks for. */
interface GroupDraft {
  readonly groupType: string;
  readonly volumeTypes: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly zone?: string;
}

/** Absent: as it is. */
interface GroupPatch {
  readonly name?: string;
  readonly description?: string;
  readonly addVolumeIds?: readonly string[];
  readonly removeVolumeIds?: readonly string[];
}

/** Cinder's generic groups. One of another project is `NOT_FOUND` but for administrators. */
export class VolumeGroups {
  readonly #deps: VolumeDependencies;
  readonly #options: VolumeOptions;

  constructor(deps: VolumeDependencies, options: VolumeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Newest first. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly Group[] {
    return listOf(volumeGroupTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): Group {
    return see(volumeGroupTable, 'group', { context, reader, id }).record;
  }

  /** The volumes of a group that was shown. */
  members(reader: StateReader, group: Group): readonly shoal.v1.Volume[] {
    return membersOf(reader, group.id).map(({ record }) => record);
  }

  /** Throws `QUOTA_EXCEEDED`, `NOT_FOUND` for a type. */
  create(context: RequestContext, draft: GroupDraft): Promise<Group> {
    if (context.projectId === '') throw invalidInput('A group belongs to a project; the token names none.');
    const { volumeTypes } = draft;
    if (volumeTypes.length === 0 || volumeTypes.length > typesMax) {
      throw invalidInput(`volume_types must be provided to create group: 1 to ${typesMax} of them.`);
    }
    const texts = textsOf(draft);
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader } = attempt;
      const typeIds = [...new Set(volumeTypes.map((name) => usableType(context, reader, name).id))];
      return this.#insert(context, attempt, {
        ...texts,
        id,
        groupType: draft.groupType,
        typeIds,
        zone: draft.zone ?? '',
      });
    });
  }

  /** A group like another, or as it was at a snapshot: its volumes are made of that one's. */
  createFrom(
    context: RequestContext,
    draft: {
      readonly groupSnapshotId?: string;
      readonly sourceGroupId?: string;
      readonly name?: string;
      readonly description?: string;
    },
  ): Promise<Group> {
    const { groupSnapshotId = '', sourceGroupId = '' } = draft;
    if ((groupSnapshotId === '') === (sourceGroupId === '')) {
      throw invalidInput(
        "Either 'group_snapshot_id' or 'source_group_id' must be provided to create group from source.",
      );
    }
    const texts = textsOf(draft);
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const { group, sources } = sourceOf(context, reader, groupSnapshotId, sourceGroupId);
      const { groupTypeId: groupType, typeIds, zone } = group;
      const planning = { deps: this.#deps, options: this.#options, context };
      if (sources.length > membersMax) throw invalidInput(`A group has ${membersMax} volumes at most.`);
      const volumes = sources.map((source) => {
        const checked = checkVolumeDraft(context, reader, source);
        // The group is not there before this change; that it takes the type is so, as the source's did.
        const volume = planVolume(planning, attempt, { ...checked, groupId: '' }, { id: this.#deps.newId() });
        return new shoal.v1.Volume({ ...volume, groupId: id });
      });
      for (const volume of volumes) volumeTable.insert(change, volume);
      return this.#insert(context, attempt, {
        ...texts,
        id,
        groupType,
        typeIds,
        zone,
        groupSnapshotId,
        sourceGroupId,
        status: volumes.some(({ status }) => isBeingMade(status)) ? 'creating' : 'available',
      });
    });
  }

  /** Renames it; takes volumes in, or lets them go. */
  update(context: RequestContext, id: string, patch: GroupPatch): Promise<Group> {
    const { addVolumeIds = [], removeVolumeIds = [] } = patch;
    if (addVolumeIds.length + removeVolumeIds.length > membersMax) {
      throw invalidInput(`A group has ${membersMax} volumes at most.`);
    }
    const texts = textsOf(patch);
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = see(volumeGroupTable, 'group', { context, reader, id });
      mustBeAvailable(row.record, 'update');
      const nowMs = this.#deps.clock.nowMs();
      const members = membersOf(reader, id);
      if (members.length + addVolumeIds.length - removeVolumeIds.length > membersMax) {
        throw invalidInput(`A group has ${membersMax} volumes at most.`);
      }
      for (const volumeId of new Set(removeVolumeIds)) {
        const member = members.find(({ record }) => record.id === volumeId);
        if (member === undefined)
          throw invalidVolume(`Cannot remove volume ${volumeId} from group ${id} because it is not in the group.`);
        writeVolume(change, member, { groupId: '' }, nowMs);
      }
      for (const volumeId of new Set(addVolumeIds)) {
        const volume = ownVolume(context, reader, volumeId);
        mustJoin(volume.record, row.record);
        writeVolume(change, volume, { groupId: id }, nowMs);
      }
      const next = new shoal.v1.VolumeGroup({
        ...row.record,
        ...(patch.name === undefined ? {} : { name: texts.name }),
        ...(patch.description === undefined ? {} : { description: texts.description }),
        updatedMs: nowMs,
      });
      volumeGroupTable.update(change, row, next);
      return next;
    });
  }

  /** Removes it. Throws `INVALID_ARGUMENT` while it has snapshots, or volumes unless these are to go with it. */
  async remove(context: RequestContext, id: string, options: { readonly deleteVolumes?: boolean } = {}): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = see(volumeGroupTable, 'group', { context, reader, id });
      if (!['available', 'error'].includes(row.record.status)) mustBeAvailable(row.record, 'delete');
      if (volumeGroupSnapshotTable.count(reader, 'group', indexKey(id)) > 0) {
        throw invalid('group', `Cannot delete group ${id}: it has group snapshots.`);
      }
      const members = membersOf(reader, id);
      if (members.length > 0 && options.deleteVolumes !== true) {
        throw invalid('group', `Cannot delete group ${id}: it has volumes; delete-volumes takes them along.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      for (const member of members) {
        const left = new shoal.v1.Volume({ ...member.record, groupId: '' });
        checkDeletable(reader, left, { force: false, cascade: false });
        deleteVolume(attempt, member, { cascade: false, nowMs, fields: { groupId: '' } });
      }
      refundQuota(change, row.record.projectId, { groups: 1 });
      volumeGroupTable.remove(change, row);
    });
  }

  /** An administrator's word on what it is. */
  async resetStatus(context: RequestContext, id: string, status: string): Promise<void> {
    if (!resettable.includes(status))
      throw invalidInput(`Must specify a valid status: one of ${resettable.join(', ')}.`);
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = see(volumeGroupTable, 'group', { context, reader, id });
      volumeGroupTable.update(change, row, new shoal.v1.VolumeGroup({ ...row.record, status }));
    });
  }

  #insert(
    context: RequestContext,
    { reader, change }: Attempt,
    fields: {
      readonly id: string;
      readonly name: string;
      readonly description: string;
      readonly groupType: string;
      readonly typeIds: readonly string[];
      readonly zone: string;
      readonly groupSnapshotId?: string;
      readonly sourceGroupId?: string;
      /** Default: available. */
      readonly status?: 'available' | 'creating';
    },
  ): Group {
    const { groupType, typeIds, ...rest } = fields;
    const type = usableGroupType(context, reader, groupType);
    pointAt(change, volumeGroupTypeTable.key(type.record.id));
    const { projectId, userId } = context;
    chargeQuota(change, reader, projectId, { groups: 1 }, projectId, overVolumeQuota);
    const nowMs = this.#deps.clock.nowMs();
    const group = new shoal.v1.VolumeGroup({
      status: 'available',
      ...rest,
      projectId,
      userId,
      groupTypeId: type.record.id,
      typeIds: [...typeIds],
      createdMs: nowMs,
      updatedMs: nowMs,
    });
    volumeGroupTable.insert(change, group);
    return group;
  }
}

/** The rows of a group's volumes. */
export function membersOf(reader: StateReader, groupId: string): readonly Row<shoal.v1.Volume>[] {
  return volumeTable.by(reader, 'group', indexKey(groupId));
}

/** Refuses a group that something is being done to. */
export function mustBeAvailable(group: Group, what: string): void {
  if (group.status === 'available') return;
  throw invalid(
    'group',
    `Group ${group.id} status must be available to ${what}, but current status is: ${group.status}.`,
  );
}

function mustJoin(volume: shoal.v1.Volume, group: Group): void {
  if (volume.groupId !== '')
    throw invalidVolume(`Cannot add volume ${volume.id} to group ${group.id}: it is in one already.`);
  if (!group.typeIds.includes(volume.typeId)) {
    throw invalidVolume(
      `Cannot add volume ${volume.id} to group ${group.id}: its volume type is not one of the group.`,
    );
  }
  checkBytesAtRest(volume);
  if (volume.status !== 'available' && volume.status !== 'in-use') {
    throw invalidVolume(`Cannot add volume ${volume.id} to group ${group.id}: it is ${volume.status}.`);
  }
}

function textsOf(draft: { readonly name?: string; readonly description?: string }) {
  return { name: checkText('name', draft.name ?? ''), description: checkText('description', draft.description ?? '') };
}

/** What a group is made of: the group that it is like, and what each of its volumes is made of. */
function sourceOf(
  context: RequestContext,
  reader: StateReader,
  groupSnapshotId: string,
  sourceGroupId: string,
): {
  readonly group: Group;
  readonly sources: readonly { readonly snapshotId?: string; readonly sourceVolumeId?: string }[];
} {
  if (sourceGroupId !== '') {
    const { record } = see(volumeGroupTable, 'group', { context, reader, id: sourceGroupId });
    return { group: record, sources: membersOf(reader, record.id).map((row) => ({ sourceVolumeId: row.record.id })) };
  }
  const { record } = see(volumeGroupSnapshotTable, 'groupSnapshot', { context, reader, id: groupSnapshotId });
  const group = volumeGroupTable.get(reader, record.groupId);
  if (group === undefined) throw notFound('group', record.groupId);
  const snapshots = volumeSnapshotTable.by(reader, 'group-snapshot', indexKey(groupSnapshotId));
  return { group: group.record, sources: snapshots.map((row) => ({ snapshotId: row.record.id })) };
}
