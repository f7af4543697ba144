/** Where things of a network stand in a drawing: networks as rows, routers left of them, servers right. Pure. */

/** What is drawn. */
export interface TopologyInput {
  readonly networks: readonly { readonly id: string; readonly name: string; readonly isExternal: boolean }[];
  readonly routers: readonly {
    readonly id: string;
    readonly name: string;
    readonly externalNetworkId: string | undefined;
  }[];
  readonly servers: readonly { readonly id: string; readonly name: string }[];
  /** A port joins its device to its network. */
  readonly ports: readonly { readonly networkId: string; readonly deviceId: string; readonly address: string }[];
  readonly floatingIps: readonly { readonly address: string; readonly fixedAddress: string }[];
}

/** A box. Pixels. */
interface Box {
  readonly kind: 'network' | 'external' | 'router' | 'server';
  readonly id: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line between two boxes' edges, and what stands by it. */
interface Wire {
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
  readonly label: string;
}

/** The drawing. */
export interface Topology {
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
  readonly width: number;
  readonly height: number;
  /** Servers that are not drawn since there are too many. */
  readonly left: number;
}

/** More boxes than that tell nobody anything. */
const serversMax = 200;
const box = { width: 170, height: 36 };
const gap = 18;
/** Left edges of routers, networks and servers, with room for an address and its floating IP between them. */
const columns = { router: 20, network: 300, server: 740 };

/** Networks outside first; each thing as near to what it is joined to as there is room. */
export function layOut(input: TopologyInput): Topology {
  const servers = input.servers.slice(0, serversMax);
  const networks = [...input.networks].sort((a, b) => Number(b.isExternal) - Number(a.isExternal));
  const joined = new Map<string, Set<string>>();
  const join = (device: string, network: string): void => {
    const known = joined.get(device) ?? new Set();
    joined.set(device, known.add(network));
  };
  for (const { deviceId, networkId } of input.ports) join(deviceId, networkId);
  for (const { id, externalNetworkId } of input.routers)
    if (externalNetworkId !== undefined) join(id, externalNetworkId);
  const rankOf = new Map(networks.map(({ id }, at) => [id, at]));
  const middle = (id: string): number => {
    const ranks = [...(joined.get(id) ?? [])].flatMap((network) => rankOf.get(network) ?? []);
    return ranks.length === 0 ? networks.length : ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  };
  const byPlace = <T extends { readonly id: string }>(things: readonly T[]): readonly T[] =>
    [...things].sort((a, b) => middle(a.id) - middle(b.id));
  const boxes: Box[] = [
    ...stack(byPlace(input.routers), columns.router, () => 'router'),
    ...stack(networks, columns.network, ({ isExternal }) => (isExternal ? 'external' : 'network')),
    ...stack(byPlace(servers), columns.server, () => 'server'),
  ];
  const bottom = Math.max(0, ...boxes.map(({ y, height }) => y + height));
  return {
    boxes,
    wires: wiresOf(input, boxes),
    width: columns.server + box.width + 20,
    height: bottom + gap,
    left: input.servers.length - servers.length,
  };
}

function stack<T extends { readonly id: string; readonly name: string }>(
  things: readonly T[],
  x: number,
  kind: (thing: T) => Box['kind'],
): readonly Box[] {
  return things.map((thing, at) => ({
    kind: kind(thing),
    id: thing.id,
    label: thing.name || thing.id,
    x,
    y: gap + at * (box.height + gap),
    ...box,
  }));
}

function wiresOf(input: TopologyInput, boxes: readonly Box[]): readonly Wire[] {
  const boxOf = new Map(boxes.map((one) => [one.id, one]));
  const floating = new Map(input.floatingIps.map(({ address, fixedAddress }) => [fixedAddress, address]));
  const wires: Wire[] = [];
  const draw = (deviceId: string, networkId: string, label: string): void => {
    const [device, network] = [boxOf.get(deviceId), boxOf.get(networkId)];
    if (device === undefined || network === undefined) return;
    const isLeft = device.x < network.x;
    wires.push({
      from: { x: network.x + (isLeft ? 0 : network.width), y: network.y + network.height / 2 },
      to: { x: device.x + (isLeft ? device.width : 0), y: device.y + device.height / 2 },
      label,
    });
  };
  for (const { id, externalNetworkId = '' } of input.routers) draw(id, externalNetworkId, '');
  const drawn = new Set(input.routers.map(({ id, externalNetworkId }) => `${id} ${externalNetworkId ?? ''}`));
  for (const { deviceId, networkId, address } of input.ports) {
    // A router's gateway has a port, too.
    if (drawn.has(`${deviceId} ${networkId}`)) continue;
    const outside = floating.get(address);
    draw(deviceId, networkId, outside === undefined ? address : `${address} ⇄ ${outside}`);
  }
  return wires;
}
