/**
 * Attributes of the network API. What may be null, how long a text may be and what has which type is Neutron's; what differs
 * is in LEDGER.md with its reason. As Neutron, unknown attributes are refused. `attributes.ts` reads bodies by these.
 */
import Type, { type TProperties } from 'typebox';

/** An object in which only these keys may stand. */
const only = <Properties extends TProperties>(properties: Properties, options: { readonly reason?: string } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });
/** May be left out, and only that. */
const may = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(schema);
/** May be left out, or be null. */
const orNull = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

/** As oslo's `is_uuid_like`: hyphens, braces and `urn:uuid:` are what people write around 32 hexadecimal digits. */
const id = Type.String({
  pattern: '^(urn:uuid:)?\\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\\}?$',
  maxLength: 64,
  reason: 'is not a valid UUID',
});
const text = Type.String({ maxLength: 255 });
const address = Type.String({ maxLength: 64 });
const mac = Type.String({ maxLength: 64 });
const flag = Type.Boolean();
const owner = { tenant_id: may(text), project_id: may(text) };
const described = { name: may(text), description: may(text) };
/** A list that must be empty, because what it would ask for is not there. */
const none = (reason: string) => Type.Array(Type.Unknown(), { maxItems: 0, reason });
const routes = orNull(Type.Array(only({ destination: address, nexthop: address }), { maxItems: 64 }));

const networkChange = {
  ...described,
  admin_state_up: may(flag),
  shared: may(flag),
  'router:external': may(flag),
  mtu: may(Type.Integer({ minimum: 0 })),
  port_security_enabled: may(flag),
  is_default: may(Type.Literal(false, { type: 'boolean', reason: 'there is no default external network here' })),
};
const noZones = none('every zone of this cloud has every network and router; hints are not taken');

/** `POST /networks`. Values of the provider attributes are checked by the service. */
export const networkNew = only({
  ...networkChange,
  ...owner,
  'provider:network_type': may(Type.String({ maxLength: 32 })),
  'provider:physical_network': may(Type.String({ maxLength: 64 })),
  'provider:segmentation_id': may(Type.Integer()),
  availability_zone_hints: may(noZones),
});

/** `PUT /networks/:id`. */
export const networkPatch = only(networkChange);

const subnetChange = {
  ...described,
  gateway_ip: orNull(address),
  enable_dhcp: may(flag),
  allocation_pools: may(Type.Array(only({ start: address, end: address }), { maxItems: 64 })),
  dns_nameservers: orNull(Type.Array(address, { maxItems: 64 })),
  host_routes: routes,
  service_types: may(none('subnets of this cloud serve every device')),
};
const ipv6Mode = orNull(Type.String({ maxLength: 32 }));

/** `POST /subnets`. */
export const subnetNew = only({
  ...subnetChange,
  ...owner,
  network_id: id,
  cidr: orNull(address),
  ip_version: may(Type.Union([Type.Literal(4, { type: 'integer' }), Type.Literal(6, { type: 'integer' })])),
  subnetpool_id: orNull(text),
  prefixlen: may(Type.Integer({ minimum: 0, maximum: 128 })),
  use_default_subnetpool: may(flag),
  ipv6_ra_mode: ipv6Mode,
  ipv6_address_mode: ipv6Mode,
});

/** `PUT /subnets/:id`: a subnet keeps its network and its CIDR. */
export const subnetPatch = only(subnetChange);

const prefixLength = orNull(Type.Integer({ minimum: 0, maximum: 128 }));
const prefixList = Type.Array(address, { maxItems: 256 });
const subnetPoolChange = {
  description: may(text),
  min_prefixlen: prefixLength,
  max_prefixlen: prefixLength,
  default_prefixlen: prefixLength,
  default_quota: orNull(Type.Integer({ minimum: 0, maximum: 2 ** 32 })),
  is_default: may(flag),
  address_scope_id: orNull(Type.Literal('', { type: 'string', reason: 'there are no address scopes here' })),
};

/** `POST /subnetpools`. */
export const subnetPoolNew = only({
  ...subnetPoolChange,
  ...owner,
  name: text,
  prefixes: prefixList,
  shared: may(flag),
});

/** `PUT /subnetpools/:id`: prefixes can only become more. */
export const subnetPoolPatch = only({ ...subnetPoolChange, name: may(text), prefixes: may(prefixList) });

/** `PUT /subnetpools/:id/add_prefixes` and `/remove_prefixes`. */
export const subnetPoolPrefixes = only({ prefixes: prefixList });

const fixedIp = only({ subnet_id: may(id), ip_address: may(address) });
const portChange = {
  ...described,
  admin_state_up: may(flag),
  mac_address: may(mac),
  fixed_ips: may(Type.Array(fixedIp, { maxItems: 64 })),
  device_id: may(text),
  device_owner: may(text),
  security_groups: orNull(Type.Array(id, { maxItems: 64 })),
  port_security_enabled: may(flag),
  allowed_address_pairs: orNull(
    Type.Array(only({ ip_address: may(address), mac_address: may(mac) }), { maxItems: 64 }),
  ),
  extra_dhcp_opts: orNull(none('extra DHCP options are not served here')),
  'binding:vnic_type': may(
    Type.Literal('normal', { type: 'string', reason: "only vnic_type 'normal' (a tap) is served here" }),
  ),
  'binding:profile': orNull(only({}, { reason: 'binding profiles are not served here' })),
  'binding:host_id': orNull(
    Type.Literal('', { type: 'string', reason: 'ports are bound by their servers, to the host that placement chose' }),
  ),
};

/** `POST /ports`. */
export const portNew = only({ ...portChange, ...owner, network_id: id });

/** `PUT /ports/:id`: a port keeps its network. */
export const portPatch = only(portChange);

const gateway = only({
  network_id: may(id),
  enable_snat: may(flag),
  external_fixed_ips: may(Type.Array(fixedIp, { maxItems: 64 })),
});
const routerChange = {
  ...described,
  admin_state_up: may(flag),
  external_gateway_info: orNull(gateway),
  distributed: orNull(
    Type.Literal(true, { type: 'boolean', reason: 'every router of this cloud is distributed over all hosts' }),
  ),
  ha: orNull(
    Type.Literal(false, { type: 'boolean', reason: 'a distributed router has no second half that could take over' }),
  ),
};

/** `POST /routers`. Routes can be set only later, as in Neutron: they need the router's interfaces. */
export const routerNew = only({ ...routerChange, ...owner, availability_zone_hints: may(noZones) });

/** `PUT /routers/:id`. `routes` replace all that are there. */
export const routerPatch = only({ ...routerChange, routes });

/** `PUT /routers/:id/add_extraroutes` and `/remove_extraroutes`. */
export const extraRoutes = only({
  routes: Type.Array(only({ destination: address, nexthop: address }), { maxItems: 64 }),
});

/**
 * `PUT /routers/:id/add_router_interface` and `/remove_router_interface`. Which of the two ids may stand is checked by
 * the handler.
 */
export const routerInterface = only({ subnet_id: orNull(id), port_id: orNull(id) });

/** `POST /floatingips`. */
export const floatingIpNew = only({
  ...owner,
  description: may(text),
  floating_network_id: id,
  subnet_id: orNull(id),
  floating_ip_address: orNull(address),
  port_id: orNull(id),
  fixed_ip_address: orNull(address),
});

/** `PUT /floatingips/:id`: an address stays what it is; only its port changes. */
export const floatingIpPatch = only({
  description: may(text),
  port_id: orNull(id),
  fixed_ip_address: orNull(address),
});

const forwardingChange = {
  internal_ip_address: may(address),
  description: may(text),
};
const forwardedPort = Type.Integer({ minimum: 1, maximum: 65_535 });

/** `POST /floatingips/:id/port_forwardings`. */
export const portForwardingNew = only({
  ...forwardingChange,
  protocol: text,
  external_port: forwardedPort,
  internal_port: forwardedPort,
  internal_port_id: id,
});

/** `PUT /floatingips/:id/port_forwardings/:forwarding`. */
export const portForwardingPatch = only({
  ...forwardingChange,
  protocol: may(text),
  external_port: may(forwardedPort),
  internal_port: may(forwardedPort),
  internal_port_id: may(id),
});

const stateful = may(flag);

/** `POST /security-groups`. */
export const securityGroupNew = only({ ...owner, ...described, stateful });

/** `PUT /security-groups/:id`. The default group's name cannot be changed; the service refuses it. */
export const securityGroupPatch = only({ ...described, stateful });
const portNumber = orNull(Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }));

/**
 * `POST /security-group-rules`. How ports, protocol and ethertype go together is checked by the service, in Neutron's
 * words.
 */
export const securityGroupRuleNew = only({
  ...owner,
  security_group_id: Type.String({ maxLength: 36 }),
  direction: Type.Union([Type.Literal('ingress', { type: 'string' }), Type.Literal('egress', { type: 'string' })]),
  ethertype: may(text),
  protocol: orNull(Type.Union([Type.Integer(), text])),
  port_range_min: portNumber,
  port_range_max: portNumber,
  remote_ip_prefix: orNull(address),
  remote_group_id: orNull(text),
  remote_address_group_id: orNull(text),
  description: may(text),
});

const prefixes = Type.Array(address, { maxItems: 1000 });

/** `POST /address-groups`. */
export const addressGroupNew = only({ ...owner, ...described, addresses: may(prefixes) });

/** `PUT /address-groups/:id`: its addresses are added and removed by requests of their own. */
export const addressGroupPatch = only(described);

/** `PUT /address-groups/:id/add_addresses` and `/remove_addresses`. */
export const addressGroupAddresses = only({ addresses: prefixes });

/** `POST /rbac-policies`. Types and actions are checked by the service, in Neutron's words. */
export const rbacPolicyNew = only({
  ...owner,
  object_type: text,
  object_id: id,
  action: text,
  target_tenant: text,
});

/** `PUT /rbac-policies/:id`: only whom it is for can change. */
export const rbacPolicyPatch = only({ target_tenant: may(text) });

/** `POST /default-security-group-rules`. The one group that a rule can name is `PARENT`; the service says so. */
export const defaultGroupRuleNew = only({
  direction: Type.Union([Type.Literal('ingress', { type: 'string' }), Type.Literal('egress', { type: 'string' })]),
  ethertype: may(text),
  protocol: orNull(Type.Union([Type.Integer(), text])),
  port_range_min: portNumber,
  port_range_max: portNumber,
  remote_ip_prefix: orNull(address),
  remote_group_id: orNull(text),
  description: may(text),
  used_in_default_sg: may(flag),
  used_in_non_default_sg: may(flag),
});

const limit = may(Type.Integer({ minimum: -1, maximum: 2 ** 31 - 1 }));

/** `PUT /quotas/:project`: counts, -1 for no limit. What is left out stays. */
export const quotaPatch = only({
  network: limit,
  subnet: limit,
  subnetpool: limit,
  port: limit,
  router: limit,
  floatingip: limit,
  security_group: limit,
  security_group_rule: limit,
  rbac_policy: limit,
  address_group: limit,
  force: may(flag),
  check_limit: may(flag),
});

/** `PUT /v2.0/.../:id/tags`: at most 50 of up to 255 characters. They replace those that are there. */
export const tagsBody = only({ tags: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 50 }) });

const everywhere = ['id', 'status', 'created_at', 'updated_at', 'revision_number', 'tags'] as const;
/** Attributes of each resource that its answers have and its bodies must not. */
export const readOnly = {
  network: [
    ...everywhere,
    'subnets',
    'availability_zones',
    'ipv4_address_scope',
    'ipv6_address_scope',
    'tenant_id',
    'project_id',
    'provider:network_type',
    'provider:physical_network',
    'provider:segmentation_id',
    'availability_zone_hints',
  ],
  subnet: [
    ...everywhere,
    'tenant_id',
    'project_id',
    'network_id',
    'cidr',
    'ip_version',
    'subnetpool_id',
    'prefixlen',
    'use_default_subnetpool',
    'ipv6_ra_mode',
    'ipv6_address_mode',
  ],
  subnetpool: [...everywhere, 'tenant_id', 'project_id', 'ip_version', 'shared'],
  port: [...everywhere, 'tenant_id', 'project_id', 'network_id', 'binding:vif_type', 'binding:vif_details'],
  router: [
    ...everywhere,
    'tenant_id',
    'project_id',
    'routes',
    'flavor_id',
    'availability_zones',
    'availability_zone_hints',
  ],
  floatingip: [
    ...everywhere,
    'tenant_id',
    'project_id',
    'floating_network_id',
    'floating_ip_address',
    'subnet_id',
    'router_id',
    'port_details',
    'port_forwardings',
  ],
  port_forwarding: ['id'],
  security_group: [...everywhere, 'tenant_id', 'project_id', 'security_group_rules', 'shared'],
  security_group_rule: [...everywhere, 'normalized_cidr'],
  address_group: [...everywhere, 'tenant_id', 'project_id', 'addresses', 'shared'],
  rbac_policy: ['id', 'tenant_id', 'project_id', 'object_type', 'object_id', 'action'],
} as const;
