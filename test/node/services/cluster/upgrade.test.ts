import { randomUUID } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { featureLevel } from '../../../../node/base/version.ts';
import { CloudBackupService } from '../../../../node/services/cluster/cloud-backups.ts';
import { UpgradeService } from '../../../../node/services/cluster/upgrade.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { tooOldFor } from '../../../../node/state/tables/feature-level.ts';
import { hostTable, meshTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { testSealing } from '../test-sealing.ts';

const { signal } = new AbortController();

/** A mesh whose hosts can do these levels; an advert says another one where there is one. */
async function meshOf(
  levels: Readonly<Record<string, number>>,
  options: { readonly inForce?: number; readonly adverts?: Readonly<Record<string, number>> } = {},
) {
  const state = new MemoryStateClient();
  const builder = new TransactionBuilder();
  meshTable.insert(builder, new shoal.v1.Mesh({ id: 'mesh', meshId: 'm-1', featureLevel: options.inForce ?? 0 }));
  for (const [at, [name, level]] of Object.entries(levels).entries()) {
    const numbers = { raftId: at + 1, transitIndex: at + 1 };
    hostTable.insert(
      builder,
      new shoal.v1.Host({ id: `id-${name}`, name, version: `0.${level}.0`, featureLevel: level, ...numbers }),
    );
  }
  await state.commit(builder.build());
  const deps = { state, clock: systemClock, logger: silentLogger, newId: randomUUID };
  const views = {
    adverts: () =>
      Object.entries(options.adverts ?? {}).map(
        ([name, level]) =>
          new shoal.v1.Advert({ hostId: `id-${name}`, agentVersion: `0.${level}.1`, featureLevel: level }),
      ),
    condition: () => 'alive' as const,
  };
  return { state, deps, upgrade: (own: number) => new UpgradeService(deps, views, own) };
}

t.test('a level is put in force once all members can do it, and never taken back', async (t) => {
  const { state, upgrade } = await meshOf({ alpha: 3, beta: 3 });
  t.match(upgrade(3).status(state.local), { featureLevel: 1, ownFeatureLevel: 3 });
  t.equal(await upgrade(3).finalize({ signal }), 3);
  t.equal(upgrade(3).status(state.local).featureLevel, 3);
  const { revision } = state.local;
  t.equal(await upgrade(3).finalize({ signal }), 3, 'again it changes nothing');
  t.equal(await upgrade(2).finalize({ signal }), 3, 'nor does an older agent');
  t.equal(state.local.revision, revision);
});

t.test('a member of an older release stands in the way, by its record and by what it says of itself', async (t) => {
  const byRecord = await meshOf({ alpha: 3, beta: 2, gamma: 0 });
  await t.rejects(byRecord.upgrade(3).finalize({ signal }), {
    code: 'CONFLICT',
    message: /beta \(0\.2\.0, level 2\), gamma \(0\.0\.0, level 1\) cannot do it/,
  });
  const goneBack = await meshOf({ alpha: 3, beta: 3 }, { adverts: { alpha: 3, beta: 2 } });
  await t.rejects(goneBack.upgrade(3).finalize({ signal }), { message: /beta \(0\.2\.1, level 2\) cannot do it/ });
  const { members } = goneBack.upgrade(3).status(goneBack.state.local);
  t.same(
    members?.map((one) => [one.hostName, one.featureLevel, one.version]),
    [
      ['alpha', 3, '0.3.1'],
      ['beta', 2, '0.2.1'],
    ],
  );
  t.equal(goneBack.upgrade(3).status(goneBack.state.local).featureLevel, 1, 'nothing was changed');
});

t.test('a host that joins meanwhile makes the decision again', async (t) => {
  const { state, upgrade } = await meshOf({ alpha: 3 });
  const commit = state.commit.bind(state);
  let isFirst = true;
  state.commit = async (...call) => {
    if (isFirst) {
      isFirst = false;
      const row = meshTable.must(state.local, 'mesh');
      const builder = new TransactionBuilder();
      meshTable.update(builder, row, new shoal.v1.Mesh({ ...row.record, joins: 1 }));
      const old = { id: 'id-late', name: 'late', raftId: 9, transitIndex: 9, version: '0.1.0' };
      hostTable.insert(builder, new shoal.v1.Host(old));
      await commit(builder.build());
    }
    return commit(...call);
  };
  await t.rejects(upgrade(3).finalize({ signal }), { message: /late \(0\.1\.0, level 1\)/ });
  t.equal(upgrade(3).status(state.local).featureLevel, 1);
});

t.test('an agent that cannot do what is in force says so; what needs a level waits for it', async (t) => {
  t.equal(tooOldFor(2, 2), undefined);
  t.equal(tooOldFor(1, 2), undefined);
  t.match(tooOldFor(3, 2), { code: 'CONFIG_INVALID', message: /can do feature level 2, .* finalised for 3/ });
  const { state, deps, upgrade } = await meshOf({ alpha: featureLevel });
  const backups = new CloudBackupService({ ...deps, sealing: testSealing });
  const wanted = new shoal.v1.SetCloudBackupsRequest({
    store: 'file:///backups',
    keep: 3,
    key: new Uint8Array(32),
    origin: { kind: 'key-file', salt: new Uint8Array(32) },
  });
  await t.rejects(backups.set(wanted, { signal }), { code: 'CONFLICT', message: /shoal upgrade finalize/ });
  await upgrade(featureLevel).finalize({ signal });
  await backups.set(wanted, { signal });
  t.match(backups.settings(state.local), { store: 'file:///backups', keep: 3 });
  t.equal(backups.settings(state.local)?.sealedKey.length, 0, 'the key is not shown');
  const set = (more: Partial<shoal.v1.SetCloudBackupsRequest>) =>
    backups.set(new shoal.v1.SetCloudBackupsRequest({ ...wanted, ...more }), { signal });
  for (const wrong of [
    { store: 'ftp://host/' },
    { store: 'file://relative' },
    { store: 's3://' },
    { everyHours: 8_761 },
    { keep: 10_001 },
    { key: new Uint8Array(31) },
    { origin: new shoal.v1.CloudBackupKeyOrigin({ kind: 'passphrase', salt: new Uint8Array(32), log2Cost: 40 }) },
  ])
    await t.rejects(set(wrong), { code: 'INVALID_ARGUMENT' }, JSON.stringify(wrong));
  await set({ everyHours: 5, origin: null });
  t.match(backups.settings(state.local), { everyHours: 5, origin: { kind: 'key-file' } }, 'the key stays');
  const asked = await backups.ask({ signal });
  t.equal(backups.settings(state.local)?.asked, asked);
  await set({ store: '' });
  await t.rejects(backups.ask({ signal }), { code: 'CONFLICT' });
});
