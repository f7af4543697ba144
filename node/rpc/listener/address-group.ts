import ipaddr from 'ipaddr.js';

/**
 * What counts as one address where addresses are bounded: an IPv4 address, or the /64 of an IPv6 one, since that is what
 * one subscriber has. IPv4 in IPv6 is the IPv4 address. What is no address stands for itself.
 */
export function addressGroup(address: string): string {
  const bare = address.replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return address;
  const parsed = ipaddr.process(bare);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`;
}
