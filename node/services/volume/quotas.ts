/** Volume quotas as Cinder shows them: the plain names, and those of each type by the type's name. */
import { ShoalError } from '../../base/errors.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import { mayActOn } from '../kit/permissions.ts';
import { type CountedResource, defaultLimit, QuotaService, quotaLimit, quotaUsage } from '../kit/quota.ts';
import type { VolumeDependencies } from './kit/dependencies.ts';
import { invalidInput } from './kit/refusals.ts';
import { allTypes } from './records/type-record.ts';

const plain = [
  'volumes',
  'snapshots',
  'gigabytes',
  'backups',
  'backup_gigabytes',
  'per_volume_gigabytes',
  'groups',
] as const;
const perType = ['volumes', 'snapshots', 'gigabytes'] as const;

/** A limit with its use. */
interface VolumeQuota {
  /** -1: none. */
  readonly limit: number;
  readonly used: number;
}

/** See above. */
export class VolumeQuotas {
  readonly #quotas: QuotaService;

  constructor(deps: VolumeDependencies) {
    this.#quotas = new QuotaService(deps);
  }

  /** Own project, or any that the operation's rule allows; `FORBIDDEN` otherwise. By the names that the API shows. */
  show(context: RequestContext, reader: StateReader, projectId: string): Readonly<Record<string, VolumeQuota>> {
    if (context.projectId !== projectId && !mayActOn(context, { projectId })) {
      throw new ShoalError('FORBIDDEN', "Policy does not allow this project's quota to be read.");
    }
    const of = (resource: CountedResource): VolumeQuota => ({
      limit: quotaLimit(reader, projectId, resource),
      used: quotaUsage(reader, projectId, resource),
    });
    return Object.fromEntries([...resourcesOf(reader)].map(([name, resource]) => [name, of(resource)]));
  }

  /** What a project has that has no limits of its own. */
  defaults(reader: StateReader): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...resourcesOf(reader)].map(([name, resource]) => [name, defaultLimit(reader, resource)]),
    );
  }

  /** Sets some limits, by the names that the API shows. Throws `INVALID_ARGUMENT` for a name or a number that cannot be. */
  async set(
    context: RequestContext,
    reader: StateReader,
    projectId: string,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    // As in Cinder a limit may be set below what is used.
    await this.#quotas.set(context, projectId, counted(reader, limits), { force: true });
  }

  /** Sets some of what a project has that has no limits of its own. Throws as `set`. */
  async setDefaults(
    context: RequestContext,
    reader: StateReader,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    await this.#quotas.setDefaults(context, counted(reader, limits));
  }

  /** The project has the defaults again. */
  async reset(context: RequestContext, projectId: string): Promise<void> {
    const isVolumes = (name: string): boolean =>
      plain.some((one) => one === name) || perType.some((one) => name.startsWith(`${one}_`));
    await this.#quotas.reset(context, projectId, isVolumes);
  }
}

/** Limits by the counters' names. */
function counted(reader: StateReader, limits: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const known = resourcesOf(reader);
  const entries = Object.entries(limits).map(([name, limit]) => {
    const resource = known.get(name);
    if (resource === undefined) throw invalidInput(`Bad key(s) in quota set: ${name.slice(0, 255)}`);
    return [resource, limit] as const;
  });
  return Object.fromEntries(entries);
}

/** The API's name of each resource, and the counter's: of types by id, so that a new name changes no count. */
function resourcesOf(reader: StateReader): ReadonlyMap<string, CountedResource> {
  const resources = new Map<string, CountedResource>(plain.map((name) => [name, name]));
  for (const type of allTypes(reader)) {
    for (const name of perType) resources.set(`${name}_${type.name}`, `${name}_${type.id}`);
  }
  return resources;
}
