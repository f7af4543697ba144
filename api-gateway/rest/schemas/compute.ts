/** Bodies of the compute API. As Nova, unknown keys are refused. */
import Type, { type TProperties } from 'typebox';
import {
  base64,
  flag,
  hostName,
  integer,
  ipv4,
  ipv6,
  keyed,
  keyedText,
  keypairName,
  name,
  printable,
  tag,
  uuid,
  zoneName,
} from './compute-parameters.ts';

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
const orNull = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const metadata = keyed(keyedText);
const count = integer(1);
const hints = Type.Record(Type.String(), Type.Unknown());
const anyObject = Type.Object({}, { additionalProperties: true });
const diskConfig = Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')]);
/** What is the id of no image is refused when it is looked up. */
const imageReference = Type.String({ maxLength: 1024 });
const flavorReference = Type.Union([Type.String({ minLength: 1, maxLength: 1024 }), Type.Integer()]);

const network = only({
  uuid: Type.Optional(uuid),
  port: orNull(uuid),
  fixed_ip: Type.Optional(Type.Union([ipv4, ipv6])),
  tag: Type.Optional(tag),
});

/** Nova's description of a disk; which of its values are honoured is looked at when a server is made. */
const blockDevice = only({
  boot_index: Type.Optional(Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,10}$' }), Type.Null()])),
  uuid: orNull(Type.String({ maxLength: 255 })),
  source_type: Type.Optional(Type.Enum(['volume', 'image', 'snapshot', 'blank'])),
  destination_type: Type.Optional(Type.Enum(['local', 'volume'])),
  delete_on_termination: Type.Optional(flag),
  device_name: orNull(Type.String({ maxLength: 255 })),
  device_type: orNull(Type.String({ maxLength: 255 })),
  disk_bus: orNull(Type.String({ maxLength: 255 })),
  guest_format: orNull(Type.String({ maxLength: 255 })),
  volume_size: Type.Optional(integer(1)),
  volume_type: orNull(Type.String({ maxLength: 255 })),
  tag: Type.Optional(tag),
  no_device: Type.Optional(Type.Unknown()),
});

const personality = Type.Array(only({ path: Type.String({ maxLength: 255 }), contents: base64(65_535) }), {
  maxItems: 64,
});
const certificates = Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 50, uniqueItems: true });

/** `zone` or, for administrators, `zone:host`. */
const zoneAndHost = name;

const server = only({
  name,
  flavorRef: flavorReference,
  imageRef: Type.Optional(imageReference),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  metadata: Type.Optional(metadata),
  networks: Type.Optional(
    Type.Union([Type.Array(network, { maxItems: 64 }), Type.Literal('auto'), Type.Literal('none')]),
  ),
  'OS-DCF:diskConfig': Type.Optional(diskConfig),
  accessIPv4: Type.Optional(ipv4),
  accessIPv6: Type.Optional(ipv6),
  personality: Type.Optional(personality),
  availability_zone: Type.Optional(zoneAndHost),
  config_drive: Type.Optional(flag),
  key_name: Type.Optional(name),
  min_count: Type.Optional(count),
  max_count: Type.Optional(count),
  return_reservation_id: Type.Optional(flag),
  security_groups: Type.Optional(
    Type.Array(only({ name: Type.Optional(Type.String({ maxLength: 255 })) }), { maxItems: 64 }),
  ),
  user_data: orNull(Type.String({ maxLength: 65_535 })),
  block_device_mapping: Type.Optional(Type.Array(anyObject, { maxItems: 64 })),
  block_device_mapping_v2: Type.Optional(Type.Array(blockDevice, { maxItems: 64 })),
  description: orNull(printable(255)),
  tags: Type.Optional(Type.Array(tag, { maxItems: 50 })),
  trusted_image_certificates: orNull(certificates),
  host: Type.Optional(hostName),
  hypervisor_hostname: Type.Optional(hostName),
  hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/**
 * `POST /servers`. Which attributes the microversion has is checked by the handler; sizes here are Nova's (user data
 * 65,535 characters of base64).
 */
export const newServerBody = only({
  server,
  'os:scheduler_hints': Type.Optional(hints),
  'OS-SCH-HNT:scheduler_hints': Type.Optional(hints),
});

/** `PUT /servers/:id`. What is left out stays; a description that is null becomes empty (from 2.19 on). */
export const serverPatchBody = only({
  server: only({
    name: Type.Optional(name),
    description: orNull(printable(255)),
    'OS-DCF:diskConfig': Type.Optional(diskConfig),
    accessIPv4: Type.Optional(ipv4),
    accessIPv6: Type.Optional(ipv6),
    hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    pinned_availability_zone: orNull(zoneName),
  }),
});

/** All metadata of a server, for `POST` (merged) and `PUT` (replaced). How many items a server may have is a quota. */
export const metadataBody = only({ metadata });

/** One item of metadata; its key must be the one in the path, which the handler checks. */
export const metaBody = only({ meta: keyed(keyedText, { minProperties: 1, maxProperties: 1 }) });

/** A tag in a path, already percent-decoded. */
export const tagParameter = tag;

/** All tags of a server, which replace those that are there: at most 50, as in Nova. */
export const tagsBody = only({ tags: Type.Array(tag, { maxItems: 50 }) });

/** The argument of the action `reboot`: SOFT asks the guest's operating system, HARD cuts the power. */
export const rebootBody = only({ type: Type.String({ pattern: '^(HARD|Hard|hard|SOFT|Soft|soft)$' }) });

/** The argument of the action `createImage`: what the image is called, and properties that it gets. */
export const createImageBody = only({ name, metadata: Type.Optional(metadata) });

/** The argument of the action `createBackup`: `rotation` backups of a type are kept. */
export const createBackupBody = only({
  name,
  backup_type: Type.String({ maxLength: 255 }),
  rotation: integer(0),
  metadata: Type.Optional(metadata),
});

/** The argument of the action `rebuild`. What is left out stays; which attributes the microversion has is checked by the handler. */
export const rebuildBody = only({
  imageRef: Type.String({ minLength: 1, maxLength: 1024 }),
  name: Type.Optional(name),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  metadata: Type.Optional(metadata),
  preserve_ephemeral: Type.Optional(flag),
  'OS-DCF:diskConfig': Type.Optional(diskConfig),
  accessIPv4: Type.Optional(ipv4),
  accessIPv6: Type.Optional(ipv6),
  personality: Type.Optional(personality),
  description: orNull(printable(255)),
  key_name: orNull(name),
  user_data: orNull(Type.String({ maxLength: 65_535 })),
  trusted_image_certificates: orNull(certificates),
  hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/** The argument of the action `rescue`: the image to boot from, by default the server's own. */
export const rescueBody = Type.Union([
  Type.Null(),
  only({
    adminPass: Type.Optional(Type.String({ maxLength: 255 })),
    rescue_image_ref: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  }),
]);

/** The argument of the action `unshelve`: null, or from 2.77 on the zone to go to. */
export const unshelveBody = Type.Union([Type.Null(), only({ availability_zone: name })]);

/** The argument of the action `unshelve` from 2.91 on: null, or a zone, a host, or both. */
export const unshelveToHostBody = Type.Union([
  Type.Null(),
  Type.Object(
    { availability_zone: Type.Optional(Type.Union([name, Type.Null()])), host: Type.Optional(name) },
    { additionalProperties: false, minProperties: 1 },
  ),
]);

/** The argument of the action `os-resetState`. */
export const resetStateBody = only({ state: Type.Union([Type.Literal('active'), Type.Literal('error')]) });

/** The argument of the action `changePassword`. */
export const changePasswordBody = only({ adminPass: Type.String({ maxLength: 255 }) });

/** The argument of the action `trigger_crash_dump`: none. */
export const crashDumpBody = Type.Null();

/** The argument of the action `lock`, from 2.73 on; Nova looks at none before. */
export const lockBody = Type.Union([
  Type.Null(),
  only({ locked_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }),
]);

/**
 * The argument of `os-getConsoleOutput`: how many lines from the end. Null, left out or -1: all that the host keeps.
 */
export const consoleBody = only({
  length: orNull(Type.Union([Type.Integer({ minimum: -1 }), Type.String({ pattern: '^(-1|[0-9]{1,10})$' })])),
});

/** A NIC that a server is to get; nothing said: on the only network that there is. */
export const interfaceBody = only({
  interfaceAttachment: Type.Optional(
    only({
      port_id: Type.Optional(uuid),
      net_id: Type.Optional(uuid),
      fixed_ips: Type.Optional(
        Type.Array(only({ ip_address: Type.Union([ipv4, ipv6]) }), { minItems: 1, maxItems: 1 }),
      ),
      tag: Type.Optional(tag),
    }),
  ),
});

/** A volume that a server is to have: `tag` from 2.49, `delete_on_termination` from 2.79 on. */
export const volumeAttachmentBody = only({
  volumeAttachment: only({
    volumeId: uuid,
    device: orNull(Type.String({ pattern: '^(/dev/)?[a-z]{1,8}[0-9]{0,3}$' })),
    tag: Type.Optional(tag),
    delete_on_termination: Type.Optional(flag),
  }),
});

/**
 * The volume that a server is to have in the place of another; or the same one and, from 2.85 on, `delete_on_termination`, beside
 * what stays as it is.
 */
export const volumeSwapBody = only({
  volumeAttachment: only({
    volumeId: uuid,
    id: Type.Optional(uuid),
    serverId: Type.Optional(uuid),
    device: orNull(Type.String({ pattern: '^(/dev/)?[a-z]{1,8}[0-9]{0,3}$' })),
    tag: orNull(tag),
    delete_on_termination: Type.Optional(flag),
  }),
});

/** The argument of the action `migrate`: null, or from 2.56 on the name of the host to go to. */
export const migrateBody = Type.Union([Type.Null(), only({ host: orNull(hostName) })]);

/** The argument of the action `evacuate`. */
export const evacuateBody = only({
  host: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  onSharedStorage: Type.Optional(Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })])),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  force: Type.Optional(Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })])),
});

/** The argument of the action `os-migrateLive`. Which attributes a version has, the handler checks. */
export const liveMigrateBody = only({
  host: orNull(Type.String({ minLength: 1, maxLength: 255 })),
  block_migration: Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })]),
  disk_over_commit: Type.Optional(Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })])),
  force: Type.Optional(Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })])),
});

/** `POST /servers/{id}/migrations/{migration}/action`. */
export const migrationActionBody = only({ force_complete: Type.Null() });

/** The argument of the action `resize`. */
export const resizeBody = only({ flavorRef: flavorReference, 'OS-DCF:diskConfig': Type.Optional(diskConfig) });

/** The argument of `addSecurityGroup` and `removeSecurityGroup`: a group's name or id. */
export const groupNameBody = only({ name: Type.String({ minLength: 1, maxLength: 255 }) });

/** `POST` and `PUT /os-security-groups`, up to 2.35. */
export const securityGroupBody = only({
  security_group: only({
    name: Type.String({ minLength: 1, maxLength: 255 }),
    description: orNull(Type.String({ maxLength: 255 })),
  }),
});

/** `POST /os-security-group-rules`, up to 2.35: `group_id` or `cidr`, and the ports. Which go together the handler checks. */
const portNumber = orNull(
  Type.Union([Type.Integer({ minimum: -1, maximum: 65_535 }), Type.String({ pattern: '^(-1|[0-9]{1,5})$' })]),
);
export const securityGroupRuleBody = only({
  security_group_rule: only({
    parent_group_id: uuid,
    group_id: orNull(uuid),
    ip_protocol: orNull(Type.String({ maxLength: 40 })),
    from_port: portNumber,
    to_port: portNumber,
    cidr: orNull(Type.String({ maxLength: 64 })),
  }),
});

/** `POST /os-floating-ips`, up to 2.35: the name or id of an external network. */
export const floatingIpBody = only({ pool: orNull(Type.String({ maxLength: 255 })) });

const anyAddress = Type.Union([ipv4, ipv6]);

/** The argument of the action `addFloatingIp`, up to 2.43. */
export const addFloatingIpBody = only({ address: anyAddress, fixed_address: Type.Optional(anyAddress) });

/** The argument of the action `removeFloatingIp`, up to 2.43. */
export const removeFloatingIpBody = only({ address: anyAddress });

/** The argument of the action `addFixedIp`, up to 2.43. */
export const addFixedIpBody = only({
  networkId: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Integer()]),
});

/** The argument of the action `removeFixedIp`, up to 2.43. */
export const removeFixedIpBody = only({ address: anyAddress });

/** `POST /os-volumes`, up to 2.35: `size` in GiB. */
export const proxiedVolumeBody = only({
  volume: only({
    size: integer(1),
    volume_type: Type.Optional(Type.String({ maxLength: 255 })),
    metadata: Type.Optional(metadata),
    snapshot_id: Type.Optional(uuid),
    availability_zone: Type.Optional(zoneName),
    display_name: Type.Optional(Type.String({ maxLength: 255 })),
    display_description: Type.Optional(Type.String({ maxLength: 255 })),
  }),
});

/** `POST /os-snapshots`, up to 2.35. */
export const proxiedSnapshotBody = only({
  snapshot: only({
    volume_id: uuid,
    force: Type.Optional(flag),
    display_name: Type.Optional(Type.String({ maxLength: 255 })),
    display_description: Type.Optional(Type.String({ maxLength: 255 })),
  }),
});

const flavorId = Type.String({ minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]+(?<! )$' });
const factor = Type.Union([
  Type.Number({ exclusiveMinimum: 0, maximum: 3.40282e38 }),
  Type.Refine(
    Type.String({ maxLength: 40, pattern: '^[0-9]+(\\.[0-9]+)?$' }),
    (text) => Number(text) > 0,
    () => 'must be more than 0',
  ),
]);

/** `POST /flavors`: `ram` and `swap` in MiB, `disk` and ephemeral in GiB. An id that is null or "auto" is made here. */
export const newFlavorBody = only({
  flavor: only({
    name,
    id: orNull(Type.Union([flavorId, Type.Number()])),
    ram: integer(1),
    vcpus: integer(1),
    disk: integer(0),
    'OS-FLV-EXT-DATA:ephemeral': Type.Optional(integer(0)),
    swap: Type.Optional(integer(0)),
    rxtx_factor: Type.Optional(factor),
    'os-flavor-access:is_public': Type.Optional(flag),
    description: orNull(printable(65_535)),
  }),
});

/** `PUT /flavors/:id`, from 2.55 on: the description is all that can be changed. Null empties it. */
export const flavorPatchBody = only({
  flavor: only({ description: Type.Union([printable(65_535), Type.Null()]) }),
});
const extraSpec = Type.Union([keyedText, Type.Number()]);

/** `POST /flavors/:id/os-extra_specs`: added to those that are there. Numbers are kept as text. */
export const extraSpecsBody = only({ extra_specs: keyed(extraSpec) });

/** `PUT /flavors/:id/os-extra_specs/:key`: one pair; its key must be the one in the path, which the handler checks. */
export const extraSpecBody = keyed(extraSpec, { minProperties: 1, maxProperties: 1 });
const access = only({ tenant: Type.String({ minLength: 1, maxLength: 255 }) });

/** `POST /flavors/:id/action`: the project that may, or may no longer, use a private flavor. */
export const flavorActionBody = Type.Union([only({ addTenantAccess: access }), only({ removeTenantAccess: access })]);

/** `POST /os-keypairs`. Without `public_key` a pair is made here. A key may have 16,384 characters, as in Nova. */
export const newKeypairBody = only({
  keypair: only({
    name: keypairName,
    public_key: Type.Optional(Type.String({ maxLength: 16_384 })),
    type: Type.Optional(Type.Union([Type.Literal('ssh'), Type.Literal('x509')])),
    user_id: Type.Optional(Type.String({ maxLength: 255 })),
  }),
});

const groupPolicy = Type.Enum(['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity']);

/**
 * `POST /os-server-groups` in both of its forms, `policies` (up to 2.63) and `policy` with `rules`; the handler refuses
 * the other's.
 */
export const newServerGroupBody = only({
  server_group: only({
    name,
    policies: Type.Optional(Type.Array(groupPolicy, { minItems: 1, maxItems: 1 })),
    policy: Type.Optional(groupPolicy),
    rules: Type.Optional(only({ max_server_per_host: Type.Optional(count) })),
  }),
});

/** -1: no limit. */
const quota = Type.Optional(integer(-1));

/** What quotas and their classes limit. */
const quotas = {
  instances: quota,
  cores: quota,
  ram: quota,
  metadata_items: quota,
  key_pairs: quota,
  server_groups: quota,
  server_group_members: quota,
  floating_ips: quota,
  fixed_ips: quota,
  security_groups: quota,
  security_group_rules: quota,
  injected_files: quota,
  injected_file_content_bytes: quota,
  injected_file_path_bytes: quota,
};

/**
 * `PUT /os-quota-sets/:project`: `ram` in MiB, what has `bytes` in its name in bytes, the others counts. The handler
 * refuses keys that the microversion no longer has.
 */
export const quotaSetBody = only({ quota_set: only({ ...quotas, force: Type.Optional(flag) }) });

/** `PUT /os-quota-class-sets/:id`: as a quota set, for all projects that have no limits of their own. */
export const quotaClassSetBody = only({ quota_class_set: only(quotas) });

/** `POST /os-server-external-events`. Which names a microversion has the handler checks. */
export const externalEventsBody = only({
  events: Type.Array(
    only({
      server_uuid: uuid,
      name: Type.String({ maxLength: 64 }),
      status: Type.Optional(Type.Enum(['failed', 'completed', 'in-progress'])),
      tag: Type.Optional(Type.String({ maxLength: 255 })),
    }),
    { minItems: 1, maxItems: 64 },
  ),
});

/** `PUT /os-hosts/:id`, up to 2.42: at least one of the two. */
export const hostBody = Type.Object(
  {
    status: Type.Optional(Type.String({ pattern: '^ *([eE][nN]|[dD][iI][sS])[aA][bB][lL][eE] *$' })),
    maintenance_mode: Type.Optional(Type.String({ pattern: '^ *([eE][nN]|[dD][iI][sS])[aA][bB][lL][eE] *$' })),
  },
  { additionalProperties: false, minProperties: 1 },
);

/** `PUT /os-services/enable`, `/disable` and `/disable-log-reason`, up to 2.52. */
export const serviceByNameBody = only({
  host: hostName,
  binary: Type.String({ minLength: 1, maxLength: 255 }),
  disabled_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/** `PUT /os-services/force-down`, 2.11 to 2.52. */
export const forceDownBody = only({
  host: hostName,
  binary: Type.String({ minLength: 1, maxLength: 255 }),
  forced_down: flag,
});

/**
 * `PUT /os-services/:id`, from 2.53 on. The handler wants `status` or `forced_down`, and a reason only with `disabled`.
 */
export const serviceBody = only({
  forced_down: Type.Optional(flag),
  status: Type.Optional(Type.Union([Type.Literal('enabled'), Type.Literal('disabled')])),
  disabled_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});

/** `POST /os-aggregates`. A zone is kept as the metadata key `availability_zone`, as in Nova. */
export const newAggregateBody = only({ aggregate: only({ name, availability_zone: orNull(zoneName) }) });

/** `PUT /os-aggregates/:id`: at least one of the two. A zone that is null takes the aggregate out of its zone. */
export const aggregatePatchBody = only({
  aggregate: Type.Object(
    { name: Type.Optional(name), availability_zone: orNull(zoneName) },
    { additionalProperties: false, minProperties: 1 },
  ),
});
const namedHost = only({ host: hostName });

/** `POST /os-aggregates/:id/action`: one action by its key. In `set_metadata` null removes a key. */
export const aggregateActionBody = Type.Union([
  only({ add_host: namedHost }),
  only({ remove_host: namedHost }),
  only({
    set_metadata: only({ metadata: keyed(Type.Union([keyedText, Type.Null()])) }),
  }),
]);
