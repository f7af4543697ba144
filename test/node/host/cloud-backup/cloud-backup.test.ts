import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { FolderBackupStore } from '../../../../drivers/backup/folder-store.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import {
  expireCloudBackups,
  findCloudBackup,
  listCloudBackups,
  verifyCloudBackup,
} from '../../../../node/host/cloud-backup/catalog.ts';
import { backupKey, newKeyOrigin } from '../../../../node/host/cloud-backup/key.ts';
import { newBackupId } from '../../../../node/host/cloud-backup/objects.ts';
import { openCloudBackup, readManifest } from '../../../../node/host/cloud-backup/read.ts';
import { writeCloudBackup } from '../../../../node/host/cloud-backup/write.ts';
import { isDue } from '../../../../node/host/tasks/back-up-cloud.ts';
import { StateMachine } from '../../../../node/state/state-machine.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { meshTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';

const { signal } = new AbortController();
const meshId = 'mesh-1';
const nowMs = Date.UTC(2026, 10, 30, 19, 9, 12);
const origin = newKeyOrigin('key-file');
const key = randomBytes(32);
const meshKeys = [{ epoch: 0, key: randomBytes(32) }];

/** A state with a mesh, and with so many further keys of a KiB of noise. */
function stateOf(keys: number): StateMachine {
  const machine = new StateMachine();
  const builder = new TransactionBuilder();
  meshTable.insert(builder, new shoal.v1.Mesh({ id: 'mesh', meshId, name: 'test', featureLevel: 2 }));
  builder.add('c/quota', 7, { min: 0, max: 9 });
  machine.apply(5, { clientToken: 'a-token', tokenSinceRevision: 1, transaction: builder.build() });
  for (let n = 0; n < keys; n += 1) {
    const thenOps = [{ kind: 'put' as const, key: `k/${n}`, value: randomBytes(1024) }];
    machine.apply(6 + n, { clientToken: '', transaction: { compares: [], thenOps, elseOps: [] } });
  }
  return machine;
}

async function folderStore(t: Test): Promise<{ readonly store: FolderBackupStore; readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'shoal-cloud-backup-'));
  t.teardown(() => rm(root, { recursive: true }));
  return { store: new FolderBackupStore(root), root };
}

/** Writes one of that time; returns its name. */
async function written(store: FolderBackupStore, machine: StateMachine, atMs = nowMs) {
  const backupId = newBackupId(atMs, randomBytes(4).toString('hex'));
  const content = { backupId, view: machine.view(), meshKeys, origin, key, nowMs: atMs, version: '0.1.0' };
  const made = await writeCloudBackup(store, content, signal);
  return { meshId, backupId: made.backupId };
}

t.test('all of a state comes back: keys with their revisions, counters, tokens, and the mesh keys', async (t) => {
  const { store } = await folderStore(t);
  // Of three chunks: what is noise does not get smaller.
  const machine = stateOf(9_000);
  const name = await written(store, machine);
  // What is changed afterwards is not in it.
  const { view: _view, ...rest } = { view: machine.view(), revision: machine.revision };
  machine.skip(machine.revision + 1);
  const shown = await readManifest(store, name, signal);
  t.equal(shown.manifest.objectSha256.length, 3);
  t.equal(shown.manifest.revision, rest.revision);
  const opened = await openCloudBackup(store, name, shown, key, signal);
  t.same(opened.machine.digest, machine.digest, 'the rows are the same');
  t.equal(opened.machine.revision, rest.revision);
  t.equal(opened.machine.counter('c/quota'), 7);
  t.ok(opened.machine.outcomeOf('a-token'), 'a write is still told from its repeat');
  t.same([...opened.meshKeys], [[0, new Uint8Array(meshKeys[0]?.key ?? [])]]);
  const told = await verifyCloudBackup(store, name, key, signal);
  t.match(told, { backupId: name.backupId, revision: rest.revision, keys: machine.keyCount });
});

t.test('nothing in the store shows what is in it', async (t) => {
  const { store, root } = await folderStore(t);
  const machine = stateOf(1);
  const value = Buffer.from('a name that stands in the state, and a second time: a name that stands in the state');
  machine.apply(100, {
    clientToken: '',
    transaction: { compares: [], thenOps: [{ kind: 'put', key: 'k/plain', value }], elseOps: [] },
  });
  await written(store, machine);
  for (const path of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const bytes = await readFile(join(path.parentPath, path.name));
    t.notOk(bytes.includes('stands in the state'), path.name);
    t.notOk(bytes.includes(key), 'nor its key');
  }
});

t.test('any byte that is another, any file that is cut, and any file that is missing is found', async (t) => {
  const { store, root } = await folderStore(t);
  const name = await written(store, stateOf(40));
  const folder = join(root, 'cloud', meshId, name.backupId);
  const files = await readdir(folder);
  t.same(files.sort(), ['00000000', 'manifest']);
  const verify = () => verifyCloudBackup(store, name, key, signal);
  const damages: readonly ((bytes: Buffer, at: number) => Buffer)[] = [
    (bytes, at) => {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
      return other;
    },
    (bytes, at) => bytes.subarray(0, at),
    (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.from([0]), bytes.subarray(at)]),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), fc.nat(), fc.nat(2), async (file, place, kind) => {
      const path = join(folder, file);
      const whole = await readFile(path);
      const damaged = damages[kind]?.(whole, place % whole.length) ?? whole;
      await writeFile(path, damaged);
      const error = await verify().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      await writeFile(path, whole);
      return ShoalError.is(error, 'IDENTITY_MISMATCH', 'LOG_CORRUPT', 'INVALID_ARGUMENT', 'TOO_LARGE');
    }),
    { numRuns: 300 },
  );
  await verify();
  await rm(join(folder, '00000000'));
  await t.rejects(verify(), { code: 'NOT_FOUND' });
});

t.test('another key opens nothing, nor does a part of another backup', async (t) => {
  const { store, root } = await folderStore(t);
  const machine = stateOf(3);
  const first = await written(store, machine);
  const second = await written(store, machine, nowMs + 1_000);
  await t.rejects(verifyCloudBackup(store, first, randomBytes(32), signal), {
    code: 'IDENTITY_MISMATCH',
    message: /the passphrase or key file is another one/,
  });
  const place = (name: typeof first, file: string) => join(root, 'cloud', meshId, name.backupId, file);
  await writeFile(place(first, 'manifest'), await readFile(place(second, 'manifest')));
  await t.rejects(verifyCloudBackup(store, first, key, signal), { message: /its manifest is of another backup/ });
  await writeFile(place(second, '00000000'), await readFile(place(first, '00000000')));
  await t.rejects(verifyCloudBackup(store, second, key, signal), { message: /its part 0 is another/ });
});

t.test('a key follows from what the operator knows, and from nothing else', async (t) => {
  const passphrase = (text: string) => ({ kind: 'passphrase' as const, bytes: Buffer.from(text) });
  // The production cost takes half a second each.
  const cheap = new shoal.v1.CloudBackupKeyOrigin({ ...newKeyOrigin('passphrase'), log2Cost: 10 });
  const one = await backupKey(passphrase('correct horse battery'), cheap);
  t.equal(one.length, 32);
  t.same(await backupKey(passphrase('correct horse battery'), cheap), one);
  t.notSame(await backupKey(passphrase('correct horse battery '), cheap), one);
  t.notSame(
    await backupKey(passphrase('correct horse battery'), { ...cheap, salt: newKeyOrigin('passphrase').salt }),
    one,
    'with another salt it is another',
  );
  t.equal((await backupKey(passphrase('correct horse battery'), newKeyOrigin('passphrase'))).length, 32);
  const file = { kind: 'key-file' as const, bytes: randomBytes(32) };
  t.same(await backupKey(file, origin), await backupKey(file, origin));
  await t.rejects(backupKey(passphrase('short'), cheap), { code: 'INVALID_ARGUMENT' });
  await t.rejects(backupKey({ ...file, bytes: randomBytes(31) }, origin), { code: 'INVALID_ARGUMENT' });
  await t.rejects(backupKey(file, cheap), { message: /follows from a passphrase/ });
  for (const wrong of [
    { log2Cost: 30 },
    { log2Cost: 1 },
    { blockSize: 4_096 },
    { parallelism: 0 },
    { salt: new Uint8Array(3) },
    { kind: 'guess' },
  ])
    await t.rejects(
      backupKey(passphrase('correct horse battery'), { ...cheap, ...wrong }),
      { code: 'INVALID_ARGUMENT' },
      JSON.stringify(wrong),
    );
});

t.test('the newest stay, what was never finished goes after a day, and other meshes are left alone', async (t) => {
  const { store } = await folderStore(t);
  const machine = stateOf(1);
  const hourMs = 3_600_000;
  const names = [];
  for (let hour = 0; hour < 5; hour += 1) names.push(await written(store, machine, nowMs + hour * hourMs));
  const unfinished = `cloud/${meshId}/${newBackupId(nowMs, '00000000')}/00000000`;
  const others = `cloud/mesh-2/${newBackupId(nowMs, '00000000')}/00000000`;
  for (const path of [unfinished, others]) await store.put(path, randomBytes(8), signal);
  const expire = (keep: number, atMs: number) => expireCloudBackups(store, { meshId, keep, nowMs: atMs }, signal);
  t.equal(await expire(2, nowMs + 5 * hourMs), 3);
  const left = async () => (await listCloudBackups(store, meshId, signal)).map((view) => view.backupId);
  t.same(await left(), [names[4]?.backupId, names[3]?.backupId], 'the newest first');
  t.ok(await store.has(unfinished, signal), 'it may be under way');
  await expire(2, nowMs + 25 * hourMs);
  t.notOk(await store.has(unfinished, signal));
  t.ok(await store.has(others, signal));
  await expire(0, nowMs);
  t.same(await left(), [names[4]?.backupId], 'the last one never goes');
  t.same(await findCloudBackup(store, { backupId: '' }, signal), names[4]);
  await t.rejects(findCloudBackup(store, { backupId: names[0]?.backupId ?? '' }, signal), { code: 'NOT_FOUND' });
});

t.test('a list names what is damaged, and shows the rest', async (t) => {
  const { store, root } = await folderStore(t);
  const machine = stateOf(1);
  const first = await written(store, machine);
  const second = await written(store, machine, nowMs + 1_000);
  await writeFile(join(root, 'cloud', meshId, first.backupId, 'manifest'), 'no manifest');
  const [newer, older] = await listCloudBackups(store, undefined, signal);
  t.match(newer, { backupId: second.backupId, fault: '', revision: machine.revision, meshName: 'test' });
  t.match(older, { backupId: first.backupId, fault: /is damaged/, createdMs: nowMs });
});

t.test('when a backup is due', async (t) => {
  const hourMs = 3_600_000;
  const settings = (told: Partial<shoal.v1.CloudBackups>) =>
    new shoal.v1.CloudBackups({ store: 'file:///backups', beganMs: nowMs, ...told });
  t.notOk(isDue(settings({}), nowMs + 1e12), 'no schedule');
  t.ok(isDue(settings({ asked: 'one' }), nowMs), 'one is asked for');
  t.notOk(isDue(settings({ asked: 'one', answered: 'one' }), nowMs));
  t.notOk(isDue(settings({ asked: 'one', store: '' }), nowMs), 'nobody says where to');
  t.notOk(isDue(settings({ everyHours: 2 }), nowMs + 2 * hourMs - 1));
  t.ok(isDue(settings({ everyHours: 2 }), nowMs + 2 * hourMs));
  t.ok(isDue(settings({ everyHours: 2, failure: 'no room' }), nowMs + hourMs), 'one that failed is tried again');
  t.notOk(isDue(settings({ everyHours: 2, failure: 'no room' }), nowMs + 1_000), 'but not at once');
  t.ok(isDue(settings({ everyHours: 2 }), nowMs - 2 * hourMs), 'a clock that was set back stops nothing');
});
