/** Nova's old ways to the network service's networks, `/os-networks` and `/os-tenant-networks`, up to 2.35. */
import type { FastifyInstance } from 'fastify';
import { isAdministrator } from '../../../../node/services/kit/permissions.ts';
import type { NetworkService } from '../../../../node/services/network/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { type View, viewingOf } from '../kit/common.ts';
import { addNovaList } from '../kit/lists.ts';
import { lastOfProxies, requireMicroversion } from '../kit/microversion.ts';

type ById = { Params: { id: string } };

/** Keys of nova-network that Nova still answers, null, since it asks Neutron. */
const keysOfAll = [
  'cidr',
  'netmask',
  'gateway',
  'broadcast',
  'dns1',
  'dns2',
  'cidr_v6',
  'gateway_v6',
  'netmask_v6',
] as const;
const keysOfAdministrators = [
  'created_at',
  'updated_at',
  'deleted_at',
  'deleted',
  'injected',
  'bridge',
  'vlan',
  'vpn_public_address',
  'vpn_public_port',
  'vpn_private_address',
  'dhcp_start',
  'project_id',
  'host',
  'bridge_interface',
  'multi_host',
  'priority',
  'rxtx_base',
  'mtu',
  'dhcp_server',
  'enable_dhcp',
  'share_address',
] as const;

/** Adds both lists and one network of each, to read. What writes them went with nova-network. */
export function addNetworks(app: FastifyInstance, gateway: Gateway, { networks }: NetworkService): void {
  const add = (path: string, view: (network: shoal.v1.Network, isAdministrators: boolean) => View): void => {
    addNovaList(app, gateway, {
      path,
      key: 'networks',
      microversions: lastOfProxies,
      items: ({ context, reader }) => networks.list(context, reader),
      idOf: (network) => network.id,
      view: (network, { context }) => view(network, isAdministrator(context)),
    });
    app.get<ById>(`${path}/:id`, async (request) => {
      requireMicroversion(request, lastOfProxies);
      const { context, reader } = await viewingOf(gateway, request);
      return { network: view(networks.show(context, reader, request.params.id), isAdministrator(context)) };
    });
  };
  add('/v2.1/os-networks', networkView);
  // Nova knows no more of these than the name; what it gives for the CIDR is the word None.
  add('/v2.1/os-tenant-networks', ({ id, name }) => ({ id, cidr: 'None', label: name }));
}

function networkView({ id, name }: shoal.v1.Network, isAdministrators: boolean): View {
  const keys = isAdministrators ? [...keysOfAll, ...keysOfAdministrators] : keysOfAll;
  return { id, label: name, ...Object.fromEntries(keys.map((key) => [key, null])) };
}
