/** Neutron's port forwardings: what comes to one port of a floating IP goes to one port of a guest. */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { floatingIpTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { badAttribute, badRequest, refuse } from '../kit/network-refusals.ts';
import { ownFloatingIp, ownPort } from '../kit/ownership.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { connectingRouter } from './floating-ips.ts';
import { useOfForwarding } from './kit/forwarding-uses.ts';
import { checkText } from './kit/text.ts';
import { updatePortRow } from './port-record.ts';

/** Most forwardings of one floating IP: they are part of its record. */
const forwardingsMax = 100;

/** What a caller may say of a new forwarding. */
interface PortForwardingDraft {
  /** "tcp" or "udp"; case does not count. */
  readonly protocol: string;
  /** Both in [1, 65535]. */
  readonly externalPort: number;
  readonly internalPort: number;
  /** The guest's port. */
  readonly internalPortId: string;
  /** IPv4. Absent: the port's first address of that family. */
  readonly internalIp?: string;
  readonly description?: string;
}

/**
 * Forwardings are part of their floating IP: another project's is `FloatingIPNotFound`. An address that leads to a guest as a whole
 * has none, and neither has a guest to which one leads. They work at the host that does the router's source NAT.
 */
export class PortForwardings {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader, floatingIpId: string): readonly shoal.v1.IPortForwarding[] {
    return ownFloatingIp(context, reader, floatingIpId).record.portForwardings;
  }

  show(context: RequestContext, reader: StateReader, floatingIpId: string, id: string): shoal.v1.IPortForwarding {
    return forwardingOf(ownFloatingIp(context, reader, floatingIpId).record, id);
  }

  /** 400 where the floating IP forwards that port already, or no router leads from it to the guest. */
  async create(
    context: RequestContext,
    floatingIpId: string,
    draft: PortForwardingDraft,
  ): Promise<shoal.v1.IPortForwarding> {
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const row = ownFloatingIp(context, attempt.reader, floatingIpId);
      return this.#put(context, attempt, row, { id, draft });
    });
  }

  async update(
    context: RequestContext,
    floatingIpId: string,
    id: string,
    patch: Partial<PortForwardingDraft>,
  ): Promise<shoal.v1.IPortForwarding> {
    return transact(this.#deps, context, (attempt) => {
      const row = ownFloatingIp(context, attempt.reader, floatingIpId);
      const before = forwardingOf(row.record, id);
      const draft: PortForwardingDraft = {
        protocol: before.protocol ?? '',
        externalPort: before.externalPort ?? 0,
        internalPort: before.internalPort ?? 0,
        internalPortId: before.portId ?? '',
        // Another port has other addresses.
        ...(patch.internalPortId === undefined ? { internalIp: before.fixedIp ?? '' } : {}),
        description: before.description ?? '',
        ...patch,
      };
      return this.#put(context, attempt, row, { id, draft, before });
    });
  }

  async delete(context: RequestContext, floatingIpId: string, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = ownFloatingIp(context, reader, floatingIpId);
      const gone = forwardingOf(row.record, id);
      useOfForwarding({ reader, change }, row.record, gone, -1);
      this.#write({ change }, row, without(row.record, id));
    });
  }

  #put(
    context: RequestContext,
    attempt: Attempt,
    row: Row<shoal.v1.FloatingIp>,
    { id, draft, before }: Making,
  ): shoal.v1.IPortForwarding {
    const { reader, change } = attempt;
    const others = without(row.record, id);
    const planned = plan(context, attempt, row.record, others, { id, draft });
    if (others.length >= forwardingsMax) throw badRequest(`A floating IP may have ${forwardingsMax} port forwardings.`);
    if (before !== undefined) useOfForwarding({ reader, change }, row.record, before, -1);
    useOfForwarding({ reader, change }, { routerId: planned.routerId }, planned.forwarding, 1);
    this.#write(attempt, row, [...others, planned.forwarding], planned.routerId);
    return planned.forwarding;
  }

  /** The floating IP goes through the router of its forwardings, and through none without. */
  #write(
    { change }: Pick<Attempt, 'change'>,
    row: Row<shoal.v1.FloatingIp>,
    portForwardings: readonly shoal.v1.IPortForwarding[],
    routerId = row.record.routerId,
  ): void {
    const next = new shoal.v1.FloatingIp({
      ...row.record,
      portForwardings: portForwardings.map((each) => new shoal.v1.PortForwarding(each)),
      routerId: portForwardings.length === 0 ? '' : routerId,
      updatedMs: this.#deps.clock.nowMs(),
    });
    floatingIpTable.update(change, row, next);
  }
}

/** A forwarding that comes, or comes to say something else than `before`. */
interface Making {
  readonly id: string;
  readonly draft: PortForwardingDraft;
  readonly before?: shoal.v1.IPortForwarding;
}

/** Checks a forwarding as Neutron does, and finds its router. */
function plan(
  context: RequestContext,
  attempt: Attempt,
  floatingIp: shoal.v1.FloatingIp,
  others: readonly shoal.v1.IPortForwarding[],
  { id, draft }: Making,
): { readonly forwarding: shoal.v1.PortForwarding; readonly routerId: string } {
  const { reader, change } = attempt;
  checkText('description', draft.description);
  const protocol = protocolOf(draft.protocol);
  checkPort('external_port', draft.externalPort);
  checkPort('internal_port', draft.internalPort);
  const portRow = ownPort(context, reader, draft.internalPortId);
  const port = portRow.record;
  const ipv4 = port.fixedIps.filter(({ ip }) => !ip.includes(':'));
  const fixed = draft.internalIp === undefined ? ipv4[0] : ipv4.find(({ ip }) => ip === draft.internalIp);
  if (fixed === undefined) throw unsuitable(port, draft.internalIp);
  checkUnbound(reader, floatingIp, port, fixed.ip);
  const isTaken = others.some(
    (other) =>
      other.protocol === protocol &&
      (other.externalPort === draft.externalPort ||
        (other.portId === port.id && other.fixedIp === fixed.ip && other.internalPort === draft.internalPort)),
  );
  if (isTaken) {
    const values = `{'floatingip_id': '${floatingIp.id}', 'external_port': ${draft.externalPort}, 'protocol': '${protocol}'}`;
    throw badRequest(
      `Bad port_forwarding request: A duplicate port_forwarding entry with same attributes already exists, conflicting values are ${values}.`,
    );
  }
  const router = connectingRouter(attempt, floatingIp.floatingNetworkId, port.networkId, fixed.subnetId);
  if (router === undefined || (others.length > 0 && router.id !== floatingIp.routerId)) {
    throw badRequest(
      `Bad port_forwarding request: External network ${floatingIp.floatingNetworkId} is not reachable from subnet ${fixed.subnetId}. Cannot set Port forwarding for port ${port.id} with Floating IP ${floatingIp.id}.`,
    );
  }
  if (!router.snat) {
    throw badRequest(`Router ${router.id} does no source NAT: this version forwards ports where that is done.`);
  }
  // A floating IP that comes to lead to the port meanwhile would have both: it compares the port's row, and this its absence.
  change.compare({ key: `u/floating-ip/fixed/${indexKey(port.id, fixed.ip)}`, revision: 0 });
  change.once(`forwarded/${port.id}`, () => updatePortRow(change, portRow, new shoal.v1.Port(port)));
  const forwarding = new shoal.v1.PortForwarding({
    ...{ id, protocol, externalPort: draft.externalPort, internalPort: draft.internalPort },
    ...{ portId: port.id, fixedIp: fixed.ip, description: draft.description ?? '' },
  });
  return { forwarding, routerId: router.id };
}

/** The address leads to no guest as a whole, and no address leads to the guest as a whole. */
function checkUnbound(
  reader: StateReader,
  floatingIp: shoal.v1.FloatingIp,
  port: shoal.v1.Port,
  fixedIp: string,
): void {
  const { id, floatingIp: address } = floatingIp;
  if (floatingIp.portId !== '') {
    throw refuse(
      'CONFLICT',
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${address} (${id}) with port ${port.id} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${floatingIp.floatingNetworkId}.`,
    );
  }
  if (floatingIpTable.by(reader, 'port', indexKey(port.id)).length > 0) {
    throw refuse(
      'CONFLICT',
      'PortHasBindingFloatingIP',
      `Cannot create port forwarding to floating IP ${address} (${id}) with port ${port.id} using fixed IP ${fixedIp}, as that port already has a binding floating IP.`,
    );
  }
}

function unsuitable(port: shoal.v1.Port, wanted: string | undefined): Error {
  if (wanted === undefined) {
    return badRequest(
      `Bad port_forwarding request: Requested internal port ${port.id} must allocate an IPv4 address at least.`,
    );
  }
  const has = port.fixedIps.map(({ ip }) => ip).join(', ');
  return badRequest(
    `Bad port_forwarding request: Requested internal IP address ${wanted} is not suitable for internal neutron port ${port.id}, as its fixed_ips are ${has}.`,
  );
}

function protocolOf(text: string): 'tcp' | 'udp' {
  const protocol = text.toLowerCase();
  if (protocol === 'tcp' || protocol === 'udp') return protocol;
  throw badAttribute('protocol', `'${text}' is not in ['tcp', 'udp']`);
}

function checkPort(name: string, port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw badAttribute(name, `'${port}' is not a valid port number`);
}

function without(floatingIp: shoal.v1.FloatingIp, id: string): readonly shoal.v1.IPortForwarding[] {
  return floatingIp.portForwardings.filter((each) => each.id !== id);
}

function forwardingOf(floatingIp: shoal.v1.FloatingIp, id: string): shoal.v1.IPortForwarding {
  const found = floatingIp.portForwardings.find((each) => each.id === id);
  if (found === undefined) {
    throw refuse('NOT_FOUND', 'PortForwardingNotFound', `Port Forwarding ${id} could not be found.`, { id });
  }
  return found;
}
