/** What is said by router advertisements, as dnsmasq is told it. */
import t from 'tap';
import { advertiserArguments } from '../../../drivers/vxlan/services/advertiser.ts';
import type { SubnetId } from '../../../node/base/ids.ts';

const paths = { pidFile: '/state/pid', leaseFile: '/state/leases' };

void t.test('each prefix in its mode, with its own name servers, on its own interface', async (t) => {
  const prefix = (name: string, mode: 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful') => ({
    ...{ subnetId: `subnet-${name}` as SubnetId, dev: `qr-${name}`, prefix: `fd00:${name}::/64`, mode },
    dnsServers: [`fd00:${name}::53`],
  });
  const argv = advertiserArguments(
    [prefix('a', 'slaac'), prefix('b', 'dhcpv6-stateless'), prefix('c', 'dhcpv6-stateful')],
    paths,
    'nobody',
  );
  for (const word of [
    '--port=0',
    '--interface=qr-a',
    '--dhcp-range=set:subnet-a,fd00:a::,ra-only,64,24h',
    '--dhcp-range=set:subnet-b,fd00:b::,ra-stateless,64,24h',
    '--dhcp-range=set:subnet-c,fd00:c::,static,64,24h',
    '--dhcp-option=tag:subnet-a,option6:dns-server,[fd00:a::53]',
  ]) {
    t.ok(argv.includes(word), word);
  }
});

void t.test('two prefixes of one network are said on its one interface', async (t) => {
  const both = ['a', 'b'].map((name) => ({
    ...{ subnetId: `subnet-${name}` as SubnetId, dev: 'qr-7', prefix: `fd00:${name}::/64`, mode: 'slaac' as const },
    dnsServers: [],
  }));
  const argv = advertiserArguments(both, paths, 'nobody');
  t.equal(argv.filter((word) => word === '--interface=qr-7').length, 1);
  t.ok(argv.includes('--dhcp-option=tag:subnet-a,option6:dns-server'), 'without a server none is said');
});
