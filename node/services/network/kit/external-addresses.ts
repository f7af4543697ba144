import { shoal } from '../../../../proto/messages.ts';

/** The external addresses that a router has: one of each family at most. */
export function externalAddressesOf(router: shoal.v1.Router): readonly shoal.v1.FixedIp[] {
  return [
    { subnetId: router.externalSubnetId, ip: router.externalIp },
    { subnetId: router.externalSubnet6Id, ip: router.externalIp6 },
  ]
    .filter(({ ip }) => ip !== '')
    .map((fixed) => new shoal.v1.FixedIp(fixed));
}
