/**
 * NICs of servers that are there already (Nova's `os-interface`): asked for in one transaction with their ports, and plugged in and
 * out by the server's host, which reports (nic-reports.ts). Words of refusals are Nova's.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { networkTable, portTable, serverTable, subnetTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { deviceOwners } from '../../kit/device-owners.ts';
import { canSeeNetwork, isShared, portsOfServer } from '../../kit/ownership.ts';
import { isOwner } from '../../kit/permissions.ts';
import { nicTag, withArrivingNic, withLeavingNic } from '../../kit/servers/server-nics.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { parseIp } from '../../network/kit/address.ts';
import { updatePortRow } from '../../network/port-record.ts';
import { isFreePort, planPort } from '../../network/ports.ts';
import { askedAction } from '../history/action-history.ts';
import { checkDeviceTag, labelOf, nicsMax } from '../kit/nic-rules.ts';
import { badRequest, conflict } from '../kit/refusals.ts';
import { mustTake, seeServer } from '../kit/server-record.ts';

type Server = shoal.v1.Server;

/** What a caller says of a new NIC: a port, or a network on which one is made, or neither where there is but one network. */
interface InterfaceDraft {
  readonly portId?: string;
  readonly networkId?: string;
  /** An address of the network, IPv4. */
  readonly fixedIp?: string;
  /** At most 60 characters, no comma or slash. */
  readonly tag?: string;
}

/** A NIC as its owner sees it. */
export interface ServerInterface {
  readonly port: shoal.v1.Port;
  /** Empty: none. */
  readonly tag: string;
}

/** See above. */
export class ServerInterfaces {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** The server's NICs in their order; then other ports that name it. Throws `NOT_FOUND`. */
  list(context: RequestContext, reader: StateReader, serverId: string): readonly ServerInterface[] {
    const { record: server } = seeServer(context, reader, serverId);
    const ports = portsOfServer(reader, server).map(({ record }) => record);
    const place = ({ id }: shoal.v1.Port): number => {
      const at = server.portIds.indexOf(id);
      return at === -1 ? server.portIds.length : at;
    };
    return ports.sort((a, b) => place(a) - place(b)).map((port) => ({ port, tag: nicTag(server, port.id) }));
  }

  /** Throws `NOT_FOUND`, also for a port that is not the server's. */
  show(context: RequestContext, reader: StateReader, serverId: string, portId: string): ServerInterface {
    const found = this.list(context, reader, serverId).find(({ port }) => port.id === portId);
    if (found !== undefined) return found;
    throw new ShoalError('NOT_FOUND', `No interface for port ${portId.slice(0, 64)} was found.`);
  }

  /**
   * Gives a server a NIC: on a port that nobody has, or on one that is made and goes with it. Throws `NOT_FOUND`; `CONFLICT` for a
   * server in another state, and for a port or an address that is in use; `FORBIDDEN` for an external network; `INVALID_ARGUMENT`.
   */
  async attach(context: RequestContext, serverId: string, draft: InterfaceDraft): Promise<ServerInterface> {
    checkDraft(draft);
    const { tag = '' } = draft;
    const portId = draft.portId ?? this.#deps.newId();
    const port = await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, serverId);
      const server = row.record;
      mustTake(context, server, 'attach_interface');
      if (server.portIds.length >= nicsMax)
        throw badRequest(`A server may have ${nicsMax} network interfaces at most.`);
      const made =
        draft.portId === undefined
          ? this.#newPort(context, attempt, server, portId, draft)
          : this.#takenPort(context, attempt, server, draft.portId);
      const nowMs = this.#deps.clock.nowMs();
      const actions = askedAction(server, 'attach_interface', context, nowMs);
      const asked = { tag, requestId: context.requestId };
      const fields = { ...withArrivingNic(server, portId, asked), actions, updatedMs: nowMs };
      serverTable.update(attempt.change, row, new shoal.v1.Server({ ...server, ...fields }));
      return made;
    });
    return { port, tag };
  }

  /** Asks for a NIC to go. Asked twice, it is asked once. Throws `NOT_FOUND`, and `CONFLICT` for a server in another state. */
  async detach(context: RequestContext, serverId: string, portId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seeServer(context, reader, serverId);
      const server = row.record;
      mustTake(context, server, 'detach_interface');
      if (!server.portIds.includes(portId)) throw portNotFound(portId);
      if (server.leavingPortIds.includes(portId)) return;
      const nowMs = this.#deps.clock.nowMs();
      const actions = askedAction(server, 'detach_interface', context, nowMs);
      const fields = { ...withLeavingNic(server, portId, context.requestId), actions, updatedMs: nowMs };
      serverTable.update(change, row, new shoal.v1.Server({ ...server, ...fields }));
    });
  }

  #newPort(
    context: RequestContext,
    attempt: Attempt,
    server: Server,
    id: string,
    draft: InterfaceDraft,
  ): shoal.v1.Port {
    const network = networkOf(context, attempt.reader, server, draft.networkId);
    if (draft.fixedIp !== undefined) mustBeUnused(attempt.reader, network.id, draft.fixedIp);
    const fixedIps = draft.fixedIp === undefined ? {} : { fixedIps: [{ ip: draft.fixedIp }] };
    const device = { deviceId: server.id, deviceOwner: deviceOwners.compute };
    try {
      return planPort(
        context,
        attempt,
        { networkId: network.id, projectId: server.projectId, ...device, ...fixedIps },
        {
          id,
          nowMs: this.#deps.clock.nowMs(),
          newId: this.#deps.newId,
          hostId: server.hostId,
          madeForServer: true,
          dnsName: labelOf(server.hostname),
        },
      );
    } catch (caught) {
      if (!ShoalError.is(caught, 'ADDRESS_EXHAUSTED')) throw caught;
      throw new ShoalError('INVALID_ARGUMENT', `No fixed IP addresses available for network: ${network.id}`, {
        cause: caught,
      });
    }
  }

  #takenPort(context: RequestContext, attempt: Attempt, server: Server, id: string): shoal.v1.Port {
    const row = freePort(context, attempt.reader, server, id);
    const next = new shoal.v1.Port({
      ...row.record,
      deviceId: server.id,
      deviceOwner: deviceOwners.compute,
      hostId: server.hostId,
      dnsName: labelOf(server.hostname),
      updatedMs: this.#deps.clock.nowMs(),
    });
    updatePortRow(attempt.change, row, next);
    return next;
  }
}

function checkDraft({ portId, networkId, fixedIp, tag }: InterfaceDraft): void {
  if (portId !== undefined && networkId !== undefined) throw badRequest('Must not input both network_id and port_id');
  if (fixedIp !== undefined && networkId === undefined) {
    throw badRequest('Must input network_id when request IP address');
  }
  if (fixedIp !== undefined && parseIp(fixedIp)?.family !== 4) {
    throw badRequest(`Invalid fixed IP address (${fixedIp.slice(0, 64)})`);
  }
  if (tag !== undefined) checkDeviceTag(tag);
}

/** The network that is named, or the only one that there is. */
function networkOf(context: RequestContext, reader: StateReader, server: Server, id?: string): shoal.v1.Network {
  if (id !== undefined) {
    const network = networkTable.get(reader, id)?.record;
    if (network === undefined || !canSeeNetwork(context, reader, network)) {
      throw new ShoalError('NOT_FOUND', `Network ${id.slice(0, 64)} could not be found.`);
    }
    if (network.external) throw externalNetwork(id);
    return mustHaveSubnet(reader, network);
  }
  const usable = networkTable
    .list(reader)
    .map(({ record }) => record)
    .filter(
      (network) =>
        !network.external && (network.projectId === server.projectId || isShared(context, reader, 'network', network)),
    );
  if (usable.length > 1) {
    throw badRequest(
      'More than one possible network found. Specify network ID(s) to select which one(s) to connect to.',
    );
  }
  const [only] = usable;
  if (only !== undefined) return mustHaveSubnet(reader, only);
  throw badRequest(`No specific network was requested and none are available for project '${server.projectId}'.`);
}

function mustHaveSubnet(reader: StateReader, network: shoal.v1.Network): shoal.v1.Network {
  if (subnetTable.by(reader, 'network', indexKey(network.id)).length > 0) return network;
  throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`);
}

function mustBeUnused(reader: StateReader, networkId: string, ip: string): void {
  for (const { record: subnet } of subnetTable.by(reader, 'network', indexKey(networkId))) {
    const port = portTable.one(reader, 'ip', indexKey(subnet.id, ip));
    if (port !== undefined)
      throw conflict(`Fixed IP address ${ip} is already in use on instance ${port.record.deviceId}.`);
  }
}

/** A port of the server's project that is free and has an address, on a network that guests are plugged into. */
function freePort(context: RequestContext, reader: StateReader, server: Server, id: string): Row<shoal.v1.Port> {
  const row = portTable.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw portNotFound(id);
  const port = row.record;
  if (port.projectId !== server.projectId) throw badRequest(`Port ${id} not usable for instance ${server.id}.`);
  if (!isFreePort(port)) throw conflict(`Port ${id} is still in use.`);
  if (port.fixedIps.length === 0) throw badRequest(`Port ${id} requires a FixedIP in order to be used.`);
  if (networkTable.get(reader, port.networkId)?.record.external) throw externalNetwork(port.networkId);
  return row;
}

function portNotFound(id: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Port id ${id.slice(0, 64)} could not be found.`);
}

function externalNetwork(id: string): ShoalError {
  return new ShoalError('FORBIDDEN', `It is not allowed to create an interface on external network ${id}`);
}
