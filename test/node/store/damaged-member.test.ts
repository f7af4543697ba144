/** Three members in one process, on real LevelDB: one comes back with a damaged log, is repaired from the others, and has all. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { put, RaftGroup, until } from '../../support/raft/raft-group.ts';
import { damageFile, newestFile } from '../../support/store/damaged-folder.ts';

t.setTimeout(180_000);
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));
const base = await mkdtemp(join(tmpdir(), 'shoal-member-'));
t.teardown(() => rm(base, { recursive: true, force: true }));

const group = new RaftGroup((raftId, bootstrap) =>
  openLevelLogStore({ folder: join(base, String(raftId)), raftId, bootstrap }),
);
t.teardown(() => group.stopAll());
await group.startVoters(3);
const yesterday = join(base, 'yesterday');
const keys: string[] = [];

/** Records of 20 kB, acknowledged. */
async function write(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const key = `flavor-${keys.length}`;
    await (await group.waitLeader()).state.commit(put(key, Buffer.alloc(20_000, key)));
    keys.push(key);
  }
}

/** Inverts a byte in the middle of the value of `key`, where it lies in the member's write-ahead file. */
async function flipInValue(database: string, key: string): Promise<void> {
  const name = await newestFile(database, '.log');
  if (name === undefined) throw new Error('no write-ahead file');
  const bytes = await readFile(join(database, name));
  const at = bytes.indexOf(Buffer.alloc(64, key));
  if (at === -1) throw new Error(`no value of ${key} in ${name}`);
  bytes[at + 10] = (bytes[at + 10] ?? 0) ^ 0xff;
  await writeFile(join(database, name), bytes);
}

async function comesBackWhole(t: Test, what: string, damage: (database: string) => Promise<unknown>): Promise<void> {
  await write(3);
  await (await group.waitLeader()).state.commit(put('everybody-is-here'));
  await group.member(3).state.fresh();
  await group.kill(3);
  await damage(join(base, '3', 'db'));
  await write(3);
  const member = await group.start(3);
  t.not(member.loop.quarantine, undefined, `${what}: it does not vote`);
  await until(() => member.loop.quarantine === undefined, `${what}: repaired`, 30_000);
  await write(1);
  const reader = await member.state.fresh();
  const missing = keys.filter((key) => reader.get(key)?.value.length !== 20_000);
  t.same(missing, [], `${what}: it has all ${keys.length} records`);
  t.same(group.fatal, [], what);
}

await t.test('B1, B2: whatever is damaged, the member is repaired and lacks nothing', async (t) => {
  await write(10);
  await group.kill(3);
  await cp(join(base, '3', 'db'), yesterday, { recursive: true });
  await group.start(3);
  const others = { yesterday, another: join(base, '2', 'db') };
  await comesBackWhole(t, 'one byte of the write-ahead file', (database) => flipInValue(database, keys.at(-2) ?? ''));
  await comesBackWhole(t, 'CURRENT missing', (database) => damageFile(database, 'CURRENT', 'missing', others));
  await comesBackWhole(t, 'the write-ahead file cut', (database) => damageFile(database, '.log', 'cut', others));
  await comesBackWhole(t, 'the write-ahead file missing', (database) =>
    damageFile(database, '.log', 'missing', others),
  );
  await comesBackWhole(t, "yesterday's database", async (database) => {
    await rm(database, { recursive: true });
    await cp(yesterday, database, { recursive: true });
  });
});
