/** Nova's old actions `addFixedIp` and `removeFixedIp`, up to 2.43: addresses of a server's NICs, which are its ports'. */
import { ShoalError } from '../../../../node/base/errors.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { NetworkService } from '../../../../node/services/network/index.ts';
import { portTable, subnetTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { shown } from '../../../kit/input.ts';

/** See above. The guest sets a further address itself, or asks DHCP again. */
export class ServerFixedIps {
  readonly #network: Pick<NetworkService, 'ports'>;

  constructor(network: Pick<NetworkService, 'ports'>) {
    this.#network = network;
  }

  /** One more address of a network that the server has a NIC on. Throws `INVALID_ARGUMENT` when it has none there. */
  async add(context: RequestContext, reader: StateReader, server: shoal.v1.Server, networkId: string): Promise<void> {
    const port = portsOf(reader, server).find((one) => one.networkId === networkId);
    const subnet = port === undefined ? undefined : subnetTable.by(reader, 'network', networkId)[0]?.record;
    if (port === undefined || subnet === undefined) {
      throw refused(`Network ${shown(networkId)} is not one that instance ${server.id} has a NIC and a subnet on.`);
    }
    const held = heldBy(port);
    await this.#network.ports.update(context, port.id, { fixedIps: [...held, { subnetId: subnet.id }] });
  }

  /** Throws `INVALID_ARGUMENT` for an address that the server has not. */
  async remove(context: RequestContext, reader: StateReader, server: shoal.v1.Server, address: string): Promise<void> {
    const port = portsOf(reader, server).find(({ fixedIps }) => fixedIps.some(({ ip }) => ip === address));
    if (port === undefined) throw refused(`Fixed IP ${shown(address)} is not one of instance ${server.id}.`);
    const fixedIps = heldBy(port).filter(({ ip }) => ip !== address);
    await this.#network.ports.update(context, port.id, { fixedIps });
  }
}

function portsOf(reader: StateReader, server: shoal.v1.Server): readonly shoal.v1.Port[] {
  return server.portIds.flatMap((id) => portTable.find(reader, id)?.record ?? []);
}

function heldBy(port: shoal.v1.Port): readonly { readonly subnetId: string; readonly ip: string }[] {
  return port.fixedIps.map(({ subnetId, ip }) => ({ subnetId: subnetId ?? '', ip: ip ?? '' }));
}

function refused(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
