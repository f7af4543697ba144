/**
 * What a guest reads at 169.254.169.254, as prepared bodies by path: OpenStack's tree and EC2's. Pure, and made of what
 * seldom changes, so that a host writes it again only when a guest would read something else.
 */
import { hkdfSync } from 'node:crypto';
import { serialOfDisk } from '../../../drivers/qemu/disks/disk-nodes.ts';
import type { MetadataBodies } from '../../../drivers/types.ts';
import { guestDomain } from '../../../drivers/vxlan/services/dns.ts';
import type { shoal } from '../../../proto/messages.ts';
import { assert } from '../../base/assert.ts';
import { tellingDigits } from '../../base/ordered-uuids.ts';
import { indexKey } from '../../state/table.ts';
import { floatingIpTable, hostTable, networkTable, portTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { nicTag } from '../kit/servers/server-nics.ts';
import { defaultZone, zoneOf } from '../kit/zones.ts';
import { firstOf, formatIp, type IpFamily, type IpPrefix, parseIp, parsePrefix } from './kit/address.ts';

/**
 * Versions by which guests ask. cloud-init takes the newest it knows of the list; older clients have one of the others
 * built in. All are answered alike: later keys do not disturb earlier readers.
 */
const openstackVersions = [
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
] as const;
const ec2Versions = ['2009-04-04', 'latest'] as const;
/** NICs in EC2's tree: as many as a new server may have. Each is a dozen files. */
const ec2NicsMax = 16;
/** Entropy that a guest is given for its first boot, bytes: as much as Nova gives. */
const randomSeedBytes = 512;

/** Text, or the bytes that the owner sent. */
type Body = MetadataBodies[string];

/** One NIC of a guest with what it is plugged into. */
interface MetadataNic {
  readonly port: shoal.v1.Port;
  readonly network: shoal.v1.Network;
  /** Subnets of the port's addresses, in their order. */
  readonly subnets: readonly shoal.v1.Subnet[];
  /** Floating IPs of the port, in order. */
  readonly publicIps: readonly string[];
}

/** What an agent adds to the records. */
export interface MetadataSettings {
  /** Secret that seeds are derived from; the same on all hosts, so that a guest that moves keeps its own. Absent: no seeds. */
  readonly seedKey?: Uint8Array;
  /** A JSON object, as text: what the operator tells every guest. */
  readonly vendorData: string;
}

/** No seed, nothing from the operator. */
export const plainMetadataSettings: MetadataSettings = { vendorData: '{}' };

/** All that the bodies are made of. */
export interface MetadataFacts {
  readonly server: shoal.v1.Server;
  readonly nics: readonly MetadataNic[];
  readonly zone: string;
  readonly settings: MetadataSettings;
}

/** The bodies for a server, from the records. */
export function serverMetadata(
  reader: StateReader,
  server: shoal.v1.Server,
  settings: MetadataSettings = plainMetadataSettings,
): MetadataBodies {
  return metadataBodies({ ...readMetadata(reader, server), settings });
}

/** What a server's bodies are made of, from the records: a host that has these rows can make them. */
export function readMetadata(reader: StateReader, server: shoal.v1.Server): Omit<MetadataFacts, 'settings'> {
  const nics: MetadataNic[] = [];
  for (const portId of server.portIds) {
    const port = portTable.find(reader, portId)?.record;
    const network = networkTable.find(reader, port?.networkId ?? '')?.record;
    if (port === undefined || network === undefined) continue;
    const subnets = port.fixedIps.flatMap((fixed) => {
      const subnet = subnetTable.find(reader, fixed.subnetId)?.record;
      return subnet === undefined ? [] : [subnet];
    });
    const publicIps = floatingIpTable.by(reader, 'port', indexKey(port.id)).map(({ record }) => record.floatingIp);
    nics.push({ port, network, subnets, publicIps });
  }
  const host = hostTable.find(reader, server.hostId)?.record;
  const zone = host === undefined ? server.zone || defaultZone : zoneOf(reader, host);
  return { server, nics, zone };
}

/** Path to body, directories included: each lists what is below it, as both APIs do. */
export function metadataBodies(facts: MetadataFacts): MetadataBodies {
  const leaves = new Map<string, Body>();
  const userData = facts.server.userData.length > 0 ? plainBytes(facts.server.userData) : undefined;
  // The same objects for every version: a host keeps what is the same once.
  const openstack = openstackBodies(facts, userData);
  const ec2 = ec2Bodies(facts, userData);
  for (const version of openstackVersions) {
    for (const [name, body] of openstack) leaves.set(`/openstack/${version}/${name}`, body);
  }
  for (const [index, { content }] of facts.server.injectedFiles.entries()) {
    leaves.set(`/openstack${contentPath(index)}`, plainBytes(content));
  }
  for (const version of ec2Versions) {
    for (const [name, body] of ec2) leaves.set(`/${version}/${name}`, body);
  }
  return withDirectories(leaves, facts.server.keyName);
}

function openstackBodies(
  { server, nics, zone, settings }: MetadataFacts,
  userData: Body | undefined,
): [string, Body][] {
  const { vendorData } = settings;
  const bodies: [string, Body][] = [
    ['meta_data.json', JSON.stringify(metaData(server, { zone, nics }, settings))],
    ['network_data.json', JSON.stringify(networkData(nics))],
    ['vendor_data.json', vendorData],
    // By provider: Nova's static one is called so.
    ['vendor_data2.json', vendorData === '{}' ? '{}' : `{"static":${vendorData}}`],
    ['password', server.encryptedPassword],
  ];
  if (userData !== undefined) bodies.push(['user_data', userData]);
  return bodies;
}

function metaData(
  server: shoal.v1.Server,
  { zone, nics }: Pick<MetadataFacts, 'zone' | 'nics'>,
  { seedKey }: MetadataSettings,
): object {
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
    devices: taggedDevices(server, nics),
    ...(seedKey === undefined ? {} : { random_seed: randomSeed(seedKey, server) }),
  };
}

/** NICs and disks that their owner has given tags, as Nova tells of them. */
function taggedDevices(server: shoal.v1.Server, nics: readonly MetadataNic[]): readonly object[] {
  // Where a device is on its bus its hypervisor decides: Nova's word for what is not known.
  const place = { bus: 'none', address: 'none' };
  const ofNics = nics.flatMap(({ port }) => {
    const tag = nicTag(server, port.id);
    return tag === '' ? [] : [{ type: 'nic', ...place, mac: port.mac, tags: [tag] }];
  });
  const ofDisks = server.disks.flatMap(({ volumeId, device, tag }) =>
    tag === undefined || tag === null || tag === ''
      ? []
      : [{ type: 'disk', ...place, serial: serialOfDisk(volumeId ?? ''), path: `/dev/${device ?? ''}`, tags: [tag] }],
  );
  return [...ofNics, ...ofDisks];
}

/**
 * Entropy for a guest, base64. Derived, not drawn: a host that looks again finds what it wrote. Nobody who lacks the key
 * can tell it, and one guest's tells nothing of another's (HKDF-SHA512, RFC 5869).
 */
function randomSeed(seedKey: Uint8Array, server: shoal.v1.Server): string {
  return Buffer.from(hkdfSync('sha512', seedKey, '', `server/${server.id}`, randomSeedBytes)).toString('base64');
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
  const { family } = prefixOf(subnet);
  if (subnet.dhcp && family === 4) return { ...base, type: 'ipv4_dhcp' };
  return {
    ...base,
    type: family === 4 ? 'ipv4' : typeOfIp6(subnet),
    ip_address: port.fixedIps[index]?.ip ?? '',
    netmask: maskText(prefixOf(subnet)),
    routes: [
      ...(subnet.gatewayIp === ''
        ? []
        : [{ network: everywhere[family], netmask: everywhere[family], gateway: subnet.gatewayIp }]),
      ...subnet.hostRoutes.map((route) => {
        const prefix = parsePrefix(route.destination);
        assert(prefix !== undefined, `route ${route.destination} of subnet ${subnet.id} was checked when recorded`);
        return {
          network: formatIp(firstOf(prefix)),
          netmask: maskText(prefix),
          gateway: route.nextHop,
        };
      }),
    ],
    services: subnet.dnsServers.map((address) => ({ type: 'dns', address })),
  };
}

/** As Nova says it: by the mode, or `ipv6_dhcp` where a DHCP server is and no mode is said. */
function typeOfIp6({ dhcp, ipv6AddressMode }: shoal.v1.Subnet): string {
  if (ipv6AddressMode !== '') return `ipv6_${ipv6AddressMode}`;
  return dhcp ? 'ipv6_dhcp' : 'ipv6';
}

const everywhere = { 4: '0.0.0.0', 6: '::' } as const;

function ec2Bodies({ server, nics, zone }: MetadataFacts, userData: Body | undefined): [string, Body][] {
  const publicIp = nics.flatMap((nic) => nic.publicIps)[0] ?? '';
  const ipv4 = addressesOf(nics[0]?.port, 4)[0] ?? '';
  const ipv6 = addressesOf(nics[0]?.port, 6)[0];
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
    ...(ipv6 === undefined ? [] : [['meta-data/ipv6', ipv6] satisfies [string, Body]]),
    ['meta-data/mac', nics[0]?.port.mac ?? ''],
    ['meta-data/placement/availability-zone', zone],
    ['meta-data/public-hostname', fullName(server)],
    ['meta-data/public-ipv4', publicIp],
    ['meta-data/reservation-id', server.reservationId],
    ['meta-data/security-groups', server.securityGroupNames.join('\n')],
  ];
  if (server.keyName !== '') bodies.push(['meta-data/public-keys/0/openssh-key', server.publicKey]);
  if (userData !== undefined) bodies.push(['user-data', userData]);
  for (const [index, nic] of nics.slice(0, ec2NicsMax).entries()) bodies.push(...ec2NicBodies(server, nic, index));
  return bodies;
}

/** EC2's description of one NIC. The lists of addresses have one a line, as there. */
function ec2NicBodies(server: shoal.v1.Server, nic: MetadataNic, index: number): [string, Body][] {
  const { port, network, subnets, publicIps } = nic;
  const leaf = (name: string, body: string): [string, Body] => [
    `meta-data/network/interfaces/macs/${port.mac}/${name}`,
    body,
  ];
  const subnet = subnets.find((each) => prefixOf(each).family === 4);
  const subnets6 = subnets.filter((each) => prefixOf(each).family === 6);
  const ips6 = addressesOf(port, 6);
  return [
    leaf('device-number', String(index)),
    leaf('interface-id', ec2Id('eni', port.id)),
    leaf('local-hostname', fullName(server)),
    leaf('local-ipv4s', addressesOf(port, 4).join('\n')),
    ...(ips6.length === 0 ? [] : [leaf('ipv6s', ips6.join('\n'))]),
    leaf('mac', port.mac),
    leaf('owner-id', server.projectId),
    ...(publicIps.length === 0 ? [] : [leaf('public-ipv4s', publicIps.join('\n'))]),
    ...(subnet === undefined
      ? []
      : [leaf('subnet-id', ec2Id('subnet', subnet.id)), leaf('subnet-ipv4-cidr-block', subnet.cidr)]),
    ...(subnets6.length === 0 ? [] : [leaf('subnet-ipv6-cidr-blocks', subnets6.map(({ cidr }) => cidr).join('\n'))]),
    leaf('vpc-id', ec2Id('vpc', network.id)),
  ];
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
  return `${server.hostname}.${guestDomain}`;
}

/** EC2 wants ids of this form; 32 bits of ours serve. */
function ec2Id(kind: 'ami' | 'eni' | 'i' | 'subnet' | 'vpc', id: string): string {
  return `${kind}-${tellingDigits(id).padStart(8, '0')}`;
}

function linkName(port: shoal.v1.Port): string {
  return `tap${port.id.replaceAll('-', '').slice(0, 11)}`;
}

function prefixOf(subnet: shoal.v1.Subnet): IpPrefix {
  const prefix = parsePrefix(subnet.cidr);
  assert(prefix !== undefined, `cidr ${subnet.cidr} of subnet ${subnet.id} was checked when recorded`);
  return prefix;
}

/** A prefix's length as a mask of its family. */
function maskText({ family, prefixLength }: IpPrefix): string {
  const bits = family === 4 ? 32 : 128;
  return formatIp({ family, value: 2n ** BigInt(bits) - 2n ** BigInt(bits - prefixLength) });
}

/** EC2's leaves are of one family each. */
function addressesOf(port: shoal.v1.Port | undefined, family: IpFamily): readonly string[] {
  return (port?.fixedIps ?? []).map(({ ip }) => ip).filter((ip) => parseIp(ip)?.family === family);
}

function sortedMap(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
