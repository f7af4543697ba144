/** A host is lost, as the leader lives it: witnesses, job, fence, and the host that comes back. Storage and hosts are fakes. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { FakeStorage, FakeStorageDriver } from '../../../../drivers/fake/storage.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../../node/base/ids.ts';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { takeoverJob } from '../../../../node/host/jobs/kinds/takeover.ts';
import type { HostVerdict } from '../../../../node/host/plan/host-gone-plan.ts';
import { planServer } from '../../../../node/host/plan/server-plan.ts';
import { HostWitnesses } from '../../../../node/host/takeover/host-witnesses.ts';
import { takeOverLostHosts } from '../../../../node/host/tasks/take-over-lost-hosts.ts';
import { isUnreleased } from '../../../../node/services/kit/server-move.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, jobTable, migrationTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, hostsAct, makeComputeWorld } from '../../services/compute-world.ts';
import { addNetwork } from '../../services/world.ts';

const { JobStatus, ServerStatus } = shoal.v1;
const { signal } = new AbortController();

/** A cloud whose servers run on shared storage, locked by their hosts; the first server's host is the one that is lost. */
async function makeCloud(t: Tap, metadata: readonly Record<string, string>[]) {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const ids: string[] = [];
  for (const [n, own] of metadata.entries()) {
    const draft = {
      ...{ name: `s${n}`, flavorId: '1', imageId: 'image-1', networks: [{ networkId: network.id }], metadata: own },
    };
    ids.push((await world.compute.servers.create(world.alice, draft)).servers[0]?.id ?? '');
  }
  const home = serverTable.must(world.state.local, ids[0] ?? '').record.hostId;
  await transact(world.deps, { signal }, ({ reader, change }) => {
    for (const row of serverTable.list(reader)) {
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd', hostId: home, disks: [] }));
    }
  });
  await hostsAct(world);
  const storage = new FakeStorage();
  const driver = new FakeStorageDriver(storage);
  for (const { record } of serverTable.list(world.state.local)) {
    const spec = { volumeId: record.rootVolumeId as VolumeId, sizeBytes: 1, generation: 1 };
    await driver.ensureDisk(spec, signal);
    await driver.openDisk(spec, home as HostId, signal);
  }
  const pools = new Map([['rbd', driver]]);
  let verdict: HostVerdict = { kind: 'gone' };
  const runner = new JobRunner({
    ...world.deps,
    isOwn: () => true,
    kinds: [
      anyJobKind(
        takeoverJob({
          moves: world.compute.moves,
          witnesses: { verdict: () => verdict },
          storage: pools,
          fresh: (asked) => world.state.fresh(asked),
          clock: systemClock,
        }),
      ),
    ],
  });
  t.teardown(() => runner.stop());
  const witnesses = new HostWitnesses({
    hostViews: { condition: (id) => (id === home ? 'dead' : 'alive') },
    askKernel: async () => 'silent',
    storage: pools,
    clock: systemClock,
  });
  witnesses.verdict = () => verdict;
  const task = takeOverLostHosts({
    hostViews: { condition: (id) => (id === home ? 'dead' : 'alive') },
    witnesses,
    isShared: (pool) => pools.has(pool),
  });
  return {
    ...{ world, ids, storage, driver, runner },
    home: home as HostId,
    read: (id = ids[0] ?? '') => serverTable.must(world.state.local, id).record,
    says: (next: HostVerdict) => {
      verdict = next;
    },
    begin: () => task.run(world.deps, signal),
    job: () => jobTable.list(world.state.local).at(-1)?.record,
  };
}

type Tap = { teardown(what: () => Promise<void>): void };

/** Hosts that are not the lost one do as their records say. */
async function othersAct(world: ComputeWorld, home: string): Promise<void> {
  for (const { record } of serverTable.list(world.state.local)) {
    if (record.hostId === home || record.hostId === '' || isUnreleased(record)) continue;
    await world.reports(record.hostId).power(record, 'running', record.rebootsWanted);
  }
}

async function until(what: string, isSo: () => boolean, step: () => Promise<void>): Promise<void> {
  for (let turn = 0; !isSo(); turn += 1) {
    if (turn > 800) throw new Error(`never: ${what}`);
    await step();
    await delay(10);
  }
}

void t.test('servers come back after the fence, by priority; what nobody asks for stays', async (t) => {
  const cloud = await makeCloud(t, [{ ha: 'restart' }, { ha: 'restart', ha_priority: '90' }, {}]);
  const { world, ids, storage, home, read, job } = cloud;
  world.hostProbe.silent.add(home);
  await cloud.begin();
  await cloud.begin();
  t.equal(jobTable.list(world.state.local).length, 1, 'one job, however often it is looked');
  await cloud.runner.start();
  await until(
    'the end',
    () => (job()?.endedMs ?? 0) > 0,
    () => othersAct(world, home),
  );
  t.match(job(), { status: JobStatus.JOB_STATUS_SUCCEEDED, message: /^2 of its servers are back on other hosts\.$/ });
  const noted = job()?.takeover?.servers ?? [];
  const [first, second] = [noted.find((one) => one.serverId === ids[1]), noted.find((one) => one.serverId === ids[0])];
  t.ok(Number(first?.movedMs) <= Number(second?.movedMs), 'the higher priority first');
  for (const one of noted) {
    t.ok(Number(one.movedMs) <= Number(one.fencedMs) && Number(one.fencedMs) <= Number(one.backMs), 'in this order');
  }
  for (const id of ids.slice(0, 2)) {
    const server = read(id);
    t.not(server.hostId, home);
    t.match(server, {
      generation: 2,
      releasedGeneration: 1,
      previousHostId: home,
      status: ServerStatus.SERVER_STATUS_ACTIVE,
    });
    t.equal(storage.write(server.rootVolumeId as VolumeId, home, 1), false, 'the old guest writes no more');
    t.equal(storage.disks.get(server.rootVolumeId as VolumeId)?.lock, undefined, 'the lock waits for the next host');
    const events = (server.actions.at(-1)?.events ?? []).map(({ event }) => event ?? '');
    t.ok(events.includes('compute_fence_host'), 'its owner sees when the fence was proved');
    t.ok(
      events.indexOf('compute_fence_host') < events.indexOf('compute_rebuild_instance'),
      'and that it started after it',
    );
  }
  t.match(read(ids[2]), { hostId: home, generation: 1 });
  t.match(
    migrationTable.list(world.state.local).map(({ record }) => record.kind),
    ['evacuation', 'evacuation'],
  );
});

void t.test('a fence that is not proved stops it, is named, and is tried until it is proved', async (t) => {
  const cloud = await makeCloud(t, [{ ha: 'restart' }]);
  const { world, storage, home, read, job } = cloud;
  world.hostProbe.silent.add(home);
  storage.canFence = false;
  await cloud.begin();
  await cloud.runner.start();
  await until(
    'the reason',
    () => /waits for the fence: FENCE_UNPROVEN/.test(job()?.message ?? ''),
    () => othersAct(world, home),
  );
  t.match(read(), { generation: 2, releasedGeneration: 0, taskState: 'rebuilding' });
  const memory = { rebootsDone: 0, failed: false, disksFailed: false, unmadeVolumeIds: new Set<string>() };
  const plan = planServer(read(), undefined, memory, read().hostId as HostId, { stopGraceMs: 1 });
  t.equal(plan, undefined, 'its new host does nothing before');
  t.equal(storage.write(read().rootVolumeId as VolumeId, home, 1), true, 'nothing was taken from the old one');
  storage.canFence = true;
  await until(
    'the end',
    () => (job()?.endedMs ?? 0) > 0,
    () => othersAct(world, home),
  );
  t.match(read(), { status: ServerStatus.SERVER_STATUS_ACTIVE });
});

void t.test('a host that is there keeps what was not taken, and lets go by itself of what was', async (t) => {
  const cloud = await makeCloud(t, [{ ha: 'restart' }, { ha: 'restart' }]);
  const { world, ids, storage, home, read, job } = cloud;
  world.hostProbe.silent.add(home);
  await cloud.begin();
  storage.faults.failNext('fenceFormer', new ShoalError('CANNOT_TELL', 'the map is late'), 1_000);
  world.placer.isFull = false;
  await cloud.runner.start();
  await until(
    'one is bound',
    () => ids.some((id) => read(id).hostId !== home),
    async () => {},
  );
  // Back before the fence: it hears that the server is another's.
  cloud.says({ kind: 'there', reason: 'it answers' });
  const taken = ids.filter((id) => read(id).hostId !== home);
  for (const id of taken) {
    const memory = { rebootsDone: 0, failed: false, disksFailed: false, unmadeVolumeIds: new Set<string>() };
    t.match(planServer(read(id), undefined, memory, home, { stopGraceMs: 1 }), { kind: 'release', generation: 1 });
    await world.reports(home).released(read(id));
  }
  await until(
    'the end',
    () => (job()?.endedMs ?? 0) > 0,
    () => othersAct(world, home),
  );
  t.match(job(), { message: /is not gone: it answers/ });
  t.equal(storage.blocked.size, 0, 'nobody was fenced');
  for (const id of ids.filter((one) => !taken.includes(one))) t.match(read(id), { hostId: home, generation: 1 });
});

void t.test(
  'the host that it went to is lost as well: it goes on to a third, and both that were lost have to say so',
  async (t) => {
    const cloud = await makeCloud(t, [{ ha: 'restart' }]);
    const { world, home, read } = cloud;
    world.hostProbe.silent.add(home);
    await transact(world.deps, { signal }, ({ reader, change }) => {
      const [row] = hostTable.list(reader);
      if (row === undefined) throw new Error('no host');
      const [raftId, transitIndex] = [row.record.raftId + 70, row.record.transitIndex + 70];
      hostTable.insert(
        change,
        new shoal.v1.Host({ ...row.record, id: 'c'.repeat(32), name: 'third', raftId, transitIndex }),
      );
    });
    const context = { ...world.admin };
    const none = { preferredHosts: [], excludedHosts: [] };
    await world.compute.moves.takeOver(context, read().id, none);
    await t.rejects(
      world.compute.moves.takeOver(context, read().id, none),
      { code: 'CONFLICT' },
      'not before the fence',
    );
    await world.compute.moves.fenced(context, read().id, 1, 0);
    t.equal(read().releasedGeneration, 0, 'a proof for another generation is worth nothing');
    await world.compute.moves.fenced(context, read().id, 2, 0);
    const second = read().hostId;
    world.hostProbe.silent.add(second);
    await world.compute.moves.takeOver(context, read().id, none);
    t.match(read(), { generation: 3, previousHostId: second, lostHostIds: [home], releasedGeneration: 1 });
    const memory = { rebootsDone: 0, failed: false, disksFailed: false, unmadeVolumeIds: new Set<string>() };
    const guest = { serverId: read().id as never, generation: 1, power: 'running', detail: 'running' } as const;
    t.same(planServer(read(), guest, memory, home, { stopGraceMs: 1 }), { kind: 'release', generation: 1, graceMs: 0 });
    t.same(planServer(read(), undefined, memory, home, { stopGraceMs: 1 }), { kind: 'clean' });
    await world.reports(home).cleaned(read());
    t.match(read(), { previousHostId: second, lostHostIds: [] });
  },
);

void t.test(
  'storage hears of a host: one that says nothing for long enough is silent, and a gap proves nothing',
  async (t) => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const storage = new FakeStorage();
    const driver = new FakeStorageDriver(storage);
    let port: 'silent' | 'closed' = 'silent';
    let condition: 'alive' | 'dead' = 'dead';
    const witnesses = new HostWitnesses({
      ...{ hostViews: { condition: () => condition }, askKernel: async () => port, clock },
      storage: new Map([['rbd', driver]]),
    });
    const host = 'h' as HostId;
    const look = async (seconds: number): Promise<string> => {
      nowMs += seconds * 1_000;
      await witnesses.look(host, signal);
      const verdict = witnesses.verdict(host, false);
      return verdict.kind === 'gone' ? 'gone' : `${verdict.kind} ${verdict.reason}`;
    };
    t.match(await look(0), /unknown it never told/);
    await driver.witness?.beat(host, '1', signal);
    t.match(await look(1), /there it is cut off/);
    t.match(await look(7), /there it is cut off/, 'it said something seven seconds ago');
    t.equal(await look(1), 'gone');
    await driver.witness?.beat(host, '2', signal);
    t.match(await look(1), /there it is cut off/, 'it was only slow');
    t.equal(await look(8), 'gone');
    storage.faults.failNext('lastBeat', new ShoalError('CANNOT_TELL', 'Ceph does not answer'), 1);
    t.match(await look(1), /unknown .*Ceph does not answer/);
    t.match(await look(1), /unknown .*watched/, 'how long it was silent cannot be told across the gap');
    t.equal(await look(8), 'gone');
    nowMs += 6_000;
    t.match(witnesses.verdict(host, false), { kind: 'unknown', reason: /not asked lately/ });
    port = 'closed';
    t.match(await look(1), /unknown its machine answers/);
    condition = 'alive';
    t.match(await look(1), /there it answers/);
    t.equal(witnesses.downMs(host), 0);
  },
);
