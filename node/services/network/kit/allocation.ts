/**
 * Draws addresses, MACs and VNIs. A candidate is drawn at random and looked up in the unique index that the commit will
 * check anyway; so two agents rarely draw the same, a lost race is only a new attempt, and a freed address is not given
 * out again at once (old neighbour and conntrack entries would still speak of its last owner).
 */
import type { shoal } from '../../../../proto/messages.ts';
import type { ShoalError } from '../../../base/errors.ts';
import type { Prng } from '../../../base/prng.ts';
import { indexKey } from '../../../state/table.ts';
import { networkTable, portTable, routerTable } from '../../../state/tables/index.ts';
import { refuse } from '../../kit/network-refusals.ts';
import type { Attempt } from '../../kit/transact.ts';
import { addressAt, formatIp, type IpRange, parseIp, rangeSize } from './address.ts';

/** Random draws before the pool is walked in order: a pool that is half full misses all of them once in 65,536 times. */
const drawsMax = 16;
/** Addresses of a pool that are walked in order, at most. */
const walkMax = 2n ** 20n;
/** First three bytes of every MAC that Shoal gives out: the prefix that OpenStack uses, locally administered. */
const macPrefix = 'fa:16:3e';
/** VNIs are 24 bits; 0 means "none" in the records. */
export const vniMax = 2 ** 24 - 1;

/** A subnet's pools as numbers. */
export function poolRanges(subnet: shoal.v1.Subnet): readonly IpRange[] {
  return subnet.pools.flatMap((pool) => {
    const first = parseIp(pool.start);
    const last = parseIp(pool.end);
    if (first === undefined || last?.family !== first.family) return [];
    return [{ family: first.family, first: first.value, last: last.value }];
  });
}

/** Whether a port has the address, in the view or in this very change. */
function isAddressTaken(attempt: Attempt, subnetId: string, ip: string): boolean {
  const key = indexKey(subnetId, ip);
  return attempt.change.hasTaken(`ip/${key}`) || portTable.isTaken(attempt.reader, 'ip', key);
}

/** Marks an address as used by this change. False: it is used already. */
export function takeAddress(attempt: Attempt, subnetId: string, ip: string): boolean {
  if (isAddressTaken(attempt, subnetId, ip)) return false;
  return attempt.change.take(`ip/${indexKey(subnetId, ip)}`);
}

/** What an address that somebody named is refused with when `takeAddress` finds it used. */
export function alreadyAllocated(subnetId: string, ip: string): ShoalError {
  return refuse('CONFLICT', 'IpAddressAlreadyAllocated', `IP address ${ip} already allocated in subnet ${subnetId}`);
}

/** A free address of the subnet's pools, taken. Undefined: there is none. */
export function allocateAddress(attempt: Attempt, subnet: shoal.v1.Subnet): string | undefined {
  const ranges = poolRanges(subnet);
  const size = ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
  if (size === 0n) return undefined;
  const draw = (): bigint => drawBelow(attempt.random, size);
  const start = draw();
  for (let drawn = 0; drawn < drawsMax; drawn++) {
    const ip = formatIp(addressAt(ranges, drawn === 0 ? start : draw()));
    if (takeAddress(attempt, subnet.id, ip)) return ip;
  }
  // No network has ports enough to fill more than this.
  for (let step = 0n; step < size && step < walkMax; step++) {
    const ip = formatIp(addressAt(ranges, (start + step) % size));
    if (takeAddress(attempt, subnet.id, ip)) return ip;
  }
  return undefined;
}

/** A number in [0, size), of which every one of the first 2^64 may come. */
function drawBelow(random: Prng, size: bigint): bigint {
  if (size <= 2n ** 32n) return BigInt(random.below(Number(size)));
  const wide = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  return wide % size;
}

/** A MAC that no port of the network has. */
export function allocateMac(attempt: Attempt, networkId: string): string {
  for (;;) {
    const tail = attempt.random
      .below(2 ** 24)
      .toString(16)
      .padStart(6, '0');
    const mac = `${macPrefix}:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4)}`;
    const key = indexKey(networkId, mac);
    if (!portTable.isTaken(attempt.reader, 'mac', key) && attempt.change.take(`mac/${key}`)) return mac;
  }
}

/**
 * A VNI that neither a network nor a router's transit has. Each holder's unique index guards its own kind; the compare
 * added here guards against the other kind.
 */
export function allocateVni(attempt: Attempt, holder: 'network' | 'transit', wanted?: number): number {
  const tables = { network: [networkTable, 'vni'], transit: [routerTable, 'transit-vni'] } as const;
  const isFree = (vni: number): boolean =>
    !networkTable.isTaken(attempt.reader, 'vni', String(vni)) &&
    !routerTable.isTaken(attempt.reader, 'transit-vni', String(vni)) &&
    attempt.change.take(`vni/${vni}`);
  if (wanted !== undefined && !isFree(wanted)) {
    throw refuse('CONFLICT', 'VlanIdInUse', `Unable to create the network. The VNI ${wanted} is in use.`);
  }
  let vni = wanted;
  // A mesh has far fewer networks than 2^24, so this ends after a draw or two.
  while (vni === undefined) {
    const candidate = attempt.random.below(vniMax) + 1;
    if (isFree(candidate)) vni = candidate;
  }
  const [other, index] = tables[holder === 'network' ? 'transit' : 'network'];
  attempt.change.compare({ key: `u/${other.definition.name}/${index}/${vni}`, revision: 0 });
  return vni;
}
