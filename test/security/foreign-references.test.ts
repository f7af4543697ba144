/**
 * Every attribute of every networking and compute body that names another thing, with another project's id and with an id
 * that nobody has: the answers are the same but for the id, and never a success.
 */
import t from 'tap';
import type { AttributeSchema } from '../../api-gateway/rest/network/attributes.ts';
import { writable } from '../../api-gateway/rest/network/extensions.ts';
import { addMember, startCloud } from '../api-gateway/rest/cloud.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';

void t.test('F2, F8, F10: a foreign id and an unknown one are refused alike, in every body', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const ask = (token: string, method: string, path: string, body?: unknown) =>
    cloud.gateway.call(method, path, { token, ...(body === undefined ? {} : { body }) });
  const made = async (token: string, path: string, body: object) => {
    const answer = await ask(token, 'POST', path, body);
    if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`);
    const [first] = Object.values(answer.json());
    return JSON.parse(JSON.stringify(first));
  };
  const n = '/networking/v2.0';
  const admin = cloud.gateway.token;
  const external = await made(admin, `${n}/networks`, { network: { 'router:external': true } });
  await made(admin, `${n}/subnets`, { subnet: { network_id: external.id, cidr: '198.51.100.0/24' } });

  /** One project's things: what the other may not name. */
  const project = async (token: string, cidr: string) => {
    const network = await made(token, `${n}/networks`, { network: {} });
    const subnet = await made(token, `${n}/subnets`, { subnet: { network_id: network.id, cidr } });
    const pool = await made(token, `${n}/subnetpools`, { subnetpool: { name: 'pool', prefixes: [cidr] } });
    const port = await made(token, `${n}/ports`, { port: { network_id: network.id } });
    const gateway = { external_gateway_info: { network_id: external.id } };
    const router = await made(token, `${n}/routers`, { router: gateway });
    const floatingip = await made(token, `${n}/floatingips`, { floatingip: { floating_network_id: external.id } });
    const group = await made(token, `${n}/security-groups`, { security_group: { name: 'group' } });
    const flavor = { name: 'server', flavorRef: '1', imageRef: 'cirros' };
    const server = await made(token, '/compute/v2.1/servers', {
      server: { ...flavor, networks: [{ uuid: network.id }] },
    });
    const serverGroup = await made(token, '/compute/v2.1/os-server-groups', {
      server_group: { name: 'together', policies: ['affinity'] },
    });
    const addressGroup = await made(token, `${n}/address-groups`, { address_group: { addresses: [cidr] } });
    return { token, addressGroup, network, subnet, pool, port, router, floatingip, group, server, serverGroup, flavor };
  };
  const own = await project(cloud.memberToken, '10.0.0.0/24');
  const other = await project((await addMember(cloud.gateway)).memberToken, '10.9.0.0/24');

  const isolated = await made(own.token, `${n}/networks`, { network: {} });
  const port = (fields: object) => ({ port: { network_id: own.network.id, ...fields } });
  const rule = (fields: object) => ({
    security_group_rule: { direction: 'ingress', security_group_id: own.group.id, ...fields },
  });
  const server = (fields: object) => ({ server: { ...own.flavor, ...fields } });
  const floating = (fields: object) => ({ floatingip: { floating_network_id: external.id, ...fields } });
  type Case = readonly [attribute: string, foreign: string, method: string, path: string, body: (id: string) => object];
  const routerPath = `${n}/routers/${own.router.id}`;
  const cases: Case[] = [
    [
      'subnet.network_id',
      other.network.id,
      'POST',
      `${n}/subnets`,
      (id) => ({ subnet: { network_id: id, cidr: '10.7.0.0/24' } }),
    ],
    [
      'subnet.subnetpool_id',
      other.pool.id,
      'POST',
      `${n}/subnets`,
      (id) => ({ subnet: { network_id: isolated.id, subnetpool_id: id } }),
    ],
    ['port.network_id', other.network.id, 'POST', `${n}/ports`, (id) => ({ port: { network_id: id } })],
    ['port.fixed_ips', other.subnet.id, 'POST', `${n}/ports`, (id) => port({ fixed_ips: [{ subnet_id: id }] })],
    [
      'port.fixed_ips',
      other.subnet.id,
      'PUT',
      `${n}/ports/${own.port.id}`,
      (id) => ({ port: { fixed_ips: [{ subnet_id: id }] } }),
    ],
    ['port.security_groups', other.group.id, 'POST', `${n}/ports`, (id) => port({ security_groups: [id] })],
    [
      'port.security_groups',
      other.group.id,
      'PUT',
      `${n}/ports/${own.port.id}`,
      (id) => ({ port: { security_groups: [id] } }),
    ],
    ...[other.router.id, other.server.id, other.floatingip.id].flatMap((foreign): Case[] => [
      ['port.device_id', foreign, 'POST', `${n}/ports`, (id) => port({ device_id: id })],
      ['port.device_id', foreign, 'PUT', `${n}/ports/${own.port.id}`, (id) => ({ port: { device_id: id } })],
      [
        'port.device_owner',
        foreign,
        'POST',
        `${n}/ports`,
        (id) => port({ device_id: id, device_owner: 'compute:nova' }),
      ],
      [
        'port.device_owner',
        foreign,
        'POST',
        `${n}/ports`,
        (id) => port({ device_id: id, device_owner: 'network:router_interface' }),
      ],
    ]),
    [
      'router.external_gateway_info',
      other.network.id,
      'POST',
      `${n}/routers`,
      (id) => ({ router: { external_gateway_info: { network_id: id } } }),
    ],
    [
      'router.external_gateway_info',
      other.network.id,
      'PUT',
      routerPath,
      (id) => ({ router: { external_gateway_info: { network_id: id } } }),
    ],
    ['router interface', other.subnet.id, 'PUT', `${routerPath}/add_router_interface`, (id) => ({ subnet_id: id })],
    ['router interface', other.port.id, 'PUT', `${routerPath}/add_router_interface`, (id) => ({ port_id: id })],
    ['router interface', other.subnet.id, 'PUT', `${routerPath}/remove_router_interface`, (id) => ({ subnet_id: id })],
    ['router interface', other.port.id, 'PUT', `${routerPath}/remove_router_interface`, (id) => ({ port_id: id })],
    [
      'floatingip.floating_network_id',
      other.network.id,
      'POST',
      `${n}/floatingips`,
      (id) => ({ floatingip: { floating_network_id: id } }),
    ],
    ['floatingip.subnet_id', other.subnet.id, 'POST', `${n}/floatingips`, (id) => floating({ subnet_id: id })],
    ['floatingip.port_id', other.port.id, 'POST', `${n}/floatingips`, (id) => floating({ port_id: id })],
    [
      'floatingip.port_id',
      other.port.id,
      'PUT',
      `${n}/floatingips/${own.floatingip.id}`,
      (id) => ({ floatingip: { port_id: id } }),
    ],
    [
      'security_group_rule.security_group_id',
      other.group.id,
      'POST',
      `${n}/security-group-rules`,
      (id) => rule({ security_group_id: id }),
    ],
    [
      'security_group_rule.remote_group_id',
      other.group.id,
      'POST',
      `${n}/security-group-rules`,
      (id) => rule({ remote_group_id: id }),
    ],
    ...Object.keys(writable).flatMap((resource): Case[] =>
      resource === 'security_group_rule'
        ? []
        : ['project_id', 'tenant_id'].map((name) => {
            const needed = {
              subnet: { network_id: isolated.id, cidr: '10.7.0.0/24' },
              port: { network_id: own.network.id },
              floatingip: { floating_network_id: external.id },
            };
            const fields: object = Object.entries(needed).find(([key]) => key === resource)?.[1] ?? {};
            const path = `${n}/${resource.replaceAll('_', '-')}s`;
            return [
              `${resource}.${name}`,
              other.network.project_id,
              'POST',
              path,
              (id) => ({ [resource]: { ...fields, [name]: id } }),
            ];
          }),
    ),
    ['server network', other.network.id, 'POST', '/compute/v2.1/servers', (id) => server({ networks: [{ uuid: id }] })],
    ['server port', other.port.id, 'POST', '/compute/v2.1/servers', (id) => server({ networks: [{ port: id }] })],
    [
      'server group',
      other.group.id,
      'POST',
      '/compute/v2.1/servers',
      (id) => server({ networks: [{ uuid: own.network.id }], security_groups: [{ name: id }] }),
    ],
    ...[
      ['group', other.serverGroup.id],
      ['same_host', other.server.id],
      ['different_host', other.server.id],
    ].map(
      ([hint = '', foreign]): Case => [
        `hint ${hint}`,
        foreign,
        'POST',
        '/compute/v2.1/servers',
        (id) => ({ ...server({ networks: 'none' }), 'os:scheduler_hints': { [hint]: id } }),
      ],
    ),
    [
      'server action',
      other.group.id,
      'POST',
      `/compute/v2.1/servers/${own.server.id}/action`,
      (id) => ({ addSecurityGroup: { name: id } }),
    ],
  ];
  cases.push([
    'port_forwarding.internal_port_id',
    other.port.id,
    'POST',
    `${n}/floatingips/${own.floatingip.id}/port_forwardings`,
    (id) => ({ port_forwarding: { protocol: 'tcp', external_port: 22, internal_port: 22, internal_port_id: id } }),
  ]);
  cases.push([
    'security_group_rule.remote_address_group_id',
    other.addressGroup.id,
    'POST',
    `${n}/security-group-rules`,
    (id) => rule({ remote_address_group_id: id }),
  ]);
  for (const [object_type, foreign] of [
    ['network', other.network.id],
    ['subnetpool', other.pool.id],
    ['security_group', other.group.id],
    ['address_group', other.addressGroup.id],
  ] as const) {
    const policy = { object_type, action: 'access_as_shared', target_tenant: 'another' };
    cases.push([
      'rbac_policy.object_id',
      foreign,
      'POST',
      `${n}/rbac-policies`,
      (id) => ({ rbac_policy: { ...policy, object_id: id } }),
    ]);
  }
  for (const [attribute, foreign, method, path, body] of cases) {
    const answers = [];
    for (const id of [foreign, unknownId]) {
      const answer = await ask(own.token, method, path, body(id));
      answers.push(`${answer.statusCode} ${answer.body.replaceAll(id, 'ID')}`);
    }
    t.equal(answers[0], answers[1], `${attribute}: ${method} ${path}`);
    t.match(answers[0], /^4(00|03|04|09) /, `${attribute}: ${answers[0]}`);
  }

  // What names something, in any body, is among the cases.
  const namesThings = /(_id|_ids|_groups|_info|fixed_ips|device_owner)$/;
  const never = new Set([
    // Templates name no group but the one that is made.
    'default_security_group_rule.remote_group_id',
    'subnetpool.address_scope_id',
    'port.binding:host_id',
    'network.provider:segmentation_id',
    ...['tenant_id', 'project_id'].map((key) => `rbac_policy.${key}`),
    ...['tenant_id', 'project_id'].map((key) => `address_group.${key}`),
    'security_group_rule.project_id',
    'security_group_rule.tenant_id',
  ]);
  for (const [resource, schemas] of Object.entries(writable)) {
    for (const schema of schemas) {
      const { properties = {} }: AttributeSchema = schema;
      for (const name of Object.keys(properties).filter((key) => namesThings.test(key))) {
        const attribute = `${resource}.${name}`;
        t.ok(never.has(attribute) || cases.some(([known]) => known === attribute), `${attribute} is tried`);
      }
    }
  }
});
