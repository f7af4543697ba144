/** VXLAN network identifiers, and the numbers that are derived from them or sit beside them. */
import { ShoalError } from '../../../node/base/errors.ts';

/** The smallest VNI that a network may have; 0 is reserved. */
export const vniMin = 1;
/** The largest: the field has 24 bits (RFC 7348, section 5). */
export const vniMax = 2 ** 24 - 1;
/** UDP port of VXLAN, as registered. */
export const vxlanPort = 4789;

/** The largest conntrack zone; 0 is the zone of everybody who has none, so ours start at 1. */
export const zoneMax = 65_535;
/** Where hosts have their addresses on transit networks. No tenant's prefix may touch it. */
export const transitCidr = '100.127.0.0/16';
/** The largest number that a host may have on a transit network: what fits below 100.127.0.0/16 with room to spare. */
export const transitIndexMax = 65_000;

/** Throws `INVALID_ARGUMENT` unless `vni` is one. */
export function checkVni(vni: number): void {
  if (!Number.isInteger(vni) || vni < vniMin || vni > vniMax) {
    throw new ShoalError('INVALID_ARGUMENT', `VNI ${vni} is not in ${vniMin}..${vniMax}`, { facts: { vni } });
  }
}

/** A host's address on a router's transit network. Never leaves the routers' namespaces. */
export function transitIp(index: number): string {
  if (!Number.isInteger(index) || index < 1 || index > transitIndexMax) {
    throw new ShoalError('INVALID_ARGUMENT', `transit index ${index} is not in 1..${transitIndexMax}`);
  }
  return `100.127.${index >> 8}.${index & 255}`;
}

/** The lowest number in [min, max] that is not in `taken`. Throws `DRIVER_FAILED` when all are. */
export function lowestFree(taken: ReadonlySet<number>, min: number, max: number, what: string): number {
  // At most taken.size + 1 steps: one of that many candidates is free.
  for (let candidate = min; candidate <= max; candidate += 1) if (!taken.has(candidate)) return candidate;
  throw new ShoalError('DRIVER_FAILED', `no ${what} is left on this host`, { facts: { min, max } });
}
