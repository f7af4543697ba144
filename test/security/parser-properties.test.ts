/**
 * Every parser of bytes that others wrote: it returns, or throws a `ShoalError`, and soon, whatever it is given. The table
 * names them all; a parser that is not in it fails the test.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { namePattern } from '../../api-gateway/rest/compute/kit/name-pattern.ts';
import { parsePatch } from '../../api-gateway/rest/image/json-patch.ts';
import { parseJson } from '../../api-gateway/rest/kit/json-body.ts';
import { readInstant } from '../../api-gateway/rest/kit/lists/instant.ts';
import { parseFlatMap } from '../../api-gateway/rest/volume/kit/flat-map.ts';
import * as rbd from '../../drivers/ceph/rbd.ts';
import { inspectImage } from '../../drivers/image/inspect.ts';
import { readQcow2Header } from '../../drivers/local/qcow2-header.ts';
import { parseDeviceHelp } from '../../drivers/qemu/features.ts';
import { parseMachineHelp } from '../../drivers/qemu/hardware/machine-type.ts';
import { readNeighbours, readRoutes, readRules } from '../../drivers/vxlan/links/address.ts';
import { readFdb } from '../../drivers/vxlan/links/forwarding.ts';
import { readJson } from '../../drivers/vxlan/links/json.ts';
import { readLinks } from '../../drivers/vxlan/links/link.ts';
import { readTables } from '../../drivers/vxlan/links/nft.ts';
import { readCidr } from '../../drivers/vxlan/model/cidr.ts';
import { readAlias } from '../../drivers/vxlan/model/names.ts';
import { readLeases } from '../../drivers/vxlan/services/dhcp.ts';
import { parseAddress, parseListenAddress } from '../../node/base/address.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { loadConfig } from '../../node/config/load.ts';
import { parseNetworks } from '../../node/config/networks.ts';
import {
  messageFromWire,
  snapshotPartFromWire,
  snapshotRequestFromWire,
} from '../../node/consensus/transport/codec.ts';
import { sources } from '../../node/dev/house/source.ts';
import { parseConsoleToken } from '../../node/host/consoles/console-token.ts';
import { parseCpuInfo } from '../../node/host/machine/cpu-info.ts';
import { parseCpuList, parseNodeMemoryMib } from '../../node/host/machine/numa-cells.ts';
import { openAdvert, openHealthUpdate, signAdvert } from '../../node/mesh/gossip/advert-check.ts';
import { MeshAuthority, verifyHost } from '../../node/mesh/identity/authority.ts';
import { openForHost, sealToHost } from '../../node/mesh/identity/host-box.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../node/mesh/identity/mesh-key.ts';
import { seal, unseal } from '../../node/mesh/identity/seal.ts';
import { verifySignature } from '../../node/mesh/identity/signature.ts';
import { JoinTicket } from '../../node/mesh/join/tickets.ts';
import { parseInstance, parseListensAt } from '../../node/mesh/peers/instance.ts';
import {
  decodeConfChangeV1,
  decodeConfChangeV2,
  encodeConfChangeV1,
  encodeConfChangeV2,
} from '../../node/raft/conf-change-codec.ts';
import { decodeFacts } from '../../node/rpc/status.ts';
import { TokenCodec, tokenEpoch } from '../../node/services/identity/token.ts';
import { parseIp, parsePrefix } from '../../node/services/network/kit/address.ts';
import { backupFromText, backupText } from '../../node/services/volume/backups/export-record.ts';
import { mappingOf } from '../../node/services/volume/servers/image-mapping.ts';
import { decodeCommand, decodeOutcome, encodeCommand, encodeOutcome } from '../../node/state/command.ts';
import { SnapshotDecoder } from '../../node/state/snapshot.ts';
import { networkTable } from '../../node/state/tables/index.ts';
import { decodeValue, encodeValue } from '../../node/store/host/host-record.ts';
import { readLevelManifest } from '../../node/store/level/level-manifest.ts';
import { readLevelRecords } from '../../node/store/level/level-records.ts';
import { decodeEntry, encodeEntries } from '../../node/store/log/entry-record.ts';
import { decodeDigests } from '../../node/store/log/kept-digests.ts';
import { readMarkFile } from '../../node/store/log/log-mark.ts';
import * as records from '../../node/store/log/records.ts';
import { sealed, unsealed } from '../../node/store/log/sealed-bytes.ts';
import { compileJsonQuery } from '../../placement/matching/json-query.ts';
import { shoal } from '../../proto/messages.ts';
import { parsersIn } from '../support/parsers.ts';
import { hostileBytes, hostileText, hostileValue } from './support/hostile-input.ts';

/** Longest that one input of a few hundred bytes may take, ms: thousands of times what any takes on a quiet machine. */
const slowMs = 2_000;
const runs = { seed: 20261129, numRuns: 300 };
const folder = mkdtempSync(join(tmpdir(), 'shoal-parsers-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const text = new TextEncoder();
const identity = HostIdentity.fromSeed(new Uint8Array(32).fill(7));
const meshKey = MeshKey.create();
const authority = MeshAuthority.create('m-1');
const exportedBackup = backupText(
  new shoal.v1.VolumeBackup({ id: '01234567-89ab-4cde-8f01-23456789abcd', sizeGib: 1, status: 'available' }),
  new Uint8Array(32),
);
const tokens = new TokenCodec(new Uint8Array(32).fill(9));
const ticket = new JoinTicket({
  meshId: 'm-1',
  fingerprint: new Uint8Array(32).fill(1),
  addresses: ['10.0.0.1:7401', '[fd00::1]:7401'],
  ticketId: 'tick-1',
  secret: new Uint8Array(32).fill(2),
}).encode();
const token = tokens.sign({
  ...{ sub: 'u', un: 'u', ud: 'd', udn: 'd', p: 'p', pn: 'p', pd: 'd', pdn: 'd', d: '', dn: '' },
  ...{ r: ['r'], rn: ['member'], m: ['password'], a: ['a'], i: 1, e: 2, v: 3 },
});
const advert = signAdvert(identity, { meshId: 'm-1', hostId: identity.hostId, epoch: 1, sequence: 1, vcpus: 4 });
const advertBytes = shoal.v1.SignedAdvert.encode(advert).finish();
const change = { nodeId: 3, type: 'addNode', context: text.encode('c') } as const;
const command = encodeCommand({
  clientToken: 'c',
  transaction: {
    compares: [{ key: 'k', revision: 1 }],
    thenOps: [{ kind: 'put', key: 'k', value: text.encode('v') }],
    elseOps: [],
  },
});
const linkJson = JSON.stringify([
  {
    ifname: 'a',
    ifalias: 'shoal:network:0',
    linkinfo: { info_kind: 'vxlan', info_data: { id: 5, local: '10.0.0.1' } },
    addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }],
  },
]);

type Input = Uint8Array | string | unknown;
interface Property {
  readonly input: fc.Arbitrary<Input>;
  readonly run: (input: never) => unknown;
}

const bytes = (run: (input: Uint8Array) => unknown, ...valid: Uint8Array[]): Property => ({
  input: hostileBytes(valid),
  run,
});
const lines = (run: (input: string) => unknown, ...valid: string[]): Property => ({ input: hostileText(valid), run });
const values = (run: (input: unknown) => unknown, ...valid: object[]): Property => ({
  input: hostileValue(valid),
  run,
});
/** The messages of a protobuf that hostile bytes decode to; what is none does not get to the parser. */
const message = <T extends object>(
  codec: { decode(input: Uint8Array): T; encode(fields: T): { finish(): Uint8Array } },
  run: (input: T) => unknown,
  ...valid: T[]
): Property =>
  bytes(
    (input) => {
      let decoded: T;
      try {
        decoded = codec.decode(input);
      } catch {
        return;
      }
      run(decoded);
    },
    ...valid.map((fields) => codec.encode(fields).finish()),
  );

/** By `file: name`. A text: why its input is nobody else's, or which of the others it is a part of. */
const parsers: Readonly<Record<string, Property | string>> = {
  'api-gateway/openapi/document.ts: openApiDocument': 'writes: its input is the routes of this agent',
  'api-gateway/openapi/module.ts: openApiModule': 'writes: its input is the routes of this agent',
  'api-gateway/rest/kit/lists/instant.ts: readInstant': lines(
    readInstant,
    '2026-02-28T12:30:15.25+01:00',
    '2026-02-28',
  ),
  'node/config/networks.ts: parseNetworks': lines(parseNetworks, '10.0.0.0/8, fd00::/8,192.0.2.1'),
  'node/host/machine/cpu-info.ts: parseCpuInfo': lines(parseCpuInfo, 'processor : 0\nflags : fpu avx2\nsiblings : 4'),
  'node/host/machine/numa-cells.ts: parseCpuList': lines(parseCpuList, '0-3,8', '0-99999'),
  'node/host/machine/numa-cells.ts: parseNodeMemoryMib': lines(parseNodeMemoryMib, 'Node 0 MemTotal: 23685332 kB'),
  'drivers/qemu/features.ts: parseDeviceHelp': lines(parseDeviceHelp, 'name "VGA", bus PCI'),
  'drivers/qemu/hardware/machine-type.ts: parseMachineHelp': lines(
    parseMachineHelp,
    'q35   Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)',
  ),
  'node/host/consoles/console-token.ts: parseConsoleToken': lines(parseConsoleToken, 'a1'.repeat(32), 'a1'.repeat(16)),
  'node/base/address.ts: parseAddress': lines(parseAddress, '10.0.0.1:7401', '[fd00::1]:7401'),
  'node/base/address.ts: parseListenAddress': lines(parseListenAddress, ':7401', '[::]:0'),
  'node/mesh/peers/instance.ts: parseInstance': lines(parseInstance, '1764460800000-0123456789abcdef'),
  'node/mesh/peers/instance.ts: parseListensAt': lines(parseListensAt, '10.0.0.1:7401'),
  'node/mesh/gossip/advert-check.ts: openAdvert': message(
    shoal.v1.SignedAdvert,
    (signed) => openAdvert(signed, 'm-1'),
    advert,
  ),
  'node/mesh/gossip/advert-check.ts: openHealthUpdate': message(shoal.v1.SignedHealthUpdate, (signed) =>
    openHealthUpdate(signed, 'm-1'),
  ),
  'node/mesh/identity/authority.ts: verifyHost': lines(
    (pem) => verifyHost(pem, authority.certificatePem, 'm-1'),
    authority.certificatePem,
  ),
  'node/rpc/status.ts: decodeFacts': bytes((input) => decodeFacts(Buffer.from(input)), text.encode('{"a":1}')),
  'node/mesh/identity/host-box.ts: openForHost': bytes(
    (input) => openForHost(identity, 'l', input),
    sealToHost(identity.publicKey, 'l', text.encode('secret')),
  ),
  'node/mesh/identity/seal.ts: unseal': bytes(
    (input) => unseal(meshKey, 'l', input),
    seal(meshKey, 'l', text.encode('secret')),
  ),
  'node/mesh/identity/signature.ts: verifySignature': bytes(
    (input) => verifySignature(input.subarray(0, 32), 'p', input, input.subarray(0, 64)),
    new Uint8Array(96).fill(3),
  ),
  'node/mesh/join/tickets.ts: JoinTicket.decode': lines((input) => JoinTicket.decode(input), ticket),
  'node/raft/conf-change-codec.ts: decodeConfChangeV1': bytes(decodeConfChangeV1, encodeConfChangeV1(change)),
  'node/raft/conf-change-codec.ts: decodeConfChangeV2': bytes(
    decodeConfChangeV2,
    encodeConfChangeV2({ transition: 'auto', changes: [change], context: text.encode('c') }),
  ),
  'node/services/identity/token.ts: TokenCodec.verify': lines((input) => tokens.verify(input), token),
  'node/services/network/kit/address.ts: parseIp': lines(parseIp, '10.0.0.1'),
  'node/services/network/kit/address.ts: parsePrefix': lines(parsePrefix, '10.0.0.0/24'),
  'node/state/command.ts: decodeCommand': bytes(decodeCommand, command),
  'node/state/command.ts: decodeOutcome': bytes(
    decodeOutcome,
    encodeOutcome({ revision: 1, succeeded: true, counters: [1] }),
  ),
  'node/services/compute/history/migrations.ts: openMigration': 'finds a record, reads no bytes',
  'node/state/record-bytes.ts: decodeRecord': 'Table.decode, which gives its failures their name',
  'node/state/table.ts: Table.decode': bytes(
    (input) => networkTable.decode(input),
    shoal.v1.Network.encode({ id: 'n', name: 'net', tags: ['a'] }).finish(),
  ),
  'node/store/log/entry-record.ts: decodeEntry': bytes((input) => decodeEntry('l/0/1', input), entryBytes()),
  'node/store/host/host-record.ts: decodeValue': lines(
    (input) => decodeValue('k', input),
    encodeValue('k', { a: 1 }).text,
  ),
  'node/store/level/level-manifest.ts: readLevelManifest': bytes(readLevelManifest),
  'node/store/level/level-records.ts: readLevelRecords': bytes(readLevelRecords),
  'node/store/log/log-mark.ts: readMarkFile': bytes((input) => readMarkFile(written(input))),
  'node/store/log/kept-digests.ts: decodeDigests': bytes(
    (input) => decodeDigests('d/1/2', 2, input),
    sealed(new Uint8Array(16), 'd/1/2'),
  ),
  'node/store/log/records.ts: decodeHead': bytes(
    (input) => records.decodeHead('head', input),
    sealed(text.encode('{}'), 'head'),
  ),
  'node/store/log/records.ts: decodeApplied': bytes(
    (input) => records.decodeApplied('applied', input),
    sealed(text.encode('{}'), 'applied'),
  ),
  'node/store/log/records.ts: decodeIdentity': bytes(
    (input) => records.decodeIdentity('identity', input),
    sealed(text.encode('{"raftId":1}'), 'identity'),
  ),
  'node/store/log/records.ts: decodePeerMemory': bytes(
    (input) => records.decodePeerMemory('peer/1', input),
    sealed(text.encode('{"term":1}'), 'peer/1'),
  ),
  'node/store/log/sealed-bytes.ts: unsealed': bytes((input) => unsealed(input, 'k'), sealed(text.encode('v'), 'k')),
  'drivers/ceph/rbd.ts: readInfo': values(rbd.readInfo, { id: 'i', size: 1, parent: { image: 'x' } }),
  'drivers/ceph/rbd.ts: readList': values(rbd.readList, [{ image: 'i', size: 1, parent: { image: 'x' } }]),
  'drivers/ceph/rbd.ts: readWatchers': values(rbd.readWatchers, { watchers: [{ address: '10.0.0.1:0/1' }] }),
  'drivers/ceph/rbd.ts: readLock': values(rbd.readLock, {
    lockers: [{ name: 'n', cookie: '1', description: 'd', addr: 'a' }],
  }),
  'drivers/ceph/rbd.ts: readLocks': values(rbd.readLocks, {
    type: 'shared',
    lockers: [{ name: 'n', cookie: '1', description: 'd', addr: 'a' }],
  }),
  'drivers/ceph/rbd.ts: readSnapshots': values(rbd.readSnapshots, [{ id: 1, name: 's' }]),
  'drivers/ceph/rbd.ts: readChildren': values(rbd.readChildren, [{ pool: 'p', image: 'i' }]),
  'drivers/ceph/rbd.ts: readDifferences': values(rbd.readDifferences, [{ offset: '0', length: '1' }]),
  'drivers/ceph/rbd.ts: readImages': values(rbd.readImages, [{ image: 'i', size: 1 }]),
  'drivers/ceph/rbd.ts: readCapacity': values((input) => rbd.readCapacity(input, 'p'), {
    pools: [{ name: 'p', stats: { stored: 1, max_avail: 2 } }],
  }),
  'drivers/ceph/rbd.ts: readBlocklist': values(rbd.readBlocklist, { epoch: 1, blocklist: { a: 1 } }),
  'drivers/local/qcow2-header.ts: readQcow2Header': bytes((input) => readQcow2Header(written(input)), qcow2Header()),
  'drivers/image/inspect.ts: inspectImage': bytes((input) => inspectImage(written(input), 'qcow2'), qcow2Header()),
  'drivers/vxlan/links/address.ts: readRoutes': lines(readRoutes, '[{"dst":"default","gateway":"10.0.0.1","dev":"a"}]'),
  'drivers/vxlan/links/address.ts: readRules': lines(readRules, '[{"priority":1,"src":"all","table":"5"}]'),
  'drivers/vxlan/links/address.ts: readNeighbours': lines(
    readNeighbours,
    '[{"dst":"10.0.0.1","lladdr":"0e:00:00:00:00:01"}]',
  ),
  'drivers/vxlan/model/cidr.ts: readCidr': lines(readCidr, '10.0.0.0/24'),
  'drivers/vxlan/services/dhcp.ts: readLeases': lines(readLeases, '1700000000 0e:00:00:00:00:01 10.0.0.5 guest *\n'),
  'drivers/vxlan/links/forwarding.ts: readFdb': lines(
    readFdb,
    '[{"mac":"0e:00:00:00:00:01","dst":"10.0.0.1","flags":[]}]',
  ),
  'drivers/vxlan/links/json.ts: readJson': lines((input) => readJson(input, 'ip'), linkJson),
  'drivers/vxlan/links/link.ts: readLinks': lines(readLinks, linkJson),
  'drivers/vxlan/model/names.ts: readAlias': lines(readAlias, 'shoal:port:a:b'),
  'drivers/vxlan/links/nft.ts: readTables': lines(
    readTables,
    '{"nftables":[{"table":{"family":"inet","name":"shoal"}}]}',
  ),
  'api-gateway/rest/image/json-patch.ts: parsePatch': values(
    (input) => parsePatch(input, 'application/openstack-images-v2.1-json-patch'),
    [{ op: 'replace', path: '/name', value: 'x' }],
  ),
  'node/services/volume/backups/export-record.ts: backupFromText': lines(backupFromText, exportedBackup),
  'node/services/volume/servers/image-mapping.ts: mappingOf': lines(
    (input) => mappingOf({ id: 'image', properties: { block_device_mapping: input } }),
    '[{"source_type":"snapshot","snapshot_id":"a","volume_size":1,"boot_index":0}]',
  ),
  'api-gateway/rest/volume/kit/flat-map.ts: parseFlatMap': lines(parseFlatMap, `{'a': 'b', u"c": 1}`),
  'api-gateway/rest/kit/json-body.ts: parseJson': bytes(parseJson, text.encode('{"server":{"name":"a"}}')),

  // Called otherwise, and parsers all the same.
  'api-gateway/kit/forwarding.ts: TrustedProxies.originOf': lines(
    (input) => new TrustedProxies('10.0.0.0/8').originOf('10.0.0.1', () => input),
    'for="[fd00::1]:1";proto=https;host=a.example, for=10.0.0.2',
  ),
  'api-gateway/rest/compute/kit/name-pattern.ts: namePattern': lines(
    (input) => namePattern('name', input).matches('a-name-of-a-server'),
    '^a.*-[0-9]+$',
    '(a|b)*c',
  ),
  'node/config/load.ts: loadConfig': lines(
    (input) => loadConfig({ filePath: written(text.encode(input)), ownAddress: () => '10.0.0.1' }),
    'name: alpha\napi:\n  listen: 127.0.0.1:7400\n',
  ),
  'node/consensus/transport/codec.ts: messageFromWire': message(
    shoal.v1.RaftMessage,
    (wire) => messageFromWire(new shoal.v1.RaftMessage(wire), 1),
    new shoal.v1.RaftMessage({ to: 2, term: 1 }),
  ),
  'node/consensus/transport/codec.ts: snapshotRequestFromWire': message(
    shoal.v1.FetchSnapshotRequest,
    snapshotRequestFromWire,
  ),
  'node/consensus/transport/codec.ts: snapshotPartFromWire': message(
    shoal.v1.SnapshotChunk,
    snapshotPartFromWire,
    new shoal.v1.SnapshotChunk({ meta: { index: 1, term: 1, confState: { voters: [1] } } }),
  ),
  'node/services/identity/token.ts: tokenEpoch': lines(tokenEpoch, token),
  'node/state/snapshot.ts: SnapshotDecoder.push': bytes((input) => new SnapshotDecoder().push(input)),
  'placement/matching/json-query.ts: compileJsonQuery': lines(
    compileJsonQuery,
    '["and",[">=","$free_ram_mb",1024],["in","$hypervisor_hostname","a","b"]]',
    '["not",',
  ),

  // Of this host alone, or checked elsewhere.
  'node/host/image-cache.ts: ImageCache.open': 'takes an address of content, which is looked up',
  'node/host/image-cache.ts: ImageCache.read': 'the same',
  'node/host/backup/backup.ts: readManifest': 'openManifest',
  'node/host/backup/manifest.ts: openManifest': 'asynchronous: test/node/host/backup has its property',
  'node/host/backup/object-box.ts: openObject': 'asynchronous: openManifest',
  'node/host/cloud-backup/read.ts: readManifest': 'asynchronous: test/node/host/cloud-backup has its property',
  'node/host/cloud-backup/read.ts: openCloudBackup': 'asynchronous: the same',
  'node/host/cloud-backup/read.ts: openSecrets': 'asynchronous: the same',
  'node/host/cloud-backup/catalog.ts: verifyCloudBackup': 'openCloudBackup',
  'node/services/cluster/cloud-backups.ts: CloudBackupService.verify': 'openCloudBackup',
  'node/host/machine/inventory.ts: readInventory': "this machine's own figures",
  'node/host/machine/inventory.ts: parseBootTime': "this machine's own figures",
  'node/host/machine/inventory.ts: parseOsRelease': "this machine's own figures",
  'node/host/machine/numa-cells.ts: readNumaCells': "this machine's own figures",
  'node/host/machine/pci-devices.ts: readPciDevices': "this machine's own figures",
  'drivers/qemu/features.ts: readQemuDevices': 'parseDeviceHelp',
  'drivers/qemu/hardware/machine-type.ts: readMachineTypes': 'parseMachineHelp',
  'node/cluster/membership.ts: readMembership': "this host's own file, which only root writes",
  'node/cluster/membership.ts: readFounding': "this host's own file, which only root writes",
  'node/mesh/identity/authority.ts: MeshAuthority.open': 'unseal',
  'node/mesh/identity/secret-file.ts: readSecretFile': "this host's own file, which only root writes",
  'node/raft/raw-node.ts: RawNode.readIndex': 'no parser: a read point',
  'node/host/consoles/console-calls.ts: ConsoleCalls.open': 'no parser: opens a console, by parseConsoleToken',
  'node/services/compute/consoles.ts: Consoles.open': 'no parser: opens a console, by parseConsoleToken',
  'drivers/fake/consoles.ts: FakeConsoles.open': 'no parser: opens a console that is none',
  'node/store/host/host-store.ts: openHostStore': 'test/node/store/damaged-host-store.test.ts',
  'node/store/host/host-store.ts: readHostRows': 'test/node/store/damaged-host-store.test.ts',
  'node/store/level/level-copy.ts: openLevelCopy': 'test/node/store/damaged-files.test.ts',
  'node/store/level/level-disk.ts: openLevelDisk': 'test/node/store/damaged-files.test.ts',
  'node/store/log/log-mark.ts: openMarkFile': 'readMarkFile',
  'node/agent/vendor-data.ts: readVendorData': "the operator's file, bounded and checked at start",
  'drivers/image/guest/programs.ts: readDynamicPrograms': 'programs of the machine that builds the guest',
  'drivers/image/guest/programs.ts: readInput': 'programs of the machine that builds the guest',
  'drivers/image/store.ts: BlobStore.read': 'takes an address of content, which is looked up',
  'drivers/image/store.ts: BlobStore.verify': 'compares a hash',
  'drivers/image/store.ts: BlobStore.inspect': 'inspectImage, whose property is above, on a blob',
  'node/services/volume/backups/backup-upkeep.ts: BackupUpkeep.verify': 'begins a job',
  'drivers/json-file.ts: readJsonFile': "this host's own files, which only root writes",
  'drivers/qemu/confinement/cgroups.ts: GuestCgroups.open': "the kernel's own files",
  'api-gateway/rest/compute/kit/common.ts: readFlag':
    'test/api-gateway/rest/validation.test.ts: a text of a query that was parsed',
  'api-gateway/rest/network/attributes.ts: readResources': 'parse, with the schema of the resource; npm run fuzz:api',
  'api-gateway/rest/network/attributes.ts: readResource': 'parse, with the schema of the resource; npm run fuzz:api',
  'api-gateway/rest/kit/validation.ts: parse': 'typebox, with schemas in the code; npm run fuzz:api',
};

/** A file that holds the bytes. */
function written(content: Uint8Array): string {
  const path = join(folder, 'input');
  writeFileSync(path, content);
  return path;
}

function entryBytes(): Uint8Array {
  const ops: { key: string; value: Uint8Array | undefined }[] = [];
  encodeEntries(0, [{ index: 1, term: 1, type: 'normal', data: command }], ops);
  return ops[0]?.value ?? new Uint8Array(0);
}

/** Version 3, 64 KiB clusters, 1 MiB. */
function qcow2Header(): Uint8Array {
  const header = Buffer.alloc(512);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(1_048_576n, 24);
  header.writeUInt32BE(1, 36);
  header.writeBigUInt64BE(65_536n, 40);
  header.writeBigUInt64BE(131_072n, 48);
  header.writeUInt32BE(1, 56);
  header.writeUInt32BE(4, 96);
  header.writeUInt32BE(104, 100);
  return header;
}

void t.test('every parser has its property, or a reason why not', async (t) => {
  const found = sources()
    .filter(({ path }) => /^(node|drivers|placement|api-gateway)\//.test(path) && !/\/(bench|dev)\//.test(path))
    .flatMap((source) => parsersIn(source).map((name) => `${source.path}: ${name}`));
  t.ok(found.length > 60);
  t.same(
    found.filter((name) => !Object.hasOwn(parsers, name)),
    [],
    'new ones, without a property',
  );
  const known = new Map(sources().map(({ path, text: code }) => [path, code]));
  const gone = Object.keys(parsers).filter((name) => {
    const [path = '', symbol = ''] = name.split(': ');
    return known.get(path)?.includes(symbol.split('.').at(-1) ?? '') !== true;
  });
  t.same(gone, [], 'named here, and not there any more');
});

for (const [name, property] of Object.entries(parsers)) {
  if (typeof property === 'string') continue;
  void t.test(`${name}: whatever it is given`, async (t) => {
    let slowest = 0;
    await fc.assert(
      fc.asyncProperty(property.input, async (input) => {
        const startedMs = performance.now();
        try {
          await property.run(input as never);
        } catch (caught) {
          if (!(caught instanceof ShoalError)) throw caught;
        }
        slowest = Math.max(slowest, performance.now() - startedMs);
      }),
      runs,
    );
    t.ok(slowest < slowMs, `the slowest took ${slowest.toFixed(1)} ms`);
  });
}

void t.test('what is right is taken, so that the properties are about more than refusals', async (t) => {
  t.equal(JoinTicket.decode(ticket).ticketId, 'tick-1');
  t.equal(tokens.verify(token).sub, 'u');
  t.equal(openAdvert(shoal.v1.SignedAdvert.decode(advertBytes), 'm-1').vcpus, 4);
  t.same(decodeConfChangeV1(encodeConfChangeV1(change)), change);
  t.same(decodeCommand(command).clientToken, 'c');
  t.equal(Buffer.from(unseal(meshKey, 'l', seal(meshKey, 'l', text.encode('s')))).toString(), 's');
  t.equal(readLinks(linkJson).get('a')?.name ?? 'a', 'a');
});
