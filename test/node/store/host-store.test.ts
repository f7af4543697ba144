import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openHostStore } from '../../../node/store/host/host-store.ts';

t.test('what was written is there after a restart, and what was removed is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-host-store-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const failed = (error: unknown): void => void t.fail(String(error));
  const first = await openHostStore(folder, failed);
  await first.write([
    { key: 'claim/a', value: { n: 1 } },
    { key: 'claim/b', value: 2 },
    { key: 'off/a', value: 3 },
  ]);
  await first.write([{ key: 'claim/b', value: undefined }]);
  await first.close();
  const second = await openHostStore(folder, failed);
  t.same(second.entries('claim/'), [['claim/a', { n: 1 }]]);
  t.equal(second.get('off/a'), 3);
  await second.close();
});

t.test('a write that fails ends the store, and its owner is told once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-host-store-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const told: unknown[] = [];
  const store = await openHostStore(folder, (error) => told.push(error));
  // JSON has no such numbers: the batch cannot be made.
  const bad = store.write([{ key: 'a', value: 1n }]);
  const behind = store.write([{ key: 'b', value: 1 }]);
  await t.rejects(bad, { code: 'STORE_FAILED' });
  await t.rejects(behind, { code: 'STORE_FAILED' });
  await t.rejects(store.write([{ key: 'c', value: 1 }]), { code: 'STORE_FAILED' });
  t.match(told, [{ code: 'STORE_FAILED' }]);
  t.equal(told.length, 1);
  t.same(store.entries(''), [], 'nothing of it is believed');
  await store.close();
});
