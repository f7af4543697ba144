/** By what the lists can be filtered: a key that is not here is refused, as by Neutron with its filter-validation. */

/** The attributes of one list. */
export interface ListKeys {
  readonly keys: readonly string[];
  /** Further attributes, and the rule of each: `get_network` and the attribute. To lists of others it is unknown. */
  readonly guarded?: { readonly rule: string; readonly keys: readonly string[] };
}

const named = ['id', 'tenant_id', 'project_id', 'description', 'name', 'revision_number', 'created_at', 'updated_at'];
const standard = [...named, 'changed_since', 'tags', 'tags-any', 'not-tags', 'not-tags-any'];

/** The filters of `GET /v2.0/networks`. */
export const networkKeys: ListKeys = {
  keys: [
    ...standard,
    'admin_state_up',
    'status',
    'shared',
    'router:external',
    'mtu',
    'subnets',
    'port_security_enabled',
    'ipv4_address_scope',
    'ipv6_address_scope',
    'is_default',
  ],
  guarded: {
    rule: 'get_network',
    keys: ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'],
  },
};

/** The filters of `GET /v2.0/subnets`. */
export const subnetKeys: ListKeys = {
  keys: [
    ...standard,
    'network_id',
    'ip_version',
    'cidr',
    'gateway_ip',
    'enable_dhcp',
    'dns_nameservers',
    'subnetpool_id',
    'ipv6_ra_mode',
    'ipv6_address_mode',
  ],
};

/** The filters of `GET /v2.0/subnetpools`. */
export const subnetPoolKeys: ListKeys = {
  keys: [
    ...standard,
    'min_prefixlen',
    'max_prefixlen',
    'default_prefixlen',
    'default_quota',
    'ip_version',
    'shared',
    'is_default',
    'address_scope_id',
  ],
};

/** The filters of `GET /v2.0/ports`. `fixed_ips` has a form of its own: `fixed_ips=ip_address=10.0.0.5`. */
export const portKeys: ListKeys = {
  keys: [
    ...standard,
    'network_id',
    'mac_address',
    'admin_state_up',
    'status',
    'device_id',
    'device_owner',
    'fixed_ips',
    'security_groups',
    'port_security_enabled',
    'binding:vnic_type',
  ],
  guarded: { rule: 'get_port', keys: ['binding:host_id', 'binding:vif_type'] },
};

/** The filters of `GET /v2.0/routers`. */
export const routerKeys: ListKeys = {
  keys: [...standard, 'admin_state_up', 'status', 'flavor_id'],
  guarded: { rule: 'get_router', keys: ['distributed', 'ha'] },
};

/** The filters of `GET /v2.0/floatingips`, which have no names. */
export const floatingIpKeys: ListKeys = {
  keys: [
    ...standard.filter((key) => key !== 'name'),
    'floating_network_id',
    'floating_ip_address',
    'fixed_ip_address',
    'port_id',
    'router_id',
    'status',
  ],
};

/** The filters of `GET /v2.0/floatingips/:id/port_forwardings`. */
export const portForwardingKeys: ListKeys = {
  keys: ['id', 'protocol', 'internal_ip_address', 'internal_port', 'internal_port_id', 'external_port', 'description'],
};

/** The filters of `GET /v2.0/security-groups`. */
export const securityGroupKeys: ListKeys = { keys: [...standard, 'stateful', 'shared'] };

/** The filters of `GET /v2.0/security-group-rules`, which have neither names nor tags. */
export const ruleKeys: ListKeys = {
  keys: [
    ...named.filter((key) => key !== 'name'),
    'changed_since',
    'security_group_id',
    'direction',
    'ethertype',
    'protocol',
    'port_range_min',
    'port_range_max',
    'remote_ip_prefix',
    'normalized_cidr',
    'remote_group_id',
    'remote_address_group_id',
  ],
};

/** The filters of `GET /v2.0/default-security-group-rules`, which are no project's. */
export const defaultGroupRuleKeys: ListKeys = {
  keys: [
    'id',
    'direction',
    'ethertype',
    'protocol',
    'port_range_min',
    'port_range_max',
    'remote_ip_prefix',
    'remote_group_id',
    'description',
    'used_in_default_sg',
    'used_in_non_default_sg',
  ],
};

/** The filters of `GET /v2.0/address-groups`, which have no tags. */
export const addressGroupKeys: ListKeys = { keys: [...named, 'changed_since', 'shared'] };

/** The filters of `GET /v2.0/rbac-policies`. */
export const rbacPolicyKeys: ListKeys = {
  keys: ['id', 'tenant_id', 'project_id', 'object_type', 'object_id', 'action', 'target_tenant'],
};

/** The filters of `GET /v2.0/agents`, which only administrators see any of. */
export const agentKeys: ListKeys = {
  keys: ['id', 'agent_type', 'binary', 'host', 'topic', 'alive', 'admin_state_up', 'availability_zone', 'description'],
};

/** The filters of `GET /v2.0/availability_zones`. `resource` is `network` or `router`. */
export const zoneKeys: ListKeys = { keys: ['name', 'resource', 'state'] };

/** The filters of `GET /v2.0/network-ip-availabilities`. `ip_version` says which subnets count. */
export const availabilityKeys: ListKeys = {
  keys: ['network_id', 'network_name', 'tenant_id', 'project_id', 'ip_version'],
};

/**
 * The filters of `GET /v2.0/quotas`, which lists the projects that have limits of their own. All three keys
 * are the project's id.
 */
export const quotaKeys: ListKeys = { keys: ['id', 'tenant_id', 'project_id'] };

/** Stricter than Neutron, which takes any key here and filters by none. */
export const extensionKeys: ListKeys = { keys: ['id', 'alias', 'name'] };
