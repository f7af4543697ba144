/** Neutron's policy, by Neutron's names. Whose a thing is, is asked of the thing itself by the network service. */
import { anyToken, cloudAdmin, type PolicyRule, projectMember, projectReader, rule } from './rule.ts';

const collections = {
  network: 'networks',
  subnet: 'subnets',
  port: 'ports',
  router: 'routers',
  floatingip: 'floatingips',
  security_group: 'security-groups',
} as const;

/** The five verbs and the tags that all collections have. */
function collectionRules([name, plural]: [string, string]): readonly PolicyRule[] {
  const path = `/v2.0/${plural}`;
  return [
    rule(`get_${name}`, projectReader, [`GET ${path}`, `GET ${path}/:id`]),
    rule(`create_${name}`, projectMember, [`POST ${path}`]),
    rule(`update_${name}`, projectMember, [`PUT ${path}/:id`]),
    rule(`delete_${name}`, projectMember, [`DELETE ${path}/:id`]),
    rule(`get_${name}:tags`, projectReader, [`GET ${path}/:id/tags`, `GET ${path}/:id/tags/:tag`]),
    rule(`update_${name}:tags`, projectMember, [
      `PUT ${path}/:id/tags`,
      `PUT ${path}/:id/tags/:tag`,
      `DELETE ${path}/:id/tags`,
      `DELETE ${path}/:id/tags/:tag`,
    ]),
  ];
}

export const networkPolicies: readonly PolicyRule[] = [
  ...Object.entries(collections).flatMap(collectionRules),
  rule('get_security_group_rule', projectReader, [
    'GET /v2.0/security-group-rules',
    'GET /v2.0/security-group-rules/:id',
  ]),
  rule('create_security_group_rule', projectMember, ['POST /v2.0/security-group-rules']),
  rule('delete_security_group_rule', projectMember, ['DELETE /v2.0/security-group-rules/:id']),
  rule('add_router_interface', projectMember, ['PUT /v2.0/routers/:id/add_router_interface']),
  rule('remove_router_interface', projectMember, ['PUT /v2.0/routers/:id/remove_router_interface']),
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
  // As in Neutron: others than administrators see an empty list, and no agent by its id.
  rule('get_agent', projectReader, ['GET /v2.0/agents', 'GET /v2.0/agents/:id']),
  rule('get_availability_zone', projectReader, ['GET /v2.0/availability_zones']),
  rule('get_network_ip_availability', cloudAdmin, [
    'GET /v2.0/network-ip-availabilities',
    'GET /v2.0/network-ip-availabilities/:id',
  ]),
  rule('get_service_provider', projectReader, ['GET /v2.0/service-providers']),
  // What the service consists of; Neutron shows it to everybody.
  rule('get_extension', anyToken, ['GET /v2.0/extensions', 'GET /v2.0/extensions/:alias']),
];
