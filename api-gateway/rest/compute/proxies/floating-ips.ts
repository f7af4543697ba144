/** Nova's old way to the network service's floating IPs: `/os-floating-ips` and `/os-floating-ip-pools`, up to 2.35. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { NetworkService } from '../../../../node/services/network/index.ts';
import { networkTable, portTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { type View, viewingOf } from '../kit/common.ts';
import { addNovaList } from '../kit/lists.ts';
import { lastOfProxies, requireMicroversion } from '../kit/microversion.ts';

type ById = { Params: { id: string } };

/** Adds the project's floating IPs, and the external networks as the pools that they come from. */
export function addFloatingIps(
  app: FastifyInstance,
  gateway: Gateway,
  { floatingIps, networks }: Pick<NetworkService, 'floatingIps' | 'networks'>,
): void {
  const path = '/v2.1/os-floating-ips';
  addNovaList(app, gateway, {
    path,
    key: 'floating_ips',
    microversions: lastOfProxies,
    items: ({ context, reader }) =>
      floatingIps.list(context, reader).filter(({ projectId }) => projectId === context.projectId),
    idOf: ({ id }) => id,
    view: (floatingIp, { reader }) => floatingIpView(reader, floatingIp),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { context, reader } = await viewingOf(gateway, request);
    return { floating_ip: floatingIpView(reader, floatingIps.show(context, reader, request.params.id)) };
  });
  app.post(path, { config: { body: schemas.floatingIpBody } }, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const pool = parse(schemas.floatingIpBody, request.body ?? {}).pool ?? undefined;
    const { context, reader } = await viewingOf(gateway, request);
    const floatingNetworkId = poolOf(networks.list(context, reader), pool).id;
    const made = await floatingIps.create(context, { floatingNetworkId });
    return { floating_ip: floatingIpView(await gateway.readState(request), made) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    await floatingIps.delete(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
  addNovaList(app, gateway, {
    path: '/v2.1/os-floating-ip-pools',
    key: 'floating_ip_pools',
    microversions: lastOfProxies,
    items: ({ context, reader }) => networks.list(context, reader).filter(({ external }) => external),
    idOf: ({ id }) => id,
    view: ({ id, name }) => ({ name: name || id }),
  });
}

/** The external network of a name or id; without one the only one there is. Throws `NOT_FOUND`, as Nova does. */
function poolOf(networks: readonly shoal.v1.Network[], pool: string | undefined): shoal.v1.Network {
  const external = networks.filter((network) => network.external);
  const found =
    pool === undefined && external.length === 1
      ? external
      : external.filter(({ id, name }) => [id, name].includes(pool ?? ''));
  const [network] = found;
  if (network !== undefined && found.length === 1) return network;
  throw new ShoalError('NOT_FOUND', `Floating IP pool not found: ${pool === undefined ? 'name one' : shown(pool)}.`);
}

function floatingIpView(reader: StateReader, floatingIp: shoal.v1.FloatingIp): View {
  const { id, fixedIp, portId, floatingNetworkId } = floatingIp;
  const serverId = portTable.find(reader, portId)?.record.deviceId ?? '';
  return {
    id,
    ip: floatingIp.floatingIp,
    fixed_ip: fixedIp === '' ? null : fixedIp,
    instance_id: serverId === '' ? null : serverId,
    pool: networkTable.find(reader, floatingNetworkId)?.record.name || floatingNetworkId,
  };
}

/**
 * The actions `addFloatingIp` and `removeFloatingIp` of a server, up to 2.43. Lead a project's floating IP to a port of the
 * server, or nowhere. Throw `NOT_FOUND` for an address that is no floating IP of the project.
 */
export class ServerFloatingIps {
  readonly #network: Pick<NetworkService, 'floatingIps'>;

  constructor(network: Pick<NetworkService, 'floatingIps'>) {
    this.#network = network;
  }

  /**
   * @param fixedAddress of the server's; absent: its first. Throws `INVALID_ARGUMENT` when the server has no such address, and in
   * Nova's words for what the network service refuses as a conflict: the fixed address has a floating IP already.
   */
  async add(
    context: RequestContext,
    reader: StateReader,
    server: shoal.v1.Server,
    { address, fixedAddress }: { readonly address: string; readonly fixedAddress?: string },
  ): Promise<void> {
    const fixed = server.portIds.flatMap((portId) =>
      (portTable.find(reader, portId)?.record.fixedIps ?? []).map(({ ip }) => ({ portId, ip: ip ?? '' })),
    );
    if (fixed.length === 0) throw new ShoalError('INVALID_ARGUMENT', 'No fixed IPs associated to instance');
    const wanted = fixedAddress === undefined ? fixed[0] : fixed.find(({ ip }) => ip === fixedAddress);
    if (wanted === undefined) {
      throw new ShoalError('INVALID_ARGUMENT', 'Specified fixed address not assigned to instance');
    }
    const { id } = this.#ofAddress(context, reader, address);
    try {
      await this.#network.floatingIps.update(context, id, { portId: wanted.portId, fixedIp: wanted.ip });
    } catch (caught) {
      if (!ShoalError.is(caught, 'CONFLICT')) throw caught;
      const message =
        `Unable to associate floating IP ${address} to fixed IP ${wanted.ip} for instance ${server.id}. ` +
        `Error: ${caught.message}`;
      throw new ShoalError('INVALID_ARGUMENT', message, { cause: caught });
    }
  }

  /** Throws `CONFLICT` when the address leads elsewhere. */
  async remove(context: RequestContext, reader: StateReader, serverId: string, address: string): Promise<void> {
    const { id, portId } = this.#ofAddress(context, reader, address);
    if (portTable.find(reader, portId)?.record.deviceId !== serverId) {
      throw new ShoalError('CONFLICT', `Floating IP ${address} is not associated with instance ${serverId}.`);
    }
    await this.#network.floatingIps.update(context, id, { portId: null });
  }

  #ofAddress(context: RequestContext, reader: StateReader, address: string): shoal.v1.FloatingIp {
    const found = this.#network.floatingIps.list(context, reader).find(({ floatingIp }) => floatingIp === address);
    if (found === undefined) throw new ShoalError('NOT_FOUND', 'floating IP not found');
    return found;
  }
}
