/**
 * Neutron's extensions that this gateway has. One is advertised only while every attribute that it adds is taken and has
 * its effect: a schema that knows one value alone (it has a `reason`) shows the attribute and honours nothing.
 */
import type { TSchema } from 'typebox';
import { ownValue } from '../../../node/base/own-value.ts';
import * as schemas from '../schemas/network.ts';
import type { AttributeSchema } from './attributes.ts';

/** An extension: its name in Neutron, and what it lets callers write, as `resource.attribute`. */
interface Extension {
  readonly name: string;
  readonly attributes?: readonly string[];
}

/** By alias. Those whose attributes are not all honoured are known and not advertised. */
export const knownExtensions: Readonly<Record<string, Extension>> = {
  agent: { name: 'agent', attributes: ['agent.admin_state_up', 'agent.description'] },
  'address-group': { name: 'Address group', attributes: ['address_group.name', 'address_group.addresses'] },
  'allowed-address-pairs': { name: 'Allowed Address Pairs', attributes: ['port.allowed_address_pairs'] },
  availability_zone: { name: 'Availability Zone' },
  binding: {
    name: 'Port Binding',
    attributes: ['port.binding:vnic_type', 'port.binding:host_id', 'port.binding:profile'],
  },
  'default-subnetpools': {
    name: 'Default Subnetpools',
    attributes: ['subnetpool.is_default', 'subnet.use_default_subnetpool'],
  },
  dvr: { name: 'Distributed Virtual Router', attributes: ['router.distributed'] },
  'empty-string-filtering': { name: 'Empty String Filtering Extension' },
  'ext-gw-mode': {
    name: 'Neutron L3 Configurable external gateway mode',
    attributes: ['router.external_gateway_info'],
  },
  'external-net': { name: 'Neutron external network', attributes: ['network.router:external'] },
  extra_dhcp_opt: { name: 'Neutron Extra DHCP options', attributes: ['port.extra_dhcp_opts'] },
  extraroute: { name: 'Neutron Extra Route', attributes: ['router.routes'] },
  'extraroute-atomic': { name: 'Atomically add/remove extra routes', attributes: ['router.routes'] },
  'expose-port-forwarding-in-fip': { name: 'Expose Port Forwarding in Floating IP' },
  'filter-validation': { name: 'Filter parameters validation' },
  'fip-port-details': { name: 'Floating IP Port Details Extension' },
  'floating-ip-port-forwarding': {
    name: 'Floating IP Port Forwarding',
    attributes: [
      'port_forwarding.protocol',
      'port_forwarding.external_port',
      'port_forwarding.internal_port',
      'port_forwarding.internal_port_id',
      'port_forwarding.internal_ip_address',
    ],
  },
  'floating-ip-port-forwarding-description': {
    name: 'Floating IP Port Forwarding new field: description',
    attributes: ['port_forwarding.description'],
  },
  'ip-substring-filtering': { name: 'IP address substring filtering' },
  'l3-ha': { name: 'HA Router extension', attributes: ['router.ha'] },
  'net-mtu': { name: 'Network MTU' },
  'net-mtu-writable': { name: 'Network MTU (writable)', attributes: ['network.mtu'] },
  'network-ip-availability': { name: 'Network IP Availability' },
  network_availability_zone: {
    name: 'Network Availability Zone',
    attributes: ['network.availability_zone_hints'],
  },
  pagination: { name: 'Pagination support' },
  'port-security-groups-filtering': { name: 'Port filtering on security groups' },
  'port-security': {
    name: 'Port Security',
    attributes: ['network.port_security_enabled', 'port.port_security_enabled'],
  },
  'project-id': { name: 'project_id field enabled' },
  provider: {
    name: 'Provider Network',
    attributes: [
      'network.provider:network_type',
      'network.provider:physical_network',
      'network.provider:segmentation_id',
    ],
  },
  quota_details: { name: 'Quota details management support' },
  quotas: { name: 'Quota management support' },
  'rbac-policies': {
    name: 'RBAC Policies',
    attributes: ['rbac_policy.object_type', 'rbac_policy.object_id', 'rbac_policy.action', 'rbac_policy.target_tenant'],
  },
  'rbac-address-group': { name: 'Add address_group type to RBAC' },
  'rbac-security-groups': { name: 'Add security_group type to network RBAC' },
  'rbac-subnetpool': { name: 'Add subnet pool type to network RBAC' },
  'revision-if-match': { name: 'If-Match constraints based on revision_number' },
  router: {
    name: 'Neutron L3 Router',
    attributes: [
      'router.name',
      'router.admin_state_up',
      'router.external_gateway_info',
      'floatingip.floating_network_id',
      'floatingip.floating_ip_address',
      'floatingip.subnet_id',
      'floatingip.port_id',
      'floatingip.fixed_ip_address',
    ],
  },
  router_availability_zone: { name: 'Router Availability Zone', attributes: ['router.availability_zone_hints'] },
  'security-group': {
    name: 'security-group',
    attributes: [
      'port.security_groups',
      'security_group.name',
      'security_group_rule.security_group_id',
      'security_group_rule.direction',
      'security_group_rule.ethertype',
      'security_group_rule.protocol',
      'security_group_rule.port_range_min',
      'security_group_rule.port_range_max',
      'security_group_rule.remote_ip_prefix',
      'security_group_rule.remote_group_id',
    ],
  },
  'security-groups-default-rules': {
    name: 'Default rules for security groups',
    attributes: [
      'default_security_group_rule.direction',
      'default_security_group_rule.remote_group_id',
      'default_security_group_rule.used_in_default_sg',
      'default_security_group_rule.used_in_non_default_sg',
    ],
  },
  'security-groups-remote-address-group': {
    name: 'Remote address group id field for security group rules',
    attributes: ['security_group_rule.remote_address_group_id'],
  },
  'security-groups-shared-filtering': { name: 'Security group filtering on the shared field' },
  'security-groups-normalized-cidr': { name: 'Normalized CIDR field for security group rules' },
  sorting: { name: 'Sorting support' },
  'standard-attr-description': {
    name: 'standard-attr-description',
    attributes: [
      'network.description',
      'subnet.description',
      'port.description',
      'router.description',
      'floatingip.description',
      'security_group.description',
      'security_group_rule.description',
    ],
  },
  'standard-attr-revisions': { name: 'Resource revision numbers' },
  'standard-attr-tag': {
    name: 'Tag support for resources with standard attribute: port, subnet, subnetpool, network, router, floatingip, security_group',
  },
  'standard-attr-timestamp': { name: 'Resource timestamps' },
  'stateful-security-group': { name: 'Stateful security group', attributes: ['security_group.stateful'] },
  subnet_allocation: {
    name: 'Subnet Allocation',
    attributes: ['subnet.subnetpool_id', 'subnet.prefixlen', 'subnetpool.prefixes'],
  },
  'subnetpool-prefix-ops': { name: 'Subnet Pool Prefix Operations' },
  'subnet-service-types': { name: 'Subnet service types', attributes: ['subnet.service_types'] },
};

/** What may be written of each resource: with `POST`, and with `PUT` where there is one. */
export const writable: Readonly<Record<string, readonly TSchema[]>> = {
  network: [schemas.networkNew, schemas.networkPatch],
  subnet: [schemas.subnetNew, schemas.subnetPatch],
  subnetpool: [schemas.subnetPoolNew, schemas.subnetPoolPatch],
  port: [schemas.portNew, schemas.portPatch],
  router: [schemas.routerNew, schemas.routerPatch],
  floatingip: [schemas.floatingIpNew, schemas.floatingIpPatch],
  port_forwarding: [schemas.portForwardingNew, schemas.portForwardingPatch],
  security_group: [schemas.securityGroupNew, schemas.securityGroupPatch],
  security_group_rule: [schemas.securityGroupRuleNew],
  default_security_group_rule: [schemas.defaultGroupRuleNew],
  address_group: [schemas.addressGroupNew, schemas.addressGroupPatch],
  rbac_policy: [schemas.rbacPolicyNew, schemas.rbacPolicyPatch],
};

/** Whether an attribute (`port.mac_address`) can be written with more than one outcome. */
export function isHonoured(attribute: string): boolean {
  const [resource = '', name = ''] = attribute.split('.');
  return (ownValue(writable, resource) ?? []).some((schema) => {
    const { properties }: AttributeSchema = schema;
    const found = ownValue(properties ?? {}, name);
    return found !== undefined && !isFixed(found);
  });
}

/** A schema that takes one value alone, or none but the empty list. */
export function isFixed(schema: AttributeSchema): boolean {
  const options = (schema.anyOf ?? [schema]).filter((option) => option.type !== 'null');
  return options.every(
    (option) =>
      (options.length === 1 && 'const' in option) ||
      option.maxItems === 0 ||
      (option.type === 'object' && Object.keys(option.properties ?? {}).length === 0),
  );
}

/** Alias to name of what is advertised. */
export const extensions: ReadonlyMap<string, string> = new Map(
  Object.entries(knownExtensions)
    .filter(([, { attributes = [] }]) => attributes.every(isHonoured))
    .map(([alias, { name }]) => [alias, name]),
);
