/** Requests that name another project's things: by the path, and in bodies below one's own things. */
import type { TenantObjects } from './tenant-objects.ts';

type Kind = keyof TenantObjects;

const kinds: readonly (readonly [RegExp, Kind])[] = [
  [/\/servers\/:id/, 'server'],
  [/\/os-keypairs\/:name/, 'keypair'],
  [/\/os-server-groups\/:id/, 'server_group'],
  [/\/(os-)?security-groups\/:id/, 'security_group'],
  [/\/(os-quota-sets|quotas|info\/usage|os-simple-tenant-usage)\/:project/, 'project'],
  [/\/images\/:id/, 'image'],
  [/\/(os-|os-tenant-)?networks\/:id/, 'network'],
  [/\/network-ip-availabilities\/:id/, 'network'],
  [/\/subnets\/:id/, 'subnet'],
  [/\/subnetpools\/:id/, 'subnetpool'],
  [/\/address-groups\/:id/, 'address_group'],
  [/\/rbac-policies\/:id/, 'rbac_policy'],
  [/\/ports\/:id/, 'port'],
  [/\/routers\/:id/, 'router'],
  [/\/(floatingips|os-floating-ips)\/:id/, 'floatingip'],
  [/\/(os-)?security-group-rules\/:id/, 'security_group_rule'],
  [/\/projects\/:(id|scope)/, 'project'],
  [/\/users\/:(id|user)/, 'user'],
];

/** What belongs to the cloud and not to a project: every caller may know it, or an operator alone (tokens of consoles). */
const shared =
  /\/(flavors|os-aggregates|os-hosts|os-instance_usage_audit_log|os-quota-class-sets|os-floating-ip-pools|os-hypervisors|os-services|extensions|schemas|agents|default-security-group-rules|domains|endpoints|regions|roles|services|os-console-auth-tokens|image\/v2\/tasks)\/:/;

/**
 * Whose id the path's first parameter is; undefined: the path has none, or names what is everybody's. Throws for a parameter
 * that neither table knows: the author of a route says here what its id is of.
 */
export function idKindOf(path: string): Kind | undefined {
  const found = kinds.find(([pattern]) => pattern.test(path));
  if (found !== undefined) return found[1];
  if (!path.includes(':') || shared.test(path)) return undefined;
  throw new Error(`foreign-requests.ts does not know what the id in ${path} is of.`);
}

/** Bodies with which the owner would get as far as the thing itself: one for each operation at least. */
export function bodiesOf(
  method: string,
  path: string,
  action: string | undefined,
  theirs: TenantObjects,
): readonly unknown[] {
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return [undefined];
  if (action !== undefined) return [{ [action]: actionArgument(action) }];
  if (path.includes('/port_forwardings')) {
    const forwarding = { protocol: 'tcp', external_port: 22, internal_port: 22, internal_port_id: theirs.port };
    return [{ port_forwarding: forwarding }];
  }
  if (/\/(add|remove)_addresses$/.test(path)) return [{ addresses: ['10.99.0.0/24'] }];
  if (path.endsWith('/rbac-policies/:id')) return [{ rbac_policy: { target_tenant: 'another' } }, { rbac_policy: {} }];
  const resource = /\/v2\.0\/([a-z-]+)s\/:id$/.exec(path)?.[1]?.replaceAll('-', '_');
  const change = resource === 'floatingip' ? { description: 'taken', port_id: null } : { name: 'taken' };
  if (resource !== undefined) return [{ [resource]: change }, { [resource]: {} }];
  if (/\/(add|remove)_extraroutes$/.test(path)) {
    return [{ router: { routes: [{ destination: '192.0.2.0/24', nexthop: '10.0.0.9' }] } }];
  }
  if (/\/(add|remove)_prefixes$/.test(path)) return [{ prefixes: ['10.99.0.0/24'] }];
  if (/\/(add|remove)_router_interface$/.test(path)) {
    return [{ subnet_id: theirs.subnet }, { port_id: theirs.port }];
  }
  const tail = path.replace(/^.*\/:(id|project|name)/, '');
  if (path.includes('/servers/:id')) return serverBodies(tail, theirs);
  if (path.includes('/os-security-groups/:id')) return [{ security_group: { name: 'taken', description: 'taken' } }];
  if (path.includes('/os-quota-sets/')) return [{ quota_set: { instances: 0 } }];
  if (path.includes('/quotas/')) return [{ quota: { network: 0 } }];
  if (path.includes('/v3/projects/:id') && tail === '') return [{ project: { name: 'taken', enabled: false } }];
  if (path.includes('/v3/users/:id') && tail === '') return [{ user: { enabled: false } }];
  if (path.endsWith('/images/:id/metadata')) return [{ metadata: { taken: 'yes' } }];
  if (path.includes('/images/:id/metadata/:')) return [{ meta: { x: 'yes' } }];
  if (path.includes('/images/:id') && method === 'PATCH') return [[{ op: 'replace', path: '/name', value: 'taken' }]];
  if (path.endsWith('/members')) return [{ member: 'somebody' }];
  if (path.includes('/members/:')) return [{ status: 'accepted' }];
  if (path.includes('/info/usage/')) return [{ limits: { image_count_total: 0 } }];
  if (path.endsWith('/file')) return ['the bytes of an image'];
  return [{ tags: ['taken'] }];
}

function actionArgument(action: string): unknown {
  if (action === 'reboot') return { type: 'HARD' };
  if (/SecurityGroup$/.test(action)) return { name: 'default' };
  if (action === 'os-getConsoleOutput') return { length: 1 };
  if (action === 'os-getVNCConsole') return { type: 'novnc' };
  if (action === 'os-getSPICEConsole') return { type: 'spice-html5' };
  if (action === 'os-getRDPConsole') return { type: 'rdp-html5' };
  if (action === 'os-getSerialConsole') return { type: 'serial' };
  if (action === 'os-resetState') return { state: 'error' };
  if (action === 'changePassword') return { adminPass: 'taken' };
  if (action === 'resize') return { flavorRef: '1' };
  if (action === 'rebuild') return { imageRef: 'cirros' };
  if (/FloatingIp$/.test(action)) return { address: '198.51.100.9' };
  if (action === 'createImage') return { name: 'stolen' };
  if (action === 'createBackup') return { name: 'stolen', backup_type: 'daily', rotation: 1 };
  return null;
}

function serverBodies(tail: string, theirs: TenantObjects): readonly unknown[] {
  switch (tail) {
    case '':
      return [{ server: { name: 'taken' } }];
    case '/action':
      return [{ shelve: null }, { rebuild: { imageRef: theirs.image } }, { resize: { flavorRef: '1' } }];
    case '/metadata':
      return [{ metadata: { taken: 'yes' } }];
    case '/metadata/:key':
      return [{ meta: { x: 'yes' } }];
    case '/os-volume_attachments':
    case '/os-volume_attachments/:volume_id':
    case '/os-volume_attachments/:key':
      return [{ volumeAttachment: { volumeId: '00000000-0000-4000-8000-00000000beef' } }];
    case '/remote-consoles':
      return [{ remote_console: { protocol: 'vnc', type: 'novnc' } }];
    case '/os-interface':
      return [{ interfaceAttachment: { net_id: theirs.network } }, { interfaceAttachment: { port_id: theirs.port } }];
    default:
      return [{ tags: ['taken'] }];
  }
}

export interface Naming {
  readonly method: string;
  readonly kind: Kind;
  url(id: string): string;
  body(id: string): unknown;
}

/** Every place in which a request on one's own things may name a thing of another kind. */
export function bodiesNaming(mine: TenantObjects, publicNetwork: string): readonly Naming[] {
  const naming =
    (method: string, url: string, kind: Kind) =>
    (body: (id: string) => unknown): Naming => ({ method, kind, url: () => url, body });
  const below = (method: string, kind: Kind, url: (id: string) => string): Naming => ({
    method,
    kind,
    url,
    body: () => undefined,
  });
  const network = '/networking/v2.0';
  const servers = '/compute/v2.1/servers';
  const server = `${servers}/${mine.server}`;
  const base = { name: 'spy', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const port = `${network}/ports`;
  const rules = `${network}/security-group-rules`;
  const { network: network_id } = mine;
  return [
    naming('POST', port, 'network')((id) => ({ port: { network_id: id } })),
    naming('POST', port, 'subnet')((id) => ({ port: { network_id, fixed_ips: [{ subnet_id: id }] } })),
    naming('POST', port, 'security_group')((id) => ({ port: { network_id, security_groups: [id] } })),
    ...(['network', 'subnetpool', 'security_group', 'address_group'] as const).map((kind) =>
      naming(
        'POST',
        `${network}/rbac-policies`,
        kind,
      )((id) => ({
        rbac_policy: { object_type: kind, object_id: id, action: 'access_as_shared', target_tenant: 'another' },
      })),
    ),
    naming(
      'POST',
      rules,
      'address_group',
    )((id) => ({
      security_group_rule: {
        security_group_id: mine.security_group,
        direction: 'ingress',
        remote_address_group_id: id,
      },
    })),
    naming('POST', port, 'server')((id) => ({ port: { network_id, device_id: id } })),
    naming('POST', port, 'router')((id) => ({ port: { network_id, device_id: id } })),
    naming('PUT', `${port}/${mine.port}`, 'subnet')((id) => ({ port: { fixed_ips: [{ subnet_id: id }] } })),
    naming('PUT', `${port}/${mine.port}`, 'security_group')((id) => ({ port: { security_groups: [id] } })),
    naming(
      'PUT',
      `${port}/${mine.port}`,
      'server',
    )((id) => ({ port: { device_id: id, device_owner: 'compute:nova' } })),
    naming(
      'POST',
      `${network}/subnets`,
      'network',
    )((id) => ({
      subnet: { network_id: id, ip_version: 4, cidr: '10.99.0.0/24' },
    })),
    naming('POST', `${network}/subnets`, 'subnetpool')((id) => ({ subnet: { network_id, subnetpool_id: id } })),
    naming(
      'POST',
      `${network}/routers`,
      'network',
    )((id) => ({ router: { external_gateway_info: { network_id: id } } })),
    naming(
      'PUT',
      `${network}/routers/${mine.router}`,
      'network',
    )((id) => ({
      router: { external_gateway_info: { network_id: id } },
    })),
    ...(['add', 'remove'] as const).flatMap((verb) => {
      const url = `${network}/routers/${mine.router}/${verb}_router_interface`;
      return [
        naming('PUT', url, 'subnet')((id) => ({ subnet_id: id })),
        naming('PUT', url, 'port')((id) => ({ port_id: id })),
      ];
    }),
    naming(
      'POST',
      `${network}/floatingips`,
      'port',
    )((id) => ({
      floatingip: { floating_network_id: publicNetwork, port_id: id },
    })),
    naming(
      'POST',
      `${network}/floatingips/${mine.floatingip}/port_forwardings`,
      'port',
    )((id) => ({
      port_forwarding: { protocol: 'tcp', external_port: 22, internal_port: 22, internal_port_id: id },
    })),
    naming('POST', `${network}/floatingips`, 'network')((id) => ({ floatingip: { floating_network_id: id } })),
    naming('PUT', `${network}/floatingips/${mine.floatingip}`, 'port')((id) => ({ floatingip: { port_id: id } })),
    naming(
      'POST',
      rules,
      'security_group',
    )((id) => ({
      security_group_rule: { security_group_id: id, direction: 'ingress' },
    })),
    naming(
      'POST',
      rules,
      'security_group',
    )((id) => ({
      security_group_rule: { security_group_id: mine.security_group, direction: 'ingress', remote_group_id: id },
    })),
    naming('POST', servers, 'image')((id) => ({ server: { ...base, imageRef: id } })),
    naming('POST', servers, 'network')((id) => ({ server: { ...base, networks: [{ uuid: id }] } })),
    naming('POST', servers, 'port')((id) => ({ server: { ...base, networks: [{ port: id }] } })),
    naming('POST', servers, 'keypair')((id) => ({ server: { ...base, key_name: id } })),
    naming(
      'POST',
      servers,
      'security_group',
    )((id) => ({
      server: { ...base, networks: [{ uuid: network_id }], security_groups: [{ name: id }] },
    })),
    naming('POST', servers, 'server_group')((id) => ({ server: base, 'os:scheduler_hints': { group: id } })),
    naming('POST', `${server}/action`, 'security_group')((id) => ({ addSecurityGroup: { name: id } })),
    naming('POST', `${server}/action`, 'security_group')((id) => ({ removeSecurityGroup: { name: id } })),
    below('GET', 'port', (id) => `${server}/os-interface/${id}`),
    naming('POST', `${server}/os-interface`, 'network')((id) => ({ interfaceAttachment: { net_id: id } })),
    naming('POST', `${server}/os-interface`, 'port')((id) => ({ interfaceAttachment: { port_id: id } })),
    below('DELETE', 'port', (id) => `${server}/os-interface/${id}`),
    below('GET', 'serverPort', (id) => `${server}/os-interface/${id}`),
    naming('POST', '/placement/shoal/v1/explain', 'image')((id) => ({ flavor_id: '1', image_id: id })),
    naming(
      'POST',
      '/placement/shoal/v1/explain',
      'server_group',
    )((id) => ({
      flavor_id: '1',
      scheduler_hints: { group: id },
    })),
  ];
}
