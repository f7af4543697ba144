/** Types of groups. Administrators make them. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeGroupTable, volumeGroupTypeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isAdministrator } from '../../kit/permissions.ts';
import { endPointing } from '../../kit/pointed-at.ts';
import { transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { conflict, notFound } from '../kit/refusals.ts';
import { checkMetadata, checkNeededName, checkText } from '../kit/texts.ts';

type GroupType = shoal.v1.VolumeGroupType;

/** A type of groups that the caller may use. Throws `NOT_FOUND`. */
export function usableGroupType(context: RequestContext, reader: StateReader, idOrName: string): Row<GroupType> {
  const row =
    volumeGroupTypeTable.get(reader, idOrName) ?? volumeGroupTypeTable.one(reader, 'name', indexKey(idOrName));
  if (row === undefined || !(row.record.isPublic || isAdministrator(context))) throw notFound('groupType', idOrName);
  return row;
}

/** Cinder's group types. */
export class VolumeGroupTypes {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** By name. */
  list(context: RequestContext, reader: StateReader): readonly GroupType[] {
    return volumeGroupTypeTable
      .list(reader)
      .map(({ record }) => record)
      .filter(({ isPublic }) => isPublic || isAdministrator(context))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, idOrName: string): GroupType {
    return usableGroupType(context, reader, idOrName).record;
  }

  /** Throws `CONFLICT` for a name that is taken. */
  create(
    context: RequestContext,
    draft: {
      readonly name: string;
      readonly description?: string;
      readonly isPublic?: boolean;
      readonly groupSpecs?: Readonly<Record<string, string>>;
    },
  ): Promise<GroupType> {
    const nowMs = this.#deps.clock.nowMs();
    const type = new shoal.v1.VolumeGroupType({
      id: this.#deps.newId(),
      name: checkNeededName('name', draft.name),
      description: checkText('description', draft.description ?? ''),
      isPublic: draft.isPublic ?? true,
      groupSpecs: checkMetadata('group_specs', draft.groupSpecs ?? {}),
      createdMs: nowMs,
      updatedMs: nowMs,
    });
    return transact(this.#deps, context, ({ reader, change }) => {
      mustBeFree(reader, type.name);
      volumeGroupTypeTable.insert(change, type);
      return type;
    });
  }

  /** Throws `CONFLICT` for a name that is taken. */
  update(
    context: RequestContext,
    id: string,
    patch: { readonly name?: string; readonly description?: string; readonly isPublic?: boolean },
  ): Promise<GroupType> {
    const name = patch.name === undefined ? undefined : checkNeededName('name', patch.name);
    const description = patch.description === undefined ? undefined : checkText('description', patch.description);
    return this.#edit(context, id, (type, reader) => {
      if (name !== undefined && name !== type.name) mustBeFree(reader, name);
      const isPublic = patch.isPublic ?? type.isPublic;
      return { ...type, name: name ?? type.name, description: description ?? type.description, isPublic };
    });
  }

  /** Throws `CONFLICT` while groups are of it. */
  async remove(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = usableGroupType(context, reader, id);
      if (volumeGroupTable.list(reader).some(({ record }) => record.groupTypeId === row.record.id)) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `Group Type ${row.record.id} deletion is not allowed with groups present with the type.`,
        );
      }
      endPointing(change, reader, volumeGroupTypeTable.key(row.record.id));
      volumeGroupTypeTable.remove(change, row);
    });
  }

  /** Adds to its specs. Returns all of them. */
  async setSpecs(
    context: RequestContext,
    id: string,
    specs: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const type = await this.#edit(context, id, (before) => ({
      ...before,
      groupSpecs: checkMetadata('group_specs', { ...before.groupSpecs, ...specs }),
    }));
    return type.groupSpecs;
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeSpec(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, (type) => {
      if (!Object.hasOwn(type.groupSpecs, key)) {
        throw new ShoalError('NOT_FOUND', `Group Type ${id} has no specs with key ${key.slice(0, 255)}.`);
      }
      const groupSpecs = Object.fromEntries(Object.entries(type.groupSpecs).filter(([name]) => name !== key));
      return { ...type, groupSpecs };
    });
  }

  #edit(
    context: RequestContext,
    id: string,
    edit: (type: GroupType, reader: StateReader) => shoal.v1.VolumeGroupType.$Properties,
  ): Promise<GroupType> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = usableGroupType(context, reader, id);
      const next = new shoal.v1.VolumeGroupType({ ...edit(row.record, reader), updatedMs: this.#deps.clock.nowMs() });
      volumeGroupTypeTable.update(change, row, next);
      return next;
    });
  }
}

function mustBeFree(reader: StateReader, name: string): void {
  if (volumeGroupTypeTable.isTaken(reader, 'name', indexKey(name)))
    throw conflict(`Group Type ${name} already exists.`);
}
