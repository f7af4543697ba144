import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import type { MetadataBodies } from '../../../../drivers/types.ts';
import { metadataFileName, metadataFilesMax } from '../../../../drivers/vxlan/model/metadata.ts';
import {
  type MetadataFacts,
  metadataBodies,
  plainMetadataSettings,
} from '../../../../node/services/network/metadata.ts';
import { shoal } from '../../../../proto/messages.ts';

const facts: MetadataFacts = {
  server: new shoal.v1.Server({
    id: '0a1b2c3d-0000-4000-8000-000000000001',
    name: 'Web One',
    hostname: 'web-one',
    projectId: 'p1',
    imageId: 'ffeeddcc-0000-4000-8000-000000000002',
    keyName: 'laptop',
    publicKey: 'ssh-ed25519 AAAA me@laptop',
    userData: new TextEncoder().encode('#!/bin/sh\necho hi\n'),
    metadata: { b: '2', a: '1' },
    reservationId: 'r-abc',
    securityGroupNames: ['default', 'web'],
    flavor: new shoal.v1.Flavor({ name: 'm1.small' }),
  }),
  nics: [
    {
      port: new shoal.v1.Port({
        id: '11112222-3333-4444-5555-666677778888',
        mac: 'fa:16:3e:00:00:01',
        fixedIps: [new shoal.v1.FixedIp({ subnetId: 's', ip: '10.0.0.5' })],
      }),
      network: new shoal.v1.Network({ id: 'n', mtu: 1450 }),
      subnets: [new shoal.v1.Subnet({ id: 's', cidr: '10.0.0.0/24', dhcp: true, dnsServers: ['192.0.2.53'] })],
      publicIps: ['198.51.100.7'],
    },
  ],
  zone: 'nova',
  settings: plainMetadataSettings,
};

function textOf(body: string | Uint8Array | undefined): string | undefined {
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
}

function jsonOf(bodies: MetadataBodies, name: string) {
  return JSON.parse(textOf(bodies[`/openstack/latest/${name}`]) ?? '');
}

void t.test('OpenStack’s tree says who the server is', (t) => {
  const bodies = metadataBodies(facts);
  const meta = jsonOf(bodies, 'meta_data.json');
  t.match(meta, {
    uuid: facts.server.id,
    name: 'Web One',
    hostname: 'web-one.novalocal',
    availability_zone: 'nova',
    meta: { a: '1', b: '2' },
    public_keys: { laptop: 'ssh-ed25519 AAAA me@laptop' },
    keys: [{ name: 'laptop', type: 'ssh' }],
  });
  t.same(bodies['/openstack/latest/user_data'], facts.server.userData);
  t.equal(bodies['/openstack/latest/vendor_data.json'], '{}');
  const network = jsonOf(bodies, 'network_data.json');
  t.match(network.links, [{ ethernet_mac_address: 'fa:16:3e:00:00:01', mtu: 1450 }]);
  t.match(network.networks, [{ type: 'ipv4_dhcp' }]);
  t.same(network.services, [{ type: 'dns', address: '192.0.2.53' }]);
  t.match(bodies['/openstack'], /^2012-08-10\n.*\nlatest$/s);
  t.end();
});

void t.test('EC2’s tree can be walked from its root', (t) => {
  const bodies = metadataBodies(facts);
  const at = (path: string): unknown => textOf(bodies[path]);
  t.equal(at('/'), '2009-04-04\nlatest');
  t.match(at('/latest/meta-data/'), /hostname\ninstance-action\ninstance-id/);
  t.equal(at('/latest/meta-data'), at('/latest/meta-data/'));
  t.equal(at('/latest/meta-data/instance-id'), 'i-0a1b2c3d');
  t.equal(at('/latest/meta-data/local-ipv4'), '10.0.0.5');
  t.equal(at('/latest/meta-data/public-ipv4'), '198.51.100.7');
  t.equal(at('/latest/meta-data/public-keys/'), '0=laptop');
  t.equal(at('/latest/meta-data/public-keys/0/'), 'openssh-key');
  t.equal(at('/2009-04-04/meta-data/public-keys/0/openssh-key'), 'ssh-ed25519 AAAA me@laptop');
  t.equal(at('/latest/meta-data/placement/'), 'availability-zone');
  t.equal(at('/latest/user-data'), '#!/bin/sh\necho hi\n');
  t.end();
});

void t.test('every version that Nova has is there, and says the same', (t) => {
  const bodies = metadataBodies(facts);
  const versions = textOf(bodies['/openstack'])?.split('\n') ?? [];
  // Nova's list, as its documentation of the metadata service has it.
  for (const version of [
    '2012-08-10',
    '2013-04-04',
    '2013-10-17',
    '2015-10-15',
    '2016-06-30',
    '2016-10-06',
    '2017-02-22',
    '2018-08-27',
    '2020-10-14',
    'latest',
  ]) {
    t.ok(versions.includes(version), version);
    for (const name of ['meta_data.json', 'network_data.json', 'vendor_data.json', 'vendor_data2.json', 'user_data']) {
      const body = bodies[`/openstack/${version}/${name}`];
      t.ok(body !== undefined && body === bodies[`/openstack/latest/${name}`], `${version}/${name}`);
    }
  }
  t.end();
});

void t.test('a seed is 512 bytes, a server’s own, and the same however often it is asked for', (t) => {
  const seedOf = (key: number, id: string): string => {
    const server = new shoal.v1.Server({ ...facts.server, id });
    const settings = { ...plainMetadataSettings, seedKey: new Uint8Array(32).fill(key) };
    return jsonOf(metadataBodies({ ...facts, server, settings }), 'meta_data.json').random_seed;
  };
  const seed = seedOf(1, facts.server.id);
  t.equal(Buffer.from(seed, 'base64').length, 512);
  t.equal(seedOf(1, facts.server.id), seed);
  t.not(seedOf(2, facts.server.id), seed);
  t.not(seedOf(1, '0a1b2c3d-0000-4000-8000-000000000009'), seed);
  t.notOk('random_seed' in jsonOf(metadataBodies(facts), 'meta_data.json'), 'without a key none is made up');
  t.end();
});

void t.test('vendor data is the operator’s, in the second file under the name of Nova’s static provider', (t) => {
  const settings = { ...plainMetadataSettings, vendorData: '{"cloud-init":"#cloud-config"}' };
  const bodies = metadataBodies({ ...facts, settings });
  t.same(jsonOf(bodies, 'vendor_data.json'), { 'cloud-init': '#cloud-config' });
  t.same(jsonOf(bodies, 'vendor_data2.json'), { static: { 'cloud-init': '#cloud-config' } });
  t.equal(metadataBodies(facts)['/openstack/latest/vendor_data2.json'], '{}');
  t.end();
});

void t.test('EC2’s tree describes each NIC', (t) => {
  const [nic] = facts.nics;
  if (nic === undefined) throw new Error('there is a NIC');
  const port = new shoal.v1.Port({ ...nic.port, mac: 'fa:16:3e:00:00:02' });
  const bodies = metadataBodies({ ...facts, nics: [nic, { ...nic, port, publicIps: [] }] });
  const at = (path: string): unknown => textOf(bodies[`/latest/meta-data/${path}`]);
  t.equal(at('mac'), 'fa:16:3e:00:00:01');
  t.equal(at('network/'), 'interfaces/');
  t.equal(at('network/interfaces/macs/'), 'fa:16:3e:00:00:01/\nfa:16:3e:00:00:02/');
  const first = 'network/interfaces/macs/fa:16:3e:00:00:01';
  t.equal(at(`${first}/device-number`), '0');
  t.equal(at(`${first}/local-ipv4s`), '10.0.0.5');
  t.equal(at(`${first}/public-ipv4s`), '198.51.100.7');
  t.equal(at(`${first}/subnet-ipv4-cidr-block`), '10.0.0.0/24');
  t.equal(at('network/interfaces/macs/fa:16:3e:00:00:02/device-number'), '1');
  t.equal(at('network/interfaces/macs/fa:16:3e:00:00:02/public-ipv4s'), undefined);
  t.end();
});

void t.test('every path of the largest server is one that a host can serve', (t) => {
  const [nic] = facts.nics;
  if (nic === undefined) throw new Error('there is a NIC');
  const nics = Array.from({ length: 20 }, (_, index) => ({
    ...nic,
    port: new shoal.v1.Port({ ...nic.port, mac: `fa:16:3e:00:00:${String(index).padStart(2, '0')}` }),
  }));
  // As many as a request may carry.
  const injectedFiles = Array.from({ length: 64 }, (_, index) => new shoal.v1.InjectedFile({ path: `/etc/${index}` }));
  const server = new shoal.v1.Server({ ...facts.server, injectedFiles });
  const paths = Object.keys(metadataBodies({ ...facts, server, nics }));
  t.ok(paths.length <= metadataFilesMax, `${paths.length} files`);
  // A draft beside it has a longer name.
  for (const path of paths) t.ok(metadataFileName(path).length < 200);
  t.end();
});

void t.test('without key and user data nothing pretends to be there', (t) => {
  const server = new shoal.v1.Server({ ...facts.server, keyName: '', publicKey: '', userData: new Uint8Array() });
  const bodies = metadataBodies({ ...facts, server });
  t.notOk('/latest/user-data' in bodies);
  t.notOk('/openstack/latest/user_data' in bodies);
  t.notMatch(bodies['/latest/meta-data/'], /public-keys/);
  t.end();
});

void t.test('user data and injected files are bytes, not text', (t) => {
  // A BOM, Latin-1 and the beginning of a gzip file.
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0xe9, 0x1f, 0x8b, 0x08, 0x00, 0xff]);
  const injectedFiles = [new shoal.v1.InjectedFile({ path: '/etc/motd', content: bytes })];
  const server = new shoal.v1.Server({ ...facts.server, userData: bytes, injectedFiles });
  const bodies = metadataBodies({ ...facts, server });
  for (const path of ['/openstack/latest/user_data', '/latest/user-data', '/openstack/content/0000']) {
    t.same(bodies[path], bytes, path);
  }
  const read = shoal.v1.Server.decode(Buffer.from(shoal.v1.Server.encode(server).finish()));
  t.ok(isDeepStrictEqual(metadataBodies({ ...facts, server: read }), bodies), 'a host that compares sees no change');
  t.same(jsonOf(bodies, 'meta_data.json').files, [{ path: '/etc/motd', content_path: '/content/0000' }]);
  t.end();
});

void t.test('a subnet without DHCP is described in full', (t) => {
  const [nic] = facts.nics;
  const subnet = new shoal.v1.Subnet({ ...nic?.subnets[0], dhcp: false, gatewayIp: '10.0.0.1', cidr: '10.0.0.0/20' });
  const bodies = metadataBodies({ ...facts, nics: nic === undefined ? [] : [{ ...nic, subnets: [subnet] }] });
  t.match(jsonOf(bodies, 'network_data.json').networks, [
    {
      type: 'ipv4',
      ip_address: '10.0.0.5',
      netmask: '255.255.240.0',
      routes: [{ network: '0.0.0.0', netmask: '0.0.0.0', gateway: '10.0.0.1' }],
    },
  ]);
  t.end();
});
