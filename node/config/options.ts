/**
 * Everything that can be set, with its type, range, default and reason. One object a part; units in names.
 * The schema below is the whole truth: `load.ts` derives the environment's names from it and refuses what it does not
 * know, `shoal agent --help` lists it.
 */
import { hostname } from 'node:os';
import Type, { type Static } from 'typebox';
import { uidRangeDefault } from '../../drivers/uid-range.ts';

const endpoint = (description: string) =>
  Type.String({ pattern: '^[^\\s]*:[0-9]{1,5}$', maxLength: 260, description: `${description} (host:port)` });

const cephName = '^[A-Za-z0-9][A-Za-z0-9._-]*$';
const octet = '(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';
const ipv4 = `${octet}(?:\\.${octet}){3}`;

/** TypeBox schema of the whole configuration. Names that it does not have are refused, at every level. */
export const configSchema = Type.Object(
  {
    dataDir: Type.String({ minLength: 1, description: 'folder of keys, log, state, disks and images' }),
    name: Type.String({
      pattern: '^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$',
      description: "this host's name, unique in the mesh",
    }),
    zone: Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$', description: 'availability zone' }),
    failureDomain: Type.String({ maxLength: 64, description: 'rack or room; voters are spread over these' }),
    logLevel: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')]),
    advertiseAddress: Type.String({
      maxLength: 253,
      description:
        'address under which other hosts reach this one; empty: the host part of peer.listen, else that of the default route',
    }),
    discovery: Type.String({
      maxLength: 1024,
      pattern:
        '^(?:(?:mdns|dns:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?:,(?:mdns|dns:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?))*)?$',
      description:
        'whom to ask when joining, beside those that the ticket names, comma-separated: dns:NAME (SRV _shoal-peer._tcp.NAME, else addresses of NAME with port 7401); mdns: members on the link of this host, by multicast DNS; a member with it answers',
    }),
    peer: Type.Object({ listen: endpoint('peer RPC, gRPC over mutual TLS') }, { additionalProperties: false }),
    gossip: Type.Object({ listen: endpoint('libp2p over TCP') }, { additionalProperties: false }),
    api: Type.Object(
      {
        listen: endpoint('REST API, health and metrics'),
        grpcListen: endpoint('public gRPC API'),
        tls: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('insecure')], {
          description:
            'on: HTTPS and gRPC over TLS; off: plain text, on loopback addresses only; insecure: plain text anywhere',
        }),
        certificatePath: Type.String({
          maxLength: 4096,
          description:
            "own certificate chain (PEM), taken up again when it changes; empty: the mesh's authority issues one",
        }),
        privateKeyPath: Type.String({ maxLength: 4096, description: 'its key (PEM, no passphrase)' }),
        names: Type.String({
          maxLength: 4096,
          description: 'further names and addresses in the issued certificate, comma-separated',
        }),
        virtualAddress: Type.String({
          maxLength: 64,
          pattern: '^(|[0-9a-fA-F.:]+/[0-9]{1,3})$',
          description:
            'address that one live host has for the API, with its prefix length: 192.0.2.10/24; the same at all hosts of one link; empty: none',
        }),
        virtualInterface: Type.String({
          maxLength: 15,
          pattern: '^[A-Za-z0-9_.-]*$',
          description: 'interface of this host on which it may have that address',
        }),
        publicUrl: Type.String({
          maxLength: 512,
          pattern: '^(?:https?://[^\\s/?#@]+(?:/[^\\s?#]*)?)?$',
          description: 'base URL in all links and the catalog; empty: as the client reached the agent',
        }),
        trustedProxies: Type.String({
          maxLength: 4096,
          description: 'addresses and networks whose Forwarded and X-Forwarded-* headers are believed, comma-separated',
        }),
        metricsReaders: Type.String({
          maxLength: 4096,
          description: 'addresses and networks that may read /metrics, comma-separated; the host itself always may',
        }),
        bodyBytesMax: Type.Integer({ minimum: 65_536, maximum: 67_108_864, description: 'largest JSON body' }),
        tokenLifetimeMs: Type.Integer({ minimum: 60_000, maximum: 86_400_000, description: 'life of a token' }),
      },
      { additionalProperties: false },
    ),
    policy: Type.Record(Type.String({ maxLength: 255 }), Type.String({ maxLength: 4096 }), {
      description:
        'rules of who may do what, by OpenStack\'s names, instead of the defaults; in the file only; "shoal policy list" shows all',
    }),
    security: Type.Object(
      {
        uniqueLastPasswordCount: Type.Integer({
          minimum: 0,
          maximum: 24,
          description: 'newest passwords of a user that must all differ, the one in use among them; 0: no history',
        }),
        lockoutFailureAttempts: Type.Integer({
          minimum: 0,
          maximum: 1000,
          description: 'wrong passwords in a row after which a user is locked out; 0: never',
        }),
        lockoutMs: Type.Integer({ minimum: 1_000, maximum: 86_400_000, description: 'how long' }),
      },
      { additionalProperties: false },
    ),
    raft: Type.Object(
      {
        tickMs: Type.Integer({ minimum: 10, maximum: 1000, description: 'one tick of the Raft clock' }),
        electionTicks: Type.Integer({
          minimum: 3,
          maximum: 1000,
          description: 'ticks without a leader before an election',
        }),
        heartbeatTicks: Type.Integer({ minimum: 1, maximum: 100, description: 'ticks between heartbeats' }),
        patienceMs: Type.Integer({
          minimum: 1_000,
          maximum: 60_000,
          description: 'how long a request waits for voters that are silent and not known to be lost',
        }),
        askMs: Type.Integer({
          minimum: 50,
          maximum: 10_000,
          description: "how long a silent voter's host may take to answer a connection before it counts as lost",
        }),
        standbys: Type.Integer({
          minimum: 0,
          maximum: 1000,
          description: 'hosts that hold the whole state beside the voters; all others hold slices of it',
        }),
      },
      { additionalProperties: false },
    ),
    compute: Type.Object(
      {
        driver: Type.Union([Type.Literal('qemu'), Type.Literal('fake')]),
        uidFirst: Type.Integer({
          minimum: 65_536,
          maximum: 2_147_483_646,
          description:
            'first of the user numbers that guests and helpers run as; each agent of a machine needs its own',
        }),
        uidCount: Type.Integer({
          minimum: 80,
          maximum: 1_000_000,
          description: 'how many of them; 16 are the host’s own',
        }),
        allowResizeToSameHost: Type.Boolean({
          description: 'a resize may stay on the host of its server, and is tried there first; else it goes to another',
        }),
        resizeConfirmWindowSeconds: Type.Integer({
          minimum: 0,
          maximum: 31_536_000,
          description:
            'after how long resizes and moves that nobody has confirmed are confirmed by themselves; 0: never',
        }),
        stopGraceMs: Type.Integer({
          minimum: 0,
          maximum: 600_000,
          description: 'time a guest has to power off before it is ended',
        }),
        stepPatienceMs: Type.Integer({
          minimum: 1_000,
          maximum: 86_400_000,
          description:
            "how long what a server needs is tried again, while storage or network don't answer, before ERROR",
        }),
        pciPassthrough: Type.String({
          maxLength: 4096,
          description:
            'PCI devices that are counted for guests: VENDOR:PRODUCT[@NETWORK] in hex, comma-separated; empty: none',
        }),
        vendorDataPath: Type.String({
          maxLength: 4096,
          description: 'JSON file that every guest reads as vendor_data.json, read at start; empty: none',
        }),
      },
      { additionalProperties: false },
    ),
    storage: Type.String({
      maxLength: 63,
      description:
        'pool of root disks of new servers, and of volumes whose type names none: local (qcow2 files on this host), rbd (Ceph), or one of pools',
    }),
    pools: Type.Array(
      Type.Object(
        {
          name: Type.String({
            pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
            description: 'the same on every host that reaches it; a volume type names it as volume_backend_name',
          }),
          driver: Type.Union([Type.Literal('local'), Type.Literal('rbd')], {
            description: 'local: qcow2 files in a folder of this host; rbd: a Ceph pool, the same for every host',
          }),
          path: Type.Optional(
            Type.String({ pattern: '^/', maxLength: 1024, description: 'of local: a folder of its own, absolute' }),
          ),
          cephPool: Type.Optional(
            Type.String({ pattern: cephName, maxLength: 64, description: 'of rbd: Ceph pool of the disks' }),
          ),
          cephImagePool: Type.Optional(
            Type.String({
              pattern: cephName,
              maxLength: 64,
              description: 'of rbd: Ceph pool of the images below them; default ceph.imagePool',
            }),
          ),
          cephUser: Type.Optional(
            Type.String({ pattern: cephName, maxLength: 64, description: 'of rbd; default ceph.user' }),
          ),
          cephConfPath: Type.Optional(
            Type.String({ pattern: '^/', maxLength: 1024, description: 'of rbd; default ceph.confPath' }),
          ),
        },
        { additionalProperties: false },
      ),
      {
        maxItems: 32,
        description: 'further pools of this host, beside local and rbd; in the file only; "shoal pools" shows all',
      },
    ),
    exports: Type.Object(
      {
        ports: Type.String({
          pattern: '^[0-9]{1,5}-[0-9]{1,5}$',
          description:
            'TCP ports at the underlay address (network.vtepIp) for volumes of this host that servers of other hosts have',
        }),
      },
      { additionalProperties: false },
    ),
    backups: Type.Object(
      {
        store: Type.String({
          pattern: '^(|file:///.*|s3://.*)$',
          maxLength: 1024,
          description:
            'where backups of volumes go: file:///FOLDER that all hosts see, or s3://BUCKET/PREFIX; empty: there are none',
        }),
        s3Endpoint: Type.String({ pattern: '^(|https?://[^ ]+)$', maxLength: 512, description: 'of s3:// stores' }),
        s3Region: Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'that requests to it are signed for' }),
        s3CredentialsPath: Type.String({
          maxLength: 4096,
          description: 'file with two lines: id and secret of the access key of the s3:// store',
        }),
      },
      { additionalProperties: false },
    ),
    ceph: Type.Object(
      {
        confPath: Type.String({ description: 'ceph.conf naming monitors and keyring; empty: no Ceph on this host' }),
        user: Type.String({ pattern: '^[A-Za-z0-9._-]{0,64}$', description: 'Ceph client without "client."' }),
        imagePool: Type.String({ minLength: 1, maxLength: 64 }),
        diskPool: Type.String({ minLength: 1, maxLength: 64 }),
      },
      { additionalProperties: false },
    ),
    network: Type.Object(
      {
        driver: Type.Union([Type.Literal('vxlan'), Type.Literal('fake')]),
        vtepIp: Type.String({ maxLength: 45, description: 'underlay address of VXLAN; empty: advertiseAddress' }),
        underlayMtu: Type.Integer({ minimum: 1330, maximum: 9216, description: 'guests get 50 less, over IPv6 70' }),
        externalInterface: Type.String({
          maxLength: 15,
          description: 'interface to the external network; empty: none',
        }),
        dnsForwarders: Type.String({
          pattern: `^(?:host|off|${ipv4}(?:,${ipv4}){0,7})$`,
          description:
            "where guests' questions for outside names go: host: the servers in /etc/resolv.conf; off: nowhere; or IPv4 addresses, comma-separated",
        }),
        namespacePrefix: Type.String({ pattern: '^[a-zA-Z0-9-]{1,32}$', description: 'prefix of network namespaces' }),
      },
      { additionalProperties: false },
    ),
    capacity: Type.Object(
      {
        vcpusRatio: Type.Number({ minimum: 0.1, maximum: 64, description: 'vCPUs given away per CPU' }),
        memoryRatio: Type.Number({ minimum: 0.1, maximum: 4, description: 'memory given away per memory' }),
        diskRatio: Type.Number({ minimum: 0.1, maximum: 10, description: 'disk given away per disk' }),
        vcpusReserved: Type.Integer({ minimum: 0, maximum: 1024 }),
        memoryMibReserved: Type.Integer({ minimum: 0, maximum: 1_048_576, description: 'kept for the host itself' }),
        diskGibReserved: Type.Integer({ minimum: 0, maximum: 1_048_576, description: 'kept for the host itself' }),
        resources: Type.String({
          maxLength: 4096,
          description:
            'what else guests can be given: CLASS=AMOUNT, comma-separated, by the classes of placement/README.md',
        }),
      },
      { additionalProperties: false },
    ),
    images: Type.Object(
      {
        acceptInert: Type.Union([Type.Literal('no'), Type.Literal('yes')], {
          description:
            'yes: uploads in no known format are kept and given back, never opened and never booted; no: they are refused',
        }),
      },
      { additionalProperties: false },
    ),
    placement: Type.Object(
      {
        strategy: Type.Union([Type.Literal('spread'), Type.Literal('pack')], {
          description: 'spread: the emptiest host first; pack: as few hosts as possible',
        }),
        filters: Type.String({
          maxLength: 4096,
          description: 'filters by name, comma-separated; or changes of the default list: +JsonFilter,-SameHostFilter',
        }),
        weights: Type.String({
          maxLength: 4096,
          description: 'multipliers that differ from the strategy’s: RAMWeigher=2,CPUWeigher=0.5',
        }),
        metricWeights: Type.String({ maxLength: 4096, description: 'for MetricsWeigher: cpu.percent=-0.01' }),
        maxIoOpsPerHost: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'for IoOpsFilter' }),
        maxInstancesPerHost: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'for NumInstancesFilter' }),
        isolatedImages: Type.String({ maxLength: 65_536, description: 'for IsolatedHostsFilter: image ids' }),
        isolatedHosts: Type.String({ maxLength: 65_536, description: 'for IsolatedHostsFilter: host names' }),
        restrictIsolatedHosts: Type.Union([Type.Literal('yes'), Type.Literal('no')], {
          description: 'isolated hosts take isolated images only',
        }),
        drawWidth: Type.Integer({
          minimum: 0,
          maximum: 256,
          description: 'draw among so many near-equal hosts, so that agents do not herd; 0: by strategy',
        }),
        drawTolerance: Type.Number({
          minimum: 0,
          maximum: 1_000_000,
          description: 'how far below the best score a near-equal may be, where drawWidth is not 0',
        }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** The whole configuration, frozen once it is loaded. */
export type Config = Static<typeof configSchema>;

/** Defaults with their reasons. */
export function configDefaults(): Config {
  return {
    dataDir: '/var/lib/shoal',
    name:
      hostname()
        .replace(/[^a-zA-Z0-9.-]/g, '-')
        .slice(0, 63) || 'host',
    zone: 'nova', // What OpenStack's clients expect where nobody chose.
    failureDomain: '',
    logLevel: 'info',
    advertiseAddress: '',
    discovery: '',
    peer: { listen: '0.0.0.0:7401' },
    gossip: { listen: '0.0.0.0:7402' },
    api: {
      listen: '0.0.0.0:5000', // Keystone's port: OS_AUTH_URL is what users type.
      grpcListen: '0.0.0.0:7400',
      tls: 'on',
      certificatePath: '',
      privateKeyPath: '',
      names: '',
      virtualAddress: '',
      virtualInterface: '',
      publicUrl: '',
      trustedProxies: '',
      metricsReaders: '127.0.0.0/8,::1',
      bodyBytesMax: 1024 * 1024, // User data is 64 KiB at most; the rest is small. Image content streams past this.
      tokenLifetimeMs: 3_600_000,
    },
    policy: {},
    // Keystone's defaults. Guessing is slowed anyway, and who knows a name could lock its owner out.
    security: { uniqueLastPasswordCount: 0, lockoutFailureAttempts: 0, lockoutMs: 1_800_000 },
    // An election after 1 to 2 s without a leader: well above the pauses of a busy machine (etcd's default is the same).
    // `patienceMs`: ten seconds in which a busy machine gives the voters no CPU, and an election. `askMs`: a kernel
    // answers a connection within a round trip however busy its host is, and 400 ms after 400 ms of silence refuses
    // within a second what is lost.
    raft: { tickMs: 100, electionTicks: 10, heartbeatTicks: 2, patienceMs: 12_000, askMs: 400, standbys: 2 },
    compute: {
      driver: 'qemu',
      // Numbers that nobody else gives away: see drivers/uid-range.ts.
      uidFirst: uidRangeDefault.first,
      uidCount: uidRangeDefault.count,
      allowResizeToSameHost: true,
      resizeConfirmWindowSeconds: 0,
      stopGraceMs: 60_000,
      // Five minutes: an OSD that restarts, a monitor election, a switch that boots; after that its owner had better know.
      stepPatienceMs: 300_000,
      pciPassthrough: '',
      vendorDataPath: '',
    },
    storage: 'local',
    pools: [],
    // A thousand from NBD's own port on: each volume that is served has one, and few hosts serve a hundred.
    exports: { ports: '10809-11808' },
    backups: { store: '', s3Endpoint: '', s3Region: 'us-east-1', s3CredentialsPath: '' },
    ceph: { confPath: '', user: 'shoal', imagePool: 'images', diskPool: 'volumes' },
    network: {
      driver: 'vxlan',
      vtepIp: '',
      underlayMtu: 1500,
      externalInterface: '',
      dnsForwarders: 'host',
      namespacePrefix: 'shoal',
    },
    // Nova's defaults but for CPU, where its historical 16 lets one host collapse; 4 is what operators settle on.
    capacity: {
      vcpusRatio: 4,
      memoryRatio: 1,
      diskRatio: 1,
      vcpusReserved: 0,
      memoryMibReserved: 512,
      diskGibReserved: 1,
      resources: '',
    },
    // Refused, as newer Glance does: who uploads noise as qcow2 has made a mistake, and hears of it at once.
    images: { acceptInert: 'no' },
    // Nova's filters, capacity and spreading.
    placement: {
      strategy: 'spread',
      filters: '',
      weights: '',
      metricWeights: '',
      maxIoOpsPerHost: 8,
      maxInstancesPerHost: 50,
      isolatedImages: '',
      isolatedHosts: '',
      restrictIsolatedHosts: 'yes',
      drawWidth: 0,
      drawTolerance: 0.02,
    },
  };
}
