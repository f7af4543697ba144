/** Bodies of the network API. As Neutron, unknown attributes are refused. */
import Type, { type TProperties } from 'typebox';

/** An object in which only these keys may stand. */
const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
/** May be left out, or be null, which says the same. */
const orNull = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const id = Type.String({ minLength: 1, maxLength: 64 });
const text = Type.String({ maxLength: 1024 });
const address = Type.String({ maxLength: 64 });
const flag = Type.Boolean();
const owner = { tenant_id: orNull(text), project_id: orNull(text) };
const tags = Type.Array(Type.String({ maxLength: 255 }), { maxItems: 50 });
const described = { name: orNull(text), description: orNull(text) };

const networkChange = {
  ...described,
  admin_state_up: Type.Optional(flag),
  shared: Type.Optional(flag),
  'router:external': Type.Optional(flag),
  mtu: orNull(Type.Integer()),
  port_security_enabled: Type.Optional(flag),
  is_default: Type.Optional(flag),
};
export const networkNew = only({
  ...networkChange,
  ...owner,
  'provider:network_type': orNull(text),
  'provider:physical_network': orNull(text),
  'provider:segmentation_id': orNull(Type.Integer()),
  availability_zone_hints: Type.Optional(Type.Array(text, { maxItems: 0 })),
});
export const networkPatch = only(networkChange);

const subnetChange = {
  ...described,
  gateway_ip: orNull(address),
  enable_dhcp: Type.Optional(flag),
  allocation_pools: orNull(Type.Array(only({ start: address, end: address }), { maxItems: 64 })),
  dns_nameservers: orNull(Type.Array(address, { maxItems: 64 })),
  host_routes: orNull(Type.Array(only({ destination: address, nexthop: address }), { maxItems: 64 })),
  service_types: Type.Optional(Type.Array(text, { maxItems: 0 })),
};
export const subnetNew = only({
  ...subnetChange,
  ...owner,
  network_id: id,
  cidr: orNull(address),
  ip_version: Type.Optional(Type.Union([Type.Literal(4), Type.Literal(6), Type.Literal('4'), Type.Literal('6')])),
  subnetpool_id: orNull(text),
  prefixlen: Type.Optional(Type.Integer()),
  use_default_subnetpool: Type.Optional(flag),
  ipv6_ra_mode: orNull(text),
  ipv6_address_mode: orNull(text),
});
export const subnetPatch = only(subnetChange);

const portChange = {
  ...described,
  admin_state_up: Type.Optional(flag),
  mac_address: orNull(text),
  fixed_ips: orNull(Type.Array(only({ subnet_id: orNull(id), ip_address: orNull(address) }), { maxItems: 64 })),
  device_id: orNull(text),
  device_owner: orNull(text),
  security_groups: orNull(Type.Array(id, { maxItems: 64 })),
  port_security_enabled: Type.Optional(flag),
  allowed_address_pairs: orNull(Type.Array(only({ ip_address: address, mac_address: orNull(text) }), { maxItems: 64 })),
  extra_dhcp_opts: orNull(Type.Array(Type.Object({}), { maxItems: 0 })),
  'binding:vnic_type': orNull(Type.Literal('normal')),
  'binding:profile': orNull(Type.Object({}, { additionalProperties: false })),
  'binding:host_id': orNull(Type.Literal('')),
};
export const portNew = only({ ...portChange, ...owner, network_id: id });
export const portPatch = only(portChange);

const gateway = Type.Union([
  Type.Null(),
  only({
    network_id: Type.Optional(id),
    enable_snat: Type.Optional(flag),
    external_fixed_ips: Type.Optional(
      Type.Array(only({ subnet_id: orNull(id), ip_address: orNull(address) }), { maxItems: 64 }),
    ),
  }),
]);
const routerChange = {
  ...described,
  admin_state_up: Type.Optional(flag),
  external_gateway_info: Type.Optional(gateway),
  // Every router is distributed, none is made of two halves that watch each other.
  distributed: Type.Optional(Type.Literal(true)),
  ha: Type.Optional(Type.Literal(false)),
};
export const routerNew = only({
  ...routerChange,
  ...owner,
  availability_zone_hints: Type.Optional(Type.Array(text, { maxItems: 0 })),
});
export const routerPatch = only({
  ...routerChange,
  routes: orNull(Type.Array(only({ destination: address, nexthop: address }), { maxItems: 64 })),
});
export const routerInterface = only({ subnet_id: orNull(id), port_id: orNull(id) });

export const floatingIpNew = only({
  ...owner,
  description: orNull(text),
  floating_network_id: id,
  subnet_id: orNull(id),
  floating_ip_address: orNull(address),
  port_id: orNull(id),
  fixed_ip_address: orNull(address),
});
export const floatingIpPatch = only({
  description: orNull(text),
  port_id: orNull(id),
  fixed_ip_address: orNull(address),
});

export const securityGroupNew = only({
  ...owner,
  name: text,
  description: orNull(text),
  stateful: Type.Optional(Type.Literal(true)),
});
export const securityGroupPatch = only({ ...described, stateful: Type.Optional(Type.Literal(true)) });
const portNumber = orNull(Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,6}$' })]));
export const securityGroupRuleNew = only({
  ...owner,
  security_group_id: id,
  direction: text,
  ethertype: orNull(text),
  protocol: orNull(Type.Union([text, Type.Integer()])),
  port_range_min: portNumber,
  port_range_max: portNumber,
  remote_ip_prefix: orNull(address),
  remote_group_id: orNull(id),
  description: orNull(text),
});

const limit = Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,10}$' })]);
export const quotaPatch = Type.Object({}, { additionalProperties: limit });
export const tagsBody = only({ tags });

/** `{"network": {...}}`. */
export const wrapped = <Schema extends Type.TSchema>(key: string, schema: Schema) =>
  Type.Object({ [key]: schema }, { additionalProperties: false });
/** `{"networks": [...]}`: many at once. */
export const bulk = <Schema extends Type.TSchema>(key: string, schema: Schema) =>
  Type.Object({ [key]: Type.Array(schema, { minItems: 1, maxItems: 100 }) }, { additionalProperties: false });
