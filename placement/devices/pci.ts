import type { PciPool } from '../model/advert.ts';
import type { PciRequest } from '../model/request.ts';

/** `count` devices of the pool at index `pool`. */
export interface PciAssignment {
  readonly pool: number;
  readonly count: number;
}

/** PCI requests in one placement are few; more than this is a mistake of the caller. */
const pciRequestsMax = 32;

/**
 * Devices for every request, or undefined when there is no way to serve them all. Each request may take from several
 * pools. Exact: requests compete for pools, so this is a flow problem; an augmenting search solves it (both sides are
 * small: pools of a host and requests of a guest are counted in ones).
 */
export function fitPci(
  pools: readonly PciPool[],
  taken: readonly number[],
  requests: readonly PciRequest[],
): readonly PciAssignment[] | undefined {
  if (requests.length > pciRequestsMax) return undefined;
  const free = pools.map((pool, i) => Math.max(0, pool.free - (taken[i] ?? 0)));
  // given[r][p]: devices of pool p that request r holds.
  const given = requests.map(() => pools.map(() => 0));
  for (let r = 0; r < requests.length; r++) {
    const wanted = requests[r]?.count ?? 0;
    for (let unit = 0; unit < wanted; unit++) {
      if (!augment(r, pools, requests, free, given, new Set())) return undefined;
    }
  }
  const assignments: PciAssignment[] = [];
  for (let p = 0; p < pools.length; p++) {
    let count = 0;
    for (const row of given) count += row[p] ?? 0;
    if (count > 0) assignments.push({ pool: p, count });
  }
  return assignments;
}

/** Gives request `r` one more device, moving others' devices between pools where that makes room. */
function augment(
  r: number,
  pools: readonly PciPool[],
  requests: readonly PciRequest[],
  free: number[],
  given: number[][],
  seen: Set<number>,
): boolean {
  const request = requests[r];
  const mine = given[r];
  if (request === undefined || mine === undefined) return false;
  for (let p = 0; p < pools.length; p++) {
    const pool = pools[p];
    if (pool === undefined || seen.has(p) || !pciMatches(pool, request)) continue;
    seen.add(p);
    if ((free[p] ?? 0) > 0) {
      free[p] = (free[p] ?? 0) - 1;
      mine[p] = (mine[p] ?? 0) + 1;
      return true;
    }
    for (let other = 0; other < r; other++) {
      const theirs = given[other];
      if (theirs === undefined || (theirs[p] ?? 0) === 0) continue;
      theirs[p] = (theirs[p] ?? 0) - 1;
      if (augment(other, pools, requests, free, given, seen)) {
        mine[p] = (mine[p] ?? 0) + 1;
        return true;
      }
      theirs[p] = (theirs[p] ?? 0) + 1;
    }
  }
  return false;
}

/** Whether devices of `pool` are what `request` asks for. */
function pciMatches(pool: PciPool, request: PciRequest): boolean {
  return (
    (request.vendorId === '' || request.vendorId === pool.vendorId) &&
    (request.productId === '' || request.productId === pool.productId) &&
    (request.physicalNetwork === '' || request.physicalNetwork === pool.physicalNetwork)
  );
}

/** Device kinds by the names that flavors use. */
export type PciAliases = Readonly<Record<string, { readonly vendorId: string; readonly productId: string }>>;

/**
 * The requests in a flavor's `pci_passthrough:alias` ("gpu:2, nic:1"). Undefined when it is malformed or names an unknown
 * alias: the caller refuses the flavor.
 */
export function pciRequestsOf(
  extraSpecs: Readonly<Record<string, string>>,
  aliases: PciAliases,
): readonly PciRequest[] | undefined {
  const text = extraSpecs['pci_passthrough:alias'];
  if (text === undefined) return [];
  const requests: PciRequest[] = [];
  for (const part of text.split(',')) {
    const [name = '', countText = '1', ...rest] = part.trim().split(':');
    const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
    const count = Number(countText);
    if (alias === undefined || rest.length > 0 || !Number.isInteger(count) || count < 1 || count > 64) return undefined;
    requests.push({ count, vendorId: alias.vendorId, productId: alias.productId, physicalNetwork: '' });
  }
  return requests.length <= pciRequestsMax ? requests : undefined;
}
