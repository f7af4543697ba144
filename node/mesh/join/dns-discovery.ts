/**
 * Members found by DNS, as etcd and Consul have it: SRV records `_shoal-peer._tcp.NAME`, which name hosts and ports; where there
 * are none, the addresses of NAME with the port that agents have for their peers. Nobody found so is believed for it: a member
 * has to prove the mesh that the ticket pins.
 */
import type { SrvRecord } from 'node:dns';
import { promises as dns } from 'node:dns';
import { formatAddress } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';

/** What an agent listens on for its peers unless configured otherwise. */
const peerPortDefault = 7401;
/** Addresses taken of one name: enough that some agent answers. */
const addressesMax = 16;

/** The part of `node:dns` that is asked. */
interface NameResolver {
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
}

/** Where members may be, `host:port`, those of the best priority first. Throws `UNAVAILABLE` when the name has nothing to say. */
export async function membersByDns(name: string, resolver: NameResolver = dns): Promise<readonly string[]> {
  const services = await orNone(resolver.resolveSrv(`_shoal-peer._tcp.${name}`));
  const byService = [...services]
    .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
    .map((found) => formatAddress({ host: found.name, port: found.port }));
  if (byService.length > 0) return byService.slice(0, addressesMax);
  const [four, six] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
  const addresses = [...four, ...six].map((host) => formatAddress({ host, port: peerPortDefault }));
  if (addresses.length > 0) return addresses.slice(0, addressesMax);
  throw new ShoalError('UNAVAILABLE', `DNS knows neither _shoal-peer._tcp.${name} (SRV) nor an address of ${name}.`, {
    facts: { name },
  });
}

/** "There is no such name" and "no such record" are answers; that nobody answers is a failure. Throws `UNAVAILABLE`. */
async function orNone<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (caught) {
    const code = caught instanceof Error && 'code' in caught ? caught.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw ShoalError.from(caught, 'UNAVAILABLE', 'asking DNS for members');
  }
}
