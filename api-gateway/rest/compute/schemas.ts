/** Bodies of the compute API. As Nova, unknown keys are refused. */
import Type, { type TProperties } from 'typebox';

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
const orNull = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const name = Type.String({ minLength: 1, maxLength: 255 });
const reference = Type.String({ maxLength: 1024 });
const metadata = Type.Record(Type.String(), Type.String());
/** Clients send numbers as text, too. */
const count = Type.Union([Type.Integer(), Type.String({ pattern: '^[0-9]{1,10}$' })]);
const flag = Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })]);
const hints = Type.Record(Type.String(), Type.Unknown());
const anyObject = Type.Object({}, { additionalProperties: true });

const network = only({
  uuid: Type.Optional(Type.String({ maxLength: 64 })),
  port: orNull(Type.String({ maxLength: 64 })),
  fixed_ip: Type.Optional(Type.String({ maxLength: 64 })),
  tag: Type.Optional(Type.String({ maxLength: 60 })),
});

const server = only({
  name,
  flavorRef: Type.Union([reference, Type.Integer()]),
  imageRef: Type.Optional(reference),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  metadata: Type.Optional(metadata),
  networks: orNull(Type.Union([Type.Array(network, { maxItems: 64 }), Type.Literal('auto'), Type.Literal('none')])),
  'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
  accessIPv4: Type.Optional(Type.String({ maxLength: 64 })),
  accessIPv6: Type.Optional(Type.String({ maxLength: 64 })),
  personality: Type.Optional(
    Type.Array(only({ path: Type.String({ maxLength: 255 }), contents: Type.String({ maxLength: 65_535 }) }), {
      maxItems: 64,
    }),
  ),
  availability_zone: Type.Optional(Type.String({ maxLength: 255 })),
  config_drive: Type.Optional(flag),
  key_name: Type.Optional(Type.String({ maxLength: 255 })),
  min_count: Type.Optional(count),
  max_count: Type.Optional(count),
  return_reservation_id: Type.Optional(flag),
  security_groups: Type.Optional(
    Type.Array(only({ name: Type.Optional(Type.String({ maxLength: 255 })) }), { maxItems: 64 }),
  ),
  user_data: orNull(Type.String({ maxLength: 200_000 })),
  block_device_mapping: Type.Optional(Type.Array(anyObject, { maxItems: 64 })),
  block_device_mapping_v2: Type.Optional(Type.Array(anyObject, { maxItems: 64 })),
  description: orNull(Type.String({ maxLength: 255 })),
  tags: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: 50 })),
  trusted_image_certificates: orNull(Type.Array(Type.String(), { maxItems: 50 })),
  host: Type.Optional(Type.String({ maxLength: 255 })),
  hypervisor_hostname: Type.Optional(Type.String({ maxLength: 255 })),
});
export const newServerBody = only({
  server,
  'os:scheduler_hints': Type.Optional(hints),
  'OS-SCH-HNT:scheduler_hints': Type.Optional(hints),
});

export const serverPatchBody = only({
  server: only({
    name: Type.Optional(name),
    description: orNull(Type.String({ maxLength: 255 })),
    'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
    accessIPv4: Type.Optional(Type.String({ maxLength: 64 })),
    accessIPv6: Type.Optional(Type.String({ maxLength: 64 })),
  }),
});

export const metadataBody = only({ metadata });
export const metaBody = only({ meta: metadata });
export const tagsBody = only({ tags: Type.Array(Type.String({ minLength: 1, maxLength: 60 }), { maxItems: 50 }) });

export const rebootBody = only({ type: Type.String({ pattern: '^(HARD|Hard|hard|SOFT|Soft|soft)$' }) });
export const consoleBody = only({
  length: orNull(Type.Union([Type.Integer({ minimum: -1 }), Type.String({ pattern: '^(-1|[0-9]{1,9})$' })])),
});
export const migrateBody = Type.Union([Type.Null(), only({ host: orNull(Type.String({ maxLength: 255 })) })]);
export const groupNameBody = only({ name });
export const securityGroupBody = only({
  security_group: only({ name, description: orNull(Type.String({ maxLength: 255 })) }),
});

export const newFlavorBody = only({
  flavor: only({
    name,
    id: orNull(Type.Union([Type.String({ maxLength: 255 }), Type.Integer()])),
    ram: count,
    vcpus: count,
    disk: count,
    'OS-FLV-EXT-DATA:ephemeral': Type.Optional(count),
    swap: Type.Optional(Type.Union([count, Type.Literal('')])),
    rxtx_factor: Type.Optional(Type.Union([Type.Number(), Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?$' })])),
    'os-flavor-access:is_public': Type.Optional(flag),
    description: orNull(Type.String({ maxLength: 65_535 })),
  }),
});
export const flavorPatchBody = only({
  flavor: only({ description: Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]) }),
});
export const extraSpecsBody = only({
  extra_specs: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
});
export const extraSpecBody = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
export const tenantAccessBody = only({ tenant: Type.String({ minLength: 1, maxLength: 255 }) });

export const newKeypairBody = only({
  keypair: only({
    name: Type.String({ maxLength: 255 }),
    public_key: Type.Optional(Type.String({ maxLength: 16_384 })),
    type: Type.Optional(Type.Union([Type.Literal('ssh'), Type.Literal('x509')])),
    user_id: Type.Optional(Type.String({ maxLength: 255 })),
  }),
});

export const newServerGroupBody = only({
  server_group: only({
    name,
    policies: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 1 })),
    policy: Type.Optional(Type.String({ maxLength: 64 })),
    rules: Type.Optional(only({ max_server_per_host: Type.Optional(count) })),
  }),
});

export const quotaSetBody = only({
  quota_set: Type.Object({}, { additionalProperties: Type.Union([Type.Integer(), flag]) }),
});

export const serviceByNameBody = only({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  binary: Type.String({ maxLength: 255 }),
  disabled_reason: Type.Optional(Type.String({ maxLength: 255 })),
});
export const forceDownBody = only({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  binary: Type.String({ minLength: 1, maxLength: 255 }),
  forced_down: flag,
});
export const serviceBody = only({
  forced_down: Type.Optional(flag),
  status: Type.Optional(Type.Union([Type.Literal('enabled'), Type.Literal('disabled')])),
  disabled_reason: Type.Optional(Type.String({ maxLength: 255 })),
});

const zoneName = Type.String({ minLength: 1, maxLength: 255 });
export const newAggregateBody = only({ aggregate: only({ name, availability_zone: orNull(zoneName) }) });
export const aggregatePatchBody = only({
  aggregate: Type.Object(
    { name: Type.Optional(name), availability_zone: orNull(zoneName) },
    { additionalProperties: false, minProperties: 1 },
  ),
});
const hostName = only({ host: Type.String({ minLength: 1, maxLength: 255 }) });
export const aggregateActionBody = Type.Union([
  only({ add_host: hostName }),
  only({ remove_host: hostName }),
  only({
    set_metadata: only({ metadata: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])) }),
  }),
]);
