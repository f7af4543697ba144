/**
 * Names of everything that the driver makes on a host. Interface names hold 15 characters, so they carry a VNI or the
 * beginning of an id; the whole id is in the interface's alias, from where it is read back. Named network namespaces are
 * shared by all agents of a machine, so their names start with the agent's own prefix.
 */
import { createHash } from 'node:crypto';
import { ShoalError } from '../../../node/base/errors.ts';
import type { NetworkId, PortId, RouterId } from '../../../node/base/ids.ts';

/** What Linux allows for an interface name, without the closing NUL. */
export const interfaceNameMax = 15;
/** Digits of an id that a name carries, as OpenStack has it. 44 bits: no clash among the ports of one host. */
const idDigits = 11;
/** Ids become file names, aliases and namespace names: nothing that a path, a batch file or a shell reads as syntax. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Throws `INVALID_ARGUMENT` unless `id` is safe in names and paths. */
export function checkId(id: string, what: string): void {
  if (!idPattern.test(id)) throw new ShoalError('INVALID_ARGUMENT', `${what} id ${JSON.stringify(id)} is malformed`);
}

/** The first digits of a UUID; for any other id, of its hash. */
export function shortId(id: string, digits: number = idDigits): string {
  const plain = id.replaceAll('-', '').toLowerCase();
  const hex = /^[0-9a-f]{32}$/.test(plain) ? plain : createHash('sha256').update(id).digest('hex');
  return hex.slice(0, digits);
}

/** Bridge of a network, or of a transit network. */
export const bridgeName = (vni: number): string => `br-${vni}`;
/** VXLAN device of a network. */
export const vxlanName = (vni: number): string => `vx-${vni}`;
/** Host end of the pair into a network's service namespace (DHCP); its other end is `serviceInner`. */
export const serviceVethName = (vni: number): string => `sv-${vni}`;
/** Host end of the pair that carries metadata requests; its other end is `metadataInner`. */
export const metadataVethName = (vni: number): string => `md-${vni}`;
/** Tap of a port. */
export const tapName = (portId: PortId): string => `tap${shortId(portId)}`;
/** Host end of a router's leg on a network: a network may have several routers. */
export const routerLegName = (routerId: RouterId, vni: number): string =>
  `rt${shortId(routerId, 6)}-${vni.toString(36)}`;
/** A router's end of that leg. */
export const routerInner = (vni: number): string => `qr-${vni}`;
/** Host end of a router's external leg; the router's end is `externalInner`. */
export const externalLegName = (routerId: RouterId): string => `qx${shortId(routerId)}`;
/** Host end of a router's transit leg; the router's end is `transitInner`. */
export const transitLegName = (routerId: RouterId): string => `tr${shortId(routerId)}`;

/**
 * Inside a network's service namespace: the end on the network. The same in each, for namespaces do not see one
 * another.
 */
export const serviceInner = 'eth0';
/** Inside a network's service namespace: the end on `metadataBridge`. */
export const metadataInner = 'md0';
/** Inside a router's namespace: the end on `externalBridge`. */
export const externalInner = 'qg';
/** Inside a router's namespace: the end on the transit network. */
export const transitInner = 'tr';
/** Bridge that joins the host's metadata server with all service namespaces. */
export const metadataBridge = 'br-md';
/** Bridge that joins the external interface with all routers. */
export const externalBridge = 'br-ex';

/** Namespace of a network's DHCP and metadata translation. */
export const serviceNamespace = (prefix: string, vni: number): string => `${prefix}-s${vni}`;
/** Namespace of a router. Carries the whole id: namespaces have no alias. */
export const routerNamespace = (prefix: string, routerId: RouterId): string => `${prefix}-r-${routerId}`;

/** The router whose namespace has this name; undefined when it is not one of ours. */
export function routerOfNamespace(prefix: string, name: string): RouterId | undefined {
  const start = `${prefix}-r-`;
  return name.startsWith(start) ? (name.slice(start.length) as RouterId) : undefined;
}

/** Names of the two nftables chains of a port. */
export const ingressChain = (portId: PortId): string => `in-${shortId(portId)}`;
/** What the guest sends. `in-` is what it receives; both as seen from the guest. */
export const egressChain = (portId: PortId): string => `out-${shortId(portId)}`;

/** The same two for IPv6. */
export const ingressChain6 = (portId: PortId): string => `in6-${shortId(portId)}`;
/** The same two for IPv6: what the guest sends. */
export const egressChain6 = (portId: PortId): string => `out6-${shortId(portId)}`;

/** Alias of a network's bridge. */
export const networkAlias = (networkId: NetworkId): string => `shoal:network:${networkId}`;
/** Alias of a port's tap: 84 characters with UUIDs, and Linux allows 255. */
export const portAlias = (portId: PortId, networkId: NetworkId): string => `shoal:port:${portId}:${networkId}`;
/** Alias of the host's ends of a router's legs. */
export const routerAlias = (routerId: RouterId): string => `shoal:router:${routerId}`;

/** What an alias says, read back. */
type AliasMeaning =
  | { readonly kind: 'network'; readonly networkId: NetworkId }
  | { readonly kind: 'port'; readonly portId: PortId; readonly networkId: NetworkId }
  | { readonly kind: 'router'; readonly routerId: RouterId };

/** Undefined when the alias was not written by this driver. */
export function readAlias(alias: string | undefined): AliasMeaning | undefined {
  const [mark, kind, id, second, ...more] = (alias ?? '').split(':');
  if (mark !== 'shoal' || id === undefined || !idPattern.test(id) || more.length > 0) return undefined;
  if (kind === 'network' && second === undefined) return { kind, networkId: id as NetworkId };
  if (kind === 'router' && second === undefined) return { kind, routerId: id as RouterId };
  if (kind === 'port' && second !== undefined && idPattern.test(second)) {
    return { kind, portId: id as PortId, networkId: second as NetworkId };
  }
  return undefined;
}

/** MAC of every service namespace: the same on every host, for it answers each guest from the guest's own host. */
export const serviceMac = '0e:00:00:00:00:02';
/** MAC of the host on `metadataBridge`. Fixed, else the bridge would change it whenever a port comes or goes. */
export const metadataHostMac = '0e:00:00:00:00:01';

/** A router's MAC on its networks: the same on every host (distributed routing). */
export const routerMac = (routerId: RouterId): string => derivedMac(`router ${routerId}`);
/** A router's MAC on the external network: differs from host to host, for floating IPs live on one. */
export const externalMac = (routerId: RouterId, vtepIp: string): string => derivedMac(`external ${routerId} ${vtepIp}`);
/** A router's MAC on its transit network. Others can derive it, so that no ARP is needed there. */
export const transitMac = (routerId: RouterId, index: number): string => derivedMac(`transit ${routerId} ${index}`);

/** 40 bits of hash below a locally administered, unicast first octet that no guest is given. */
function derivedMac(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex').slice(0, 10);
  return `0e:${hex.match(/../g)?.join(':') ?? ''}`;
}
