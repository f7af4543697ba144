/** Debian's own `openstack`: subnets in each mode of IPv6, routers of both families and their way out. */
import t from 'tap';
import { isRecord } from '../../../node/base/json-value.ts';
import { cliOn, skipCli } from '../../support/openstack-cli.ts';
import { startCloud } from './cloud.ts';

// Each command is a start of Python.
t.setTimeout(600_000);

/** Addresses of a port, as the command line shows them. */
function addressesOf(port: Readonly<Record<string, unknown>>): readonly string[] {
  const fixedIps: unknown = port['fixed_ips'];
  if (!Array.isArray(fixedIps)) return [];
  return fixedIps.flatMap((one: unknown) => (isRecord(one) ? String(one['ip_address']) : []));
}

void t.test('subnets, ports and routers of IPv6', { skip: skipCli }, async (t) => {
  const cloud = await startCloud({ listen: true });
  const { openstack, stop } = await cliOn(cloud.gateway);
  t.teardown(async () => {
    await stop();
    await cloud.stop();
  });
  const done = async (command: string): Promise<Record<string, never>> => {
    const { failed, value } = await openstack(command);
    t.equal(failed, '', command);
    return value;
  };
  const json = (command: string) => done(`${command} -f json`);
  await json('network create inner');
  const modes = ['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'];
  for (const [number, mode] of modes.entries()) {
    const range = `--network inner --ip-version 6 --subnet-range fd00:${number + 1}::/64`;
    const made = await json(`subnet create ${range} --ipv6-ra-mode ${mode} --ipv6-address-mode ${mode} ${mode}`);
    t.match(made, { ipv6_ra_mode: mode, ipv6_address_mode: mode, gateway_ip: `fd00:${number + 1}::1`, ip_version: 6 });
  }
  const port = await json('port create --network inner --mac-address fa:16:3e:00:00:07 plug');
  t.same(
    addressesOf(port)
      .map((address) => address.replace(/^fd00:3::.+/, 'drawn'))
      .sort(),
    ['drawn', 'fd00:1::f816:3eff:fe00:7', 'fd00:2::f816:3eff:fe00:7'],
  );
  const wrong = await openstack('port create --network inner --fixed-ip ip-address=fd00:1::77 wrong -f json');
  t.match(wrong.failed, /can not be directly assigned to a port/);
  await json('network create --external public');
  await json('subnet create --network public --subnet-range 198.51.100.0/24 --no-dhcp public-4');
  await json('subnet create --network public --ip-version 6 --subnet-range 2001:db8::/64 --no-dhcp public-6');
  await json('router create way');
  for (const mode of modes) await done(`router add subnet way ${mode}`);
  await done('router set --external-gateway public way');
  await done('router set --route destination=2001:db8:7::/48,gateway=fd00:1::f816:3eff:fe00:7 way');
  const router = await json('router show way');
  t.match(router, {
    external_gateway_info: { external_fixed_ips: [{ ip_address: /^198\.51\.100\./ }, { ip_address: /^2001:db8::/ }] },
    routes: [{ destination: '2001:db8:7::/48', nexthop: 'fd00:1::f816:3eff:fe00:7' }],
  });
  t.match((await openstack('subnet delete slaac')).failed, /in use|IP allocation/);
  await done('router unset --route destination=2001:db8:7::/48,gateway=fd00:1::f816:3eff:fe00:7 way');
  for (const mode of modes) await done(`router remove subnet way ${mode}`);
  await done('subnet delete slaac');
  const left = await json('port show plug');
  t.equal(addressesOf(left).length, 2, 'its address went with the subnet');
});
