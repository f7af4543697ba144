/** What is sealed in the state stays readable however often the mesh key changes, and by hosts that join in between. */
import t from 'tap';
import { resealSecrets } from '../../../../node/host/tasks/reseal-secrets.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../../../node/mesh/identity/mesh-key-ring.ts';
import { MeshSealing } from '../../../../node/services/cluster/mesh-sealing.ts';
import type { SecretName } from '../../../../node/services/kit/sealing.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import {
  hostTable,
  meshKeyEpochTable,
  meshTable,
  volumeBackupTable,
  volumeTable,
} from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { foundTestMesh } from '../../../support/mesh-secrets.ts';
import { makeWorld } from '../../services/world.ts';

const { signal } = new AbortController();
/** Of the one host. */
const identity = HostIdentity.fromSeed(new Uint8Array(32).fill(1));
const key = (id: string): SecretName => ({ kind: 'volume-key', id });

async function makeMesh() {
  const world = makeWorld();
  const { keys, rekey } = await foundTestMesh(world.state, world.deps.clock);
  await transact(world.deps, world.admin, ({ change }) =>
    hostTable.insert(
      change,
      new shoal.v1.Host({
        id: identity.hostId,
        name: 'host-1',
        publicKey: identity.publicKey,
        tlsKeySha256: new Uint8Array(32).fill(1),
      }),
    ),
  );
  const sealing = new MeshSealing(keys);
  const addVolumes = (ids: readonly string[]) =>
    transact(world.deps, world.admin, (attempt) => {
      for (const id of ids) {
        const { sealed, keyEpoch } = sealing.seal(attempt, key(id), Buffer.from(`bare ${id}`));
        const encryption = new shoal.v1.VolumeEncryption({ format: 'luks', sealedKey: sealed, keyEpoch, keyId: id });
        volumeTable.insert(attempt.change, new shoal.v1.Volume({ id, projectId: 'p', encryption }));
        volumeTable.insert(attempt.change, new shoal.v1.Volume({ id: `${id}-plain`, projectId: 'p' }));
        const backup = sealing.seal(attempt, { kind: 'backup-key', id }, Buffer.from(`backup ${id}`));
        const own = { sealedKey: backup.sealed, keyEpoch: backup.keyEpoch };
        volumeBackupTable.insert(
          attempt.change,
          new shoal.v1.VolumeBackup({ id, projectId: 'p', volumeEncryption: encryption, ...own }),
        );
      }
    });
  return {
    ...world,
    keys,
    sealing,
    addVolumes,
    rekey: () => transact(world.deps, world.admin, (attempt) => void rekey(attempt, { trusted: false })),
    reseal: () => resealSecrets(sealing).run(world.deps, signal),
  };
}

type Mesh = Awaited<ReturnType<typeof makeMesh>>;

/** All secrets of a volume and its backup, as a host with no memory of earlier keys opens them. */
function secretsOf(mesh: Mesh, id: string, sealing: MeshSealing = mesh.sealing): readonly string[] {
  const { local } = mesh.state;
  const volume = volumeTable.must(local, id).record.encryption;
  const backup = volumeBackupTable.must(local, id).record;
  return [volume, backup.volumeEncryption]
    .map((one) =>
      sealing.open(local, key(id), { sealed: one?.sealedKey ?? new Uint8Array(), keyEpoch: one?.keyEpoch ?? 0 }),
    )
    .concat(sealing.open(local, { kind: 'backup-key', id }, { sealed: backup.sealedKey, keyEpoch: backup.keyEpoch }))
    .map((bare) => Buffer.from(bare).toString());
}

const bare = (id: string): readonly string[] => [`bare ${id}`, `bare ${id}`, `backup ${id}`];

t.test('keys stay readable over any number of changes of the mesh key', async (t) => {
  const mesh = await makeMesh();
  await mesh.addVolumes(['a']);
  for (let epoch = 1; epoch <= 4; epoch++) {
    await mesh.rekey();
    t.same(secretsOf(mesh, 'a'), bare('a'), 'at once');
    await mesh.reseal();
    const { record } = volumeTable.must(mesh.state.local, 'a');
    t.equal(record.encryption?.keyEpoch, epoch, 'sealed with the present key');
    t.equal(meshTable.must(mesh.state.local, 'mesh').record.sealedSinceEpoch, epoch);
    t.ok(meshKeyEpochTable.list(mesh.state.local).length <= 2, 'keys that seal nothing go');
  }
  // Its file holds another key than the first: what is sealed with the first is not for it.
  const joined = new MeshSealing(new MeshKeyRing(identity, MeshKey.create()));
  t.same(secretsOf(mesh, 'a', joined), bare('a'), 'for a host that joined with a later key');
});

t.test('two changes in a row, with nothing sealed again between them, lose no key', async (t) => {
  const mesh = await makeMesh();
  await mesh.addVolumes(['first']);
  await mesh.rekey();
  await mesh.addVolumes(['second']);
  await mesh.rekey();
  await mesh.rekey();
  const restarted = new MeshSealing(
    new MeshKeyRing(identity, mesh.keys.opening(mesh.state.local, 0) ?? MeshKey.create()),
  );
  t.same(secretsOf(mesh, 'second', restarted), bare('second'), 'an agent that has just started opens it, too');
  await mesh.reseal();
  t.same([secretsOf(mesh, 'first'), secretsOf(mesh, 'second')], [bare('first'), bare('second')]);
});

t.test('more rows than one transaction holds', async (t) => {
  const mesh = await makeMesh();
  const ids = Array.from({ length: 250 }, (_, n) => `v${n}`);
  for (let at = 0; at < ids.length; at += 25) await mesh.addVolumes(ids.slice(at, at + 25));
  await mesh.rekey();
  for (let run = 0; run < 20; run++) await mesh.reseal();
  t.equal(meshTable.must(mesh.state.local, 'mesh').record.sealedSinceEpoch, 1);
  t.ok(ids.every((id) => volumeTable.must(mesh.state.local, id).record.encryption?.keyEpoch === 1));
});

t.test('what the leader cannot open keeps its key, and is not said to be sealed', async (t) => {
  const mesh = await makeMesh();
  await mesh.addVolumes(['a']);
  await mesh.rekey();
  const stranger = new MeshSealing(new MeshKeyRing(identity, MeshKey.create()));
  t.throws(() => secretsOf(mesh, 'a', stranger), { code: 'UNAVAILABLE' });
  await resealSecrets(stranger).run(mesh.deps, signal);
  t.equal(meshTable.must(mesh.state.local, 'mesh').record.sealedSinceEpoch, 0);
  await mesh.reseal();
  t.equal(meshTable.must(mesh.state.local, 'mesh').record.sealedSinceEpoch, 1);
  t.same(secretsOf(mesh, 'a'), bare('a'));
});

t.test('nothing is sealed with a key that was replaced meanwhile', async (t) => {
  const mesh = await makeMesh();
  let rounds = 0;
  await transact(mesh.deps, mesh.admin, async (attempt) => {
    rounds += 1;
    const { sealed, keyEpoch } = mesh.sealing.seal(attempt, key('late'), Buffer.from('bare late'));
    const encryption = new shoal.v1.VolumeEncryption({ sealedKey: sealed, keyEpoch, keyId: 'late' });
    volumeTable.insert(attempt.change, new shoal.v1.Volume({ id: 'late', projectId: 'p', encryption }));
    if (rounds === 1) await mesh.rekey();
  });
  t.equal(rounds, 2);
  t.equal(volumeTable.must(mesh.state.local, 'late').record.encryption?.keyEpoch, 1);
  t.equal(hostTable.list(mesh.state.local).length, 1);
});
