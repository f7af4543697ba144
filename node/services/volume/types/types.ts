/** Volume types: a pool, limits, encryption. Administrators make them; who may change them, the gateway's policies say. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ownValue } from '../../../base/own-value.ts';
import { indexKey } from '../../../state/table.ts';
import { qosSpecsTable, volumeDefaultTypeTable, volumeTable, volumeTypeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { endPointing, pointAt } from '../../kit/pointed-at.ts';
import { type Change, transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { conflict, invalid, invalidInput, notFound } from '../kit/refusals.ts';
import { checkMetadata, checkNeededName, checkText } from '../kit/texts.ts';
import {
  allTypes,
  builtInTypeName,
  canUseType,
  defaultType,
  typeById,
  usableType,
  writeType,
} from '../records/type-record.ts';
import { checkEncryption, type EncryptionDraft } from './type-encryption.ts';

type VolumeType = shoal.v1.VolumeType;

/** Projects that one private type may be given to. */
const accessMax = 1_000;
/** Longest id of a project, characters. */
const projectIdCharactersMax = 255;

/** What a caller asks for. */
interface VolumeTypeDraft {
  readonly name: string;
  readonly description?: string;
  /** Default: for every project. */
  readonly isPublic?: boolean;
  readonly extraSpecs?: Readonly<Record<string, string>>;
}

/** Absent: as it is. */
interface VolumeTypePatch {
  readonly name?: string;
  readonly description?: string;
  readonly isPublic?: boolean;
}

/** Cinder's volume types. One that the caller's project may not use is `NOT_FOUND`. */
export class VolumeTypes {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Those that the caller's project may use, by name. */
  list(context: RequestContext, reader: StateReader): readonly VolumeType[] {
    return allTypes(reader).filter((type) => canUseType(context, type));
  }

  /** @param idOrName Cinder takes a name wherever an id stands. Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, idOrName: string): VolumeType {
    return usableType(context, reader, idOrName);
  }

  /** A type by its id, for what is of it, also where the caller may not use it; undefined: it has gone. */
  find(reader: StateReader, id: string): VolumeType | undefined {
    return typeById(reader, id);
  }

  /** The type of volumes that name none: the caller's project's own, else the cloud's. */
  default(context: RequestContext, reader: StateReader): VolumeType {
    const own = volumeDefaultTypeTable.get(reader, context.projectId)?.record.typeId ?? '';
    return typeById(reader, own) ?? defaultType(reader);
  }

  /** Throws `CONFLICT` for a name that is taken. */
  create(context: RequestContext, draft: VolumeTypeDraft): Promise<VolumeType> {
    const name = checkNeededName('name', draft.name);
    const nowMs = this.#deps.clock.nowMs();
    const type = new shoal.v1.VolumeType({
      id: this.#deps.newId(),
      name,
      description: checkText('description', draft.description ?? ''),
      isPublic: draft.isPublic ?? true,
      extraSpecs: checkMetadata('type extra_specs', draft.extraSpecs ?? {}),
      createdMs: nowMs,
      updatedMs: nowMs,
    });
    return transact(this.#deps, context, ({ reader, change }) => {
      checkNameFree(reader, name);
      volumeTypeTable.insert(change, type);
      return type;
    });
  }

  /** Throws `CONFLICT` for a name that is taken. */
  update(context: RequestContext, id: string, patch: VolumeTypePatch): Promise<VolumeType> {
    const name = patch.name === undefined ? undefined : checkNeededName('name', patch.name);
    const description = patch.description === undefined ? undefined : checkText('description', patch.description);
    return this.#edit(context, id, (type, reader) => {
      if (name !== undefined && name !== type.name) checkNameFree(reader, name);
      return {
        ...type,
        name: name ?? type.name,
        description: description ?? type.description,
        isPublic: patch.isPublic ?? type.isPublic,
      };
    });
  }

  /** Throws `INVALID_ARGUMENT` while volumes are of it, and for the default type. */
  async remove(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const type = usableType(context, reader, id);
      const isDefault =
        defaultType(reader).id === type.id || volumeDefaultTypeTable.count(reader, 'type', indexKey(type.id)) > 0;
      if (isDefault || type.name === builtInTypeName) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `The volume type ${type.id} is a default volume type and cannot be deleted.`,
        );
      }
      if (volumeTable.count(reader, 'type', indexKey(type.id)) > 0) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `Volume Type ${type.id} deletion is not allowed with volumes present with the type.`,
        );
      }
      const row = volumeTypeTable.must(reader, type.id);
      endPointing(change, reader, volumeTypeTable.key(type.id));
      volumeTypeTable.remove(change, row);
    });
  }

  /** Makes this the type of volumes that name none. Undefined project: the cloud's, else that project's. */
  async setDefault(context: RequestContext, idOrName: string, projectId?: string): Promise<VolumeType> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const type = usableType(context, reader, idOrName);
      if (projectId === undefined) {
        const before = volumeTypeTable.one(reader, 'default', 'yes');
        if (before?.record.id === type.id) return type;
        if (before !== undefined) {
          volumeTypeTable.update(change, before, new shoal.v1.VolumeType({ ...before.record, isDefault: false }));
        }
        const next = new shoal.v1.VolumeType({ ...type, isDefault: true });
        writeType(change, reader, type, next);
        return next;
      }
      if (projectId === '' || projectId.length > projectIdCharactersMax) throw invalidInput('project_id is not valid.');
      change.compare({ key: volumeTypeTable.key(type.id), exists: volumeTypeTable.exists(reader, type.id) });
      const row = volumeDefaultTypeTable.get(reader, projectId);
      const next = new shoal.v1.VolumeDefaultType({ id: projectId, typeId: type.id });
      if (row === undefined) volumeDefaultTypeTable.insert(change, next);
      else volumeDefaultTypeTable.update(change, row, next);
      return type;
    });
  }

  /** The projects that have a default type of their own. */
  projectDefaults(reader: StateReader): readonly shoal.v1.VolumeDefaultType[] {
    return volumeDefaultTypeTable.list(reader).map(({ record }) => record);
  }

  /** The project has the cloud's default type again. */
  async unsetDefault(context: RequestContext, projectId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = volumeDefaultTypeTable.get(reader, projectId);
      if (row !== undefined) volumeDefaultTypeTable.remove(change, row);
    });
  }

  /** Adds to its extra specs. Returns all of them. */
  async setExtraSpecs(
    context: RequestContext,
    id: string,
    specs: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const type = await this.#edit(context, id, (before) => ({
      ...before,
      extraSpecs: checkMetadata('type extra_specs', { ...before.extraSpecs, ...specs }),
    }));
    return type.extraSpecs;
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeExtraSpec(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, (type) => {
      if (ownValue(type.extraSpecs, key) === undefined) {
        throw new ShoalError('NOT_FOUND', `Volume Type ${id} has no extra specs with key ${key.slice(0, 255)}.`);
      }
      return {
        ...type,
        extraSpecs: Object.fromEntries(Object.entries(type.extraSpecs).filter(([name]) => name !== key)),
      };
    });
  }

  /** Lets a project use a private type, or no longer. `CONFLICT` for a public one. */
  async setAccess(context: RequestContext, id: string, projectId: string, allowed: boolean): Promise<void> {
    await this.#edit(context, id, (type) => {
      if (type.isPublic) throw conflict(`Type access modification is not applicable to public volume type.`);
      const has = type.accessProjectIds.includes(projectId);
      if (allowed && has) {
        throw conflict(`Volume type access for ${type.id} / ${projectId} combination already exists.`);
      }
      if (!allowed && !has) {
        throw new ShoalError('NOT_FOUND', `Volume type access not found for ${type.id} / ${projectId} combination.`);
      }
      if (allowed && (projectId === '' || projectId.length > projectIdCharactersMax)) {
        throw invalidInput(`A project's id has 1 to ${projectIdCharactersMax} characters.`);
      }
      if (allowed && type.accessProjectIds.length >= accessMax) {
        throw conflict(`Volume type ${type.id} is given to ${accessMax} projects, which is the most.`);
      }
      const rest = type.accessProjectIds.filter((other) => other !== projectId);
      return { ...type, accessProjectIds: allowed ? [...rest, projectId] : rest };
    });
  }

  /** Makes volumes of it encrypted. `INVALID_ARGUMENT` while volumes are of it: theirs would not be. */
  async setEncryption(
    context: RequestContext,
    id: string,
    draft: EncryptionDraft,
    options: { readonly mustBeNew: boolean },
  ): Promise<shoal.v1.VolumeTypeEncryption> {
    const nowMs = this.#deps.clock.nowMs();
    const encryptionId = this.#deps.newId();
    const type = await this.#edit(context, id, (before, reader, change) => {
      mustBeUnused(change, reader, before);
      const { encryption } = before;
      if (options.mustBeNew && encryption !== null) {
        throw new ShoalError('INVALID_ARGUMENT', `Volume type encryption for type ${before.id} already exists.`);
      }
      if (!options.mustBeNew && encryption === null) throw encryptionNotFound(before.id);
      return { ...before, encryption: checkEncryption(encryption, draft, { id: encryptionId, nowMs }) };
    });
    return new shoal.v1.VolumeTypeEncryption(type.encryption ?? {});
  }

  /** Throws `NOT_FOUND` for a type without encryption. */
  async removeEncryption(context: RequestContext, id: string): Promise<void> {
    await this.#edit(context, id, (type, reader, change) => {
      if (type.encryption === null) throw encryptionNotFound(type.id);
      mustBeUnused(change, reader, type);
      return { ...type, encryption: null };
    });
  }

  /** Binds it to QoS specs, or to none (empty). Volumes follow at once. */
  async setQos(context: RequestContext, id: string, qosSpecsId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const type = usableType(context, reader, id);
      if (qosSpecsId !== '') {
        if (qosSpecsTable.get(reader, qosSpecsId) === undefined) throw notFound('qos', qosSpecsId);
        pointAt(change, qosSpecsTable.key(qosSpecsId));
        if (type.qosSpecsId !== '' && type.qosSpecsId !== qosSpecsId) {
          throw invalid(
            'qos specs',
            `Type ${type.id} is already associated with another qos specs: ${type.qosSpecsId}`,
          );
        }
      }
      const next = new shoal.v1.VolumeType({ ...type, qosSpecsId, updatedMs: this.#deps.clock.nowMs() });
      writeType(change, reader, type, next);
    });
  }

  #edit(
    context: RequestContext,
    id: string,
    edit: (type: VolumeType, reader: StateReader, change: Change) => shoal.v1.VolumeType.$Properties,
  ): Promise<VolumeType> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const type = usableType(context, reader, id);
      const next = new shoal.v1.VolumeType({ ...edit(type, reader, change), updatedMs: this.#deps.clock.nowMs() });
      writeType(change, reader, type, next);
      return next;
    });
  }
}

function checkNameFree(reader: StateReader, name: string): void {
  const isTaken =
    volumeTypeTable.isTaken(reader, 'name', indexKey(name)) || allTypes(reader).some((type) => type.name === name);
  if (isTaken) throw conflict(`Volume Type ${name} already exists.`);
}

/** The change loses its race when a volume of the type was made after this view. */
function mustBeUnused(change: Change, reader: StateReader, type: VolumeType): void {
  endPointing(change, reader, volumeTypeTable.key(type.id));
  if (volumeTable.count(reader, 'type', indexKey(type.id)) === 0) return;
  throw new ShoalError('INVALID_ARGUMENT', 'Cannot create, update or delete encryption specs. Volume type in use.');
}

function encryptionNotFound(typeId: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Volume type encryption for type ${typeId} does not exist.`);
}
