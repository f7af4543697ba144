import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { parseListenAddress } from '../base/address.ts';
import { listOf } from '../config/list-of.ts';
import { advertisedAddress, isWildcard } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import type { ApiNames } from '../mesh/identity/authority.ts';

/** Most addresses of interfaces that go into a certificate: a machine with more says which by `api.names`. */
const interfaceAddressesMax = 32;

/**
 * By what clients reach the API of this host: its name, the advertised address, what it listens on (every address of its
 * interfaces where that is all of them), the host of `api.publicUrl`, and `api.names`.
 */
export function apiNames(config: Config): ApiNames {
  const dnsNames = new Set<string>(['localhost']);
  const addresses = new Set<string>(['127.0.0.1', '::1']);
  const add = (host: string): void => {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(bare) !== 0) addresses.add(bare);
    else if (bare !== '') dnsNames.add(bare);
  };
  add(config.name);
  add(advertisedAddress(config));
  for (const { host } of [config.api.listen, config.api.grpcListen].map(parseListenAddress)) {
    if (isWildcard(host)) for (const address of interfaceAddresses()) add(address);
    else add(host);
  }
  const publicUrl = URL.parse(config.api.publicUrl);
  if (publicUrl !== null) add(publicUrl.hostname);
  add(config.api.virtualAddress.split('/')[0] ?? '');
  for (const name of listOf(config.api.names)) add(name);
  return { dnsNames: [...dnsNames], addresses: [...addresses] };
}

function interfaceAddresses(): string[] {
  return (
    Object.values(networkInterfaces())
      .flatMap((of) => of ?? [])
      // Link-local addresses mean nothing without an interface, and certificates cannot name one.
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
      .map(({ address }) => address)
      .slice(0, interfaceAddressesMax)
  );
}
