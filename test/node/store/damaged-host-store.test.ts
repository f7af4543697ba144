/** The table of node/store/README.md for the host's own store, which nobody else has: damage is refused, and the way on. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { ClaimBook } from '../../../node/host/claims/claim-book.ts';
import { type HostStore, openHostStore } from '../../../node/store/host/host-store.ts';
import { salvageHostStore } from '../../../node/store/host/salvage-host-store.ts';
import { damageFile, damages, flipBit, type LevelFile, levelFiles } from '../../support/store/damaged-folder.ts';

t.setTimeout(180_000);
/** Places at which a bit is inverted, spread over the file. */
const flipCount = 50;
const harmless: ReadonlySet<LevelFile> = new Set(['LOG', 'LOCK']);
const base = await mkdtemp(join(tmpdir(), 'shoal-damaged-host-'));
t.teardown(() => rm(base, { recursive: true, force: true }));
const failed = (error: unknown): void => void t.fail(String(error));

let cases = 0;

async function write(folder: string, from: number, count: number): Promise<void> {
  const store = await openHostStore(folder, failed);
  for (let n = from; n < from + count; n += 1) {
    await store.write([
      { key: `claim/${n}/1`, value: { n, text: `${folder.length}`.repeat(500) } },
      { key: 'claims-followed', value: n },
      { key: `off/${n - 5}`, value: n % 2 === 0 ? { ask: String(n) } : undefined },
    ]);
  }
  await store.close();
}

const [folder, yesterday, another] = ['today', 'yesterday', 'another'].map((name) => join(base, name, 'host'));
if (!folder || !yesterday || !another) throw new Error('three folders');
for (const name of ['today', 'another']) await mkdir(join(base, name));
await write(folder, 0, 20);
await write(folder, 20, 20);
await cp(join(base, 'today'), join(base, 'yesterday'), { recursive: true });
await write(folder, 40, 60);
await write(another, 0, 30);
await write(another, 30, 30);
const content = await contentOf(join(await copyOf(), 'host'));

async function copyOf(): Promise<string> {
  cases += 1;
  const copy = join(base, `case-${cases}`);
  await cp(join(base, 'today'), copy, { recursive: true });
  return copy;
}

async function contentOf(of: string): Promise<string> {
  const store = await openHostStore(of, failed);
  const text = JSON.stringify(store.entries(''));
  await store.close();
  return text;
}

async function bytesOf(of: string): Promise<string> {
  const names = (await readdir(of)).filter((name) => name !== 'LOCK' && !name.startsWith('LOG')).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(of, name))));
  return names.map((name, at) => `${name} ${contents[at]?.toString('base64')}`).join('\n');
}

async function outcomeOf(of: string): Promise<string> {
  const before = await bytesOf(of).catch(() => '');
  try {
    return (await contentOf(of)) === content ? 'whole' : 'HEALTH WITH NOTES MISSING';
  } catch (caught) {
    if (!ShoalError.is(caught, 'LOG_CORRUPT')) throw caught;
    if ((await bytesOf(of).catch(() => '')) !== before) return 'refused, and changed';
    return /shoal recover --notes/.test(caught.message) ? 'refused' : 'refused without a way on';
  }
}

for (const file of levelFiles) {
  await t.test(file, async (t) => {
    const right = harmless.has(file) ? 'whole' : 'refused';
    for (const damage of damages) {
      if (damage === 'flipped') {
        const places = harmless.has(file) ? 3 : flipCount;
        let found = 0;
        for (let n = 0; n < places; n += 1) {
          const copy = await copyOf();
          const at = await flipBit(join(copy, 'host'), file, (n + 0.5) / places);
          if (at === undefined) break;
          const outcome = await outcomeOf(join(copy, 'host'));
          if (outcome === 'refused') found += 1;
          // The end of a table has room that means nothing.
          const isRight = outcome === right || (file === '.ldb' && outcome === 'whole');
          if (!isRight) t.fail(`a bit of byte ${at}: ${outcome}`);
          await rm(copy, { recursive: true });
        }
        if (right === 'refused') t.ok(found > places * 0.9, `${found} of ${places} bits are found`);
        continue;
      }
      const copy = await copyOf();
      const isOther = await damageFile(join(copy, 'host'), file, damage, { yesterday, another });
      const outcome = await outcomeOf(join(copy, 'host'));
      t.equal(outcome, isOther ? right : 'whole', damage);
      await rm(copy, { recursive: true });
    }
  });
}

await t.test('the whole store: missing, from yesterday, of another host', async (t) => {
  for (const [what, source] of [
    ['missing', undefined],
    ['yesterday', yesterday],
    ['another', another],
  ] as const) {
    const copy = await copyOf();
    await rm(join(copy, 'host'), { recursive: true });
    if (source !== undefined) await cp(source, join(copy, 'host'), { recursive: true });
    t.equal(await outcomeOf(join(copy, 'host')), 'refused', what);
    await rm(copy, { recursive: true });
  }
});

await t.test('a store of before there were checksums is taken as it is, once', async (t) => {
  const old = join(base, 'old');
  const level = new Level<string, string>(old, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  await level.put('claim/a/1', JSON.stringify({ n: 1 }), { sync: true });
  await level.close();
  for (let n = 0; n < 2; n += 1) t.equal(await contentOf(old), JSON.stringify([['claim/a/1', { n: 1 }]]));
  await rm(old, { recursive: true });
  await t.rejects(openHostStore(old, failed), { code: 'LOG_CORRUPT' }, 'from then on it is missed');
});

await t.test('salvage keeps the rows that are whole, and no claim is admitted for two minutes', async (t) => {
  const copy = join(await copyOf(), 'host');
  await flipBit(copy, '.ldb', 0.5);
  t.equal(await outcomeOf(copy), 'refused');
  const salvaged = await salvageHostStore(copy);
  t.ok(salvaged.kept.length > 20, `${salvaged.kept.length} notes are kept`);
  t.ok((await readdir(join(copy, '..'))).includes('host.unreadable-1'), 'the damaged store is kept');
  const store: HostStore = await openHostStore(copy, failed);
  const kept = new Map(JSON.parse(content) as [string, unknown][]);
  for (const [key, value] of store.entries('claim/')) t.same(value, kept.get(key), key);
  await store.close();

  await rm(copy, { recursive: true });
  await salvageHostStore(copy);
  const fresh = await openHostStore(copy, failed);
  t.same(fresh.entries('claim/'), [], 'of a store that is gone nothing is kept');
  const pool = { total: 100, reserved: 0, allocationRatio: 1 };
  let monotonicMs = 1_000;
  const book = new ClaimBook(
    {
      store: fresh,
      clock: { ...systemClock, nowMs: () => 1e12, monotonicMs: () => monotonicMs },
      onChange: () => {},
      isApart: () => false,
    },
    { vcpus: pool, memoryMib: pool, diskGib: pool, pciPools: [], numaCells: [] },
  );
  const needs = { vcpus: 1, memoryMib: 1, diskGib: 1, pci: [] };
  const claim = { serverId: 's1' as ServerId, generation: 1, needs };
  t.match(await book.admit(claim, 1_000), { outcome: 'refused', text: /has lost notes of claims/ });
  monotonicMs += 121_000;
  t.match(await book.admit(claim, 1_000), { outcome: 'admitted' });
  await fresh.close();
});
