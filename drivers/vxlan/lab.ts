/**
 * A make-believe data centre on one machine: hosts that are network namespaces, an underlay that joins them, and an
 * external network. For the development cloud and for tests.
 *
 *     outside (root namespace, or NAME-out)
 *        NAME-u0 (underlay, last address)      NAME-x0 (external, first address: the gateway)
 *           |                                     |
 *     NAME-net: bridge ul -------------- bridge ex        bridges live apart, away from the machine's own firewall
 *           | u1..un                              | x1..xn
 *     NAME-h1 .. NAME-hn: ul0 (underlay address), ex0 (for the driver to put into br-ex)
 */
import { ShoalError } from '../../node/base/errors.ts';
import { errnoOf } from '../../node/base/system-error.ts';
import { type CommandRunner, runCommand } from '../command.ts';
import { addressLines } from './links/address.ts';
import { type LinkWanted, linkBatch } from './links/link.ts';
import { Netns, namespaceNames } from './links/netns.ts';
import { ipText, readCidr } from './model/cidr.ts';

/** More hosts than one machine can play. */
const hostsMax = 32;
/** `NAME-u0` has to fit an interface name with room to spare. */
const namePattern = /^[A-Za-z][A-Za-z0-9]{0,9}$/;
/** How long processes get between being asked and being made to end. */
const endGraceMs = 2_000;

/** What to build. */
export interface UnderlayOptions {
  /** Begins the name of everything: 1 to 10 letters and digits. */
  readonly name: string;
  /** How many hosts, 1 to 32. */
  readonly hosts: number;
  /** Underlay: hosts get .1, .2 and so on, the outside the last address. */
  readonly cidr: string;
  /** External network: the outside gets the first address, as its gateway. */
  readonly externalCidr: string;
  /** MTU of the underlay; tenants get 50 less. Default 1600, so that tenants have 1500. */
  readonly mtu?: number;
  /** `root` (default): reachable from the machine's own shell. `namespace`: a namespace `NAME-out` plays the world. */
  readonly outside?: 'root' | 'namespace';
}

/** One of its hosts. */
export interface UnderlayHost {
  /** Name of its namespace: `nsenter --net=/run/netns/NAME`, or `hostNamespace` of the driver. */
  readonly namespace: string;
  readonly vtepIp: string;
  readonly underlayInterface: string;
  readonly externalInterface: string;
}

/** What was built. */
export interface Underlay {
  readonly hosts: readonly UnderlayHost[];
  /** The outside's address on the underlay, and on the external network. */
  readonly outsideUnderlayIp: string;
  readonly externalGatewayIp: string;
  /** Namespace that plays the world; undefined: the machine's own. */
  readonly outsideNamespace: string | undefined;
}

/** Builds it, or what is missing of it. Needs root. */
export async function makeUnderlay(
  options: UnderlayOptions,
  signal: AbortSignal,
  run: CommandRunner = runCommand,
): Promise<Underlay> {
  const { name, hosts: count, mtu = 1600, outside = 'root' } = options;
  checkName(name);
  if (!Number.isInteger(count) || count < 1 || count > hostsMax) {
    throw new ShoalError('INVALID_ARGUMENT', `hosts is not in 1..${hostsMax}`);
  }
  const underlay = readCidr(options.cidr);
  const external = readCidr(options.externalCidr);
  const at = (cidr: typeof underlay, host: bigint): string => `${ipText(host)}/${cidr.prefixLength}`;
  const outsideUnderlay = at(underlay, underlay.last - 1n);
  const externalGateway = at(external, external.first + 1n);

  const middleName = `${name}-net`;
  const outsideName = outside === 'root' ? undefined : `${name}-out`;
  const hosts = Array.from(
    { length: count },
    (_, index): UnderlayHost => ({
      namespace: `${name}-h${index + 1}`,
      vtepIp: ipText(underlay.first + BigInt(index) + 1n),
      underlayInterface: 'ul0',
      externalInterface: 'ex0',
    }),
  );
  const there = await namespaceNames(run, signal);
  for (const namespace of [
    middleName,
    ...(outsideName === undefined ? [] : [outsideName]),
    ...hosts.map((h) => h.namespace),
  ]) {
    if (!there.has(namespace)) await run(['ip', 'netns', 'add', namespace], { signal });
    const netns = new Netns(run, namespace);
    await netns.ensureSysctls(
      {
        'net.ipv6.conf.all.disable_ipv6': '1',
        'net.ipv6.conf.default.disable_ipv6': '1',
        'net.bridge.bridge-nf-call-iptables': '0',
        'net.bridge.bridge-nf-call-arptables': '0',
        'net.bridge.bridge-nf-call-ip6tables': '0',
      },
      signal,
    );
  }

  // The middle: both bridges, and one end of every pair.
  const middle = new Netns(run, middleName);
  const ends: LinkWanted[] = [
    { name: 'lo' },
    { name: 'ul', create: 'link add ul type bridge forward_delay 0 mcast_snooping 0', mtu },
    { name: 'ex', create: 'link add ex type bridge forward_delay 0 mcast_snooping 0' },
  ];
  for (const [index, host] of hosts.entries()) {
    const number = index + 1;
    ends.push(
      pair(`u${number}`, 'ul0', host.namespace, 'ul', mtu),
      pair(`x${number}`, 'ex0', host.namespace, 'ex', 1500),
    );
  }
  // The pairs to the outside: from the outside's view when that is a nameless namespace.
  const outer = new Netns(run, outsideName);
  const outerLinks = await outer.links(signal);
  const toOutside: LinkWanted[] = [
    { name: `${name}-u0`, create: `link add ${name}-u0 type veth peer name u0 netns ${middleName}`, mtu },
    { name: `${name}-x0`, create: `link add ${name}-x0 type veth peer name x0 netns ${middleName}`, mtu: 1500 },
  ];
  await outer.ipBatch(linkBatch(outerLinks, toOutside, { ipv6: false }).ip, signal);
  ends.push({ name: 'u0', master: 'ul', mtu }, { name: 'x0', master: 'ex', mtu: 1500 });
  await middle.ipBatch(linkBatch(await middle.links(signal), ends, { ipv6: false }).ip, signal);
  await outer.ipBatch(
    addressLines(
      await outer.links(signal),
      [`${name}-u0`, `${name}-x0`],
      [
        { dev: `${name}-u0`, address: outsideUnderlay },
        { dev: `${name}-x0`, address: externalGateway },
      ],
    ),
    signal,
  );
  for (const host of hosts) {
    const netns = new Netns(run, host.namespace);
    const links = await netns.links(signal);
    const wanted: LinkWanted[] = [{ name: 'lo' }, { name: 'ul0', mtu }, { name: 'ex0' }];
    await netns.ipBatch(linkBatch(links, wanted, { ipv6: false }).ip, signal);
    const vtep = { dev: 'ul0', address: `${host.vtepIp}/${underlay.prefixLength}` };
    await netns.ipBatch(addressLines(links, ['ul0'], [vtep]), signal);
  }
  return {
    hosts,
    outsideUnderlayIp: ipText(underlay.last - 1n),
    externalGatewayIp: ipText(external.first + 1n),
    outsideNamespace: outsideName,
  };
}

/**
 * Removes everything of that name: the lab, and whatever was made in it by drivers whose `namespacePrefix` begins with
 * `NAME-`. Processes inside the namespaces are ended first: a namespace lives as long as they do.
 */
export async function removeUnderlay(
  name: string,
  signal: AbortSignal,
  run: CommandRunner = runCommand,
): Promise<void> {
  checkName(name);
  const ours = [...(await namespaceNames(run, signal))].filter((namespace) => namespace.startsWith(`${name}-`));
  const deadline = Date.now() + endGraceMs;
  for (;;) {
    const pids = await pidsIn(ours, run, signal);
    if (pids.length === 0) break;
    for (const pid of pids) kill(pid, Date.now() < deadline ? 'SIGTERM' : 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (Date.now() > deadline + endGraceMs) {
      throw new ShoalError('DRIVER_FAILED', `processes in ${name}'s namespaces do not end`, { facts: { pids } });
    }
  }
  // The pairs to the outside first: left to the end, they might vanish with their other ends just before they are named.
  const root = new Netns(run, undefined);
  const links = await root.links(signal);
  await root.ipBatch(
    [`${name}-u0`, `${name}-x0`].filter((link) => links.has(link)).map((link) => `link del ${link}`),
    signal,
  );
  for (const namespace of ours) await run(['ip', 'netns', 'del', namespace], { signal });
}

function pair(name: string, peer: string, peerNamespace: string, master: string, mtu: number): LinkWanted {
  return { name, create: `link add ${name} type veth peer name ${peer} netns ${peerNamespace}`, master, mtu };
}

async function pidsIn(namespaces: readonly string[], run: CommandRunner, signal: AbortSignal): Promise<number[]> {
  const pids: number[] = [];
  for (const namespace of namespaces) {
    const { stdout } = await run(['ip', 'netns', 'pids', namespace], { signal });
    for (const line of stdout.split('\n')) if (/^\d+$/.test(line)) pids.push(Number(line));
  }
  return pids;
}

function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (caught) {
    // It ended by itself in between.
    if (errnoOf(caught) !== 'ESRCH') throw caught;
  }
}

function checkName(name: string): void {
  if (!namePattern.test(name))
    throw new ShoalError('INVALID_ARGUMENT', `lab name ${JSON.stringify(name)} is malformed`);
}
