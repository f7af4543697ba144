/** Subnet pools: prefixes that projects cut their subnets from, so that none of those overlap. Of either family. */
import { shoal } from '../../../../proto/messages.ts';
import { definedOf } from '../../../base/defined-of.ts';
import type { Row } from '../../../state/table.ts';
import { subnetPoolTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { badAttribute, badRequest, forbidden, refuse } from '../../kit/network-refusals.ts';
import { canSeeSubnetPool, ownSubnetPool, projectFor, seeSubnetPool } from '../../kit/ownership.ts';
import { isAllowed } from '../../kit/permissions.ts';
import { chargeQuota, refundQuota } from '../../kit/quota.ts';
import { everyProject } from '../../kit/sharing.ts';
import { transact } from '../../kit/transact.ts';
import { transactInPieces, unfinished } from '../../kit/transact-in-pieces.ts';
import { type IpFamily, type IpPrefix, parsePrefix } from '../kit/address.ts';
import { covers, mergedPrefixes, prefixTexts, withoutPrefixes } from '../kit/prefixes.ts';
import { checkText } from '../kit/text.ts';
import { requireUnused } from '../kit/uses.ts';
import { dropPoliciesOf, insertPolicyWithThing } from '../sharing/policy-rows.ts';
import { cutOf } from './allotment.ts';

/** Most prefixes of one pool. */
const prefixesMax = 256;
/** Shortest prefix that a subnet may have, bits. */
const shortest = 8;
/** The shortest of a pool that says none, as in Neutron, and the longest that there is, bits. */
const lengthsOf = {
  4: { usual: 8, longest: 32 },
  6: { usual: 64, longest: 128 },
} as const satisfies Readonly<Record<IpFamily, object>>;

/** What a caller may say of a new pool. Lengths are bits. */
export interface SubnetPoolDraft {
  readonly name: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly prefixes: readonly string[];
  /** Default 8, of IPv6 64. */
  readonly minPrefixLength?: number;
  /** Default 32, of IPv6 128. */
  readonly maxPrefixLength?: number;
  /** Default: the shortest allowed. */
  readonly defaultPrefixLength?: number;
  /** Addresses that each project may have of it. null, or absent: no limit. */
  readonly defaultQuota?: number | null;
  /** Administrators only, like `isDefault`. */
  readonly shared?: boolean;
  readonly isDefault?: boolean;
}

/** What a caller may change; `prefixes` may only become more. */
export type SubnetPoolPatch = Partial<Omit<SubnetPoolDraft, 'projectId' | 'shared'>> & {
  readonly tags?: readonly string[];
};

/** Neutron's subnet pools. One that the caller may not see is `NOT_FOUND`; another project's that is shared is not changed. */
export class SubnetPools {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** Own ones and shared ones; all for administrators. */
  list(context: RequestContext, reader: StateReader): readonly shoal.v1.SubnetPool[] {
    return subnetPoolTable
      .list(reader)
      .map((row) => row.record)
      .filter((pool) => canSeeSubnetPool(context, reader, pool));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.SubnetPool {
    return seeSubnetPool(context, reader, id).record;
  }

  async create(context: RequestContext, draft: SubnetPoolDraft): Promise<shoal.v1.SubnetPool> {
    this.#check(context, 'create', draft);
    const projectId = projectFor(context, draft.projectId);
    const id = this.#deps.newId();
    const policyId = this.#deps.newId();
    const nowMs = this.#deps.clock.nowMs();
    const prefixes = parsePrefixes(draft.prefixes);
    const { usual, longest } = lengthsOf[familyOf(prefixes)];
    return transact(this.#deps, context, ({ reader, change }) => {
      const pool = new shoal.v1.SubnetPool({
        ...{ id, projectId, name: draft.name, description: draft.description ?? '' },
        prefixes: prefixTexts(prefixes),
        minPrefixLength: draft.minPrefixLength ?? usual,
        maxPrefixLength: draft.maxPrefixLength ?? longest,
        defaultPrefixLength: draft.defaultPrefixLength ?? draft.minPrefixLength ?? usual,
        defaultQuota: draft.defaultQuota ?? 0,
        shared: draft.shared ?? false,
        isDefault: draft.isDefault ?? false,
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      checkLengths(pool);
      if (pool.isDefault) this.#checkOnlyDefault(reader, pool);
      chargeQuota(change, reader, projectId, { subnetpool: 1 });
      subnetPoolTable.insert(change, pool);
      if (pool.shared) {
        insertPolicyWithThing(
          change,
          { kind: 'subnetpool', thing: pool, action: 'access_as_shared', target: everyProject },
          { id: policyId, projectId, nowMs },
        );
      }
      return pool;
    });
  }

  async update(context: RequestContext, id: string, patch: SubnetPoolPatch): Promise<shoal.v1.SubnetPool> {
    this.#check(context, 'update', patch);
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = ownSubnetPool(context, reader, id);
      const next = this.#next(row, {
        ...definedOf({
          name: patch.name,
          description: patch.description,
          minPrefixLength: patch.minPrefixLength,
          maxPrefixLength: patch.maxPrefixLength,
          defaultPrefixLength: patch.defaultPrefixLength,
          isDefault: patch.isDefault,
          defaultQuota: patch.defaultQuota === undefined ? undefined : (patch.defaultQuota ?? 0),
        }),
        tags: [...(patch.tags ?? row.record.tags)],
      });
      if (patch.prefixes !== undefined) {
        const prefixes = parsePrefixes(patch.prefixes);
        if (!covers(prefixes, parsePrefixes(row.record.prefixes))) {
          throw badRequest(
            'Illegal update to prefixes: Existing prefixes must be subset of new prefixes.',
            'IllegalSubnetPoolPrefixUpdate',
          );
        }
        next.prefixes = prefixTexts(prefixes);
      }
      checkLengths(next);
      if (next.isDefault && !row.record.isDefault) this.#checkOnlyDefault(reader, next);
      subnetPoolTable.update(change, row, next);
      return next;
    });
  }

  /** Returns the prefixes that the pool has then. */
  async addPrefixes(context: RequestContext, id: string, prefixes: readonly string[]): Promise<readonly string[]> {
    const added = parsePrefixes(prefixes);
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = ownSubnetPool(context, reader, id);
      const had = parsePrefixes(row.record.prefixes);
      checkOneFamily([...had, ...added]);
      const all = prefixTexts(mergedPrefixes([...had, ...added]));
      if (all.length > prefixesMax) throw tooMany();
      const next = this.#next(row, { prefixes: all });
      subnetPoolTable.update(change, row, next);
      return next.prefixes;
    });
  }

  /** Returns the prefixes that are left. 409 while a subnet lies in what would go. */
  async removePrefixes(context: RequestContext, id: string, prefixes: readonly string[]): Promise<readonly string[]> {
    const gone = parsePrefixes(prefixes);
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = ownSubnetPool(context, reader, id);
      const left = withoutPrefixes(parsePrefixes(row.record.prefixes), gone);
      if (left.length > prefixesMax) throw tooMany();
      if (
        !covers(
          left,
          cutOf(reader, id).map(({ prefix }) => prefix),
        )
      ) {
        throw refuse(
          'CONFLICT',
          'IllegalSubnetPoolPrefixRemoval',
          `Cannot remove prefixes of subnet pool ${id}: subnets are allocated from them.`,
        );
      }
      const next = this.#next(row, { prefixes: prefixTexts(left) });
      subnetPoolTable.update(change, row, next);
      return next.prefixes;
    });
  }

  /** 409 while a subnet is cut from it. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownSubnetPool(context, reader, id);
      requireUnused(change, reader, 'subnet-pool', id, () =>
        refuse(
          'CONFLICT',
          'SubnetPoolDeleteError',
          'Unable to delete subnet pool: Subnet pool has existing allocations.',
        ),
      );
      if (!dropPoliciesOf(attempt, 'subnetpool', id)) return unfinished;
      refundQuota(change, row.record.projectId, { subnetpool: 1 });
      subnetPoolTable.remove(change, row);
      return undefined;
    });
  }

  #next(row: Row<shoal.v1.SubnetPool>, fields: shoal.v1.SubnetPool.$Properties): shoal.v1.SubnetPool {
    return new shoal.v1.SubnetPool({ ...row.record, ...fields, updatedMs: this.#deps.clock.nowMs() });
  }

  #check(context: RequestContext, verb: 'create' | 'update', draft: SubnetPoolDraft | SubnetPoolPatch): void {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const asked = { shared: 'shared' in draft && draft.shared === true, is_default: draft.isDefault === true };
    for (const [attribute, isAsked] of Object.entries(asked)) {
      const rule = `${verb}_subnetpool:${attribute}`;
      if (isAsked && !isAllowed(context, rule)) throw forbidden(rule);
    }
  }

  #checkOnlyDefault(reader: StateReader, pool: shoal.v1.SubnetPool): void {
    const other = subnetPoolTable.one(reader, 'default', String(familyOf(parsePrefixes(pool.prefixes))));
    if (other === undefined || other.record.id === pool.id) return;
    throw badRequest(
      'Invalid input for operation: A default subnetpool for this IP family has already been set. Only one default may exist per IP family.',
      'InvalidInput',
    );
  }
}

/** The prefixes as numbers, merged. Throws 400 naming what is none. */
function parsePrefixes(texts: readonly string[]): readonly IpPrefix[] {
  if (texts.length === 0) throw badRequest('Empty subnet pool prefix list.', 'EmptySubnetPoolPrefixList');
  if (texts.length > prefixesMax) throw tooMany();
  const prefixes = texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw badAttribute('prefixes', `'${text}' is not a valid IP subnet`);
    return prefix;
  });
  checkOneFamily(prefixes);
  return mergedPrefixes(prefixes);
}

function checkOneFamily(prefixes: readonly IpPrefix[]): void {
  if (prefixes.every(({ family }) => family === familyOf(prefixes))) return;
  throw badRequest('Cannot mix IPv4 and IPv6 prefixes in a subnet pool.', 'PrefixVersionMismatch');
}

/** The family of a pool's prefixes, of which there is one at least. */
function familyOf(prefixes: readonly IpPrefix[]): IpFamily {
  return prefixes[0]?.family ?? 4;
}

function tooMany(): Error {
  return badRequest(`A subnet pool may have ${prefixesMax} prefixes at most.`);
}

function checkLengths(pool: shoal.v1.SubnetPool): void {
  const { longest } = lengthsOf[familyOf(parsePrefixes(pool.prefixes))];
  const { minPrefixLength: min, defaultPrefixLength: usual, maxPrefixLength: max } = pool;
  if (min < shortest) throw badAttribute('min_prefixlen', `'${min}' is too small - must be at least '${shortest}'`);
  if (max > longest) throw badAttribute('max_prefixlen', `'${max}' is too large - must be no larger than '${longest}'`);
  const illegal = (a: string, value: number, b: string, bound: number): Error =>
    badRequest(`Illegal prefix bounds: ${a}=${value}, ${b}=${bound}.`, 'IllegalSubnetPoolPrefixBounds');
  if (min > max) throw illegal('min_prefixlen', min, 'max_prefixlen', max);
  if (usual < min) throw illegal('default_prefixlen', usual, 'min_prefixlen', min);
  if (usual > max) throw illegal('default_prefixlen', usual, 'max_prefixlen', max);
}
