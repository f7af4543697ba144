/** Neutron's policy, by Neutron's names, for the network API and for `shoal.v1.NetworkService`. Whose a thing is, is asked of the thing itself by the network service. */
import {
  administrator,
  anyToken,
  cloudAdmin,
  networkOwner,
  type PolicyRule,
  projectMember,
  projectReader,
  rule,
} from './rule.ts';

/** Name in rules: last part of the path, name in methods. */
const collections = {
  network: ['networks', 'Network'],
  subnet: ['subnets', 'Subnet'],
  port: ['ports', 'Port'],
  router: ['routers', 'Router'],
  floatingip: ['floatingips', 'FloatingIp'],
  security_group: ['security-groups', 'SecurityGroup'],
} as const;
const rpc = (name: string): string => `rpc shoal.v1.NetworkService/${name}`;

/** The five verbs and the tags that all collections have. */
function collectionRules([name, [plural, Name]]: [string, readonly [string, string]]): readonly PolicyRule[] {
  const path = `/v2.0/${plural}`;
  return [
    rule(`get_${name}`, projectReader, [`GET ${path}`, `GET ${path}/:id`, rpc(`List${Name}s`), rpc(`Get${Name}`)]),
    rule(`create_${name}`, projectMember, [`POST ${path}`, rpc(`Create${Name}`)]),
    rule(`update_${name}`, projectMember, [`PUT ${path}/:id`, rpc(`Update${Name}`)]),
    rule(`delete_${name}`, projectMember, [`DELETE ${path}/:id`, rpc(`Delete${Name}`)]),
    rule(`get_${name}:tags`, projectReader, [`GET ${path}/:id/tags`, `GET ${path}/:id/tags/:tag`]),
    rule(`update_${name}:tags`, projectMember, [
      `PUT ${path}/:id/tags`,
      `PUT ${path}/:id/tags/:tag`,
      `DELETE ${path}/:id/tags`,
      `DELETE ${path}/:id/tags/:tag`,
    ]),
  ];
}

/** Attributes that are rights of their own. Asked by the network service, and by views for what an answer shows. */
const attributeRules: readonly PolicyRule[] = [
  ...['create', 'update'].flatMap((verb) => [
    ...[
      'shared',
      'router:external',
      'provider:network_type',
      'provider:physical_network',
      'provider:segmentation_id',
    ].map((attribute) => rule(`${verb}_network:${attribute}`, administrator, [])),
    ...['enable_snat', 'external_fixed_ips'].map((attribute) =>
      rule(`${verb}_router:external_gateway_info:${attribute}`, administrator, []),
    ),
    ...['mac_address', 'fixed_ips:ip_address', 'port_security_enabled', 'allowed_address_pairs'].map((attribute) =>
      rule(`${verb}_port:${attribute}`, networkOwner, []),
    ),
    // The word of routers, floating IPs and DHCP: `network:...`.
    rule(`${verb}_port:device_owner`, administrator, []),
  ]),
  rule('create_floatingip:floating_ip_address', administrator, []),
  rule('create_subnetpool:shared', administrator, []),
  ...['create', 'update'].map((verb) => rule(`${verb}_subnetpool:is_default`, administrator, [])),
  // Asked for the target that means all projects (Neutron's restrict_wildcard).
  ...['create', 'update'].map((verb) => rule(`${verb}_rbac_policy:target_tenant`, administrator, [])),
  ...[
    'network:provider:network_type',
    'network:provider:physical_network',
    'network:provider:segmentation_id',
    'port:binding:host_id',
    'port:binding:vif_type',
    'port:binding:vif_details',
    'port:binding:profile',
    'router:distributed',
    'router:ha',
  ].map((attribute) => rule(`get_${attribute}`, administrator, [])),
];

/**
 * Every network operation, REST and gRPC. They say which role a caller needs; the network service checks whose the
 * thing is.
 */
export const networkPolicies: readonly PolicyRule[] = [
  ...Object.entries(collections).flatMap(collectionRules),
  ...attributeRules,
  rule('get_security_group_rule', projectReader, [
    'GET /v2.0/security-group-rules',
    'GET /v2.0/security-group-rules/:id',
    rpc('ListSecurityGroupRules'),
    rpc('GetSecurityGroupRule'),
  ]),
  rule('create_security_group_rule', projectMember, [
    'POST /v2.0/security-group-rules',
    rpc('CreateSecurityGroupRule'),
  ]),
  rule('delete_security_group_rule', projectMember, [
    'DELETE /v2.0/security-group-rules/:id',
    rpc('DeleteSecurityGroupRule'),
  ]),
  rule('add_router_interface', projectMember, [
    'PUT /v2.0/routers/:id/add_router_interface',
    rpc('AddRouterInterface'),
  ]),
  rule('remove_router_interface', projectMember, [
    'PUT /v2.0/routers/:id/remove_router_interface',
    rpc('RemoveRouterInterface'),
  ]),
  rule('add_extraroutes', projectMember, ['PUT /v2.0/routers/:id/add_extraroutes']),
  rule('remove_extraroutes', projectMember, ['PUT /v2.0/routers/:id/remove_extraroutes']),
  rule('get_subnetpool', projectReader, ['GET /v2.0/subnetpools', 'GET /v2.0/subnetpools/:id']),
  rule('create_subnetpool', projectMember, ['POST /v2.0/subnetpools']),
  rule('update_subnetpool', projectMember, ['PUT /v2.0/subnetpools/:id']),
  rule('delete_subnetpool', projectMember, ['DELETE /v2.0/subnetpools/:id']),
  rule('add_prefixes', projectMember, ['PUT /v2.0/subnetpools/:id/add_prefixes']),
  rule('remove_prefixes', projectMember, ['PUT /v2.0/subnetpools/:id/remove_prefixes']),
  rule('get_subnetpool:tags', projectReader, ['GET /v2.0/subnetpools/:id/tags', 'GET /v2.0/subnetpools/:id/tags/:tag']),
  rule('update_subnetpool:tags', projectMember, [
    'PUT /v2.0/subnetpools/:id/tags',
    'PUT /v2.0/subnetpools/:id/tags/:tag',
    'DELETE /v2.0/subnetpools/:id/tags',
    'DELETE /v2.0/subnetpools/:id/tags/:tag',
  ]),
  rule('get_floatingip_port_forwarding', projectReader, [
    'GET /v2.0/floatingips/:id/port_forwardings',
    'GET /v2.0/floatingips/:id/port_forwardings/:forwarding',
  ]),
  rule('create_floatingip_port_forwarding', projectMember, ['POST /v2.0/floatingips/:id/port_forwardings']),
  rule('update_floatingip_port_forwarding', projectMember, ['PUT /v2.0/floatingips/:id/port_forwardings/:forwarding']),
  rule('delete_floatingip_port_forwarding', projectMember, [
    'DELETE /v2.0/floatingips/:id/port_forwardings/:forwarding',
  ]),
  rule('get_default_security_group_rule', projectReader, [
    'GET /v2.0/default-security-group-rules',
    'GET /v2.0/default-security-group-rules/:id',
  ]),
  rule('create_default_security_group_rule', cloudAdmin, ['POST /v2.0/default-security-group-rules']),
  rule('delete_default_security_group_rule', cloudAdmin, ['DELETE /v2.0/default-security-group-rules/:id']),
  rule('get_address_group', projectReader, ['GET /v2.0/address-groups', 'GET /v2.0/address-groups/:id']),
  rule('create_address_group', projectMember, ['POST /v2.0/address-groups']),
  // Neutron asks the same of the two changes of its addresses.
  rule('update_address_group', projectMember, [
    'PUT /v2.0/address-groups/:id',
    'PUT /v2.0/address-groups/:id/add_addresses',
    'PUT /v2.0/address-groups/:id/remove_addresses',
  ]),
  rule('delete_address_group', projectMember, ['DELETE /v2.0/address-groups/:id']),
  rule('get_rbac_policy', projectReader, ['GET /v2.0/rbac-policies', 'GET /v2.0/rbac-policies/:id']),
  rule('create_rbac_policy', projectMember, ['POST /v2.0/rbac-policies']),
  rule('update_rbac_policy', projectMember, ['PUT /v2.0/rbac-policies/:id']),
  rule('delete_rbac_policy', projectMember, ['DELETE /v2.0/rbac-policies/:id']),
  rule('get_quotas', cloudAdmin, ['GET /v2.0/quotas']),
  rule('get_quota', projectReader, [
    'GET /v2.0/quotas/tenant',
    'GET /v2.0/quotas/project',
    'GET /v2.0/quotas/:project',
    'GET /v2.0/quotas/:project/default',
    'GET /v2.0/quotas/:project/details',
    'GET /v2.0/quotas/:project/details.json',
  ]),
  rule('update_quota', cloudAdmin, ['PUT /v2.0/quotas/:project']),
  rule('delete_quota', cloudAdmin, ['DELETE /v2.0/quotas/:project']),
  // As in Neutron: whom `get_agent` does not hold for sees an empty list, and no agent by its id.
  rule('get_agent', administrator, []),
  rule('shoal:network:ask_for_agents', projectReader, ['GET /v2.0/agents', 'GET /v2.0/agents/:id']),
  // It shows hosts, and what other projects let in: for the mesh's operators.
  rule('shoal:network:trace_packet', cloudAdmin, [rpc('TracePacket')]),
  rule('get_availability_zone', projectReader, ['GET /v2.0/availability_zones']),
  rule('get_network_ip_availability', cloudAdmin, [
    'GET /v2.0/network-ip-availabilities',
    'GET /v2.0/network-ip-availabilities/:id',
  ]),
  rule('get_service_provider', projectReader, ['GET /v2.0/service-providers']),
  // What the service consists of; Neutron shows it to everybody.
  rule('get_extension', anyToken, ['GET /v2.0/extensions', 'GET /v2.0/extensions/:alias']),
];
