import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { userTable } from '../../../node/state/tables/index.ts';
import { shoal as proto } from '../../../proto/messages.ts';
import { put } from '../../support/raft/raft-group.ts';
import { groupIn, shoal, threeFolders } from './offline-folder.ts';

const base = await mkdtemp(join(tmpdir(), 'shoal-inspect-'));
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));
t.teardown(() => rm(base, { recursive: true, force: true }));

const [member] = await threeFolders(base, ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3']);
if (member === undefined) throw new Error('a member');
const { dataDir } = member;

/** Names, sizes and times of everything in a folder. */
async function fingerprint(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  const lines = names.map(async (name) => {
    const { size, mtimeMs, ctimeMs, ino } = await stat(join(folder, name));
    return `${name} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  });
  return (await Promise.all(lines)).sort();
}

await t.test('a folder without a log is said to have none', async (t) => {
  const { status, stderr } = await shoal('inspect', '--data-dir', join(base, '2'));
  t.equal(status, 1);
  t.match(stderr, /There is no log in/);
});

await t.test('a folder that an agent holds is refused', async (t) => {
  const group = groupIn(base);
  const { state, loop } = await group.start(1, true);
  for (let n = 0; n < 5; n += 1) await state.commit(put(`plain/${n}`));
  const builder = new TransactionBuilder();
  userTable.insert(
    builder,
    new proto.v1.User({ id: 'u1', domainId: 'd', name: 'ada', enabled: true, passwordHash: '$argon2id$not-for-you' }),
  );
  await state.commit(builder.build(), { clientToken: 'a-token' });
  const { status, stderr } = await shoal('inspect', '--data-dir', dataDir);
  t.equal(status, 1);
  t.match(stderr, /An agent holds the log/);
  await loop.stop();
});

await t.test('everything is told, secrets are not, and nothing in the folder changes', async (t) => {
  const before = await fingerprint(dataDir);
  const { status, stdout } = await shoal(
    'inspect',
    '--data-dir',
    dataDir,
    '--json',
    '--records',
    't/',
    '--log',
    '1..99',
  );
  t.equal(status, 0);
  t.same(await fingerprint(dataDir), before);
  const report = JSON.parse(stdout);
  t.match(report, {
    membership: { meshId: 'offline', raftId: 1, hosts: [{ name: 'host1' }, { name: 'host2' }, { name: 'host3' }] },
    log: { faultCount: 0, identity: { raftId: 1 }, applied: { confState: { voters: [1] } } },
    tables: { user: 1 },
    other: { keys: 5, tokens: 1, indexEntries: 1 },
    records: [{ key: 't/user/u1', content: { name: 'ada', passwordHash: '(not shown)' } }],
  });
  t.equal(report.log.head.lastIndex, report.log.applied.index);
  t.equal(report.entries.at(-1).index, report.log.head.lastIndex);
  t.match(report.entries[0].does, 'a new leader begins');
  t.match(report.entries[1].does, 'put plain/0');
  t.notMatch(stdout, /argon2id|PRIVATE|BEGIN CERTIFICATE/);
  const { stdout: text } = await shoal('inspect', '--data-dir', dataDir, '--log', '2..3');
  t.match(text, /checksums +all hold/);
  t.match(text, /voters +1 \(host1\)/);
  t.match(text, /^2 {2}term 2/m);
});

await t.test('a wrong range is named', async (t) => {
  for (const range of ['5', '9..2', 'a..b']) {
    const { status, stderr } = await shoal('inspect', '--data-dir', dataDir, '--log', range);
    t.equal(status, 2);
    t.match(stderr, `--log ${range}`);
  }
});

await t.test('damage that LevelDB passes over is told, with exit status 1', async (t) => {
  const database = join(dataDir, 'log', 'db');
  const logs = (await readdir(database)).filter((name) => name.endsWith('.log'));
  t.equal(logs.length, 1);
  const path = join(database, logs[0] ?? '');
  const bytes = await readFile(path);
  // In LevelDB's own log, before it is a table: LevelDB leaves out the batch and what follows, and opens all the same.
  const at = bytes.indexOf('plain/3');
  t.ok(at > 0);
  bytes[at] = 0x50;
  await writeFile(path, bytes);
  const { status, stdout } = await shoal('inspect', '--data-dir', dataDir);
  t.equal(status, 1);
  t.match(stdout, /FAULT +LevelDB left out what is damaged.*dropping/);
});
