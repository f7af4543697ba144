import ipaddr from 'ipaddr.js';
import { ShoalError } from '../base/errors.ts';

/** A network: its address and the length of its prefix, bits. */
export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Networks and single addresses, comma-separated. Throws `CONFIG_INVALID` naming the first that is neither. */
export function parseNetworks(list: string): readonly Network[] {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(networkOf);
}

/** Whether `address` lies in one of the networks. What is no address lies in none. */
export function isIn(networks: readonly Network[], address: string): boolean {
  if (networks.length === 0 || !ipaddr.isValid(address)) return false;
  // `::ffff:a.b.c.d` is the IPv4 address.
  const parsed = ipaddr.process(address);
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

function networkOf(item: string): Network {
  try {
    if (item.includes('/')) return ipaddr.parseCIDR(item);
    const address = ipaddr.parse(item);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (caught) {
    throw new ShoalError('CONFIG_INVALID', `"${item}" is no address and no network such as 10.0.0.0/8`, {
      cause: caught,
    });
  }
}
