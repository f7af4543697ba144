import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readMembership } from '../../../node/cluster/membership.ts';
import { restoreMesh } from '../../../node/cluster/restore-mesh.ts';
import { loadConfig } from '../../../node/config/load.ts';
import { HostIdentity, loadOrCreateKeys } from '../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../../node/mesh/identity/mesh-key-ring.ts';
import { openAuthority } from '../../../node/mesh/identity/rekey.ts';
import { MeshSealing } from '../../../node/services/cluster/mesh-sealing.ts';
import { MeshTokenKeys } from '../../../node/services/identity/token-keys.ts';
import { cloudBackupName } from '../../../node/services/kit/sealing.ts';
import { Change } from '../../../node/services/kit/transact.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { hostTable, meshKeyEpochTable, meshTable, ticketTable } from '../../../node/state/tables/index.ts';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { recoveredIndexGap } from '../../../node/store/log/make-only-voter.ts';
import { shoal } from '../../../proto/messages.ts';

const createdMs = Date.UTC(2026, 10, 30);
const hourMs = 3_600_000;
const former = HostIdentity.fromSeed(new Uint8Array(32).fill(9));
const firstKey = MeshKey.create();

function host(identity: HostIdentity, name: string, raftId: number): shoal.v1.Host {
  const { hostId: id, publicKey } = identity;
  const tlsKeySha256 = new Uint8Array(32).fill(raftId);
  return new shoal.v1.Host({ id, name, publicKey, raftId, transitIndex: raftId, tlsKeySha256, holdsSlices: true });
}

/** A state of two hosts and three thousand tickets, with a secret that the first mesh key seals. */
function keptState(own?: HostIdentity): { readonly machine: StateMachine; readonly sealed: Uint8Array } {
  const machine = new StateMachine();
  let revision = 100;
  const apply = (builder: TransactionBuilder) => {
    revision += 1;
    machine.apply(revision, { clientToken: '', transaction: builder.build() });
  };
  const first = new TransactionBuilder();
  meshTable.insert(first, new shoal.v1.Mesh({ id: 'mesh', meshId: 'former', name: 'test', featureLevel: 2 }));
  hostTable.insert(first, host(former, 'lost', 4));
  if (own !== undefined) hostTable.insert(first, host(own, 'kept', 2));
  first.add('c/host/raft-id', 7, { min: 7, max: 7 });
  apply(first);
  for (let n = 0; n < 3_000; n += 1) {
    const builder = new TransactionBuilder();
    ticketTable.insert(builder, new shoal.v1.Ticket({ id: `ticket-${n}`, expiresMs: createdMs + hourMs }));
    apply(builder);
  }
  const attempt = { reader: machine, change: new Change() };
  const ring = new MeshKeyRing(former, firstKey);
  return {
    machine,
    sealed: new MeshSealing(ring).seal(attempt, cloudBackupName, Buffer.from('a secret')).sealed,
  };
}

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-restore-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'data');
}

const configOf = (dataDir: string, name = 'kept') =>
  loadConfig({ settings: { dataDir, name, advertiseAddress: '192.0.2.7' } });
const meshKeys = new Map([[0, firstKey.reveal()]]);

/** What an agent finds in the folder. */
async function opened(dataDir: string) {
  const membership = readMembership(dataDir);
  if (membership === undefined) throw new Error('it is no member');
  const { identity } = await loadOrCreateKeys(dataDir);
  const { store, machine, findings } = await openLevelLogStore({
    folder: join(dataDir, 'log'),
    raftId: membership.raftId,
  });
  const { quarantine } = store;
  const { confState, hardState } = store.initialState();
  await store.close();
  const first = await MeshKey.load(dataDir);
  const keys = new MeshKeyRing(identity, first ?? MeshKey.create());
  return { membership, machine, findings, quarantine, confState, hardState, keys };
}

t.test('a host that is new gets numbers of its own, and is the only voter of a new mesh', async (t) => {
  const dataDir = await folderOf(t);
  const { machine, sealed } = keptState();
  const revisionBefore = machine.revision;
  const told = await restoreMesh(configOf(dataDir), { machine, meshKeys, createdMs }, createdMs + 1);
  t.same(told.awaited, ['lost']);
  const found = await opened(dataDir);
  t.same(found.findings, []);
  t.equal(found.quarantine, undefined);
  t.same(found.confState.voters, [8]);
  t.equal(found.membership.raftId, 8, 'behind the counter of those that were ever given');
  t.equal(found.membership.transitIndex, 1);
  t.ok(found.machine.revision >= revisionBefore + recoveredIndexGap, 'no host takes these records for old ones');
  t.equal(found.hardState.commit, found.machine.revision);
  const mesh = meshTable.must(found.machine, 'mesh').record;
  t.not(mesh.meshId, 'former');
  t.equal(mesh.meshId, found.membership.meshId);
  t.match(mesh, { keyEpoch: 1, featureLevel: 2, formerAuthorityCertificates: [] });
  t.equal(ticketTable.list(found.machine).length, 0);
  t.same(hostTable.must(found.machine, former.hostId).record.tlsKeySha256, new Uint8Array(32), 'its key opens nothing');
  t.equal(openAuthority(found.keys, found.machine).certificatePem, mesh.authorityCertificatePem);
  const sealing = new MeshSealing(found.keys);
  t.equal(
    Buffer.from(sealing.open(found.machine, cloudBackupName, { sealed, keyEpoch: 0 })).toString(),
    'a secret',
    'what was sealed opens',
  );
  t.equal(new MeshTokenKeys(found.keys).verifying(found.machine, 0), undefined, 'tokens of before do not');
  // The former host has the first key for ever, and not the new one.
  const copies = meshKeyEpochTable.must(found.machine, '1').record.keys.map((copy) => copy.hostId);
  t.same(copies, [told.hostId]);
});

t.test('a host of before keeps its numbers', async (t) => {
  const dataDir = await folderOf(t);
  await mkdir(dataDir, { mode: 0o700 });
  const { identity } = await loadOrCreateKeys(dataDir);
  const { machine } = keptState(identity);
  const told = await restoreMesh(configOf(dataDir), { machine, meshKeys, createdMs }, createdMs + 1);
  t.equal(told.hostId, identity.hostId);
  const { membership, confState, machine: found } = await opened(dataDir);
  t.equal(membership.raftId, 2);
  t.same(confState.voters, [2]);
  t.match(hostTable.must(found, identity.hostId).record, { transitIndex: 2, peerAddress: /^192\.0\.2\.7:/ });
});

t.test('a second restore of one backup is newer than all that the first one can have written', async (t) => {
  const revisions: number[] = [];
  for (const atMs of [createdMs, createdMs + hourMs, createdMs + 400 * hourMs]) {
    const dataDir = await folderOf(t);
    const { machine } = keptState();
    revisions.push((await restoreMesh(configOf(dataDir), { machine, meshKeys, createdMs }, atMs)).revision);
  }
  const [first = 0, second = 0, third = 0] = revisions;
  t.ok(second - first >= 5 * recoveredIndexGap && third > second);
  t.ok(Number.isSafeInteger(third * 2));
});

t.test('what is in the way is left as it is', async (t) => {
  const dataDir = await folderOf(t);
  const namesake = restoreMesh(configOf(dataDir, 'lost'), { ...keptState(), meshKeys, createdMs }, createdMs);
  await t.rejects(namesake, { code: 'CONFLICT', message: /another host that is called lost/ });
  // A log without a membership: of a restore that did not come to its end.
  await mkdir(join(dataDir, 'log', 'db'), { recursive: true });
  await writeFile(join(dataDir, 'log', 'db', 'CURRENT'), 'somebody');
  const { aside } = await restoreMesh(configOf(dataDir), { ...keptState(), meshKeys, createdMs }, createdMs);
  t.ok(existsSync(join(aside ?? '', 'log', 'db', 'CURRENT')), 'it is kept beside');
  const again = restoreMesh(configOf(dataDir), { ...keptState(), meshKeys, createdMs }, createdMs);
  await t.rejects(again, { code: 'CONFLICT', message: /belongs to a mesh/ });
});
