/** What Nova has and this compute API does not: whole resources here, actions of servers below. */
import Type, { type TProperties, type TSchema } from 'typebox';
import type { UnservedPart } from '../kit/unserved.ts';

const servers = '/v2.1/servers/:id';

/**
 * Paths of Nova that answer 501 and say what is missing. A route that is served goes first: the list of
 * `os-volume_attachments` is.
 */
export const unservedCompute: readonly UnservedPart[] = [
  {
    what: 'remote consoles (the serial log is at the action os-getConsoleOutput)',
    paths: [`${servers}/remote-consoles`],
  },
  { what: 'diagnostics of servers', paths: [`${servers}/diagnostics`] },
  { what: 'migrations as resources', paths: [`${servers}/migrations`, '/v2.1/os-migrations'] },
  { what: 'the NUMA topology of servers', paths: [`${servers}/topology`] },
  { what: "servers' passwords (log in with a key)", paths: [`${servers}/os-server-password`] },
  { what: 'shares of servers', paths: [`${servers}/shares`] },
  { what: 'virtual interfaces (see os-interface)', paths: [`${servers}/os-virtual-interfaces`] },
  { what: 'attaching volumes to servers', paths: [`${servers}/os-volume_attachments`] },
  { what: 'usage reports', paths: ['/v2.1/os-simple-tenant-usage', '/v2.1/os-instance_usage_audit_log'] },
  { what: 'quota classes', paths: ['/v2.1/os-quota-class-sets'] },
  { what: 'events from other services', paths: ['/v2.1/os-server-external-events'] },
  { what: "Nova's view of volumes", paths: ['/v2.1/os-volumes', '/v2.1/os-volumes_boot', '/v2.1/os-snapshots'] },
  { what: 'assisted volume snapshots', paths: ['/v2.1/os-assisted-volume-snapshots'] },
  {
    what: "Nova's proxy of the network API (ask the network API itself)",
    paths: [
      '/v2.1/os-networks',
      '/v2.1/os-tenant-networks',
      '/v2.1/os-fixed-ips',
      '/v2.1/os-floating-ips',
      '/v2.1/os-floating-ip-pools',
      '/v2.1/os-floating-ips-bulk',
      '/v2.1/os-floating-ip-dns',
      '/v2.1/os-security-group-rules',
      '/v2.1/os-security-group-default-rules',
      '/v2.1/os-virtual-interfaces',
    ],
  },
  {
    what: 'bare metal, cells, certificates, agents and other parts that Nova has given up',
    paths: [
      '/v2.1/os-baremetal-nodes',
      '/v2.1/os-cells',
      '/v2.1/os-certificates',
      '/v2.1/os-cloudpipe',
      '/v2.1/os-agents',
      '/v2.1/os-fping',
      '/v2.1/os-console-auth-tokens',
      `${servers}/consoles`,
    ],
  },
];

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
/** Where Nova ignores what stands beside an action's name. */
const anything = Type.Unknown();
const name = Type.String({ minLength: 1, maxLength: 255 });
const reference = Type.String({ minLength: 1, maxLength: 1024 });
const metadata = Type.Record(Type.String({ maxLength: 255 }), Type.String({ maxLength: 255 }));
const password = Type.String({ maxLength: 255 });
const address = Type.String({ minLength: 1, maxLength: 64 });
const flag = Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })]);
const count = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,10}$' })]);
const host = Type.String({ minLength: 1, maxLength: 255 });
const consoleType = (types: readonly string[]) => only({ type: Type.Union(types.map((type) => Type.Literal(type))) });

/** Actions of Nova that this version does not have, by name, with the argument that Nova takes: it is checked all the same. */
export const unservedActions: Readonly<Record<string, TSchema>> = {
  addFixedIp: only({ networkId: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Integer()]) }),
  addFloatingIp: only({ address, fixed_address: Type.Optional(address) }),
  changePassword: only({ adminPass: password }),
  confirmResize: anything,
  createBackup: only({
    name,
    backup_type: Type.String({ maxLength: 255 }),
    rotation: count,
    metadata: Type.Optional(metadata),
  }),
  createImage: only({ name, metadata: Type.Optional(metadata) }),
  evacuate: only({
    host: Type.Optional(host),
    onSharedStorage: Type.Optional(flag),
    adminPass: Type.Optional(password),
    force: Type.Optional(flag),
  }),
  injectNetworkInfo: anything,
  'os-getRDPConsole': consoleType(['rdp-html5']),
  'os-getSerialConsole': consoleType(['serial']),
  'os-getSPICEConsole': consoleType(['spice-html5']),
  'os-getVNCConsole': consoleType(['novnc', 'xvpvnc']),
  'os-migrateLive': only({
    host: orNull(host),
    block_migration: Type.Union([flag, Type.Literal('auto')]),
    disk_over_commit: Type.Optional(flag),
    force: Type.Optional(flag),
  }),
  'os-resetState': only({ state: Type.Union([Type.Literal('active'), Type.Literal('error')]) }),
  rebuild: Type.Object({ imageRef: Type.String({ maxLength: 1024 }) }),
  removeFixedIp: only({ address }),
  removeFloatingIp: only({ address }),
  rescue: orNull(only({ adminPass: Type.Optional(password), rescue_image_ref: Type.Optional(reference) })),
  resetNetwork: anything,
  resize: only({
    flavorRef: Type.Union([reference, Type.Integer()]),
    'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
  }),
  restore: anything,
  resume: anything,
  shelve: anything,
  shelveOffload: anything,
  suspend: anything,
  trigger_crash_dump: Type.Null(),
  unrescue: anything,
  unshelve: orNull(only({ availability_zone: Type.Optional(orNull(host)), host: Type.Optional(host) })),
};
