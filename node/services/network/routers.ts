/**
 * Routers: interfaces on tenant networks, and at most one way out through an external network. A router is everywhere at
 * once (each host routes for its own guests); only the source NAT of guests without a floating IP has one host.
 */

import { routerMac } from '../../../drivers/vxlan/model/names.ts';
import { shoal } from '../../../proto/messages.ts';
import { definedOf } from '../../base/defined-of.ts';
import type { RouterId } from '../../base/ids.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { hostTable, networkTable, routerTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { badRequest, forbidden, refuse } from '../kit/network-refusals.ts';
import {
  interfacesOf,
  ownPort,
  ownRouter,
  projectFor,
  projectRows,
  seeNetwork,
  seeSubnet,
  systemPortOf,
} from '../kit/ownership.ts';
import { isAllowed, isOwner } from '../kit/permissions.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { leanOnPolicy } from '../kit/sharing.ts';
import { type Attempt, type Change, transact } from '../kit/transact.ts';
import { canonicalIp, contains, formatIp, type IpFamily, overlaps, parseIp, usableRange } from './kit/address.ts';
import { allocateAddress, allocateMac, allocateVni, alreadyAllocated, takeAddress } from './kit/allocation.ts';
import { externalAddressesOf } from './kit/external-addresses.ts';
import { prefixOf } from './kit/prefix-of.ts';
import { checkText } from './kit/text.ts';
import { requireUnused, usesOf } from './kit/uses.ts';
import { insertPortRow, keepMac, removePortRow, updatePortRow } from './port-record.ts';
import { isFreePort } from './ports.ts';
import { checkRoutes, type RouteDraft } from './routes.ts';

/** Most static routes of one router: Neutron's own. */
const routesMax = 30;

/** The way out that a caller asks for. */
export interface GatewayDraft {
  readonly networkId: string;
  /** Administrators only; default true. */
  readonly enableSnat?: boolean;
  readonly fixedIps?: readonly { readonly subnetId?: string; readonly ip?: string }[];
}

/** What a caller may say of a new router. It starts without interfaces and without routes. */
export interface RouterDraft {
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly adminStateUp?: boolean;
  /** null: none. */
  readonly gateway?: GatewayDraft | null;
}

/** What a caller may change; an absent field stays. `routes` replaces all routes: 30 at most. */
export type RouterPatch = Omit<RouterDraft, 'projectId'> & {
  readonly routes?: readonly RouteDraft[];
  readonly tags?: readonly string[];
};

/** What is plugged in or out: a subnet (by its gateway address) or a port that is there. */
type InterfaceDraft = { readonly subnetId: string } | { readonly portId: string };

/** An interface as the API answers. */
export interface RouterInterface {
  readonly router: shoal.v1.Router;
  readonly port: shoal.v1.Port;
}

/** Neutron's routers. One of another project is `NOT_FOUND` but for administrators. */
export class Routers {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader): readonly shoal.v1.Router[] {
    return projectRows(context, reader, routerTable).map((row) => row.record);
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Router {
    return ownRouter(context, reader, id).record;
  }

  async create(context: RequestContext, draft: RouterDraft): Promise<shoal.v1.Router> {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const projectId = projectFor(context, draft.projectId);
    const id = this.#deps.newId();
    const portId = this.#deps.newId();
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) => {
      const router = new shoal.v1.Router({
        id,
        name: draft.name ?? '',
        projectId,
        adminStateUp: draft.adminStateUp ?? true,
        description: draft.description ?? '',
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      if (draft.gateway) {
        checkSnatRight(context, 'create', draft.gateway);
        planGateway(context, attempt, router, draft.gateway, portId);
      }
      chargeQuota(attempt.change, attempt.reader, projectId, { router: 1 });
      routerTable.insert(attempt.change, router);
      return router;
    });
  }

  async update(context: RequestContext, id: string, patch: RouterPatch): Promise<shoal.v1.Router> {
    checkText('name', patch.name);
    checkText('description', patch.description);
    const portId = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const row = ownRouter(context, attempt.reader, id);
      const next = new shoal.v1.Router({
        ...row.record,
        ...definedOf({ name: patch.name, description: patch.description, adminStateUp: patch.adminStateUp }),
        tags: [...(patch.tags ?? row.record.tags)],
        updatedMs: this.#deps.clock.nowMs(),
      });
      // The routes that are to be are judged by the gateway that is to be.
      if (patch.routes !== undefined) next.routes = [];
      if (patch.gateway === null) clearGateway(attempt, next);
      else if (patch.gateway !== undefined) changeGateway(context, attempt, next, patch.gateway, portId);
      if (patch.routes !== undefined) next.routes = routesOf(attempt.reader, next, patch.routes);
      routerTable.update(attempt.change, row, next);
      return next;
    });
  }

  /** Adds static routes to those that are there, which no other request can undo meanwhile. One that is there stays once. */
  async addRoutes(context: RequestContext, id: string, routes: readonly RouteDraft[]): Promise<shoal.v1.Router> {
    return this.#reroute(context, id, (now) => {
      const added = routes.filter((route) => !now.some((each) => isSameRoute(each, route)));
      return [...now, ...added];
    });
  }

  /** Takes static routes away. One that is not there is no error. */
  async removeRoutes(context: RequestContext, id: string, routes: readonly RouteDraft[]): Promise<shoal.v1.Router> {
    return this.#reroute(context, id, (now) => now.filter((each) => !routes.some((route) => isSameRoute(each, route))));
  }

  #reroute(
    context: RequestContext,
    id: string,
    next: (now: readonly shoal.v1.IHostRoute[]) => readonly shoal.v1.IHostRoute[],
  ): Promise<shoal.v1.Router> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = ownRouter(context, reader, id);
      const routes = next(row.record.routes).map(({ destination = '', nextHop = '' }) => ({ destination, nextHop }));
      const router = new shoal.v1.Router({ ...row.record, updatedMs: this.#deps.clock.nowMs() });
      router.routes = routesOf(reader, router, routes);
      routerTable.update(change, row, router);
      return router;
    });
  }

  /** 409 `RouterInUse` while it has interfaces. Its gateway goes with it. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = ownRouter(context, attempt.reader, id);
      if (interfacesOf(attempt.reader, row.record).length > 0) {
        throw refuse('CONFLICT', 'RouterInUse', `Router ${id} still has ports`);
      }
      clearGateway(attempt, new shoal.v1.Router({ ...row.record, routes: [] }));
      refundQuota(attempt.change, row.record.projectId, { router: 1 });
      routerTable.remove(attempt.change, row);
    });
  }

  /** Gives an address to each router whose gateway waited for the external network's first subnet. */
  async addressWaiting(context: RequestContext, networkId: string): Promise<void> {
    const waiting = (reader: StateReader): readonly Row<shoal.v1.Router>[] =>
      routerTable
        .by(reader, 'external-network', indexKey(networkId))
        .filter(({ record }) => externalAddressesOf(record).length === 0);
    for (const { record } of waiting(this.#deps.state.local)) {
      await transact(this.#deps, { signal: context.signal }, (attempt) => {
        const row = waiting(attempt.reader).find((candidate) => candidate.record.id === record.id);
        const port = systemPortOf(attempt.reader, record.id, deviceOwners.routerGateway);
        if (row === undefined || port === undefined) return;
        const network = networkTable.must(attempt.reader, networkId).record;
        const addresses = externalAddresses(attempt, network, undefined);
        if (addresses.length === 0) return;
        for (const { subnetRow } of addresses) subnetTable.unchanged(attempt.change, subnetRow);
        const updatedMs = this.#deps.clock.nowMs();
        const fixedIps = addresses.map(fixedIpOf);
        updatePortRow(attempt.change, port, new shoal.v1.Port({ ...port.record, fixedIps, updatedMs }));
        const next = new shoal.v1.Router({ ...row.record, updatedMs });
        setExternal(next, addresses);
        routerTable.update(attempt.change, row, next);
      });
    }
  }

  async addInterface(context: RequestContext, id: string, draft: InterfaceDraft): Promise<RouterInterface> {
    const portId = this.#deps.newId();
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) => {
      const row = ownRouter(context, attempt.reader, id);
      const port =
        'portId' in draft
          ? adoptPort(context, attempt, row.record, draft.portId, nowMs)
          : gatewayPort(context, attempt, row.record, draft.subnetId, { id: portId, nowMs });
      const router = touched(attempt.change, row, nowMs);
      return { router, port };
    });
  }

  async removeInterface(
    context: RequestContext,
    id: string,
    draft: { readonly subnetId?: string; readonly portId?: string },
  ): Promise<RouterInterface> {
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownRouter(context, reader, id);
      const found = interfacesOf(reader, row.record).find(
        (candidate) =>
          (draft.portId === undefined || candidate.record.id === draft.portId) &&
          (draft.subnetId === undefined ||
            candidate.record.fixedIps.some(({ subnetId }) => subnetId === draft.subnetId)),
      );
      if (found === undefined) throw interfaceNotFound(id, draft);
      for (const { subnetId } of found.record.fixedIps) checkNotNeeded(attempt, row.record, subnetId);
      removePortRow(change, found);
      keepMac(change, found.record, legsOn(reader, row.record, found.record.networkId));
      return { router: touched(change, row, nowMs), port: found.record };
    });
  }
}

function isSameRoute(a: shoal.v1.IHostRoute, b: RouteDraft): boolean {
  return a.destination === b.destination && a.nextHop === b.nextHop;
}

/** Two changes to one router must not both commit from one view: each rewrites its row. */
function touched(change: Change, row: Row<shoal.v1.Router>, nowMs: number): shoal.v1.Router {
  const next = new shoal.v1.Router({ ...row.record, updatedMs: nowMs });
  routerTable.update(change, row, next);
  return next;
}

function interfaceNotFound(routerId: string, draft: { readonly subnetId?: string; readonly portId?: string }): Error {
  if (draft.portId !== undefined) {
    return refuse(
      'NOT_FOUND',
      'RouterInterfaceNotFound',
      `Router ${routerId} does not have an interface with id ${draft.portId}`,
    );
  }
  return refuse(
    'NOT_FOUND',
    'RouterInterfaceNotFoundForSubnet',
    `Router ${routerId} has no interface on subnet ${draft.subnetId}`,
  );
}

/** Throws 409 while floating IPs or routes lead by the router's interface on a subnet. */
function checkNotNeeded({ reader, change }: Attempt, router: shoal.v1.Router, subnetId: string): void {
  const { id } = router;
  requireUnused(change, reader, 'router-interface', `${id}/${subnetId}`, () =>
    refuse(
      'CONFLICT',
      'RouterInterfaceInUseByFloatingIP',
      `Router interface for subnet ${subnetId} on router ${id} cannot be deleted, as it is required by one or more floating IPs.`,
    ),
  );
  if (hasRouteBy(reader, router, subnetId)) {
    throw refuse(
      'CONFLICT',
      'RouterInterfaceInUseByRoute',
      `Router interface for subnet ${subnetId} on router ${id} cannot be deleted, as it is required by one or more routes.`,
    );
  }
}

/** A router's interfaces on one network: they have one MAC, for the router is one device there. */
function legsOn(reader: StateReader, router: shoal.v1.Router, networkId: string): readonly Row<shoal.v1.Port>[] {
  return interfacesOf(reader, router).filter(({ record }) => record.networkId === networkId);
}

/** A new port with the subnet's gateway address. */
function gatewayPort(
  context: RequestContext,
  attempt: Attempt,
  router: shoal.v1.Router,
  subnetId: string,
  making: { readonly id: string; readonly nowMs: number },
): shoal.v1.Port {
  const { reader, change } = attempt;
  const subnetRow = seeSubnet(context, reader, subnetId);
  const subnet = subnetRow.record;
  // Its gateway's address would make the caller's router the way of everybody on a shared network.
  if (!isOwner(context, subnet)) {
    throw badRequest(
      `Cannot add interface to router because subnet ${subnetId} is not owned by project making the request`,
    );
  }
  if (subnet.gatewayIp === '') throw badRequest('Subnet for router interface must have a gateway IP');
  checkFits(reader, router, subnet);
  if (!takeAddress(attempt, subnet.id, subnet.gatewayIp)) {
    throw alreadyAllocated(subnet.id, subnet.gatewayIp);
  }
  change.compare({ key: networkTable.key(subnet.networkId), exists: true });
  subnetTable.unchanged(change, subnetRow);
  const port = new shoal.v1.Port({
    id: making.id,
    projectId: router.projectId,
    networkId: subnet.networkId,
    // The MAC that every host gives this router, so that the record says what guests see.
    mac: routerMac(router.id as RouterId),
    sharesMac: legsOn(reader, router, subnet.networkId).length > 0,
    fixedIps: [new shoal.v1.FixedIp({ subnetId: subnet.id, ip: subnet.gatewayIp })],
    deviceId: router.id,
    deviceOwner: deviceOwners.routerInterface,
    adminStateUp: true,
    createdMs: making.nowMs,
    updatedMs: making.nowMs,
    status: 'ACTIVE',
  });
  insertPortRow(change, reader, port);
  return port;
}

/** A free port of the caller's becomes an interface. */
function adoptPort(
  context: RequestContext,
  attempt: Attempt,
  router: shoal.v1.Router,
  portId: string,
  nowMs: number,
): shoal.v1.Port {
  const row = ownPort(context, attempt.reader, portId);
  const port = row.record;
  if (port.projectId !== router.projectId) {
    // An administrator's request; whose interface it is could not be told from the port any more.
    throw badRequest(`Port ${portId} and router ${router.id} belong to different projects`);
  }
  if (!isFreePort(port)) {
    throw refuse(
      'CONFLICT',
      'PortInUse',
      `Unable to complete operation on port ${portId} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
    );
  }
  if (port.fixedIps.length === 0) throw badRequest('Router port must have at least one fixed IP');
  const subnets = port.fixedIps.map(({ subnetId }) => subnetTable.must(attempt.reader, subnetId).record);
  const isTwice = new Set(subnets.map(({ id }) => id)).size < subnets.length;
  if (isTwice || subnets.filter(({ cidr }) => prefixOf(cidr).family === 4).length > 1) {
    throw badRequest('Cannot have multiple IPv4 subnets on router port');
  }
  for (const subnet of subnets) checkFits(attempt.reader, router, subnet);
  const next = new shoal.v1.Port({
    ...port,
    mac: routerMac(router.id as RouterId),
    sharesMac: legsOn(attempt.reader, router, port.networkId).length > 0,
    deviceId: router.id,
    deviceOwner: deviceOwners.routerInterface,
    securityGroupIds: [],
    allowedAddressPairs: [],
    portSecurityEnabled: false,
    status: 'ACTIVE',
    updatedMs: nowMs,
  });
  updatePortRow(attempt.change, row, next);
  return next;
}

/** A router routes between prefixes that do not overlap, and none of them external by way of an interface. */
function checkFits(reader: StateReader, router: shoal.v1.Router, subnet: shoal.v1.Subnet): void {
  if (networkTable.get(reader, subnet.networkId)?.record.external) {
    throw badRequest(`Subnet ${subnet.id} is on an external network; set it as the router's gateway instead.`);
  }
  if (subnet.ipv6RaMode === '' && subnet.ipv6AddressMode !== '') {
    throw badRequest(
      `IPv6 subnet ${subnet.id} configured to receive RAs from an external router cannot be added to Neutron Router.`,
    );
  }
  for (const other of subnetsBehind(reader, router)) {
    if (other.id === subnet.id) throw badRequest(`Router already has a port on subnet ${subnet.id}`);
    checkNoOverlap(subnet, other);
  }
  for (const { subnetId } of externalAddressesOf(router)) {
    const external = subnetTable.get(reader, subnetId)?.record;
    if (external !== undefined) checkNoOverlap(subnet, external);
  }
}

function checkNoOverlap(a: shoal.v1.Subnet, b: shoal.v1.Subnet): void {
  if (!overlaps(prefixOf(a.cidr), prefixOf(b.cidr))) return;
  throw badRequest(`Cidr ${a.cidr} of subnet ${a.id} overlaps with cidr ${b.cidr} of subnet ${b.id}`);
}

/** @param verb what the request does to the router: its rules are named so. */
function checkSnatRight(context: RequestContext, verb: 'create' | 'update', gateway: GatewayDraft): void {
  const parts = [
    ...(gateway.enableSnat === undefined ? [] : ['enable_snat']),
    ...(gateway.fixedIps === undefined || gateway.fixedIps.length === 0 ? [] : ['external_fixed_ips']),
  ];
  for (const part of parts) {
    const rule = `${verb}_router:external_gateway_info:${part}`;
    if (!isAllowed(context, rule)) throw forbidden(rule);
  }
}

/** Gives `router` (not yet written) a way out: an external address, a host for source NAT, a transit VNI. */
function planGateway(
  context: RequestContext,
  attempt: Attempt,
  router: shoal.v1.Router,
  gateway: GatewayDraft,
  portId: string,
): void {
  const { reader, change } = attempt;
  const network = seeNetwork(context, reader, gateway.networkId).record;
  if (!network.external) throw badRequest(`Network ${network.id} is not an external network`);
  const addresses = externalAddresses(attempt, network, gateway.fixedIps);
  for (const { subnetRow } of addresses) {
    checkApart(reader, router, subnetRow.record);
    subnetTable.unchanged(change, subnetRow);
  }
  change.compare({ key: networkTable.key(network.id), exists: true });
  leanOnPolicy(change, reader, 'network', network, router.projectId, 'access_as_external');
  router.externalNetworkId = network.id;
  setExternal(router, addresses);
  router.snat = gateway.enableSnat ?? true;
  if (router.transitVni === 0) router.transitVni = allocateVni(attempt, 'transit');
  router.snatHostId = placeSnat(attempt, router);
  insertPortRow(
    change,
    reader,
    new shoal.v1.Port({
      id: portId,
      networkId: network.id,
      mac: allocateMac(attempt, network.id),
      fixedIps: addresses.map(fixedIpOf),
      deviceId: router.id,
      deviceOwner: deviceOwners.routerGateway,
      adminStateUp: true,
      createdMs: router.updatedMs,
      updatedMs: router.updatedMs,
      status: 'ACTIVE',
    }),
  );
}

/** An address on an external network. */
interface ExternalAddress {
  readonly subnetRow: Row<shoal.v1.Subnet>;
  readonly ip: string;
}

function fixedIpOf({ subnetRow, ip }: ExternalAddress): shoal.v1.FixedIp {
  return new shoal.v1.FixedIp({ subnetId: subnetRow.record.id, ip });
}

/** Writes external addresses into `router`, in place of those that it had. */
function setExternal(router: shoal.v1.Router, addresses: readonly ExternalAddress[]): void {
  const of = (family: IpFamily): shoal.v1.FixedIp | undefined =>
    addresses.filter(({ subnetRow }) => prefixOf(subnetRow.record.cidr).family === family).map(fixedIpOf)[0];
  router.externalSubnetId = of(4)?.subnetId ?? '';
  router.externalIp = of(4)?.ip ?? '';
  router.externalSubnet6Id = of(6)?.subnetId ?? '';
  router.externalIp6 = of(6)?.ip ?? '';
}

/**
 * The addresses that the caller wants, or one of each family that the network has. Empty: it has no subnet yet, and the router waits for
 * one.
 */
function externalAddresses(
  attempt: Attempt,
  network: shoal.v1.Network,
  asked: GatewayDraft['fixedIps'],
): readonly ExternalAddress[] {
  const subnets = subnetTable.by(attempt.reader, 'network', indexKey(network.id));
  if (asked !== undefined && asked.length > 0) {
    const addresses = asked.map((wanted) => externalAddress(attempt, network, subnets, wanted));
    const families = new Set(addresses.map(({ subnetRow }) => prefixOf(subnetRow.record.cidr).family));
    // This version's bound.
    if (families.size < addresses.length) {
      throw badRequest('This version gives a router one external address of each family.');
    }
    return addresses;
  }
  if (subnets.length === 0) {
    // A subnet that appears meanwhile would have given an address: it touches the network's row.
    networkTable.unchanged(attempt.change, networkTable.must(attempt.reader, network.id));
  }
  const families = Map.groupBy(subnets, (row) => prefixOf(row.record.cidr).family);
  return ([4, 6] as const).flatMap((family) => {
    const rows = families.get(family);
    return rows === undefined ? [] : [externalAddress(attempt, network, rows, {})];
  });
}

/** The address that the caller wants, or any of these subnets. */
function externalAddress(
  attempt: Attempt,
  network: shoal.v1.Network,
  subnets: readonly Row<shoal.v1.Subnet>[],
  wanted: { readonly subnetId?: string; readonly ip?: string },
): ExternalAddress {
  const address = wanted.ip === undefined ? undefined : parseIp(wanted.ip);
  const usable = subnets.filter(
    ({ record }) =>
      (wanted.subnetId === undefined || record.id === wanted.subnetId) &&
      (wanted.ip === undefined || contains(usableRange(prefixOf(record.cidr)), address)),
  );
  if (usable.length === 0) {
    throw badRequest('External fixed IP is not on a subnet of the external network', 'InvalidIpForNetwork');
  }
  for (const subnetRow of usable) {
    if (address !== undefined) {
      const ip = formatIp(address);
      if (takeAddress(attempt, subnetRow.record.id, ip)) return { subnetRow, ip };
      throw alreadyAllocated(subnetRow.record.id, ip);
    }
    const ip = allocateAddress(attempt, subnetRow.record);
    if (ip !== undefined) return { subnetRow, ip };
  }
  throw refuse(
    'ADDRESS_EXHAUSTED',
    'IpAddressGenerationFailure',
    `No more IP addresses available on network ${network.id}.`,
  );
}

function changeGateway(
  context: RequestContext,
  attempt: Attempt,
  router: shoal.v1.Router,
  gateway: GatewayDraft,
  portId: string,
): void {
  checkSnatRight(context, 'update', gateway);
  if (router.externalNetworkId !== gateway.networkId) {
    clearGateway(attempt, router);
    planGateway(context, attempt, router, gateway, portId);
    return;
  }
  if (router.snat && gateway.enableSnat === false) checkForwardsNothing(attempt, router.id);
  router.snat = gateway.enableSnat ?? router.snat;
  if (!isKept(router, gateway.fixedIps)) moveGateway(context, attempt, router, gateway);
}

/** Whether the router has what is asked for, and nothing else. What is not asked for is kept. */
function isKept(router: shoal.v1.Router, asked: GatewayDraft['fixedIps']): boolean {
  if (asked === undefined || asked.length === 0) return true;
  const held = externalAddressesOf(router);
  const found = asked.map((wanted) =>
    held.find(
      ({ subnetId, ip }) =>
        (wanted.ip === undefined || canonicalIp(wanted.ip) === ip) &&
        (wanted.subnetId === undefined || wanted.subnetId === subnetId),
    ),
  );
  return found.every((each) => each !== undefined) && new Set(found).size === held.length;
}

/** Ports of floating IPs are forwarded by the host that does source NAT. */
function checkForwardsNothing({ reader, change }: Attempt, routerId: string): void {
  requireUnused(change, reader, 'router-forwarding', routerId, () =>
    refuse('CONFLICT', 'RouterInUse', `Router ${routerId} forwards ports of floating IPs and needs its source NAT.`),
  );
}

/** Gives the router (not yet written) another address on the external network that it has. Floating IPs go on through it. */
function moveGateway(context: RequestContext, attempt: Attempt, router: shoal.v1.Router, gateway: GatewayDraft): void {
  const { reader, change } = attempt;
  const network = seeNetwork(context, reader, gateway.networkId).record;
  const port = systemPortOf(reader, router.id, deviceOwners.routerGateway);
  if (port === undefined) return;
  // What it has and keeps is its own to name again.
  const held = externalAddressesOf(router);
  const asked = gateway.fixedIps ?? [];
  const kept = held.filter(({ ip }) =>
    asked.some((wanted) => wanted.ip !== undefined && canonicalIp(wanted.ip) === ip),
  );
  const further = asked.filter((wanted) => !kept.some(({ ip }) => ip === canonicalIp(wanted.ip ?? '')));
  const added = further.length === 0 ? [] : externalAddresses(attempt, network, further);
  const addresses = [
    ...kept.map(({ subnetId, ip }) => ({ subnetRow: subnetTable.must(reader, subnetId), ip })),
    ...added,
  ];
  const subnetIds = addresses.map(({ subnetRow }) => subnetRow.record.id);
  for (const { subnetId } of held) if (!subnetIds.includes(subnetId)) checkNoRouteBy(reader, router, subnetId);
  for (const { subnetRow } of addresses) {
    if (!held.some(({ subnetId }) => subnetId === subnetRow.record.id)) checkApart(reader, router, subnetRow.record);
    subnetTable.unchanged(change, subnetRow);
  }
  const { updatedMs } = router;
  const fixedIps = addresses.map(fixedIpOf);
  if (fixedIps.every(({ ip }) => ip.includes(':'))) checkNoFloatingIp(attempt, router);
  updatePortRow(change, port, new shoal.v1.Port({ ...port.record, fixedIps, updatedMs }));
  setExternal(router, addresses);
  if (new Set(fixedIps.map(({ ip }) => ip.includes(':'))).size < fixedIps.length) {
    throw badRequest('This version gives a router one external address of each family.');
  }
}

/** No interface's prefix may overlap with the external one. */
function checkApart(reader: StateReader, router: shoal.v1.Router, external: shoal.v1.Subnet): void {
  for (const inner of subnetsBehind(reader, router)) checkNoOverlap(inner, external);
}

/** Subnets that the router has interfaces on. */
function subnetsBehind(reader: StateReader, router: shoal.v1.Router): readonly shoal.v1.Subnet[] {
  return interfacesOf(reader, router)
    .flatMap(({ record }) => record.fixedIps)
    .map(({ subnetId }) => subnetTable.get(reader, subnetId)?.record)
    .filter((subnet) => subnet !== undefined);
}

function checkNoRouteBy(reader: StateReader, router: shoal.v1.Router, subnetId: string): void {
  if (!hasRouteBy(reader, router, subnetId)) return;
  throw refuse(
    'CONFLICT',
    'RouterInUse',
    `Gateway cannot be updated for router ${router.id}, since its subnet ${subnetId} is required by one or more routes.`,
  );
}

/** Throws 409 while floating IPs lead through the router. */
function checkNoFloatingIp({ reader, change }: Attempt, router: shoal.v1.Router): void {
  requireUnused(change, reader, 'router-gateway', router.id, () =>
    refuse(
      'CONFLICT',
      'RouterExternalGatewayInUseByFloatingIp',
      `Gateway cannot be updated for router ${router.id}, since a gateway to external network ${router.externalNetworkId} is required by ${usesOf(reader, 'router-gateway', router.id)} floating IPs.`,
    ),
  );
}

/** Takes the way out from `router` (not yet written). 409 while floating IPs lead through it. Without one: nothing. */
function clearGateway(attempt: Attempt, router: shoal.v1.Router): void {
  if (router.externalNetworkId === '') return;
  const { reader, change } = attempt;
  checkNoFloatingIp(attempt, router);
  for (const { subnetId } of externalAddressesOf(router)) checkNoRouteBy(reader, router, subnetId);
  const port = systemPortOf(reader, router.id, deviceOwners.routerGateway);
  if (port !== undefined) removePortRow(change, port);
  router.externalNetworkId = '';
  setExternal(router, []);
  router.snat = false;
  router.snatHostId = '';
}

/**
 * Puts the router's source NAT on a host, in the change that records it there, and returns the host: each router draws its own order of hosts from its id (rendezvous hashing),
 * so routers spread evenly and only those of a host that leaves have to move. Hosts that take no new guests come last.
 * Empty when there is none but the one that leaves.
 */
export function placeSnat(
  { reader, change }: Pick<Attempt, 'reader' | 'change'>,
  router: shoal.v1.Router,
  leavingHostId = '',
): string {
  let best: { readonly id: string; readonly rank: number } | undefined;
  for (const { record: host } of hostTable.list(reader)) {
    if (host.id === leavingHostId) continue;
    const rank = hash(`${router.id}/${host.id}`) + (host.disabled ? 0 : 2 ** 32);
    if (best === undefined || rank > best.rank) best = { id: host.id, rank };
  }
  if (best === undefined) return '';
  putOnHost(change, best.id);
  return best.id;
}

/** FNV-1a, 32 bits, with a final mix so that neighbouring texts land far apart. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  return (sum ^ (sum >>> 13)) >>> 0;
}

function routesOf(reader: StateReader, router: shoal.v1.Router, routes: readonly RouteDraft[]): shoal.v1.HostRoute[] {
  if (routes.length > routesMax) {
    throw badRequest(
      `Unable to complete operation for ${router.id}. The number of routes exceeds the maximum ${routesMax}.`,
      'RoutesExhausted',
    );
  }
  const legs = interfacesOf(reader, router).flatMap(({ record }) => record.fixedIps);
  legs.push(...externalAddressesOf(router));
  const prefixes = legs.flatMap((leg) => {
    const subnet = subnetTable.get(reader, leg.subnetId)?.record;
    return subnet === undefined ? [] : [prefixOf(subnet.cidr)];
  });
  const checked = checkRoutes('routes', routes);
  for (const { nextHop } of checked) {
    const address = parseIp(nextHop);
    const isConnected = prefixes.some((prefix) => contains(prefix, address));
    if (isConnected && !legs.some((leg) => leg.ip === nextHop)) continue;
    const why = isConnected ? 'the nexthop is used by router' : 'the nexthop is not connected with router';
    throw badRequest(`Invalid format for routes: nexthop ${nextHop}, ${why}`, 'InvalidRoutes');
  }
  return checked;
}

/** Whether one of the router's routes goes by a subnet. */
function hasRouteBy(reader: StateReader, router: shoal.v1.Router, subnetId: string): boolean {
  const subnet = subnetTable.get(reader, subnetId)?.record;
  if (subnet === undefined) return false;
  const prefix = prefixOf(subnet.cidr);
  return router.routes.some((route) => contains(prefix, parseIp(route.nextHop)));
}
