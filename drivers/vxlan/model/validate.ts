/**
 * Checks of what callers hand over. These values end up in batch files, nft text and command lines, so whatever is not
 * plainly what it should be is refused: `INVALID_ARGUMENT`, naming the field.
 */
import { isIPv4 } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';
import { ipVersion } from '../../../node/base/ip-version.ts';
import type {
  ForwardingSpec,
  LocalPortSpec,
  NetworkSpec,
  RouterSpec,
  RouterWay,
  SecurityRuleSpec,
} from '../../types.ts';
import { checkVni, transitIndexMax } from '../links/vni.ts';
import { holds, ipNumber, ipText, isIp6, readCidr } from './cidr.ts';
import { metadataFileBytesMax, metadataFileName, metadataFilesMax } from './metadata.ts';
import { checkId } from './names.ts';
import { underlayAddress } from './underlay.ts';

/** Smallest MTU of IPv4 links that matters, and what a jumbo underlay can carry. */
const mtuMin = 576;
const mtuMax = 9_000;
/** What every link with IPv6 must carry (RFC 8200, section 5). */
const mtuMin6 = 1_280;
/** Bits of the prefix of addresses that are made of MACs. No prefix of IPv4 has as many. */
const autoPrefixLength = 64;
/** Ports of one network: bounds the work of one call. */
const portsMax = 65_536;
/** Rules of one port, and prefixes of one rule (a remote group's members). */
const rulesMax = 1_024;
const prefixesMax = 16_384;
/** Few enough for DHCP options, which hold 255 bytes each. */
const dnsServersMax = 8;
const hostRoutesMax = 20;
/** Subnets of one network: each is an address of its service, and a range of its DHCP. */
const subnetsMax = 256;
const floatingIpsMax = 4_096;
const forwardsMax = 10_000;
/** Addresses, and address pairs, of one port. */
const addressesMax = 64;
/** Static routes of one router. */
const routesMax = 64;

/** A network's record. */
export function checkNetwork(spec: NetworkSpec): void {
  checkId(spec.networkId, 'network');
  checkVni(spec.vni);
  range(spec.mtu, mtuMin, mtuMax, 'mtu');
  bounded(spec.subnets, subnetsMax, 'subnets');
  checkDisjoint(spec);
  for (const subnet of spec.subnets) {
    checkId(subnet.subnetId, 'subnet');
    const cidr = readCidr(subnet.cidr);
    const inside = (ip: string, what: string): void => {
      anyAddress(ip, what);
      if (!holds(cidr, ip)) refuse(`${what} ${ip} is not in ${subnet.cidr}`, { subnetId: subnet.subnetId });
    };
    if (subnet.serviceIp !== undefined) inside(subnet.serviceIp, 'serviceIp');
    else if (subnet.dhcp) refuse('DHCP needs a serviceIp', { subnetId: subnet.subnetId });
    if (subnet.gatewayIp !== undefined) inside(subnet.gatewayIp, 'gatewayIp');
    bounded(subnet.dnsServers, dnsServersMax, 'dnsServers');
    for (const server of subnet.dnsServers) anyAddress(server, 'dnsServers');
    bounded(subnet.hostRoutes, hostRoutesMax, 'hostRoutes');
    for (const route of subnet.hostRoutes) {
      readCidr(route.destination);
      anyAddress(route.nextHop, 'nextHop');
    }
    if (subnet.addressing !== undefined && !['slaac', 'dhcpv6-stateless'].includes(subnet.addressing)) {
      refuse('unknown addressing', { subnetId: subnet.subnetId });
    }
    if (subnet.addressing !== undefined && cidr.prefixLength !== autoPrefixLength) {
      refuse(`automatic addresses need a prefix of ${autoPrefixLength} bits`, { subnetId: subnet.subnetId });
    }
    if (cidr.family === 6 && spec.mtu < mtuMin6) refuse(`IPv6 needs an mtu of ${mtuMin6}`, { mtu: spec.mtu });
  }
}

/** Of two subnets that overlap nobody could tell which one a guest's address is of. */
function checkDisjoint({ networkId, subnets }: NetworkSpec): void {
  const sorted = subnets
    .map(({ cidr }) => readCidr(cidr))
    .sort((a, b) => a.family - b.family || (a.first < b.first ? -1 : 1));
  for (const [at, cidr] of sorted.entries()) {
    const next = sorted[at + 1];
    if (next?.family === cidr.family && next.first <= cidr.last) {
      refuse(`subnets ${cidr.text} and ${next.text} overlap`, { networkId });
    }
  }
}

/** Metadata that has been found good. The same object comes again with every look at the host; it is never changed. */
const goodMetadata = new WeakSet<object>();

/** A local port's record. */
export function checkPort(spec: LocalPortSpec): void {
  checkId(spec.portId, 'port');
  checkId(spec.networkId, 'network');
  mac(spec.mac);
  anyAddress(spec.ip, 'ip');
  bounded(spec.moreIps ?? [], addressesMax, 'moreIps');
  for (const ip of spec.moreIps ?? []) anyAddress(ip, 'moreIps');
  bounded(spec.addressPairs ?? [], addressesMax, 'addressPairs');
  for (const pair of spec.addressPairs ?? []) {
    mac(pair.mac);
    readCidr(pair.prefix);
  }
  bounded(spec.rules, rulesMax, 'rules');
  for (const rule of spec.rules) checkRule(rule);
  if (goodMetadata.has(spec.metadata)) return;
  const files = Object.entries(spec.metadata);
  bounded(files, metadataFilesMax, 'metadata');
  for (const [path, body] of files) {
    metadataFileName(path);
    if (Buffer.byteLength(body) > metadataFileBytesMax)
      refuse(`metadata ${path} is too large`, { portId: spec.portId });
  }
  goodMetadata.add(spec.metadata);
}

function checkRule(rule: SecurityRuleSpec): void {
  if (rule.direction !== 'ingress' && rule.direction !== 'egress') refuse('direction is ingress or egress', { rule });
  const { protocol, portMin, portMax } = rule;
  if (typeof protocol === 'number') range(protocol, 0, 255, 'protocol');
  else if (protocol !== undefined && !['tcp', 'udp', 'icmp'].includes(protocol)) refuse('unknown protocol', { rule });
  const isIcmp = protocol === 'icmp' || protocol === (rule.ethertype === 'IPv6' ? 58 : 1);
  for (const value of [portMin, portMax]) if (value !== undefined) range(value, 0, isIcmp ? 255 : 65_535, 'port');
  if (!isIcmp && portMin !== undefined && portMax !== undefined && portMin > portMax) {
    refuse('portMin is above portMax', { rule });
  }
  bounded(rule.remotePrefixes ?? [], prefixesMax, 'remotePrefixes');
  if (rule.ethertype !== undefined && !['IPv4', 'IPv6'].includes(rule.ethertype)) refuse('unknown ethertype', { rule });
  for (const prefix of rule.remotePrefixes ?? []) readCidr(prefix);
}

/** What a host is told of the others. */
export function checkForwarding(spec: ForwardingSpec): void {
  checkId(spec.networkId, 'network');
  bounded(spec.peerVtepIps, portsMax, 'peerVtepIps');
  for (const ip of spec.peerVtepIps) underlayAddress(ip, 'peerVtepIps');
  bounded(spec.remotePorts, portsMax, 'remotePorts');
  for (const port of spec.remotePorts) {
    mac(port.mac);
    anyAddress(port.ip, 'ip');
    underlayAddress(port.vtepIp, 'vtepIp');
  }
}

/** A router's record. */
export function checkRouter(spec: RouterSpec): void {
  checkId(spec.routerId, 'router');
  const subnets = new Set<string>();
  for (const leg of spec.interfaces) {
    checkId(leg.networkId, 'network');
    if (subnets.has(leg.subnetId)) refuse('a router has at most one interface on a subnet', { leg });
    subnets.add(leg.subnetId);
    checkLeg(leg);
  }
  bounded(spec.routes ?? [], routesMax, 'routes');
  for (const route of spec.routes ?? []) {
    anyAddress(route.nextHop, 'nextHop');
    if (readCidr(route.destination).family !== familyOf(route.nextHop)) {
      refuse('a route leads to a next hop of its own family', { route });
    }
  }
  const { external, external6 } = spec;
  if (external6 !== undefined) {
    for (const ip of [external6.gatewayIp, external6.ip]) address6(ip, 'external6');
    if (readCidr(external6.cidr).family !== 6) refuse(`${external6.cidr} is no prefix of IPv6`, {});
    checkWay(external6);
  }
  if (external === undefined) return;
  address(external.gatewayIp, 'gatewayIp');
  readCidr(external.cidr);
  bounded(external.floatingIps, floatingIpsMax, 'floatingIps');
  const seen = new Set<string>();
  for (const entry of external.floatingIps) {
    address(entry.floatingIp, 'floatingIp');
    address(entry.fixedIp, 'fixedIp');
    for (const ip of [`floating ${entry.floatingIp}`, `fixed ${entry.fixedIp}`]) {
      if (seen.has(ip)) refuse(`${ip} is there twice`, { routerId: spec.routerId });
      seen.add(ip);
    }
  }
  checkForwards(spec.routerId, external);
  if (external.snatIp !== undefined) address(external.snatIp, 'snatIp');
  checkWay(external);
}

/** Modes of router advertisements. */
const advertisementModes: readonly string[] = ['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'];

/** One interface of a router: an address, and what it knows and says there. */
function checkLeg({ ip, prefixLength, neighbours, advertisement }: RouterSpec['interfaces'][number]): void {
  anyAddress(ip, 'ip');
  range(prefixLength, 0, familyOf(ip) === 6 ? 128 : 32, 'prefixLength');
  bounded(neighbours, portsMax, 'neighbours');
  for (const neighbour of neighbours) {
    anyAddress(neighbour.ip, 'neighbour');
    if (familyOf(neighbour.ip) !== familyOf(ip))
      refuse(`neighbour ${neighbour.ip} is of another family than ${ip}`, {});
    mac(neighbour.mac);
  }
  if (advertisement === undefined) return;
  if (familyOf(ip) !== 6) refuse('router advertisements are of IPv6', { ip });
  if (!advertisementModes.includes(advertisement.mode)) refuse('unknown mode of advertisements', { advertisement });
  bounded(advertisement.dnsServers, dnsServersMax, 'dnsServers');
  for (const server of advertisement.dnsServers) address6(server, 'dnsServers');
}

/** How what leaves a router comes to where it does. */
function checkWay(way: RouterWay): void {
  if (way.snatVtepIp !== undefined) underlayAddress(way.snatVtepIp, 'snatVtepIp');
  for (const ip of way.transitPeerVtepIps ?? []) underlayAddress(ip, 'transitPeerVtepIps');
  if (way.transitVni !== undefined) checkVni(way.transitVni);
  for (const index of [way.transitIndex, way.snatTransitIndex]) {
    if (index !== undefined) range(index, 1, transitIndexMax, 'transit index');
  }
}

/** One place for each port of each address, and none of an address that leads to a guest as a whole. */
function checkForwards(routerId: string, external: NonNullable<RouterSpec['external']>): void {
  const forwards = external.forwards ?? [];
  bounded(forwards, forwardsMax, 'forwards');
  if (forwards.length > 0 && (!external.snatHere || external.snatIp === undefined)) {
    refuse('ports are forwarded by the host that does source NAT', { routerId });
  }
  const seen = new Set(external.floatingIps.map(({ floatingIp }) => floatingIp));
  for (const forward of forwards) {
    address(forward.floatingIp, 'floatingIp');
    address(forward.fixedIp, 'fixedIp');
    if (forward.protocol !== 'tcp' && forward.protocol !== 'udp') refuse('protocol is tcp or udp', { forward });
    for (const port of [forward.port, forward.fixedPort]) range(port, 1, 65_535, 'port');
    const place = `${forward.floatingIp} ${forward.protocol} ${forward.port}`;
    if (seen.has(place) || seen.has(forward.floatingIp)) refuse(`${place} is there twice`, { routerId });
    seen.add(place);
  }
}

/** A network prefix of namespaces: short, and safe in names. */
export function checkPrefix(prefix: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(prefix))
    refuse(`namespacePrefix ${JSON.stringify(prefix)} is malformed`, {});
}

/** An address of either family, IPv6 as the kernel prints it: what is found is compared. */
function anyAddress(ip: string, field: string): void {
  if (typeof ip !== 'string' || !ip.includes(':')) address(ip, field);
  else if (ipVersion(ip) !== 6 || ipText(ipNumber(ip), 6) !== ip) {
    refuse(`${field} ${JSON.stringify(ip)} is not an IPv6 address in its shortest form, such as fd00::1`, { field });
  }
}

/** An IPv6 address. */
function address6(ip: string, field: string): void {
  anyAddress(ip, field);
  if (familyOf(ip) !== 6) refuse(`${field} ${ip} is not an IPv6 address`, { field });
}

function familyOf(ip: string): 4 | 6 {
  return isIp6(ip) ? 6 : 4;
}

/** An IPv4 address. */
export function address(ip: string, field: string): void {
  if (typeof ip !== 'string' || !isIPv4(ip)) refuse(`${field} ${JSON.stringify(ip)} is not an IPv4 address`, { field });
}

function mac(value: string): void {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(value) || (Number.parseInt(value.slice(0, 2), 16) & 1) === 1) {
    refuse(`${JSON.stringify(value)} is not a unicast MAC in lower case`, {});
  }
}

function range(value: number, min: number, max: number, field: string): void {
  if (!Number.isInteger(value) || value < min || value > max)
    refuse(`${field} ${value} is not in ${min}..${max}`, { field });
}

function bounded(items: readonly unknown[], max: number, field: string): void {
  if (items.length > max) refuse(`${field}: ${items.length} is more than ${max}`, { field });
}

function refuse(message: string, facts: Readonly<Record<string, unknown>>): never {
  throw new ShoalError('INVALID_ARGUMENT', message, { facts });
}
