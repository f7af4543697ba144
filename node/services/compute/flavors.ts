/** Flavors: what a server is made of. Administrators make them; servers keep their own copy. */

import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { flavorTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { isAdministrator } from '../kit/permissions.ts';
import { transact } from '../kit/transact.ts';
import { badRequest, checkName, conflict, flavorNotFound } from './kit/refusals.ts';

/** Largest amounts of a flavor: what the records' 32-bit fields and Nova's own schema hold. */
const amountMax = 2 ** 31 - 1;
/** Most extra specs of one flavor. */
const extraSpecsMax = 256;
/** Projects that may use one private flavor: its record, which each of its servers has a copy of, stays small. */
const accessProjectsMax = 1000;
/** Longest id of a project, characters. */
const projectIdCharactersMax = 255;

interface FlavorDraft {
  /** Absent: a UUID. */
  readonly id?: string;
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  readonly ephemeralGib?: number;
  readonly swapMib?: number;
  readonly rxtxFactor?: number;
  readonly isPublic?: boolean;
  readonly description?: string;
}

/**
 * Nova's flavors. A flavor that the caller's project may not use is `NOT_FOUND`; changes are for administrators
 * (`FORBIDDEN`). Sizes are MiB of memory and GiB of disk, integers up to 2^31 - 1.
 */
export class Flavors {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** Public ones and those the project was let in to; all for administrators. In Nova's order: memory, then id. */
  list(context: RequestContext, reader: StateReader): readonly shoal.v1.Flavor[] {
    return flavorTable
      .list(reader)
      .map((row) => row.record)
      .filter((flavor) => canUse(context, flavor))
      .sort((a, b) => a.memoryMib - b.memoryMib || (a.id < b.id ? -1 : 1));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Flavor {
    return this.#row(context, reader, id).record;
  }

  async create(context: RequestContext, draft: FlavorDraft): Promise<shoal.v1.Flavor> {
    const name = checkName('name', draft.name);
    if (draft.id !== undefined && !/^[A-Za-z0-9._ -]{1,255}$/.test(draft.id)) {
      throw badRequest(`Invalid input for field/attribute id. Value: ${JSON.stringify(draft.id.slice(0, 64))}.`);
    }
    amount('vcpus', draft.vcpus, 1);
    amount('ram', draft.memoryMib, 1);
    amount('disk', draft.diskGib, 0);
    amount('OS-FLV-EXT-DATA:ephemeral', draft.ephemeralGib ?? 0, 0);
    amount('swap', draft.swapMib ?? 0, 0);
    const flavor = new shoal.v1.Flavor({
      id: draft.id ?? this.#deps.newId(),
      name,
      vcpus: draft.vcpus,
      memoryMib: draft.memoryMib,
      diskGib: draft.diskGib,
      ephemeralGib: draft.ephemeralGib ?? 0,
      swapMib: draft.swapMib ?? 0,
      rxtxFactor: draft.rxtxFactor ?? 1,
      isPublic: draft.isPublic ?? true,
      description: draft.description ?? '',
    });
    return transact(this.#deps, context, ({ reader, change }) => {
      if (flavorTable.get(reader, flavor.id) !== undefined) {
        throw conflict(`Flavor with ID ${flavor.id} already exists.`);
      }
      if (flavorTable.one(reader, 'name', indexKey(name)) !== undefined) {
        throw conflict(`Flavor with name ${name} already exists.`);
      }
      flavorTable.insert(change, flavor);
      return flavor;
    });
  }

  /** Servers made of it keep their copy. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await this.#change(context, id, ({ row, remove }) => remove(row));
  }

  async setDescription(context: RequestContext, id: string, description: string): Promise<shoal.v1.Flavor> {
    return this.#edit(context, id, (flavor) => ({ ...flavor, description }));
  }

  async setExtraSpecs(
    context: RequestContext,
    id: string,
    specs: Readonly<Record<string, string>>,
  ): Promise<shoal.v1.Flavor> {
    for (const [key, value] of Object.entries(specs)) {
      if (!/^[A-Za-z0-9_.: -]{1,255}$/.test(key) || value.length > 255) {
        throw badRequest(`Invalid input for field/attribute extra_specs. Key ${JSON.stringify(key.slice(0, 64))}.`);
      }
    }
    return this.#edit(context, id, (flavor) => {
      const extraSpecs = { ...flavor.extraSpecs, ...specs };
      if (Object.keys(extraSpecs).length > extraSpecsMax) throw badRequest('The flavor has too many extra specs.');
      return { ...flavor, extraSpecs };
    });
  }

  /** 404 when there is no such key. */
  async removeExtraSpec(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, (flavor) => {
      if (!Object.hasOwn(flavor.extraSpecs, key)) {
        throw new ShoalError('NOT_FOUND', `Flavor ${id} has no extra specs with key ${key}.`);
      }
      const extraSpecs = Object.fromEntries(Object.entries(flavor.extraSpecs).filter(([name]) => name !== key));
      return { ...flavor, extraSpecs };
    });
  }

  /** Lets a project use a private flavor, or no longer. `CONFLICT` for a public one, and beyond 1000 projects. */
  async setAccess(context: RequestContext, id: string, projectId: string, allowed: boolean): Promise<shoal.v1.Flavor> {
    return this.#edit(context, id, (flavor) => {
      if (flavor.isPublic) throw conflict('Can not modify the access of a public flavor.');
      const has = flavor.accessProjectIds.includes(projectId);
      if (allowed && has) throw conflict(`Flavor access already exists for flavor ${id} and project ${projectId}.`);
      if (!allowed && !has) {
        throw new ShoalError('NOT_FOUND', `Flavor access not found for ${id} / ${projectId} combination.`);
      }
      if (allowed && projectId.length > projectIdCharactersMax) {
        throw badRequest(`A project's id has at most ${projectIdCharactersMax} characters.`);
      }
      if (allowed && flavor.accessProjectIds.length >= accessProjectsMax) {
        throw conflict(
          `Flavor ${id} is given to ${accessProjectsMax} projects, which is the most: take it from one, make another ` +
            'flavor like it, or a public one.',
        );
      }
      const rest = flavor.accessProjectIds.filter((other) => other !== projectId);
      return { ...flavor, accessProjectIds: allowed ? [...rest, projectId] : rest };
    });
  }

  #row(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Flavor> {
    const row = flavorTable.get(reader, id);
    if (row === undefined || !canUse(context, row.record)) throw flavorNotFound(id);
    return row;
  }

  #edit(
    context: RequestContext,
    id: string,
    edit: (flavor: shoal.v1.Flavor) => shoal.v1.Flavor.$Properties,
  ): Promise<shoal.v1.Flavor> {
    return this.#change(context, id, ({ row, update }) => {
      const next = new shoal.v1.Flavor(edit(row.record));
      update(row, next);
      return next;
    });
  }

  async #change<T>(
    context: RequestContext,
    id: string,
    work: (with_: {
      row: Row<shoal.v1.Flavor>;
      update: (row: Row<shoal.v1.Flavor>, next: shoal.v1.Flavor) => void;
      remove: (row: Row<shoal.v1.Flavor>) => void;
    }) => T,
  ): Promise<T> {
    return transact(this.#deps, context, ({ reader, change }) =>
      work({
        row: this.#row(context, reader, id),
        update: (row, next) => flavorTable.update(change, row, next),
        remove: (row) => flavorTable.remove(change, row),
      }),
    );
  }
}

/** Whether the caller's project may make servers of it. */
export function canUse(context: RequestContext, flavor: shoal.v1.Flavor): boolean {
  return flavor.isPublic || isAdministrator(context) || flavor.accessProjectIds.includes(context.projectId);
}

function amount(field: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min && value <= amountMax) return;
  throw badRequest(
    `Invalid input for field/attribute ${field}. Value: ${value}. ${value} is not in [${min}, ${amountMax}].`,
  );
}
