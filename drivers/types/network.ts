/** Networks of one host. */
import type { NetworkId, PortId, RouterId, SubnetId } from '../../node/base/ids.ts';

/** A subnet as the data plane needs it, of IPv4 or IPv6. Addresses of IPv6 are as RFC 5952 writes them, which is what the kernel prints. */
export interface SubnetSpec {
  readonly subnetId: SubnetId;
  /** `10.0.0.0/24`, `fd00::/64`. */
  readonly cidr: string;
  /** Absent: no gateway is announced. */
  readonly gatewayIp?: string;
  /** Address of the network's service namespace for DHCP, the same on every host. Absent: there is no DHCP. */
  readonly serviceIp?: string;
  readonly dhcp: boolean;
  readonly dnsServers: readonly string[];
  readonly hostRoutes: readonly { readonly destination: string; readonly nextHop: string }[];
  /**
   * Of IPv6: guests make their addresses of their MACs and DHCPv6 tells them the rest (`dhcpv6-stateless`), or nothing (`slaac`). Absent:
   * DHCPv6 gives them.
   */
  readonly addressing?: 'slaac' | 'dhcpv6-stateless';
}

/** What a router tells the guests of a subnet, unasked and when they ask (RFC 4861): Neutron's `ipv6_ra_mode`. */
export interface AdvertisementSpec {
  /** Whether guests make addresses of their MACs, and whether DHCPv6 has something for them. */
  readonly mode: 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful';
  /** Of IPv6 (RFC 8106). */
  readonly dnsServers: readonly string[];
}

/** A tenant network on this host. */
export interface NetworkSpec {
  readonly networkId: NetworkId;
  /** 1 to 2^24 - 1, unique in the mesh. */
  readonly vni: number;
  /** What guests may send, bytes; the underlay carries 50 more. */
  readonly mtu: number;
  /** None overlaps another. */
  readonly subnets: readonly SubnetSpec[];
}

/** One rule of a security group, as Neutron means it, resolved: remote groups are already sets of addresses. */
export interface SecurityRuleSpec {
  readonly direction: 'ingress' | 'egress';
  /** Which packets it is about; absent: IPv4. */
  readonly ethertype?: 'IPv4' | 'IPv6';
  /** Absent: any. ICMPv6 is 58. */
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | number;
  /** For tcp and udp: ports, inclusive; for icmp: type in `portMin`, code in `portMax`. */
  readonly portMin?: number;
  readonly portMax?: number;
  /** Absent: any. Any of these prefixes, otherwise. An empty array matches nothing (a remote group with no member). */
  readonly remotePrefixes?: readonly string[];
}

/** What a guest reads at 169.254.169.254: path (`/openstack/latest/meta_data.json`) to body. Text is UTF-8. */
export type MetadataBodies = Readonly<Record<string, string | Uint8Array>>;

/** A port whose guest runs (or is about to run) on this host. */
export interface LocalPortSpec {
  readonly portId: PortId;
  readonly networkId: NetworkId;
  readonly mac: string;
  /** What DHCP gives, of either family. With an address of IPv6 its guest may speak as the link-local address of its MAC, too. */
  readonly ip: string;
  /** Further addresses of the port. DHCPv6 gives all that are its subnets'; those of IPv4 its guest sets itself. */
  readonly moreIps?: readonly string[];
  /** What the guest may speak as besides (Neutron's `allowed_address_pairs`): a MAC and a prefix each. Others may too. */
  readonly addressPairs?: readonly { readonly mac: string; readonly prefix: string }[];
  readonly hostname: string;
  /** False: no anti-spoofing and no rules (Neutron's port_security_enabled). */
  readonly portSecurity: boolean;
  /** Everything not allowed is dropped; replies are always allowed; DHCP and metadata always pass. */
  readonly rules: readonly SecurityRuleSpec[];
  /** Replies are judged by the rules like everything else (Neutron's stateless security groups). Absent: they are let pass. */
  readonly stateless?: boolean;
  /** Served to this port alone, byte for byte. */
  readonly metadata: MetadataBodies;
  /** Its guest runs on another host still, and is on its way here: until it is here its frames go there. Default false. */
  readonly isComing?: boolean;
}

/** A port that lives elsewhere, for the forwarding and neighbour entries. */
export interface RemotePortSpec {
  readonly mac: string;
  readonly ip: string;
  /** Underlay address of its host. */
  readonly vtepIp: string;
  /** Name that neighbours find the address by; absent: none. */
  readonly hostname?: string;
}

/** What each host that carries a network must know of the others. */
export interface ForwardingSpec {
  readonly networkId: NetworkId;
  /** Every other host that carries the network: where broadcast and unknown frames go. */
  readonly peerVtepIps: readonly string[];
  readonly remotePorts: readonly RemotePortSpec[];
}

/** What comes to one port of a floating IP goes to a port of a guest. Ports: 1..65535. */
export interface PortForward {
  readonly floatingIp: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly fixedIp: string;
  readonly fixedPort: number;
}

/** How what leaves a router comes to the one host where it does: of IPv4 the one that does source NAT, and of IPv6 the same. */
export interface RouterWay {
  /** True on that host. The others send such traffic there over `transitVni`. */
  readonly snatHere: boolean;
  /** Underlay address of that host. */
  readonly snatVtepIp?: string;
  /** VNI that carries it between hosts. */
  readonly transitVni?: number;
  /** Underlay addresses of all the other hosts that carry the router. */
  readonly transitPeerVtepIps?: readonly string[];
  /** This host's number on the transit network (1..65000), unique among hosts; and that of the SNAT host. */
  readonly transitIndex?: number;
  readonly snatTransitIndex?: number;
}

/** A router, present on every host that carries one of its networks. */
export interface RouterSpec {
  readonly routerId: RouterId;
  /** One for each subnet that it routes for; a network may have several. */
  readonly interfaces: readonly {
    readonly networkId: NetworkId;
    readonly subnetId: SubnetId;
    /** The gateway's address on that subnet; its MAC is the same on every host. */
    readonly ip: string;
    readonly prefixLength: number;
    /** Every address of that subnet: static neighbours of the router. */
    readonly neighbours: readonly { readonly ip: string; readonly mac: string }[];
    /** Of IPv6. Absent: it is silent there. */
    readonly advertisement?: AdvertisementSpec;
  }[];
  /** Static routes. A next hop that is on no interface's prefix, nor on the external one, is left out. */
  readonly routes?: readonly { readonly destination: string; readonly nextHop: string }[];
  readonly external?: RouterWay & {
    /** Gateway of the external network, and its prefix. */
    readonly gatewayIp: string;
    readonly cidr: string;
    /** Floating IPs whose guest runs on *this* host. */
    readonly floatingIps: readonly { readonly floatingIp: string; readonly fixedIp: string }[];
    /**
     * Ports of floating IPs that lead to ports of guests, anywhere (Neutron's port forwardings). Given to the host that does source NAT,
     * with `snatIp`: that is where the answers come by.
     */
    readonly forwards?: readonly PortForward[];
    /** The router's own external address: source of guests without a floating IP. */
    readonly snatIp?: string;
  };
  /** Way out of IPv6: routed, not translated, by the host that has the router's external address. */
  readonly external6?: RouterWay & {
    readonly gatewayIp: string;
    readonly cidr: string;
    /** The router's own external address, which the external network's routers are to send the router's prefixes to. */
    readonly ip: string;
  };
}

/** What the host carries now, read back from the kernel and the driver's own files. */
export interface NetworkFound {
  readonly networks: readonly { readonly networkId: NetworkId; readonly vni: number }[];
  readonly ports: readonly {
    readonly portId: PortId;
    readonly networkId: NetworkId;
    readonly tapName: string;
    /**
     * What its guest has posted as its administrator's password, encrypted: 1 to 1,020 printable characters. Told until the port's
     * metadata has a password. Absent: nothing.
     */
    readonly postedPassword?: string;
  }[];
  readonly routers: readonly { readonly routerId: RouterId; readonly floatingIps: readonly string[] }[];
}

/** Network of one host. Each `ensure` makes the whole thing as it should be and touches nothing that already is. */
export interface NetworkDriver {
  readonly name: 'vxlan' | 'fake';
  /** Calls of `ensure…`, `set…` and `remove…` that have changed something on the host, since the driver was made. */
  readonly changes: number;
  /** Host-wide set-up (tables, metadata server), and a look at what an earlier agent left. Breaks nothing that works. */
  start(signal: AbortSignal): Promise<void>;
  /** Lets go. Forwarding, DHCP and metadata run on. */
  stop(): Promise<void>;

  found(signal: AbortSignal): Promise<NetworkFound>;
  ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<void>;
  /** `CONFLICT` while ports or routers are on it. Absent is success. */
  removeNetwork(networkId: NetworkId, signal: AbortSignal): Promise<void>;
  /** Makes tap, forwarding, rules, DHCP entry and metadata. Returns the tap's name. */
  ensurePort(spec: LocalPortSpec, signal: AbortSignal): Promise<{ readonly tapName: string }>;
  removePort(portId: PortId, signal: AbortSignal): Promise<void>;
  /** Makes the entries for other hosts exactly these. */
  setForwarding(spec: ForwardingSpec, signal: AbortSignal): Promise<void>;
  ensureRouter(spec: RouterSpec, signal: AbortSignal): Promise<void>;
  removeRouter(routerId: RouterId, signal: AbortSignal): Promise<void>;
}
