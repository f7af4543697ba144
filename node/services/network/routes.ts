/** Static routes, of subnets (told to guests by DHCP) and of routers: the same checks, as in Neutron. */
import { shoal } from '../../../proto/messages.ts';
import { badAttribute } from '../kit/network-refusals.ts';
import { type IpFamily, type IpPrefix, overlaps, parseIp, parsePrefix } from './kit/address.ts';

/** A route as it is asked for. */
export interface RouteDraft {
  readonly destination: string;
  readonly nextHop: string;
}

/** 127.0.0.0/8 and ::1/128: go nowhere. */
const loopbacks: readonly IpPrefix[] = [
  { family: 4, first: 127n << 24n, last: (128n << 24n) - 1n, prefixLength: 8 },
  { family: 6, first: 1n, last: 1n, prefixLength: 128 },
];

/**
 * The routes as records: each a prefix without host bits and an address, none twice. Throws 400 naming the attribute.
 * @param attribute `host_routes` or `routes`.
 * @param family That of the subnet, which its routes have to be of. Absent: that of each route's own destination.
 */
export function checkRoutes(attribute: string, routes: readonly RouteDraft[], family?: IpFamily): shoal.v1.HostRoute[] {
  const seen = new Set<string>();
  return routes.map(({ destination, nextHop }) => {
    const prefix = parsePrefix(destination);
    const isRight = prefix !== undefined && (family ?? prefix.family) === prefix.family;
    if (!isRight || parseIp(destination.split('/')[0] ?? '')?.value !== prefix.first) {
      throw badAttribute(attribute, `'${destination}' is not a valid CIDR`);
    }
    if (loopbacks.some((loopback) => overlaps(prefix, loopback) && prefix.prefixLength >= loopback.prefixLength)) {
      throw badAttribute(attribute, `'${destination}' is not a routable CIDR`);
    }
    if (parseIp(nextHop)?.family !== prefix.family)
      throw badAttribute(attribute, `'${nextHop}' is not a valid IP address`);
    const key = `${destination} ${nextHop}`;
    if (seen.has(key)) {
      throw badAttribute(attribute, `Duplicate hostroute '{'destination': '${destination}', 'nexthop': '${nextHop}'}'`);
    }
    seen.add(key);
    return new shoal.v1.HostRoute({ destination, nextHop });
  });
}
