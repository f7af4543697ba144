/** Volume types as rows: whom they are for, and the one that is meant when none is named. */
import { shoal } from '../../../../proto/messages.ts';
import { ownValue } from '../../../base/own-value.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeTypeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isAdministrator } from '../../kit/permissions.ts';
import { pointAt } from '../../kit/pointed-at.ts';
import type { Change } from '../../kit/transact.ts';
import { notFound } from '../kit/refusals.ts';

type VolumeType = shoal.v1.VolumeType;

/** Cinder's name for the type that is there from the start. */
export const builtInTypeName = '__DEFAULT__';

/**
 * The type that is there from the start. It gets a row when a volume is made of it or it is changed; until then it is read
 * from here, so that an older mesh has it, too.
 */
const builtInType: VolumeType = Object.freeze(
  new shoal.v1.VolumeType({
    id: '6b3c1c8e-5f0a-4b7e-9d52-5f5f44454621',
    name: builtInTypeName,
    description: 'Default Volume Type',
    isPublic: true,
  }),
);

/** All types, the built-in one among them, by name. */
export function allTypes(reader: StateReader): readonly VolumeType[] {
  const types = volumeTypeTable.list(reader).map(({ record }) => record);
  const all = types.some(({ id }) => id === builtInType.id) ? types : [...types, builtInType];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A type by its id; undefined: there is none. */
export function typeById(reader: StateReader, id: string): VolumeType | undefined {
  const row = volumeTypeTable.get(reader, id);
  return row?.record ?? (id === builtInType.id ? builtInType : undefined);
}

/** A type that the caller's project may use, by id or by name. Throws `NOT_FOUND`. */
export function usableType(context: RequestContext, reader: StateReader, idOrName: string): VolumeType {
  const named = (): VolumeType | undefined => {
    const row = volumeTypeTable.one(reader, 'name', indexKey(idOrName));
    return row?.record ?? (idOrName === builtInTypeName ? builtInType : undefined);
  };
  const type = typeById(reader, idOrName) ?? named();
  if (type === undefined || !canUseType(context, type)) throw notFound('type', idOrName);
  return type;
}

/** Whether the caller's project may make volumes of it. */
export function canUseType(context: RequestContext, type: VolumeType): boolean {
  return type.isPublic || isAdministrator(context) || type.accessProjectIds.includes(context.projectId);
}

/** The type of volumes that name none. */
export function defaultType(reader: StateReader): VolumeType {
  return volumeTypeTable.one(reader, 'default', 'yes')?.record ?? typeById(reader, builtInType.id) ?? builtInType;
}

/**
 * The change makes something that is of the type: it loses its race when the type is changed or gone by then. A type that has
 * no row yet gets one.
 */
export function useType(change: Change, reader: StateReader, type: VolumeType): void {
  change.once(`use-type/${type.id}`, () => {
    const row = typeRow(change, reader, type.id);
    if (row === undefined) return type.id;
    volumeTypeTable.unchanged(change, row);
    pointAt(change, volumeTypeTable.key(type.id));
    return type.id;
  });
}

/** The row of a type that is to be changed or used; undefined for the built-in one, which this change then inserts. */
function typeRow(change: Change, reader: StateReader, id: string): Row<VolumeType> | undefined {
  const row = volumeTypeTable.get(reader, id);
  if (row === undefined && id === builtInType.id) volumeTypeTable.insert(change, new shoal.v1.VolumeType(builtInType));
  return row;
}

/** Writes a type that was read as `before`; the built-in one may have no row yet. */
export function writeType(change: Change, reader: StateReader, before: VolumeType, next: VolumeType): void {
  const row = volumeTypeTable.get(reader, before.id);
  if (row === undefined) volumeTypeTable.insert(change, next);
  else volumeTypeTable.update(change, row, next);
}

/** Whether volumes of it may be attached to several servers: Cinder's `multiattach` = `<is> True`. */
export function allowsMultiattach(type: VolumeType): boolean {
  return /^<is>\s+true$/i.test(ownValue(type.extraSpecs, 'multiattach') ?? '');
}
