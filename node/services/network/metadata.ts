/**
 * What a guest reads at 169.254.169.254, as prepared bodies by path: OpenStack's tree and EC2's. Pure, and made of what
 * seldom changes, so that a host writes it anew only when a guest would read something else.
 */
import type { MetadataBodies } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { assert } from '../../base/assert.ts';
import { tellingDigits } from '../../base/ordered-uuids.ts';
import { indexKey } from '../../state/table.ts';
import { floatingIpTable, hostTable, networkTable, portTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { defaultZone, zoneOf } from '../compute/zones.ts';
import { formatIpv4, parsePrefix } from './address.ts';

/**
 * Versions by which guests ask. cloud-init takes the newest it knows of the list; older clients have one of the others
 * built in. All are answered alike: later keys do not disturb earlier readers.
 */
const openstackVersions = ['2012-08-10', '2013-10-17', '2015-10-15', '2018-08-27', 'latest'] as const;
const ec2Versions = ['2009-04-04', 'latest'] as const;
/** Domain behind names of guests, as Nova's default. */
const dhcpDomain = 'novalocal';

/** Text, or the bytes that the owner sent. */
type Body = MetadataBodies[string];

/** One NIC of a guest with what it is plugged into. */
export interface MetadataNic {
  readonly port: shoal.v1.Port;
  readonly network: shoal.v1.Network;
  /** Subnets of the port's addresses, in their order. */
  readonly subnets: readonly shoal.v1.Subnet[];
}

/** All that the bodies are made of. */
export interface MetadataFacts {
  readonly server: shoal.v1.Server;
  readonly nics: readonly MetadataNic[];
  /** First floating IP; empty: none. */
  readonly publicIp: string;
  readonly zone: string;
}

/** The bodies for a server, from the records. */
export function serverMetadata(reader: StateReader, server: shoal.v1.Server): MetadataBodies {
  const nics: MetadataNic[] = [];
  let publicIp = '';
  for (const portId of server.portIds) {
    const port = portTable.find(reader, portId)?.record;
    const network = networkTable.find(reader, port?.networkId ?? '')?.record;
    if (port === undefined || network === undefined) continue;
    const subnets = port.fixedIps.flatMap((fixed) => {
      const subnet = subnetTable.find(reader, fixed.subnetId)?.record;
      return subnet === undefined ? [] : [subnet];
    });
    nics.push({ port, network, subnets });
    publicIp ||= floatingIpTable.by(reader, 'port', indexKey(port.id))[0]?.record.floatingIp ?? '';
  }
  const host = hostTable.find(reader, server.hostId)?.record;
  const zone = host === undefined ? server.zone || defaultZone : zoneOf(reader, host);
  return metadataBodies({ server, nics, publicIp, zone });
}

/** Path to body, directories included: each lists what is below it, as both APIs do. */
export function metadataBodies(facts: MetadataFacts): MetadataBodies {
  const leaves = new Map<string, Body>();
  for (const version of openstackVersions) {
    for (const [name, body] of openstackBodies(facts)) leaves.set(`/openstack/${version}/${name}`, body);
  }
  for (const [index, { content }] of facts.server.injectedFiles.entries()) {
    leaves.set(`/openstack${contentPath(index)}`, plainBytes(content));
  }
  for (const version of ec2Versions) {
    for (const [name, body] of ec2Bodies(facts)) leaves.set(`/${version}/${name}`, body);
  }
  return withDirectories(leaves, facts.server.keyName);
}

function openstackBodies({ server, nics, zone }: MetadataFacts): [string, Body][] {
  const bodies: [string, Body][] = [
    ['meta_data.json', JSON.stringify(metaData(server, zone))],
    ['network_data.json', JSON.stringify(networkData(nics))],
    ['vendor_data.json', '{}'],
    ['vendor_data2.json', '{}'],
    ['password', ''],
  ];
  if (server.userData.length > 0) bodies.push(['user_data', plainBytes(server.userData)]);
  return bodies;
}

function metaData(server: shoal.v1.Server, zone: string): object {
  return {
    uuid: server.id,
    name: server.name,
    hostname: fullName(server),
    launch_index: 0,
    availability_zone: zone,
    project_id: server.projectId,
    meta: sortedMap(server.metadata),
    ...(server.keyName === ''
      ? {}
      : {
          public_keys: { [server.keyName]: server.publicKey },
          keys: [{ name: server.keyName, type: server.keyType || 'ssh', data: server.publicKey }],
        }),
    ...(server.injectedFiles.length === 0
      ? {}
      : { files: server.injectedFiles.map(({ path }, index) => ({ path, content_path: contentPath(index) })) }),
    devices: [],
  };
}

/** Where the content of an injected file is, below `/openstack`. */
function contentPath(index: number): string {
  return `/content/${String(index).padStart(4, '0')}`;
}

/** The network of a guest that does not ask DHCP. Ids are those of the records, so that they stay the same. */
function networkData(nics: readonly MetadataNic[]): object {
  const links = nics.map(({ port, network }) => ({
    id: linkName(port),
    vif_id: port.id,
    type: 'bridge',
    mtu: network.mtu,
    ethernet_mac_address: port.mac,
  }));
  const networks = nics.flatMap(({ port, network, subnets }) =>
    subnets.map((subnet, index) => addressData(port, network, subnet, index)),
  );
  const services = [...new Set(nics.flatMap(({ subnets }) => subnets.flatMap((subnet) => subnet.dnsServers)))];
  return { links, networks, services: services.map((address) => ({ type: 'dns', address })) };
}

function addressData(port: shoal.v1.Port, network: shoal.v1.Network, subnet: shoal.v1.Subnet, index: number): object {
  const base = { id: `network-${port.id.slice(0, 8)}-${index}`, link: linkName(port), network_id: network.id };
  if (subnet.dhcp) return { ...base, type: 'ipv4_dhcp' };
  const netmask = netmaskOf(subnet);
  return {
    ...base,
    type: 'ipv4',
    ip_address: port.fixedIps[index]?.ip ?? '',
    netmask,
    routes: [
      ...(subnet.gatewayIp === '' ? [] : [{ network: '0.0.0.0', netmask: '0.0.0.0', gateway: subnet.gatewayIp }]),
      ...subnet.hostRoutes.map((route) => {
        const prefix = parsePrefix(route.destination);
        assert(prefix !== undefined, `route ${route.destination} of subnet ${subnet.id} was checked when recorded`);
        return {
          network: formatIpv4(prefix.first),
          netmask: maskText(prefix.prefixLength),
          gateway: route.nextHop,
        };
      }),
    ],
    services: subnet.dnsServers.map((address) => ({ type: 'dns', address })),
  };
}

function ec2Bodies({ server, nics, publicIp, zone }: MetadataFacts): [string, Body][] {
  const ipv4 = nics[0]?.port.fixedIps[0]?.ip ?? '';
  const bodies: [string, Body][] = [
    ['meta-data/ami-id', ec2Id('ami', server.imageId)],
    ['meta-data/ami-launch-index', '0'],

    ['meta-data/block-device-mapping/ami', 'vda'],
    ['meta-data/block-device-mapping/root', '/dev/vda'],
    ['meta-data/hostname', fullName(server)],
    ['meta-data/instance-action', 'none'],
    ['meta-data/instance-id', ec2Id('i', server.id)],
    ['meta-data/instance-type', server.flavor?.name ?? ''],
    ['meta-data/local-hostname', fullName(server)],
    ['meta-data/local-ipv4', ipv4],
    ['meta-data/placement/availability-zone', zone],
    ['meta-data/public-hostname', fullName(server)],
    ['meta-data/public-ipv4', publicIp],
    ['meta-data/reservation-id', server.reservationId],
    ['meta-data/security-groups', server.securityGroupNames.join('\n')],
  ];
  if (server.keyName !== '') bodies.push(['meta-data/public-keys/0/openssh-key', server.publicKey]);
  if (server.userData.length > 0) bodies.push(['user-data', plainBytes(server.userData)]);
  return bodies;
}

/** Adds a listing for each directory, with and without the slash at its end: clients ask for either. */
function withDirectories(leaves: ReadonlyMap<string, Body>, keyName: string): MetadataBodies {
  const children = new Map<string, Set<string>>();
  for (const path of leaves.keys()) {
    const parts = path.slice(1).split('/');
    for (let depth = 0; depth < parts.length; depth++) {
      const directory = `/${parts.slice(0, depth).join('/')}`;
      const isDirectory = depth < parts.length - 1;
      const names = children.get(directory) ?? new Set<string>();
      names.add(`${parts[depth]}${isDirectory ? '/' : ''}`);
      children.set(directory, names);
    }
  }
  const bodies = new Map(leaves);
  for (const [directory, names] of children) {
    const body = listing(directory, [...names].sort(), keyName);
    bodies.set(directory, body);
    if (directory !== '/') bodies.set(`${directory}/`, body);
  }
  return Object.fromEntries([...bodies].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function listing(directory: string, names: readonly string[], keyName: string): string {
  // EC2 lists keys by number and name; OpenStack's own tree and the versions carry no slash.
  if (directory.endsWith('/meta-data/public-keys')) return `0=${keyName}`;
  if (directory === '/')
    return names
      .filter((name) => name !== 'openstack/')
      .map(bare)
      .join('\n');
  if (directory.startsWith('/openstack')) return names.map(bare).join('\n');
  return names.join('\n');
}

const bare = (name: string): string => name.replace(/\/$/, '');

/** Bytes of one class, however the record was read: hosts compare what they have with what is wanted. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function fullName(server: shoal.v1.Server): string {
  return `${server.hostname}.${dhcpDomain}`;
}

/** EC2 wants ids of this form; 32 bits of ours serve. */
function ec2Id(kind: 'ami' | 'i', id: string): string {
  return `${kind}-${tellingDigits(id).padStart(8, '0')}`;
}

function linkName(port: shoal.v1.Port): string {
  return `tap${port.id.replaceAll('-', '').slice(0, 11)}`;
}

function netmaskOf(subnet: shoal.v1.Subnet): string {
  const prefix = parsePrefix(subnet.cidr);
  assert(prefix !== undefined, `cidr ${subnet.cidr} of subnet ${subnet.id} was checked when recorded`);
  return maskText(prefix.prefixLength);
}

function maskText(prefixLength: number): string {
  return formatIpv4(2 ** 32 - 2 ** (32 - prefixLength));
}

function sortedMap(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
