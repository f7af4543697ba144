/**
 * What a project may have, and what it has: limits are records, usage is a counter that moves in the very transaction
 * that makes or removes the thing, so it is exact and needs no recount.
 */

import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { ownValue } from '../../base/own-value.ts';
import { encodePart } from '../../state/table.ts';
import { quotaTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from './context.ts';
import type { ServiceDependencies } from './dependencies.ts';
import { mayActOn } from './permissions.ts';
import { type Change, transact } from './transact.ts';

/** Limits of a project that has no record of its own. The numbers are Nova's and Neutron's own defaults. */
export const defaultLimits = {
  instances: 10,
  cores: 20,
  /** MiB. */
  ram: 51_200,
  /** Per user, not per project. */
  key_pairs: 100,
  /** Per server. */
  metadata_items: 128,
  server_groups: 10,
  /** Per group. */
  server_group_members: 10,
  /** Per server, as the two that follow: files, bytes of a file, bytes of its path. */
  injected_files: 5,
  injected_file_content_bytes: 10_240,
  injected_file_path_bytes: 255,
  /** Nova keeps and shows it where Neutron gives addresses, and limits nothing by it; Neutron's `port` does. */
  fixed_ips: -1,
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
  /** Neutron's default; each project has as many as its operator lets it. */
  address_group: -1,
  /** Glance's unified limits; unlike Glance's, on from the start, as one project could fill every host's disk. */
  image_count_total: 100,
  /** MiB; each image counts for its size rounded up. */
  image_size_total: 102_400,
  /** Cinder's. A snapshot counts in `gigabytes` with its volume's size, as there. */
  volumes: 10,
  snapshots: 10,
  /** GiB. */
  gigabytes: 1000,
  backups: 10,
  /** GiB. */
  backup_gigabytes: 1000,
  /** GiB of one volume. */
  per_volume_gigabytes: -1,
  /** Groups of volumes. */
  groups: 10,
} as const;

/** A thing that is limited. */
export type QuotaResource = keyof typeof defaultLimits;

/**
 * What volumes of one type take of a project, by the type's id, which unlike its name stays. No limit unless one is set. The
 * APIs show it by the type's name (node/services/volume/quotas.ts).
 */
type TypeQuotaResource = `${'volumes' | 'snapshots' | 'gigabytes'}_${string}`;

/** All that a counter is kept of. */
export type CountedResource = QuotaResource | TypeQuotaResource;

/** The refusal of a charge, in the words of the API that the thing belongs to. */
export type QuotaRefusal = (
  resource: CountedResource,
  facts: { readonly limit: number; readonly used: number; readonly requested: number },
) => ShoalError;

/** Resources whose use is counted for the project as a whole. */
export const countedResources = [
  'instances',
  'cores',
  'ram',
  'server_groups',
  'network',
  'subnet',
  'subnetpool',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'rbac_policy',
  'address_group',
  'image_count_total',
  'image_size_total',
] as const satisfies readonly QuotaResource[];

/** How much of each resource. */
export type Amounts = Partial<Record<QuotaResource, number>> & Readonly<Record<TypeQuotaResource, number>>;

/** The limit that means "none". */
export const unlimited = -1;
/** Longest id of a project that can have limits of its own, characters: what OpenStack's databases hold. */
const projectIdCharactersMax = 64;
/** Highest limit that can be set: what a signed 32-bit field of the APIs holds. */
const limitMax = 2 ** 31 - 1;

/** Row of the limits that hold for projects without their own, where an operator has set some. No project has such an id. */
const defaultsId = 'quota-class/default';
/** Rows of limits of single users (node/services/compute/kit/user-quotas.ts) begin so, and no project's. */
export const userQuotaPrefix = 'user-quota/';

/** Key of the counter of `resource` used by `owner` (a project; for key pairs a user). */
export function quotaKey(owner: string, resource: CountedResource): string {
  return `c/quota/${encodePart(owner)}/${encodePart(resource)}`;
}

/** The project's limit; `unlimited` for none. */
export function quotaLimit(reader: StateReader, projectId: string, resource: CountedResource): number {
  const limits = quotaTable.get(reader, projectId)?.record.limits ?? {};
  return ownValue(limits, resource) ?? defaultLimit(reader, resource);
}

/** The limit of a project that has none of its own. */
export function defaultLimit(reader: StateReader, resource: CountedResource): number {
  const set = quotaTable.get(reader, defaultsId)?.record.limits ?? {};
  return ownValue(set, resource) ?? ownValue<number>(defaultLimits, resource) ?? unlimited;
}

/** How much of `resource` is used now. */
export function quotaUsage(reader: StateReader, owner: string, resource: CountedResource): number {
  return reader.counter(quotaKey(owner, resource));
}

/**
 * Takes from the project's quota in `change`. Throws `QUOTA_EXCEEDED` at once where the view says so already, so that
 * nothing is placed or drawn for a request that cannot succeed; the counter's bound decides in the end.
 * @param owner whose use is counted
 * @param projectId whose limits hold; of key pairs, which are counted for a user, the caller's project
 * @param refuse makes the refusal; default: Nova's and Neutron's words
 */
export function chargeQuota(
  change: Change,
  reader: StateReader,
  owner: string,
  amounts: Amounts,
  projectId = owner,
  refuse: QuotaRefusal = overQuota,
): void {
  for (const [name, amount] of Object.entries(amounts)) {
    if (amount === 0) continue;
    const resource = name as CountedResource;
    const limit = quotaLimit(reader, projectId, resource);
    const used = quotaUsage(reader, owner, resource);
    const refusal = (): ShoalError => refuse(resource, { limit, used, requested: amount });
    const max = limit === unlimited ? Number.MAX_SAFE_INTEGER : limit;
    if (used + amount > max) throw refusal();
    change.bounded(quotaKey(owner, resource), amount, { min: 0, max }, refusal);
  }
}

/** Counts in `change` what is made unasked, beside what was asked for: no limit refuses it. */
export function countUnasked(change: Change, owner: string, amounts: Amounts): void {
  refundQuota(change, owner, Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, -amount])));
}

/** Gives back to the project's quota in `change`. Never refused for a limit that was lowered meanwhile. */
export function refundQuota(change: Change, owner: string, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) {
    if (amount === 0) continue;
    change.add(quotaKey(owner, name as CountedResource), -amount, { min: 0, max: Number.MAX_SAFE_INTEGER });
  }
}

/** A project's limits and use. */
export interface QuotaView {
  readonly limits: Readonly<Record<QuotaResource, number>>;
  readonly used: Readonly<Record<QuotaResource, number>>;
}

/** Reads and sets limits. */
export class QuotaService {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** Own project, or any that the operation's rule allows; `FORBIDDEN` otherwise. */
  show(context: RequestContext, reader: StateReader, projectId: string): QuotaView {
    if (context.projectId !== projectId && !mayActOn(context, { projectId })) {
      throw new ShoalError('FORBIDDEN', "Policy does not allow this project's quota to be read.");
    }
    const limits = Object.fromEntries(
      Object.keys(defaultLimits).map((name) => [name, quotaLimit(reader, projectId, name as QuotaResource)]),
    );
    const used = Object.fromEntries(
      Object.keys(defaultLimits).map((resource) => {
        const owner = resource === 'key_pairs' ? context.userId : projectId;
        return [resource, quotaUsage(reader, owner, resource as QuotaResource)];
      }),
    );
    return { limits: limits as Record<QuotaResource, number>, used: used as Record<QuotaResource, number> };
  }

  /**
   * Sets some limits. A limit below what is used is refused unless `force`.
   * @param projectId 1 to 64 characters. It need not exist yet: clouds set limits before a project's first token.
   */
  async set(
    context: RequestContext,
    projectId: string,
    limits: Partial<Record<QuotaResource, number>>,
    options: { readonly force?: boolean } = {},
  ): Promise<void> {
    const isOther = projectId === defaultsId || projectId.startsWith(userQuotaPrefix);
    if (projectId === '' || projectId.length > projectIdCharactersMax || isOther) {
      throw new ShoalError('INVALID_ARGUMENT', `A project's id has 1 to ${projectIdCharactersMax} characters.`);
    }
    await this.#write(context, projectId, limits, (reader) => {
      for (const [name, limit] of Object.entries(limits)) {
        const used = quotaUsage(reader, projectId, name as QuotaResource);
        if (options.force !== true && limit !== unlimited && limit < used) {
          throw new ShoalError(
            'INVALID_ARGUMENT',
            `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${used}.`,
          );
        }
      }
    });
  }

  /** The limits of a project that has none of its own. */
  defaults(reader: StateReader): Readonly<Record<QuotaResource, number>> {
    const limits = Object.keys(defaultLimits).map((name) => [name, defaultLimit(reader, name as QuotaResource)]);
    return Object.fromEntries(limits) as Record<QuotaResource, number>;
  }

  /** Sets some limits of all projects that have none of their own. What is used already stays. */
  setDefaults(context: RequestContext, limits: Readonly<Record<string, number>>): Promise<void> {
    return this.#write(context, defaultsId, limits, () => {});
  }

  #write(
    context: RequestContext,
    id: string,
    limits: Readonly<Record<string, number>>,
    check: (reader: StateReader) => void,
  ): Promise<void> {
    for (const [name, limit] of Object.entries(limits)) {
      if (Number.isInteger(limit) && limit >= unlimited && limit <= limitMax) continue;
      throw new ShoalError('INVALID_ARGUMENT', `Quota limit ${limit} for ${name} must be -1 or greater.`);
    }
    return transact(this.#deps, context, ({ reader, change }) => {
      check(reader);
      const row = quotaTable.get(reader, id);
      const next = new shoal.v1.Quota({ id, limits: { ...row?.record.limits, ...limits } });
      if (row === undefined) quotaTable.insert(change, next);
      else quotaTable.update(change, row, next);
    });
  }

  /** Back to the defaults. @param isMeant of which limits, by their names in the record; default: all. */
  async reset(context: RequestContext, projectId: string, isMeant?: (resource: string) => boolean): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = quotaTable.get(reader, projectId);
      if (row === undefined) return;
      const kept = Object.entries(row.record.limits).filter(([name]) => isMeant !== undefined && !isMeant(name));
      if (kept.length === 0) quotaTable.remove(change, row);
      else quotaTable.update(change, row, new shoal.v1.Quota({ id: projectId, limits: Object.fromEntries(kept) }));
    });
  }
}

/** The refusal, with the figures. */
export function overQuota(
  resource: CountedResource,
  facts: { readonly limit: number; readonly used: number; readonly requested: number },
): ShoalError {
  return new ShoalError(
    'QUOTA_EXCEEDED',
    `Quota exceeded for ${resource}: Requested ${facts.requested}, but already used ${facts.used} of ${facts.limit} ${resource}`,
    { facts: { type: 'OverQuota', resource, ...facts } },
  );
}
