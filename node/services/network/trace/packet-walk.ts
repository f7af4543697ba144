/**
 * The way of one packet through every rule, table and host, as the records make it: what each host is given to carry
 * (host-view.ts) is walked, not the records themselves, so that the trace and the kernel have one source. Pure.
 *
 * It says what is wanted, not what a kernel holds at this moment. Beyond the external network's gateway nothing is known.
 */
import type { LocalPortSpec, RouterSpec } from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import type { HostId } from '../../../base/ids.ts';
import { indexKey } from '../../../state/table.ts';
import {
  floatingIpTable,
  hostTable,
  networkTable,
  portTable,
  routerTable,
  subnetTable,
} from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostNetworkView } from '../../kit/host-network-view.ts';
import { serverOfPort } from '../../kit/ownership.ts';
import { hostNetworkView } from '../host-view.ts';
import { contains, formatIp, type IpAddress, parseIp, parsePrefix } from '../kit/address.ts';
import { type Packet, ruleFor, ruleText } from './packet.ts';

const { ServerStatus } = shoal.v1;

/** Where a packet is judged, in the order of its way. */
type TraceTable =
  | 'guest'
  | 'port'
  | 'security groups'
  | 'guest routes'
  | 'switch'
  | 'tunnel'
  | 'router'
  | 'floating ip'
  | 'source nat'
  | 'external network';

/** One thing that the packet meets. */
interface TraceStep {
  /** Name of the host that does it; empty: none does. */
  readonly host: string;
  readonly table: TraceTable;
  /** False: the packet goes no further. */
  readonly passes: boolean;
  /** One sentence for people: what is there, or what is missing. */
  readonly detail: string;
  /** The record that it comes from; empty: none. */
  readonly recordId: string;
}

/** Where it ended: at a guest, at a router's own address, outside of the mesh, or stopped on the way. */
type TraceEnd = 'delivered' | 'answered by router' | 'left the mesh' | 'stopped';

/** A whole way. The last step says why where it stopped. */
export interface Trace {
  readonly end: TraceEnd;
  readonly steps: readonly TraceStep[];
}

/** Routers in a row, at most: with more it goes round in circles. */
const hopsMax = 16;

/** Walks `packet`, which leaves a guest by `port`. */
export function walkPacket(reader: StateReader, port: shoal.v1.Port, packet: Packet): Trace {
  return new Walk(reader, packet).run(port);
}

class Walk {
  readonly #reader: StateReader;
  readonly #views = new Map<string, HostNetworkView>();
  readonly #steps: TraceStep[] = [];
  #packet: Packet;
  #host = '';
  #hops = 0;

  constructor(reader: StateReader, packet: Packet) {
    this.#reader = reader;
    this.#packet = packet;
  }

  run(port: shoal.v1.Port): Trace {
    return { end: this.#leave(port), steps: this.#steps };
  }

  #pass(table: TraceTable, detail: string, recordId = ''): true {
    this.#steps.push({ host: this.#hostName(), table, passes: true, detail, recordId });
    return true;
  }

  #stop(table: TraceTable, detail: string, recordId = ''): 'stopped' {
    this.#steps.push({ host: this.#hostName(), table, passes: false, detail, recordId });
    return 'stopped';
  }

  #hostName(id = this.#host): string {
    return hostTable.find(this.#reader, id)?.record.name ?? id;
  }

  #view(): HostNetworkView {
    let view = this.#views.get(this.#host);
    if (view === undefined) {
      view = hostNetworkView(this.#reader, this.#host as HostId, () => ({}));
      this.#views.set(this.#host, view);
    }
    return view;
  }

  #portHere(id: string): LocalPortSpec | undefined {
    return this.#view().ports.find((spec) => spec.portId === id);
  }

  // --- Out of a guest -------------------------------------------------------------------------------------------------

  #leave(port: shoal.v1.Port): TraceEnd {
    this.#host = port.hostId;
    if (!this.#isGuestUp(port)) return 'stopped';
    const spec = this.#portHere(port.id);
    if (spec === undefined) return this.#stop('port', `Port ${port.id} is wired on no host.`, port.id);
    this.#pass(
      'port',
      `The packet leaves by port ${port.id} (${spec.mac}) as ${formatIp(this.#packet.source)}.`,
      port.id,
    );
    if (!this.#isLetThrough(spec, 'egress')) return 'stopped';
    const { destination } = this.#packet;
    const subnets = subnetTable.by(this.#reader, 'network', indexKey(port.networkId)).map(({ record }) => record);
    if (subnets.some((subnet) => isIn(subnet.cidr, destination))) return this.#toNeighbour(port.networkId, destination);
    const nextHop = this.#guestRoute(port, subnets);
    return nextHop === undefined ? 'stopped' : this.#toNeighbour(port.networkId, nextHop);
  }

  /** Where the guest sends what is not on its network, as DHCP has told it. */
  #guestRoute(port: shoal.v1.Port, subnets: readonly shoal.v1.Subnet[]): IpAddress | undefined {
    const own = subnets.find((subnet) => isIn(subnet.cidr, this.#packet.source));
    const route = bestRoute(own?.hostRoutes ?? [], this.#packet.destination);
    const nextHop = parseIp(route?.nextHop ?? own?.gatewayIp ?? '');
    if (own === undefined || nextHop === undefined) {
      this.#stop(
        'guest routes',
        `Subnet ${own?.cidr ?? `of port ${port.id}`} has no gateway, and no host route leads there.`,
        own?.id,
      );
      return undefined;
    }
    const by = route === undefined ? 'The default route' : `The host route to ${route.destination}`;
    this.#pass('guest routes', `${by} of subnet ${own.cidr} leads to ${formatIp(nextHop)}.`, own.id);
    return nextHop;
  }

  // --- Within a network -----------------------------------------------------------------------------------------------

  /** To the one on the network that has the address: the packet's destination, or the next hop on its way. */
  #toNeighbour(networkId: string, address: IpAddress): TraceEnd {
    const router = this.#view().routers.find((spec) =>
      spec.interfaces.some((leg) => leg.networkId === networkId && isSame(leg.ip, address)),
    );
    if (router !== undefined) return this.#route(router, networkId, address);
    const port = this.#portWith(networkId, address);
    const network = networkTable.find(this.#reader, networkId)?.record;
    if (port === undefined) {
      return this.#stop(
        'switch',
        `Nobody on network ${network?.name ?? networkId} has the address ${formatIp(address)}.`,
        networkId,
      );
    }
    if (port.hostId === '') return this.#stop('switch', `Port ${port.id} has the address and is on no host.`, port.id);
    if (port.hostId === this.#host) this.#pass('switch', `Port ${port.id} is on the same host.`, port.id);
    else if (!this.#tunnel(networkId, port, address)) return 'stopped';
    if (!isSame(formatIp(address), this.#packet.destination)) {
      this.#pass('port', `Port ${port.id} is the next hop: what its guest does with the packet is its own.`, port.id);
      return 'delivered';
    }
    return this.#arrive(port);
  }

  #portWith(networkId: string, address: IpAddress): shoal.v1.Port | undefined {
    const text = formatIp(address);
    return subnetTable
      .by(this.#reader, 'network', indexKey(networkId))
      .map(({ record: subnet }) => portTable.one(this.#reader, 'ip', indexKey(subnet.id, text))?.record)
      .find((port) => port !== undefined);
  }

  #tunnel(networkId: string, port: shoal.v1.Port, address: IpAddress): boolean {
    const forwarding = this.#view().forwarding.find((spec) => spec.networkId === networkId);
    const entry = forwarding?.remotePorts.find(({ mac, ip }) => mac === port.mac && isSame(ip, address));
    const vni = networkTable.find(this.#reader, networkId)?.record.vni ?? 0;
    if (entry === undefined) {
      this.#stop(
        'tunnel',
        `This host has no forwarding entry for ${port.mac}: host ${this.#hostName(port.hostId)} has no VXLAN address.`,
        port.id,
      );
      return false;
    }
    this.#pass('tunnel', `VXLAN ${vni} carries it to ${this.#hostName(port.hostId)} at ${entry.vtepIp}.`, networkId);
    this.#host = port.hostId;
    return true;
  }

  // --- Through a router -----------------------------------------------------------------------------------------------

  #route(router: RouterSpec, networkId: string, address: IpAddress): TraceEnd {
    const { destination } = this.#packet;
    this.#hops += 1;
    if (this.#hops > hopsMax)
      return this.#stop('router', `More than ${hopsMax} routers: they send it in a circle.`, router.routerId);
    if (isSame(formatIp(address), destination) || router.interfaces.some((leg) => isSame(leg.ip, destination))) {
      this.#pass(
        'router',
        `${formatIp(destination)} is an address of router ${router.routerId} itself.`,
        router.routerId,
      );
      return 'answered by router';
    }
    const leg = router.interfaces.find(({ ip, prefixLength }) => isIn(`${ip}/${prefixLength}`, destination));
    if (leg !== undefined) return this.#toLeg(router, leg, destination);
    const route = bestRoute(router.routes ?? [], destination);
    const nextHop = parseIp(route?.nextHop ?? '');
    if (route !== undefined && nextHop !== undefined) {
      const by = router.interfaces.find(({ ip, prefixLength }) => isIn(`${ip}/${prefixLength}`, nextHop));
      if (by === undefined) {
        return this.#stop(
          'router',
          `The route to ${route.destination} has a next hop ${route.nextHop} on none of its networks.`,
          router.routerId,
        );
      }
      this.#pass('router', `The route to ${route.destination} leads to ${route.nextHop}.`, router.routerId);
      return this.#toLeg(router, by, nextHop);
    }
    return this.#toExternal(router, networkId);
  }

  #toLeg(router: RouterSpec, leg: RouterSpec['interfaces'][number], address: IpAddress): TraceEnd {
    if (!leg.neighbours.some(({ ip }) => isSame(ip, address))) {
      return this.#stop(
        'router',
        `Router ${router.routerId} knows no port of subnet ${leg.subnetId} with ${formatIp(address)} that is on a host.`,
        router.routerId,
      );
    }
    this.#pass(
      'router',
      `Router ${router.routerId} has an interface on the network, ${leg.ip}, and sends it there.`,
      router.routerId,
    );
    return this.#toNeighbour(leg.networkId, address);
  }

  #toExternal(router: RouterSpec, networkId: string): TraceEnd {
    const { external, routerId } = router;
    if (this.#packet.destination.family === 6) return this.#toExternal6(router);
    if (external === undefined) {
      return this.#stop(
        'router',
        `Router ${routerId} has no route to ${formatIp(this.#packet.destination)} and no external gateway.`,
        routerId,
      );
    }
    if (!this.#translateSource(router, external, networkId)) return 'stopped';
    const floating = floatingIpTable
      .list(this.#reader)
      .find(({ record }) => isSame(record.floatingIp, this.#packet.destination));
    if (floating !== undefined) return this.#enter(floating.record);
    if (isIn(external.cidr, this.#packet.destination)) {
      this.#pass(
        'external network',
        `${formatIp(this.#packet.destination)} is on the external network itself.`,
        routerId,
      );
    } else
      this.#pass('external network', `The external gateway ${external.gatewayIp} is asked to send it on.`, routerId);
    return 'left the mesh';
  }

  /** IPv6 goes out as it is, by the host that has the router's external address. */
  #toExternal6({ external6, routerId }: RouterSpec): TraceEnd {
    if (external6 === undefined) {
      const to = formatIp(this.#packet.destination);
      return this.#stop(
        'router',
        `Router ${routerId} has no route to ${to} and no external gateway of IPv6.`,
        routerId,
      );
    }
    if (!external6.snatHere) {
      const hostId = routerTable.find(this.#reader, routerId)?.record.snatHostId ?? '';
      const name = this.#hostName(hostId);
      if (external6.snatVtepIp === undefined) {
        return this.#stop(
          'tunnel',
          `Host ${name}, by which router ${routerId} leaves, has no VXLAN address.`,
          routerId,
        );
      }
      const { transitVni = 0, snatVtepIp } = external6;
      this.#pass(
        'tunnel',
        `VXLAN ${transitVni} carries it to ${name} at ${snatVtepIp}, by which the router leaves.`,
        routerId,
      );
      this.#host = hostId;
    }
    this.#pass(
      'router',
      `Router ${routerId} translates no IPv6: ${formatIp(this.#packet.source)} goes out as it is.`,
      routerId,
    );
    if (isIn(external6.cidr, this.#packet.destination)) {
      const to = formatIp(this.#packet.destination);
      this.#pass('external network', `${to} is on the external network itself.`, routerId);
    } else
      this.#pass('external network', `The external gateway ${external6.gatewayIp} is asked to send it on.`, routerId);
    return 'left the mesh';
  }

  #translateSource(router: RouterSpec, external: NonNullable<RouterSpec['external']>, networkId: string): boolean {
    const { source } = this.#packet;
    const own = external.floatingIps.find(({ fixedIp }) => isSame(fixedIp, source));
    if (own !== undefined && this.#portWith(networkId, source)?.hostId === this.#host) {
      this.#from(own.floatingIp);
      return this.#pass(
        'floating ip',
        `Its floating IP ${own.floatingIp} becomes the source, on this host.`,
        router.routerId,
      );
    }
    if (external.snatIp === undefined) {
      return this.#pass(
        'source nat',
        `Router ${router.routerId} translates nothing: ${formatIp(source)} goes out as it is.`,
        router.routerId,
      );
    }
    if (!external.snatHere) {
      const snatHostId = routerTable.find(this.#reader, router.routerId)?.record.snatHostId ?? '';
      if (external.snatVtepIp === undefined) {
        this.#stop(
          'source nat',
          `Host ${this.#hostName(snatHostId)}, which translates for router ${router.routerId}, has no VXLAN address.`,
          router.routerId,
        );
        return false;
      }
      this.#pass(
        'tunnel',
        `VXLAN ${external.transitVni ?? 0} carries it to ${this.#hostName(snatHostId)} at ${external.snatVtepIp}, which translates for the router.`,
        router.routerId,
      );
      this.#host = snatHostId;
    }
    this.#from(external.snatIp);
    return this.#pass('source nat', `The router's address ${external.snatIp} becomes the source.`, router.routerId);
  }

  #from(ip: string): void {
    this.#packet = { ...this.#packet, source: parseIp(ip) ?? this.#packet.source };
  }

  /** From the external network to a floating IP. */
  #enter(floating: shoal.v1.FloatingIp): TraceEnd {
    const port = portTable.find(this.#reader, floating.portId)?.record;
    const fixed = parseIp(floating.fixedIp);
    if (port === undefined || fixed === undefined) {
      return this.#stop('floating ip', `Floating IP ${floating.floatingIp} leads to no port.`, floating.id);
    }
    if (port.hostId === '')
      return this.#stop('floating ip', `Port ${port.id} of the floating IP is on no host.`, floating.id);
    this.#host = port.hostId;
    const router = this.#view().routers.find(({ routerId }) => routerId === floating.routerId);
    if (!router?.external?.floatingIps.some(({ floatingIp }) => floatingIp === floating.floatingIp)) {
      return this.#stop(
        'floating ip',
        `The host of port ${port.id} carries no router that answers for ${floating.floatingIp}.`,
        floating.id,
      );
    }
    this.#packet = { ...this.#packet, destination: fixed };
    this.#pass(
      'floating ip',
      `${floating.floatingIp} is translated to ${floating.fixedIp} on the host of its guest.`,
      floating.id,
    );
    return this.#arrive(port);
  }

  // --- Into a guest ---------------------------------------------------------------------------------------------------

  #arrive(port: shoal.v1.Port): TraceEnd {
    const spec = this.#portHere(port.id);
    if (spec === undefined) return this.#stop('port', `Port ${port.id} is wired on no host.`, port.id);
    if (!this.#isLetThrough(spec, 'ingress')) return 'stopped';
    if (!this.#isGuestUp(port)) return 'stopped';
    this.#pass('port', `It reaches port ${port.id} (${spec.mac}).`, port.id);
    return 'delivered';
  }

  #isLetThrough(spec: LocalPortSpec, direction: 'ingress' | 'egress'): boolean {
    const word = direction === 'ingress' ? 'in' : 'out';
    if (!spec.portSecurity)
      return this.#pass('security groups', `Port security is off: everything is let ${word}.`, spec.portId);
    const record = portTable.find(this.#reader, spec.portId)?.record;
    if (record !== undefined && !record.adminStateUp) {
      this.#stop('security groups', `Port ${spec.portId} is administratively down.`, spec.portId);
      return false;
    }
    const rule = ruleFor(spec, direction, this.#packet);
    const groups = record?.securityGroupIds.join(', ') || 'none';
    if (rule === undefined) {
      const count = spec.rules.filter((each) => each.direction === direction).length;
      this.#stop(
        'security groups',
        `None of ${count} ${direction} rules lets it ${word} (security groups: ${groups}).`,
        spec.portId,
      );
      return false;
    }
    const judged = spec.stateless === true ? ' Its groups are stateless: replies need a rule of their own.' : '';
    return this.#pass('security groups', `Let ${word} by: ${ruleText(rule)}.${judged}`, spec.portId);
  }

  #isGuestUp(port: shoal.v1.Port): boolean {
    const server = serverOfPort(this.#reader, port)?.record;
    if (server === undefined) return true;
    if (server.hostId === '') {
      this.#stop('guest', `Server ${server.name} (${server.id}) is on no host.`, server.id);
      return false;
    }
    if (server.status === ServerStatus.SERVER_STATUS_ACTIVE) return true;
    const status = ServerStatus[server.status].replace('SERVER_STATUS_', '');
    this.#stop('guest', `Server ${server.name} (${server.id}) is ${status}, not ACTIVE.`, server.id);
    return false;
  }
}

function isIn(prefix: string, address: IpAddress): boolean {
  const parsed = parsePrefix(prefix);
  return parsed !== undefined && contains(parsed, address);
}

function isSame(text: string, address: IpAddress): boolean {
  const parsed = parseIp(text);
  return parsed !== undefined && parsed.family === address.family && parsed.value === address.value;
}

/** The route with the longest prefix that holds the address. */
function bestRoute<R extends { readonly destination: string }>(
  routes: readonly R[],
  address: IpAddress,
): R | undefined {
  let best: { readonly route: R; readonly length: number } | undefined;
  for (const route of routes) {
    const prefix = parsePrefix(route.destination);
    if (prefix === undefined || !contains(prefix, address)) continue;
    if (best === undefined || prefix.prefixLength > best.length) best = { route, length: prefix.prefixLength };
  }
  return best?.route;
}
