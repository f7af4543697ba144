/** Interfaces: what is there (read from `ip -json -details addr show`), what should be, and the batch between the two. Pure. */
import { list, number, readJson, record, text } from './json.ts';
import { vxlanPort } from './vni.ts';

/** Flags of a bridge port, as `bridge link set` takes them. */
export interface PortFlags {
  readonly learning: boolean;
  readonly flood: boolean;
  readonly neighSuppress: boolean;
  /** An isolated port exchanges frames with the bridge and with ports that are not isolated. */
  readonly isolated: boolean;
}

/** One address of an interface. */
interface LinkAddress {
  readonly local: string;
  readonly prefixLength: number;
  readonly scope: string;
}

/** An interface as found. */
interface LinkFound {
  readonly name: string;
  readonly kind?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly mac: string;
  readonly master?: string;
  readonly alias?: string;
  readonly vxlan?: { readonly vni?: number; readonly local?: string; readonly port?: number };
  readonly nfCallIptables?: boolean;
  readonly nfCallIp6tables?: boolean;
  readonly port?: PortFlags;
  readonly addresses: readonly LinkAddress[];
  /** Its IPv6 addresses. The driver leaves them alone but in namespaces of its own: the underlay may have them. */
  readonly addresses6: readonly LinkAddress[];
}

/** Every interface of a namespace, by name. */
export type Links = ReadonlyMap<string, LinkFound>;

/** An interface as it should be. A member that is absent is not looked at. */
export interface LinkWanted {
  readonly name: string;
  /** The `ip -batch` line that makes it. Absent: it must be there already (the other end of a pair). */
  readonly create?: string;
  readonly mtu?: number;
  readonly mac?: string;
  readonly master?: string;
  readonly alias?: string;
  readonly port?: PortFlags;
  readonly vxlan?: { readonly vni: number; readonly local: string };
  readonly nfCallIptables?: boolean;
  /** The same for IPv6. */
  readonly nfCallIp6tables?: boolean;
}

/** Lines for `ip -batch` and, after it, for `bridge -batch`. */
interface LinkBatch {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
  /** Interfaces that the lines create: what an undo has to delete. */
  readonly created: readonly string[];
}

/** Reads `ip -json -details addr show`. */
export function readLinks(output: string): Links {
  const links = new Map<string, LinkFound>();
  for (const item of list(readJson(output, 'ip addr show'))) {
    const link = record(item);
    const name = text(link['ifname']);
    if (name === undefined) continue;
    const info = record(link['linkinfo']);
    const data = record(info['info_data']);
    const slave = record(info['info_slave_data']);
    const kind = text(info['info_kind']);
    const master = text(link['master']);
    const alias = text(link['ifalias']);
    const vni = number(data['id']);
    const local = text(data['local']) ?? text(data['local6']);
    const port = number(data['port']);
    links.set(name, {
      name,
      ...(kind === undefined ? {} : { kind }),
      mtu: number(link['mtu']) ?? 0,
      up: list(link['flags']).includes('UP'),
      mac: text(link['address']) ?? '',
      ...(master === undefined ? {} : { master }),
      ...(alias === undefined ? {} : { alias }),
      ...(kind === 'vxlan'
        ? {
            vxlan: {
              ...(vni === undefined ? {} : { vni }),
              ...(local === undefined ? {} : { local }),
              ...(port === undefined ? {} : { port }),
            },
          }
        : {}),
      ...(kind === 'bridge'
        ? { nfCallIptables: data['nf_call_iptables'] === 1, nfCallIp6tables: data['nf_call_ip6tables'] === 1 }
        : {}),
      ...(text(info['info_slave_kind']) === 'bridge'
        ? {
            port: {
              learning: slave['learning'] === true,
              flood: slave['flood'] === true,
              neighSuppress: slave['neigh_suppress'] === true,
              isolated: slave['isolated'] === true,
            },
          }
        : {}),
      addresses: addressesOf(link['addr_info'], 'inet', 32),
      addresses6: addressesOf(link['addr_info'], 'inet6', 128),
    });
  }
  return links;
}

function addressesOf(found: unknown, family: 'inet' | 'inet6', bits: number): LinkAddress[] {
  return list(found)
    .map(record)
    .filter((address) => address['family'] === family)
    .map((address) => ({
      local: text(address['local']) ?? '',
      prefixLength: number(address['prefixlen']) ?? bits,
      scope: text(address['scope']) ?? 'global',
    }));
}

/** The interface that has an address of the underlay; undefined: none has. */
export function interfaceWith(links: Links, ip: string): LinkFound | undefined {
  return [...links.values()].find(({ addresses, addresses6 }) =>
    [...addresses, ...addresses6].some(({ local }) => local === ip),
  );
}

/** A bridge that holds no address, floods nothing by itself and passes its frames to the host's filter when told to. */
export function bridge(
  name: string,
  options: { filtered: boolean; mtu?: number; alias?: string; mac?: string },
): LinkWanted {
  const mac = options.mac === undefined ? '' : ` address ${options.mac}`;
  const filter = options.filtered ? ' nf_call_iptables 1 nf_call_ip6tables 1' : '';
  return {
    name,
    create: `link add ${name}${mac} type bridge forward_delay 0 mcast_snooping 0${filter}`,
    nfCallIptables: options.filtered,
    nfCallIp6tables: options.filtered,
    ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
    ...(options.alias === undefined ? {} : { alias: options.alias }),
    ...(options.mac === undefined ? {} : { mac: options.mac }),
  };
}

/**
 * A VXLAN device on its bridge. Nothing is learned: forwarding entries come from records. Unknown frames are flooded to
 * the peers, and ARP for known addresses is answered by the bridge instead of being sent.
 */
export function vxlan(
  name: string,
  options: {
    vni: number;
    vtepIp: string;
    bridge: string;
    mtu: number;
    flood: boolean;
    /** Default true. False: what guests here announce of themselves reaches the other hosts. */
    neighSuppress?: boolean;
  },
): LinkWanted {
  return {
    name,
    create: `link add ${name} type vxlan id ${options.vni} dstport ${vxlanPort} local ${options.vtepIp} nolearning ttl 64`,
    mtu: options.mtu,
    master: options.bridge,
    vxlan: { vni: options.vni, local: options.vtepIp },
    port: { learning: false, flood: options.flood, neighSuppress: options.neighSuppress ?? true, isolated: false },
  };
}

/** One end of a pair on a bridge; the other end is in another namespace, born with its MAC. */
export function veth(
  name: string,
  options: {
    peer: string;
    peerNamespace: string;
    peerMac?: string;
    bridge: string;
    mtu: number;
    alias?: string;
    port: PortFlags;
  },
): LinkWanted {
  const mac = options.peerMac === undefined ? '' : ` address ${options.peerMac}`;
  return {
    name,
    create: `link add ${name} type veth peer name ${options.peer}${mac} netns ${options.peerNamespace}`,
    mtu: options.mtu,
    master: options.bridge,
    port: options.port,
    ...(options.alias === undefined ? {} : { alias: options.alias }),
  };
}

/**
 * A guest's tap: persistent, so that it outlives QEMU and the agent, and root's until the compute driver gives it to its
 * guest. Neighbour suppression stays off: on the port where an ARP request comes in it would keep the bridge from
 * answering.
 */
export function tap(
  name: string,
  options: { bridge: string; mtu: number; alias: string; learning: boolean; flood: boolean },
): LinkWanted {
  return {
    name,
    create: `tuntap add dev ${name} mode tap user 0`,
    mtu: options.mtu,
    master: options.bridge,
    alias: options.alias,
    port: { learning: options.learning, flood: options.flood, neighSuppress: false, isolated: false },
  };
}

/**
 * The lines that make `wanted` out of `found`; none when all is right. Order: all that concerns one interface together,
 * in the order of `wanted`, and up last, so that no frame passes a half-made one.
 */
export function linkBatch(found: Links, wanted: readonly LinkWanted[], options: { ipv6: boolean }): LinkBatch {
  const ip: string[] = [];
  const bridgeLines: string[] = [];
  const created: string[] = [];
  for (const want of wanted) {
    let link = found.get(want.name);
    if (link !== undefined && want.vxlan !== undefined && !isSameVxlan(link, want.vxlan)) {
      // Number and local address of a VXLAN device cannot be changed in place.
      ip.push(`link del ${want.name}`);
      link = undefined;
    }
    if (link === undefined && want.create !== undefined) {
      ip.push(want.create);
      created.push(want.name);
      // No address of its own on a tenant's wire, and none of the chatter that comes with it.
      if (options.ipv6) ip.push(`link set ${want.name} addrgenmode none`);
    }
    if (want.mtu !== undefined && link?.mtu !== want.mtu) ip.push(`link set ${want.name} mtu ${want.mtu}`);
    if (link !== undefined && want.mac !== undefined && link.mac !== want.mac) {
      ip.push(`link set ${want.name} address ${want.mac}`);
    }
    if (want.alias !== undefined && link?.alias !== want.alias) ip.push(`link set ${want.name} alias ${want.alias}`);
    if (link !== undefined && want.nfCallIptables !== undefined && link.nfCallIptables !== want.nfCallIptables) {
      ip.push(`link set ${want.name} type bridge nf_call_iptables ${want.nfCallIptables ? 1 : 0}`);
    }
    if (link !== undefined && want.nfCallIp6tables !== undefined && link.nfCallIp6tables !== want.nfCallIp6tables) {
      ip.push(`link set ${want.name} type bridge nf_call_ip6tables ${want.nfCallIp6tables ? 1 : 0}`);
    }
    const enslaved = want.master === undefined || link?.master === want.master;
    if (!enslaved) ip.push(`link set ${want.name} master ${want.master}`);
    if (want.port !== undefined && !(enslaved && isSamePort(link?.port, want.port))) {
      bridgeLines.push(`link set dev ${want.name} ${portWords(want.port)}`);
    }
    if (link?.up !== true) ip.push(`link set ${want.name} up`);
  }
  return { ip, bridge: bridgeLines, created };
}

/** Flags as words of `bridge link set`. */
function portWords(port: PortFlags): string {
  const onOff = (on: boolean): string => (on ? 'on' : 'off');
  return (
    `learning ${onOff(port.learning)} flood ${onOff(port.flood)} ` +
    `neigh_suppress ${onOff(port.neighSuppress)} isolated ${onOff(port.isolated)}`
  );
}

function isSamePort(found: PortFlags | undefined, wanted: PortFlags): boolean {
  return (
    found !== undefined &&
    found.learning === wanted.learning &&
    found.flood === wanted.flood &&
    found.neighSuppress === wanted.neighSuppress &&
    found.isolated === wanted.isolated
  );
}

function isSameVxlan(found: LinkFound, wanted: { readonly vni: number; readonly local: string }): boolean {
  return (
    found.kind === 'vxlan' &&
    found.vxlan?.vni === wanted.vni &&
    found.vxlan.local === wanted.local &&
    found.vxlan.port === vxlanPort
  );
}
