import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { fixedCertificates } from '../../../node/mesh/peers/peer-credentials.ts';
import { PeerServer } from '../../../node/mesh/peers/peer-server.ts';
import { openHostStore } from '../../../node/store/host/host-store.ts';
import { put, until } from '../../support/raft/raft-group.ts';
import { newestFile } from '../../support/store/damaged-folder.ts';
import { refusingHandlers, refusingJoin } from '../mesh/peer-fixtures.ts';
import { groupIn, type OfflineMember, shoal, threeFolders } from './offline-folder.ts';

const base = await mkdtemp(join(tmpdir(), 'shoal-recover-'));
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1000);
// Each refusal asks the others for seconds.
t.setTimeout(120_000);
t.teardown(() => clearInterval(alive));
t.teardown(() => rm(base, { recursive: true, force: true }));

/** Ports that answer on behalf of members 2 and 3, when something listens. */
const servers: PeerServer[] = [];
t.teardown(async () => {
  for (const server of servers) await server.stop(50);
});

/** Serves a member's address in the place of its agent. */
async function answerFor(
  member: OfflineMember,
  address: string,
  readIndex: () => Promise<{ readonly index: number }>,
): Promise<PeerServer> {
  const server = new PeerServer(
    { clock: systemClock, logger: silentLogger },
    {
      certificates: fixedCertificates(member.certificates),
      admits: () => true,
      handlers: { ...refusingHandlers, readIndex },
      join: refusingJoin,
    },
  );
  servers.push(server);
  await server.listen(address);
  return server;
}

async function freeAddress(): Promise<string> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

const addresses = [await freeAddress(), await freeAddress(), await freeAddress()] as const;
const members = await threeFolders(base, addresses);
const [one, two, three] = members;
if (one === undefined || two === undefined || three === undefined) throw new Error('three members');
const noLeader = (leaderRaftId: number) => async (): Promise<never> => {
  throw new ShoalError('NOT_LEADER', 'not me', { facts: { leaderRaftId } });
};

const group = groupIn(base);
await group.startVoters(3);
for (let n = 0; n < 30; n += 1) await group.leader().state.commit(put(`k${n}`));
await group.member(1).state.fresh();
await group.stopAll();

await t.test('a quorum that can be reached, or formed, is never overruled', async (t) => {
  const cases = [
    { name: 'a leader that commits', answer: async () => ({ index: 9 }), says: /the mesh has a quorum/ },
    { name: 'a follower of another', answer: noLeader(3), says: /the mesh has a quorum/ },
    { name: 'a voter without a leader', answer: noLeader(0), says: /enough voters are there/ },
  ];
  for (const { name, answer, says } of cases) {
    const server = await answerFor(two, addresses[1], answer);
    const { status, stderr } = await shoal('recover', '--data-dir', one.dataDir, '--yes', '--force', '--wait', '3');
    t.equal(status, 1, name);
    t.match(stderr, says, name);
    await server.stop(50);
  }
});

await t.test('a stranger at the address of a voter is not taken for it; without --yes nothing changes', async (t) => {
  const stranger = await answerFor(three, addresses[1], async () => ({ index: 9 }));
  const { status, stdout, stderr } = await shoal('recover', '--data-dir', one.dataDir, '--wait', '3');
  await stranger.stop(50);
  t.equal(status, 1);
  t.match(stdout, /host2: stranger/);
  t.match(stdout, /host3: silent/);
  t.match(stdout, /this log ends at entry \d+ of term \d+/);
  t.match(stdout, /what may be lost/);
  t.match(stderr, /nothing was changed; say --yes/);
  const inspected = await shoal('inspect', '--data-dir', one.dataDir, '--json');
  t.same(JSON.parse(inspected.stdout).log.applied.confState.voters, [1, 2, 3]);
});

await t.test('two of three are lost for good: the last one goes on alone with everything it had', async (t) => {
  await rm(join(base, '2'), { recursive: true });
  await rm(join(base, '3'), { recursive: true });
  const { status, stdout, stderr } = await shoal('recover', '--data-dir', one.dataDir, '--yes', '--wait', '3');
  t.equal(stderr, '');
  t.equal(status, 0);
  t.match(stdout, /done: member 1 is the only voter/);
  const inspected = await shoal('inspect', '--data-dir', one.dataDir, '--json');
  t.match(JSON.parse(inspected.stdout).log, { faultCount: 0, applied: { confState: { voters: [1] } } });

  const after = groupIn(base);
  t.teardown(() => after.stopAll());
  const alone = await after.start(1);
  await until(() => alone.loop.isLeader, 'it leads alone');
  const reader = await alone.state.fresh();
  for (let n = 0; n < 30; n += 1) t.ok(reader.get(`k${n}`), `k${n} is there`);
  await alone.state.commit(put('new'));
  await after.add(4);
  t.ok((await after.member(4).state.fresh()).get('new'), 'a newcomer has it all');
  t.same(after.fatal, []);
  await after.stopAll();
});

await t.test('there is nothing to recover where one member votes alone, or where there is no mesh', async (t) => {
  const group = groupIn(join(base, 'alone'));
  const [member] = await threeFolders(join(base, 'alone'), ['127.0.0.1:1']);
  if (member === undefined) throw new Error('a member');
  const { loop } = await group.start(1, true);
  await loop.stop();
  const only = await shoal('recover', '--data-dir', member.dataDir, '--yes');
  t.equal(only.status, 1);
  t.match(only.stderr, /the only voter already/);
  const none = await shoal('recover', '--data-dir', join(base, 'nowhere'), '--yes');
  t.equal(none.status, 1);
  t.match(none.stderr, /belongs to no mesh/);
  const hasty = await shoal('recover', '--data-dir', join(base, 'nowhere'), '--wait', '1');
  t.equal(hasty.status, 2);
});

await t.test(
  'B1: a damaged log of the only voter is refused, and goes on with what is left when told to',
  async (t) => {
    const folder = join(base, 'damaged');
    const [member] = await threeFolders(folder, ['127.0.0.1:1']);
    if (member === undefined) throw new Error('a member');
    const group = groupIn(folder);
    const { loop, state } = await group.start(1, true);
    for (let n = 0; n < 40; n += 1) await state.commit(put(`k${n}`, Buffer.alloc(4_000, n)));
    await loop.stop();
    const database = join(member.dataDir, 'log', 'db');
    const file = join(database, (await newestFile(database, '.log')) ?? '');
    const bytes = await readFile(file);
    const at = bytes.indexOf(Buffer.alloc(64, 20));
    bytes[at + 10] = 0xff;
    await writeFile(file, bytes);

    const inspected = await shoal('inspect', '--data-dir', member.dataDir);
    t.equal(inspected.status, 1);
    t.match(inspected.stdout, /FAULT +\d+\.log: what lies from byte \d+ on is damaged/);
    for (let n = 0; n < 2; n += 1) {
      await t.rejects(groupIn(folder).start(1), { code: 'LOG_CORRUPT', message: /shoal recover --force --yes/ });
    }
    const after = await shoal('inspect', '--data-dir', member.dataDir);
    t.equal(after.stdout, inspected.stdout, 'a start that refused changed nothing, and both agree');
    t.same(await readFile(file), bytes);

    const unforced = await shoal('recover', '--data-dir', member.dataDir, '--yes');
    t.equal(unforced.status, 1);
    t.match(unforced.stderr, /no other member has it/);
    const forced = await shoal('recover', '--data-dir', member.dataDir, '--yes', '--force');
    t.equal(forced.status, 0, forced.stderr);
    const whole = await shoal('inspect', '--data-dir', member.dataDir);
    t.match(whole.stdout, /set aside +db\.unreadable-1/);
    t.equal(whole.status, 0, whole.stdout);
    const again = groupIn(folder);
    t.teardown(() => again.stopAll());
    const alone = await again.start(1);
    await until(() => alone.loop.isLeader, 'it leads');
    const reader = await alone.state.fresh();
    const left = Array.from({ length: 40 }, (_, n) => n).filter((n) => reader.get(`k${n}`) !== undefined);
    t.ok(left.length > 10, `${left.length} of 40 records are left`);
    await alone.state.commit(put('new'));
  },
);

await t.test('damaged notes of a host are recovered on their own', async (t) => {
  const [member] = await threeFolders(join(base, 'notes'), ['127.0.0.1:1']);
  if (member === undefined) throw new Error('a member');
  const folder = join(member.dataDir, 'host');
  const store = await openHostStore(folder, (error) => void t.fail(String(error)));
  await store.write([{ key: 'off/a', value: { ask: 'x' } }]);
  await store.close();
  const none = await shoal('recover', '--data-dir', member.dataDir, '--notes', '--yes');
  t.match(none.stderr, /are whole; there is nothing to recover/);
  await rm(join(folder, 'CURRENT'));
  const unconfirmed = await shoal('recover', '--data-dir', member.dataDir, '--notes');
  t.match(unconfirmed.stderr, /CURRENT: it is missing/);
  t.match(unconfirmed.stderr, /nothing was changed/);
  const done = await shoal('recover', '--data-dir', member.dataDir, '--notes', '--yes');
  t.equal(done.status, 0, done.stderr);
  t.match(done.stdout, /admits no new servers for its first two minutes/);
  const again = await openHostStore(folder, (error) => void t.fail(String(error)));
  t.same(again.get('off/a'), { ask: 'x' });
  await again.close();
});
