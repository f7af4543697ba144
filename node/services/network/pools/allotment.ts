/** Subnets out of a pool: which prefix a new one gets, and whether it may. Part of the transaction that makes the subnet. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { subnetPoolTable, subnetTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { badRequest, refuse } from '../../kit/network-refusals.ts';
import { canSeeSubnetPool, seeSubnetPool } from '../../kit/ownership.ts';
import { leanOnPolicy } from '../../kit/sharing.ts';
import type { Attempt } from '../../kit/transact.ts';
import { formatPrefix, type IpPrefix, overlaps, parsePrefix } from '../kit/address.ts';
import { covers, freePrefix, unitsOf } from '../kit/prefixes.ts';

/** Which pool, and what of it. */
interface AllotmentDraft {
  /** `default`: the default pool. */
  readonly pool: string;
  /** This very prefix. */
  readonly cidr?: string;
  /** 4 or 6. Absent: that of the pool; of the default pool: 4. */
  readonly ipVersion?: number;
  /** Bits. Absent, without `cidr`: the pool's default. */
  readonly prefixLength?: number;
}

/** A prefix cut from a pool, and whose. */
interface Cut {
  readonly prefix: IpPrefix;
  readonly projectId: string;
}

/** What subnets have of a pool. */
export function cutOf(reader: StateReader, poolId: string): readonly Cut[] {
  return subnetTable.by(reader, 'pool', indexKey(poolId)).flatMap(({ record }) => {
    const prefix = parsePrefix(record.cidr);
    return prefix === undefined ? [] : [{ prefix, projectId: record.projectId }];
  });
}

/**
 * The pool and the prefix of a new subnet. Two that are made at once cannot both have it: the pool's row is written.
 * @param madeBefore subnets that this very change makes.
 */
export function allot(
  context: RequestContext,
  attempt: Attempt,
  projectId: string,
  draft: AllotmentDraft,
  madeBefore: readonly shoal.v1.Subnet[],
): { readonly poolId: string; readonly prefix: IpPrefix } {
  const { reader, change } = attempt;
  if (draft.pool === 'prefix_delegation') {
    throw refuse('NOT_IMPLEMENTED', 'NotImplemented', 'This version of Shoal has no IPv6 prefix delegation.');
  }
  const row =
    draft.pool === 'default'
      ? defaultPool(context, reader, draft.ipVersion ?? 4)
      : seeSubnetPool(context, reader, draft.pool);
  const pool = row.record;
  const family = parsePrefix(pool.prefixes[0] ?? '')?.family;
  if (draft.ipVersion !== undefined && draft.ipVersion !== family) {
    throw badRequest(`Cannot allocate IPv${draft.ipVersion} subnet from IPv${family} subnet pool.`);
  }
  const cuts = [
    ...cutOf(reader, pool.id),
    ...madeBefore.flatMap((subnet): Cut[] => {
      const prefix = subnet.subnetPoolId === pool.id ? parsePrefix(subnet.cidr) : undefined;
      return prefix === undefined ? [] : [{ prefix, projectId: subnet.projectId }];
    }),
  ];
  const prefix = prefixFrom(pool, cuts, draft);
  checkQuota(pool, cuts, projectId, prefix);
  leanOnPolicy(change, reader, 'subnetpool', pool, projectId);
  change.once(`subnet-pool/${pool.id}`, () => subnetPoolTable.update(change, row, new shoal.v1.SubnetPool(pool)));
  return { poolId: pool.id, prefix };
}

function prefixFrom(pool: shoal.v1.SubnetPool, cuts: readonly Cut[], draft: AllotmentDraft): IpPrefix {
  const has = pool.prefixes.map(parsePrefix).filter((prefix) => prefix !== undefined);
  const taken = cuts.map(({ prefix }) => prefix);
  if (draft.cidr === undefined) {
    const length = draft.prefixLength ?? pool.defaultPrefixLength;
    checkLength(pool, length);
    const prefix = freePrefix(has, taken, length);
    if (prefix !== undefined) return prefix;
    throw notAllotted(`Insufficient prefix space to allocate subnet size /${length}.`);
  }
  const prefix = parsePrefix(draft.cidr);
  if (prefix === undefined) throw badRequest(`'${draft.cidr}' is not a valid IP subnet`, 'HTTPBadRequest');
  checkLength(pool, prefix.prefixLength);
  if (covers(has, [prefix]) && !taken.some((other) => overlaps(other, prefix))) return prefix;
  throw notAllotted(`Cannot allocate requested subnet ${formatPrefix(prefix)} from the available set of prefixes.`);
}

function checkLength(pool: shoal.v1.SubnetPool, length: number): void {
  if (length < pool.minPrefixLength) {
    throw badRequest(
      `Unable to allocate subnet with prefix length ${length}, minimum allowed prefix is ${pool.minPrefixLength}.`,
      'MinPrefixSubnetAllocationError',
    );
  }
  if (length > pool.maxPrefixLength) {
    throw badRequest(
      `Unable to allocate subnet with prefix length ${length}, maximum allowed prefix is ${pool.maxPrefixLength}.`,
      'MaxPrefixSubnetAllocationError',
    );
  }
}

function notAllotted(why: string): Error {
  return refuse('CONFLICT', 'SubnetAllocationError', `Failed to allocate subnet: ${why}`);
}

/** Of IPv4 addresses count, of IPv6 prefixes of 64 bits. */
function checkQuota(pool: shoal.v1.SubnetPool, cuts: readonly Cut[], projectId: string, prefix: IpPrefix): void {
  if (pool.defaultQuota === 0) return;
  const unitLength = prefix.family === 4 ? 32 : 64;
  const own = cuts.filter((cut) => cut.projectId === projectId).map((cut) => cut.prefix);
  if (unitsOf([...own, prefix], unitLength) <= pool.defaultQuota) return;
  throw refuse('CONFLICT', 'SubnetPoolQuotaExceeded', 'Per-tenant subnet pool prefix quota exceeded.');
}

function defaultPool(
  context: RequestContext,
  reader: StateReader,
  ipVersion: number,
): ReturnType<typeof seeSubnetPool> {
  const row = subnetPoolTable.one(reader, 'default', String(ipVersion));
  if (row === undefined || !canSeeSubnetPool(context, reader, row.record))
    throw badRequest(`No default subnetpool found for IPv${ipVersion}`);
  return row;
}
