/** DHCP and names of a network: one dnsmasq in its service namespace, told about each local port by a file. Pure. */
import { createHash } from 'node:crypto';
import type { LocalPortSpec, NetworkSpec, SubnetSpec } from '../../types.ts';
import { holds, isIp6, netmask, readCidr } from '../model/cidr.ts';
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

/**
 * The addresses that a port is given: of IPv4 the first of its own in a subnet with DHCP, of IPv6 all of them. None: it is given
 * none.
 */
export function leasedIps(
  { subnets }: Pick<NetworkSpec, 'subnets'>,
  { ip, moreIps = [] }: Pick<LocalPortSpec, 'ip' | 'moreIps'>,
): readonly string[] {
  const served = subnets.filter(givesAddresses).map((subnet) => readCidr(subnet.cidr));
  const leased = [ip, ...moreIps].filter((candidate) => served.some((cidr) => holds(cidr, candidate)));
  const ip4 = leased.find((candidate) => !isIp6(candidate));
  return [...(ip4 === undefined ? [] : [ip4]), ...leased.filter(isIp6)];
}

/** Whether DHCP gives the addresses there. Those that guests make of their MACs it does not. */
function givesAddresses({ dhcp, addressing }: SubnetSpec): boolean {
  return dhcp && addressing === undefined;
}

/**
 * The command line, beginning with `dnsmasq`. It stays in the foreground, so that its pid is the one that was started.
 * It answers for the guests of the network. Guests are given it as their name server where the subnet names none. Names are
 * the records', never those that a client claims by DHCP. Each subnet with DHCP is a range, whose tag its options have.
 * @param resolver `ADDRESS#PORT` of the host's resolver, which is asked for all other names; absent: they are REFUSED
 */
export function dnsmasqArguments(
  network: Pick<NetworkSpec, 'networkId' | 'mtu' | 'subnets'>,
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
    ...network.subnets
      .filter(speaksDhcp)
      .flatMap((subnet) => (isIp6(subnet.cidr) ? rangeArguments6(subnet) : rangeArguments(subnet))),
    ...optionArguments6(network.subnets),
    ...(network.subnets.some((subnet) => speaksDhcp(subnet) && isIp6(subnet.cidr))
      ? [duidArgument(network.networkId)]
      : []),
    '--log-facility=-',
  ];
}

/** Whether DHCP has something to say to guests there. */
function speaksDhcp({ dhcp, addressing }: SubnetSpec): boolean {
  return dhcp && addressing !== 'slaac';
}

/**
 * What DHCPv6 says to a guest that asks for options alone. By that it cannot be told of which of several subnets the guest is, so it is
 * told of the name servers of all those without leases.
 */
function optionArguments6(subnets: readonly SubnetSpec[]): string[] {
  const stateless = subnets.filter((subnet) => subnet.dhcp && subnet.addressing === 'dhcpv6-stateless');
  if (stateless.length === 0) return [];
  const servers = [...new Set(stateless.flatMap(nameServers))].filter(isIp6).map((server) => `[${server}]`);
  return [
    `--dhcp-option=${['option6:dns-server', ...servers].join(',')}`,
    `--dhcp-option=option6:domain-search,${guestDomain}`,
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

/** The same of IPv6. Routes are not DHCPv6's to tell: they come in router advertisements. */
function rangeArguments6(subnet: SubnetSpec): string[] {
  const { text, prefixLength } = readCidr(subnet.cidr);
  const tag = subnet.subnetId;
  const servers = nameServers(subnet)
    .filter(isIp6)
    .map((server) => `[${server}]`);
  return [
    `--dhcp-range=set:${tag},${text.replace(/\/\d+$/, '')},static,${prefixLength},${leaseTime}`,
    `--dhcp-option=tag:${tag},${['option6:dns-server', ...servers].join(',')}`,
    `--dhcp-option=tag:${tag},option6:domain-search,${guestDomain}`,
  ];
}

/** Enterprise number for what is made up (RFC 5612). */
const enterprise = 32_473;

/** Who the server of a network says that it is: the same on every host, so that a guest that moved renews its lease there. */
function duidArgument(networkId: NetworkSpec['networkId']): string {
  const hex = createHash('sha256').update(networkId).digest('hex').slice(0, 16);
  return `--dhcp-duid=${enterprise},${hex.match(/../g)?.join(':') ?? ''}`;
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

/** The line that gives a port its addresses, and its name where that can be one (else the guest goes without). */
export function dhcpHostLine(port: {
  readonly mac: string;
  readonly ips: readonly string[];
  readonly hostname: string;
}): string {
  const named = isHostname(port.hostname) && !ambiguousPattern.test(port.hostname);
  const ips = port.ips.map((ip) => (isIp6(ip) ? `[${ip}]` : ip));
  return `${[port.mac, ...ips, ...(named ? [port.hostname] : []), leaseTime].join(',')}\n`;
}

/**
 * A line of dnsmasq's file of leases: expiry, MAC, address, name, client id; of IPv6 with a number instead of the MAC, which it does
 * not know. Neither: something else that it keeps there.
 */
interface DhcpLease {
  readonly mac?: string;
  readonly ip?: string;
  readonly line: string;
}

/** Reads dnsmasq's file of leases, line by line. */
export function readLeases(content: string): DhcpLease[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, mac, ip] = line.split(' ');
      if (ip !== undefined && isIp6(ip)) return { ip, line };
      return mac?.includes(':') && ip?.includes('.') ? { mac: mac.toLowerCase(), ip, line } : { line };
    });
}
