/** DHCP and names of a network: one dnsmasq in its service namespace, told about each local port by a file. Pure. */
import type { LocalPortSpec, NetworkSpec, SubnetSpec } from '../../types.ts';
import { holds, netmask, readCidr } from '../model/cidr.ts';
import { metadataIp } from '../model/metadata.ts';
import { serviceInner } from '../model/names.ts';
import { guestDomain, isHostname } from './dns.ts';

/** Long, for addresses never change; short enough that a changed route or DNS server arrives within a day. */
const leaseTime = '24h';

/** Files of one network's dnsmasq. */
export interface DhcpPaths {
  /** One file a port (`--dhcp-hostsdir`): read as soon as it appears. */
  readonly hostsDir: string;
  readonly leaseFile: string;
  /** Names of all guests of the network, here and on other hosts: read at start and on SIGHUP. */
  readonly namesFile: string;
  /** Written by dnsmasq once its sockets are bound: the sign that it is ready. */
  readonly pidFile: string;
}

/** Questions of one network for names of the outside world that are under way at once. */
const networkQueriesMax = 50;

/** The address that a port is given: the first of its own in a subnet with DHCP. Undefined: it is given none. */
export function leasedIp(
  { subnets }: Pick<NetworkSpec, 'subnets'>,
  { ip, moreIps = [] }: Pick<LocalPortSpec, 'ip' | 'moreIps'>,
): string | undefined {
  const served = subnets.filter((subnet) => subnet.dhcp).map((subnet) => readCidr(subnet.cidr));
  return [ip, ...moreIps].find((candidate) => served.some((cidr) => holds(cidr, candidate)));
}

/**
 * The command line, beginning with `dnsmasq`. It stays in the foreground, so that its pid is the one that was started.
 * It answers for the guests of the network. Guests are given it as their name server where the subnet names none. Names are
 * the records', never those that a client claims by DHCP. Each subnet with DHCP is a range, whose tag its options have.
 * @param resolver `ADDRESS#PORT` of the host's resolver, which is asked for all other names; absent: they are REFUSED
 */
export function dnsmasqArguments(
  network: Pick<NetworkSpec, 'mtu' | 'subnets'>,
  paths: DhcpPaths,
  user: string,
  resolver: string | undefined,
): string[] {
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--no-ping',
    '--quiet-dhcp',
    `--addn-hosts=${paths.namesFile}`,
    `--domain=${guestDomain}`,
    `--local=/${guestDomain}/`,
    '--domain-needed',
    '--bogus-priv',
    ...(resolver === undefined ? [] : [`--server=${resolver}`, `--dns-forward-max=${networkQueriesMax}`]),
    '--dhcp-ignore-names',
    `--interface=${serviceInner}`,
    '--except-interface=lo',
    '--bind-interfaces',
    `--user=${user}`,
    `--pid-file=${paths.pidFile}`,
    `--dhcp-leasefile=${paths.leaseFile}`,
    `--dhcp-hostsdir=${paths.hostsDir}`,
    '--dhcp-authoritative',
    `--dhcp-option=option:mtu,${network.mtu}`,
    ...network.subnets.filter((subnet) => subnet.dhcp).flatMap(rangeArguments),
    '--log-facility=-',
  ];
}

/** One subnet's range and options. */
function rangeArguments(subnet: SubnetSpec): string[] {
  const { text, prefixLength } = readCidr(subnet.cidr);
  const [firstAddress = ''] = text.split('/');
  const tag = subnet.subnetId;
  const option = (name: string, ...values: readonly string[]): string =>
    `--dhcp-option=tag:${tag},${[`option:${name}`, ...values].join(',')}`;
  return [
    `--dhcp-range=set:${tag},${firstAddress},static,${netmask(prefixLength)},${leaseTime}`,
    option('router', ...(subnet.gatewayIp === undefined ? [] : [subnet.gatewayIp])),
    option('dns-server', ...nameServers(subnet)),
    option('classless-static-route', ...dhcpRoutes(subnet)),
  ];
}

/** The subnet's own name servers, else this one. */
function nameServers(subnet: SubnetSpec): readonly string[] {
  if (subnet.dnsServers.length > 0 || subnet.serviceIp === undefined) return subnet.dnsServers;
  return [subnet.serviceIp];
}

/** Option 121: who is given it ignores the router option, so the default route is said again. */
function dhcpRoutes(subnet: SubnetSpec): string[] {
  const routes = subnet.serviceIp === undefined ? [] : [`${metadataIp}/32`, subnet.serviceIp];
  for (const route of subnet.hostRoutes) routes.push(readCidr(route.destination).text, route.nextHop);
  if (subnet.gatewayIp !== undefined) routes.push('0.0.0.0/0', subnet.gatewayIp);
  return routes;
}

/** What dnsmasq would read as something else than a name: a lease time, a keyword. */
const ambiguousPattern = /^(\d+[smhdw]?|infinite|ignore|deprecated)$/i;

/** The line that gives a port `ip`, and its name where that can be one (else the guest goes without). */
export function dhcpHostLine(port: Pick<LocalPortSpec, 'mac' | 'ip' | 'hostname'>): string {
  const named = isHostname(port.hostname) && !ambiguousPattern.test(port.hostname);
  return `${[port.mac, port.ip, ...(named ? [port.hostname] : []), leaseTime].join(',')}\n`;
}

/** A lease as dnsmasq writes it down: expiry, MAC, address, name, client id. */
interface DhcpLease {
  readonly mac: string;
  readonly ip: string;
  readonly line: string;
}

/** Reads dnsmasq's lease file. Lines that are no IPv4 lease are left out. */
export function readLeases(content: string): DhcpLease[] {
  return content.split('\n').flatMap((line) => {
    const [, mac, ip] = line.split(' ');
    return mac?.includes(':') && ip?.includes('.') ? [{ mac: mac.toLowerCase(), ip, line }] : [];
  });
}
