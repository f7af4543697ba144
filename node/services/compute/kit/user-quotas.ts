/**
 * Nova's quotas of single users: what one user may have of what a project may. A user's use is counted from the records, and only where
 * the user has limits; what is made under such a limit touches the row of the limits, so that of two at once the second counts again.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ownValue } from '../../../base/own-value.ts';
import { encodePart, indexKey } from '../../../state/table.ts';
import { keypairTable, quotaTable, serverGroupTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { overQuota, type QuotaResource, quotaLimit, unlimited, userQuotaPrefix } from '../../kit/quota.ts';
import { type Change, transact } from '../../kit/transact.ts';
import { amountsOf } from './server-record.ts';

/** What single users can have limits of: what is counted by its user. */
const userResources = ['instances', 'cores', 'ram', 'key_pairs', 'server_groups'] as const;
type UserResource = (typeof userResources)[number];
type Limits = Partial<Record<QuotaResource, number>>;

/** A user in a project. */
export interface ProjectUser {
  readonly projectId: string;
  readonly userId: string;
}

function rowId({ projectId, userId }: ProjectUser): string {
  return `${userQuotaPrefix}${encodePart(projectId)}/${encodePart(userId)}`;
}

/** The limits that are the user's own; empty: the project's alone hold. */
export function userLimits(reader: StateReader, user: ProjectUser): Readonly<Record<string, number>> {
  return quotaTable.get(reader, rowId(user))?.record.limits ?? {};
}

/** What the user has, of all that single users can have limits of. */
export function userUsage(reader: StateReader, { projectId, userId }: ProjectUser): Record<UserResource, number> {
  const used = { instances: 0, cores: 0, ram: 0 };
  for (const { record } of serverTable.by(reader, 'project', indexKey(projectId))) {
    if (record.userId !== userId) continue;
    const { instances, cores, ram } = amountsOf(record);
    used.instances += instances;
    used.cores += cores;
    used.ram += ram;
  }
  const groups = serverGroupTable.by(reader, 'project', indexKey(projectId));
  return {
    ...used,
    key_pairs: keypairTable.count(reader, 'user', indexKey(userId)),
    server_groups: groups.filter(({ record }) => record.userId === userId).length,
  };
}

/** Refuses, in `change`, what would be beyond a limit of the user's own. Throws `QUOTA_EXCEEDED`. */
export function holdUserQuota(
  change: Change,
  reader: StateReader,
  user: ProjectUser,
  amounts: Partial<Record<UserResource, number>>,
): void {
  const row = quotaTable.get(reader, rowId(user));
  if (row === undefined || Object.values(amounts).every((amount) => amount <= 0)) return;
  const used = userUsage(reader, user);
  for (const resource of userResources) {
    const limit = ownValue(row.record.limits, resource) ?? unlimited;
    const requested = amounts[resource] ?? 0;
    if (requested <= 0 || limit === unlimited || used[resource] + requested <= limit) continue;
    throw overQuota(resource, { limit, used: used[resource], requested });
  }
  // Unchanged but for its revision.
  quotaTable.update(change, row, new shoal.v1.Quota(row.record));
}

/** Reads and sets limits of single users. */
export class UserQuotas {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /**
   * Sets some limits. Throws `INVALID_ARGUMENT` for what no user has limits of, for more than the project may have, and for less than
   * the user has unless `force`.
   */
  async set(
    context: RequestContext,
    user: ProjectUser,
    limits: Limits,
    { force }: { readonly force: boolean },
  ): Promise<void> {
    if (user.userId === '' || user.userId.length > 64) throw refused("A user's id has 1 to 64 characters.");
    await transact(this.#deps, context, ({ reader, change }) => {
      const used = userUsage(reader, user);
      for (const [name, limit] of Object.entries(limits)) {
        const resource = userResources.find((one) => one === name);
        if (resource === undefined) {
          throw refused(`Single users have limits of ${userResources.join(', ')}, and not of ${name}.`);
        }
        checkLimit(resource, limit, {
          most: quotaLimit(reader, user.projectId, resource),
          least: force ? 0 : used[resource],
        });
      }
      const id = rowId(user);
      const row = quotaTable.get(reader, id);
      const next = new shoal.v1.Quota({ id, limits: { ...row?.record.limits, ...limits } });
      if (row === undefined) quotaTable.insert(change, next);
      else quotaTable.update(change, row, next);
    });
  }

  /** The project's limits alone hold again. */
  async reset(context: RequestContext, user: ProjectUser): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = quotaTable.get(reader, rowId(user));
      if (row !== undefined) quotaTable.remove(change, row);
    });
  }
}

/** In Nova's words. */
function checkLimit(
  name: string,
  limit: number,
  { most, least }: { readonly most: number; readonly least: number },
): void {
  if (!Number.isInteger(limit) || limit < unlimited)
    throw refused(`Quota limit ${limit} for ${name} must be -1 or greater.`);
  if (most !== unlimited && (limit === unlimited || limit > most)) {
    throw refused(`Quota limit ${limit} for ${name} must be less than or equal to ${most}.`);
  }
  if (limit !== unlimited && limit < least) {
    throw refused(
      `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${least}.`,
    );
  }
}

function refused(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
