/**
 * Addresses of the underlay, IPv4 or IPv6. All hosts of a cell have one family: a VXLAN device sends with its own. A host of the
 * other family is left out of what the driver is told, and cannot be reached.
 */
import { isIPv6 } from 'node:net';
import { definedOf } from '../../../node/base/defined-of.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ForwardingSpec, RouterSpec, RouterWay } from '../../types.ts';
import { isUnderlayAddress } from './underlay-address.ts';

/** Throws `INVALID_ARGUMENT` unless `ip` is an IPv4 address, or an IPv6 address as the kernel writes it: what is found is compared. */
export function underlayAddress(ip: string, field: string): void {
  if (typeof ip === 'string' && isUnderlayAddress(ip)) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `${field} ${JSON.stringify(ip)} is neither an IPv4 address nor an IPv6 address in its shortest form, such as fd00::1`,
    { facts: { field } },
  );
}

/** Whether one can send to the other. */
function isSameFamily(ip: string, other: string): boolean {
  return isIPv6(ip) === isIPv6(other);
}

/** Of what a host is told of the others, what its underlay reaches. The same object where that is all. */
export function reachableForwarding(spec: ForwardingSpec, ownIp: string): ForwardingSpec {
  const isReached = (ip: string): boolean => isSameFamily(ip, ownIp);
  if (spec.peerVtepIps.every(isReached) && spec.remotePorts.every(({ vtepIp }) => isReached(vtepIp))) return spec;
  return {
    ...spec,
    peerVtepIps: spec.peerVtepIps.filter(isReached),
    remotePorts: spec.remotePorts.filter(({ vtepIp }) => isReached(vtepIp)),
  };
}

/** The same of a router: without a host for what leaves it that cannot be reached. */
export function reachableRouter(spec: RouterSpec, ownIp: string): RouterSpec {
  const { external, external6 } = spec;
  const next = {
    external: external && reachableWay(external, ownIp),
    external6: external6 && reachableWay(external6, ownIp),
  };
  if (next.external === external && next.external6 === external6) return spec;
  const { external: _external, external6: _external6, ...rest } = spec;
  return { ...rest, ...definedOf(next) };
}

function reachableWay<W extends RouterWay>(way: W, ownIp: string): W {
  const { snatVtepIp, transitPeerVtepIps: peers = [] } = way;
  const reached = peers.filter((ip) => isSameFamily(ip, ownIp));
  const isSnatReached = snatVtepIp === undefined || isSameFamily(snatVtepIp, ownIp);
  if (isSnatReached && reached.length === peers.length) return way;
  const next: W & { snatVtepIp?: string } = { ...way, transitPeerVtepIps: reached };
  if (!isSnatReached) delete next.snatVtepIp;
  return next;
}
