/** Bodies of the block storage API. What a field means, the handlers and the services check. */
import Type, { type TSchema } from 'typebox';

/** Longest name and description, characters: Cinder's columns. */
const textCharactersMax = 255;
const entriesMax = 128;

const strict = { additionalProperties: false } as const;
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));
/** The body's one key. */
const within = <Name extends string, Schema extends TSchema>(key: Name, schema: Schema) =>
  Type.Object({ [key]: schema } as { readonly [K in Name]: Schema }, strict);

const text = Type.String({ maxLength: textCharactersMax });
const name = optional(text);
const description = optional(text);
const id = Type.String({ minLength: 1, maxLength: 255 });
/** A flag in each of Cinder's forms; `flagOf` reads it. */
export const flag = Type.Union([Type.Boolean(), Type.Integer(), Type.String({ maxLength: 16 })]);
/** GiB; some clients write numbers as texts. */
const sizeGib = Type.Union([Type.Integer(), Type.String({ pattern: '^[0-9]+$', maxLength: 10 })]);
const metadata = Type.Record(Type.String(), Type.String({ maxLength: textCharactersMax }), {
  maxProperties: entriesMax,
});
const specs = metadata;
const host = Type.String({ minLength: 1, maxLength: 255 });

/** `POST /volumes`. Cinder ignores what else stands in a volume. */
export const newVolumeBody = Type.Object(
  {
    volume: Type.Object({
      size: Type.Optional(Type.Union([sizeGib, Type.Null()])),
      name,
      display_name: name,
      description,
      display_description: description,
      volume_type: name,
      metadata: optional(metadata),
      availability_zone: name,
      snapshot_id: name,
      source_volid: name,
      imageRef: name,
      image_id: name,
      backup_id: name,
      group_id: name,
      consistencygroup_id: name,
      multiattach: Type.Optional(Type.Union([flag, Type.Null()])),
    }),
    'OS-SCH-HNT:scheduler_hints': optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 16 })),
  },
  strict,
);

/** `PUT /volumes/:id` and the same of snapshots. */
const changed = Type.Object({
  name,
  display_name: name,
  description,
  display_description: description,
  metadata: optional(metadata),
});
export const volumeBody = within('volume', changed);
export const snapshotBody = within('snapshot', changed);

/** `POST` and `PUT .../metadata`. */
export const metadataBody = within('metadata', metadata);
/** `PUT .../metadata/:key`. */
export const metadatumBody = within('meta', Type.Record(Type.String(), Type.String({ maxLength: textCharactersMax })));

// Actions of volumes: what stands beside the action's name.
export const nothing = Type.Union([Type.Null(), Type.Object({})]);
/** `os-complete`: openstacksdk repeats the attachment's id, and others send nothing. */
export const completeBody = Type.Union([nothing, Type.String({ maxLength: 64 })]);
export const extendBody = Type.Object({ new_size: sizeGib }, strict);
export const resetVolumeBody = Type.Object({ status: name, attach_status: name, migration_status: name }, strict);
export const resetStatusBody = Type.Object({ status: Type.String({ minLength: 1, maxLength: 64 }) }, strict);
export const snapshotOutcomeBody = Type.Object({
  status: Type.String({ minLength: 1, maxLength: 64 }),
  progress: Type.Optional(Type.Union([Type.Null(), Type.String({ pattern: '^[0-9]{1,3}%?$' })])),
});
export const bootableBody = Type.Object({ bootable: flag }, strict);
export const readOnlyBody = Type.Object({ readonly: flag }, strict);
export const attachBody = Type.Object({
  instance_uuid: name,
  host_name: name,
  mountpoint: Type.Optional(text),
  mode: Type.Optional(Type.Union([Type.Literal('rw'), Type.Literal('ro'), Type.Null()])),
});
export const detachBody = Type.Union([Type.Null(), Type.Object({ attachment_id: name })]);
export const forceDetachBody = Type.Object({
  attachment_id: name,
  connector: Type.Optional(
    Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown(), { maxProperties: 64 })]),
  ),
});
const connector = Type.Record(Type.String({ maxLength: 255 }), Type.Unknown(), { maxProperties: 64 });
export const connectionBody = Type.Object({ connector });
export const retypeBody = Type.Object(
  {
    new_type: id,
    migration_policy: Type.Optional(Type.Union([Type.Literal('on-demand'), Type.Literal('never'), Type.Null()])),
  },
  strict,
);
export const migrateBody = Type.Object(
  {
    host: name,
    cluster: name,
    force_host_copy: Type.Optional(flag),
    lock_volume: Type.Optional(flag),
  },
  strict,
);
export const uploadImageBody = Type.Object(
  {
    image_name: Type.String({ minLength: 1, maxLength: 255 }),
    force: Type.Optional(flag),
    disk_format: Type.Optional(Type.String({ maxLength: 32 })),
    container_format: Type.Optional(Type.String({ maxLength: 32 })),
    visibility: Type.Optional(Type.String({ maxLength: 16 })),
    protected: Type.Optional(flag),
  },
  strict,
);
export const setImageMetadataBody = Type.Object({ metadata }, strict);
export const unsetImageMetadataBody = Type.Object({ key: Type.String({ minLength: 1, maxLength: 255 }) }, strict);
export const revertBody = Type.Object({ snapshot_id: id }, strict);
export const reimageBody = Type.Object({ image_id: id, reimage_reserved: Type.Optional(flag) }, strict);
export const extendCompletionBody = Type.Object({ error: Type.Optional(flag) }, strict);

/** `POST /manageable_volumes` and its older form. */
export const manageVolumeBody = within(
  'volume',
  Type.Object({
    host: Type.Optional(host),
    cluster: name,
    ref: Type.Union([
      Type.String({ minLength: 1, maxLength: 255 }),
      Type.Record(Type.String(), Type.String({ maxLength: 255 }), { maxProperties: 8 }),
    ]),
    name,
    description,
    volume_type: name,
    availability_zone: name,
    bootable: Type.Optional(flag),
    metadata: optional(metadata),
  }),
);
/** `POST /manageable_snapshots` and its older form. */
export const manageSnapshotBody = within(
  'snapshot',
  Type.Object({
    volume_id: id,
    ref: Type.Union([
      Type.String({ minLength: 1, maxLength: 255 }),
      Type.Record(Type.String(), Type.String({ maxLength: 255 }), { maxProperties: 8 }),
    ]),
    name,
    description,
    metadata: optional(metadata),
  }),
);

/** `POST /snapshots`. */
export const newSnapshotBody = within(
  'snapshot',
  Type.Object({
    // Null names none, which is said as of any that is not there.
    volume_id: Type.Union([id, Type.Null()]),
    name,
    display_name: name,
    description,
    display_description: description,
    force: Type.Optional(Type.Union([flag, Type.Null()])),
    metadata: optional(metadata),
  }),
);

/** `POST /types`. */
export const newTypeBody = within(
  'volume_type',
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 255 }),
      description,
      extra_specs: optional(specs),
      'os-volume-type-access:is_public': Type.Optional(flag),
    },
    strict,
  ),
);
/** `PUT /types/:id`. */
export const typeBody = within(
  'volume_type',
  Type.Object(
    // Clients send either name: openstacksdk has that of the extension.
    { name, description, is_public: Type.Optional(flag), 'os-volume-type-access:is_public': Type.Optional(flag) },
    strict,
  ),
);
/** `POST /types/:id/extra_specs`. */
export const extraSpecsBody = within('extra_specs', specs);
/** `PUT /types/:id/extra_specs/:key`: the key once more, and its value. */
export const extraSpecBody = Type.Record(Type.String(), Type.String({ maxLength: 255 }), {
  minProperties: 1,
  maxProperties: 1,
});
export const projectAccessBody = Type.Object({ project: id }, strict);
const encryption = {
  provider: Type.String({ maxLength: 255 }),
  control_location: Type.Optional(Type.Union([Type.Literal('front-end'), Type.Literal('back-end')])),
  cipher: optional(Type.String({ maxLength: 255 })),
  key_size: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
};
/** `POST /types/:id/encryption`. */
export const newEncryptionBody = within('encryption', Type.Object(encryption, strict));
/** `PUT /types/:id/encryption/:key`. */
export const encryptionBody = within(
  'encryption',
  Type.Object({ ...encryption, provider: Type.Optional(encryption.provider) }, strict),
);

/** `POST /qos-specs`: name, consumer, and each limit as a key of its own. */
export const newQosBody = within(
  'qos_specs',
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 255 }),
      consumer: Type.Optional(Type.Enum(['front-end', 'back-end', 'both'])),
    },
    { additionalProperties: Type.String({ maxLength: 255 }), maxProperties: 32 },
  ),
);
/** `PUT /qos-specs/:id`. */
export const qosBody = within(
  'qos_specs',
  Type.Object(
    { consumer: Type.Optional(Type.Enum(['front-end', 'back-end', 'both'])) },
    { additionalProperties: Type.String({ maxLength: 255 }), maxProperties: 32, minProperties: 1 },
  ),
);
/** `PUT /qos-specs/:id/delete_keys`. */
export const qosKeysBody = Type.Object(
  { keys: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 32 }) },
  strict,
);

/** `POST /attachments`. */
export const newAttachmentBody = within(
  'attachment',
  Type.Object(
    {
      volume_uuid: id,
      instance_uuid: name,
      connector: Type.Optional(Type.Union([connector, Type.Null()])),
      mode: Type.Optional(Type.Union([Type.Literal('rw'), Type.Literal('ro')])),
    },
    strict,
  ),
);
/** `PUT /attachments/:id`. */
export const attachmentBody = within('attachment', Type.Object({ connector }, strict));

/** `PUT /os-quota-sets/:project`: limits by name, of single types, too. */
export const quotaSetBody = within(
  'quota_set',
  Type.Record(
    Type.String(),
    Type.Union([Type.Integer(), Type.String({ maxLength: 32 }), Type.Boolean(), Type.Null()]),
    {
      maxProperties: 256,
    },
  ),
);
/** `PUT /os-services/enable`, `disable`, `disable-log-reason`, `freeze` and `thaw`. */
export const serviceBody = Type.Object({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  binary: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  service: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  disabled_reason: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
});
/** `PUT /os-services/failover_host` and `failover`. */
export const failoverBody = Type.Object({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  backend_id: name,
  cluster: name,
});
/** `PUT /os-quota-class-sets/:class`. */
export const quotaClassBody = within(
  'quota_class_set',
  Type.Record(Type.String(), Type.Union([Type.Integer(), Type.String({ maxLength: 32 })]), { maxProperties: 256 }),
);

/** `POST /volume-transfers` and `/os-volume-transfer`. */
export const newTransferBody = within(
  'transfer',
  Type.Object({ volume_id: id, name, no_snapshots: Type.Optional(flag) }, strict),
);
/** `POST .../:id/accept`. */
export const acceptTransferBody = within(
  'accept',
  Type.Object({ auth_key: Type.String({ minLength: 1, maxLength: 255 }) }, strict),
);

/** `POST /backups`. */
export const newBackupBody = within(
  'backup',
  Type.Object(
    {
      volume_id: id,
      container: name,
      name,
      description,
      incremental: Type.Optional(flag),
      force: Type.Optional(flag),
      snapshot_id: name,
      metadata: optional(metadata),
      availability_zone: name,
    },
    strict,
  ),
);
/** `PUT /backups/:id`. */
export const backupBody = within('backup', Type.Object({ name, description, metadata: optional(metadata) }, strict));
/** `POST /backups/:id/restore`. */
export const restoreBody = within('restore', Type.Object({ name, volume_id: name }, strict));
/** `POST /backups/import_record`: at most as much as one record can be. */
export const importRecordBody = within(
  'backup-record',
  Type.Object(
    {
      backup_service: Type.String({ minLength: 1, maxLength: 255 }),
      backup_url: Type.String({ minLength: 1, maxLength: 1_000_000 }),
    },
    strict,
  ),
);

/** `POST /groups`. */
export const newGroupBody = within(
  'group',
  Type.Object(
    {
      name,
      description,
      group_type: id,
      volume_types: Type.Array(id, { minItems: 1, maxItems: 64, uniqueItems: true }),
      availability_zone: name,
    },
    strict,
  ),
);
/** `POST /groups/action` with `create-from-src`. */
export const groupFromSourceBody = Type.Object(
  { name, description, group_snapshot_id: name, source_group_id: name },
  strict,
);
/** `PUT /groups/:id`: members by ids, parted by commas. */
export const groupBody = within(
  'group',
  Type.Object(
    {
      name,
      description,
      add_volumes: optional(Type.String({ maxLength: 8192 })),
      remove_volumes: optional(Type.String({ maxLength: 8192 })),
    },
    strict,
  ),
);
export const deleteGroupBody = Type.Object({ 'delete-volumes': Type.Optional(flag) }, strict);
/** `POST /group_snapshots`. */
export const newGroupSnapshotBody = within('group_snapshot', Type.Object({ group_id: id, name, description }, strict));
/** `POST /group_types`. */
export const newGroupTypeBody = within(
  'group_type',
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 255 }),
      description,
      is_public: Type.Optional(flag),
      group_specs: optional(specs),
    },
    strict,
  ),
);
/** `PUT /group_types/:id`. */
export const groupTypeBody = within(
  'group_type',
  Type.Object({ name, description, is_public: Type.Optional(flag) }, strict),
);
/** `POST /group_types/:id/group_specs`. */
export const groupSpecsBody = within('group_specs', specs);

/** `PUT /default-types/:project`. */
export const defaultTypeBody = within('default_type', Type.Object({ volume_type: id }, strict));
