/** One of each thing that a project can have, made by the API as its member would. */

import type { Cloud } from '../../api-gateway/rest/cloud.ts';
import { hostsAct } from '../../node/services/compute-world.ts';
import { addExternal } from '../../node/services/world.ts';

/** Ids (a keypair's: its name), by kind. */
export interface TenantObjects {
  readonly project: string;
  readonly user: string;
  readonly network: string;
  readonly subnet: string;
  readonly subnetpool: string;
  readonly port: string;
  readonly router: string;
  readonly floatingip: string;
  readonly security_group: string;
  readonly security_group_rule: string;
  readonly address_group: string;
  readonly rbac_policy: string;
  readonly keypair: string;
  readonly server_group: string;
  readonly image: string;
  readonly server: string;
  /** The port by which the server is on the network. */
  readonly serverPort: string;
}

export interface Tenant {
  readonly token: string;
  readonly projectId: string;
  readonly userId: string;
}

/** The network that floating IPs come from. */
export async function addPublicNetwork(cloud: Cloud): Promise<string> {
  return (await addExternal(cloud.world)).network.id;
}

const pathOf = (kind: string): string => `${kind.replaceAll('_', '-')}s`.replace(/ys$/, 'ies');

/** @param subnetNumber keeps the prefixes of two tenants apart. */
export async function makeTenantObjects(
  cloud: Cloud,
  { token, projectId, userId }: Tenant,
  publicNetworkId: string,
  subnetNumber: number,
): Promise<TenantObjects> {
  const must = async (method: string, url: string, body?: object) => {
    const answer = await cloud.gateway.call(method, url, { token, body });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.body === '' ? undefined : answer.json();
  };
  const make = async (kind: string, fields: object): Promise<string> =>
    (await must('POST', `/networking/v2.0/${pathOf(kind)}`, { [kind]: fields }))[kind].id;
  const network = await make('network', { name: 'inner' });
  const subnet = await make('subnet', { network_id: network, ip_version: 4, cidr: `10.77.${subnetNumber}.0/24` });
  const subnetpool = await make('subnetpool', { name: 'pool', prefixes: [`10.78.${subnetNumber}.0/24`] });
  const router = await make('router', { external_gateway_info: { network_id: publicNetworkId } });
  await must('PUT', `/networking/v2.0/routers/${router}/add_router_interface`, { subnet_id: subnet });
  const port = await make('port', { network_id: network });
  const group = await make('security_group', { name: 'web' });
  const rule = await make('security_group_rule', { security_group_id: group, direction: 'ingress', protocol: 'icmp' });
  const floatingip = await make('floatingip', { floating_network_id: publicNetworkId, port_id: port });
  const addressGroup = await make('address_group', { name: 'offices', addresses: ['192.0.2.0/24'] });
  const policy = await make('rbac_policy', {
    object_type: 'network',
    object_id: network,
    action: 'access_as_shared',
    target_tenant: 'a-third-project',
  });
  const keypair = `key-${subnetNumber}`;
  await must('POST', '/compute/v2.1/os-keypairs', { keypair: { name: keypair } });
  const serverGroup = { server_group: { name: 'apart', policies: ['anti-affinity'] } };
  const { server_group } = await must('POST', '/compute/v2.1/os-server-groups', serverGroup);
  const image = await must('POST', '/image/v2/images', { name: 'mine', disk_format: 'raw', container_format: 'bare' });
  const { server } = await must('POST', '/compute/v2.1/servers', {
    server: { name: 'web', flavorRef: '1', imageRef: 'cirros', key_name: keypair, networks: [{ uuid: network }] },
    'os:scheduler_hints': { group: server_group.id },
  });
  await hostsAct(cloud.world);
  const { interfaceAttachments } = await must('GET', `/compute/v2.1/servers/${server.id}/os-interface`);
  return {
    project: projectId,
    user: userId,
    network,
    subnet,
    subnetpool,
    port,
    router,
    floatingip,
    security_group: group,
    security_group_rule: rule,
    address_group: addressGroup,
    rbac_policy: policy,
    keypair,
    server_group: server_group.id,
    image: image.id,
    server: server.id,
    serverPort: interfaceAttachments[0].port_id,
  };
}

/** Everything of the objects that their owner sees, to be compared before and after an attack. */
export async function snapshot(
  cloud: Cloud,
  token: string,
  objects: TenantObjects,
): Promise<ReadonlyMap<string, string>> {
  const { server } = objects;
  const urls = [
    ...(
      [
        'network',
        'subnet',
        'subnetpool',
        'port',
        'router',
        'floatingip',
        'security_group',
        'security_group_rule',
        'address_group',
        'rbac_policy',
      ] as const
    ).map((kind) => `/networking/v2.0/${pathOf(kind)}/${objects[kind]}`),
    `/compute/v2.1/os-keypairs/${objects.keypair}`,
    `/compute/v2.1/os-server-groups/${objects.server_group}`,
    `/image/v2/images/${objects.image}`,
    ...['', '/os-interface', '/os-security-groups', '/metadata', '/tags'].map(
      (part) => `/compute/v2.1/servers/${server}${part}`,
    ),
    `/compute/v2.1/os-quota-sets/${objects.project}/detail`,
    `/networking/v2.0/quotas/${objects.project}/details`,
  ];
  const seen = new Map<string, string>();
  for (const url of urls) {
    const headers = { 'openstack-api-version': 'compute 2.26' };
    const answer = await cloud.gateway.call('GET', url, { token, headers });
    if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
    seen.set(url, answer.body);
  }
  return seen;
}
