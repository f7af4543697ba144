import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { drainJob } from '../../../../node/host/jobs/kinds/drain.ts';
import { LiveMoveReportService } from '../../../../node/services/compute/moves/live-reports.ts';
import { Jobs } from '../../../../node/services/jobs/jobs.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { indexKey } from '../../../../node/state/table.ts';
import { hostTable, jobTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, fakeHostViews, hostsAct, makeComputeWorld } from '../../services/compute-world.ts';
import { testSealing } from '../../services/test-sealing.ts';
import { addNetwork } from '../../services/world.ts';

const { JobStatus, ServerStatus } = shoal.v1;

function draftOf(host: string, over: { readonly stopRunning?: boolean; readonly zone?: string } = {}) {
  return { host, zone: '', failureDomain: '', stopRunning: true, timeoutSeconds: 0, parallel: 0, ...over };
}

/** A cloud of two hosts whose servers have their disks on shared storage. */
async function makeCloud(servers: number) {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const ids: string[] = [];
  for (let n = 0; n < servers; n += 1) {
    const draft = { name: `s${n}`, flavorId: '1', imageId: 'image-1', networks: [{ networkId: network.id }] };
    ids.push((await world.compute.servers.create(world.alice, draft)).servers[0]?.id ?? '');
  }
  await transact(world.deps, { signal: new AbortController().signal }, ({ reader, change }) => {
    for (const row of serverTable.list(reader))
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd' }));
  });
  await hostsAct(world);
  const read = (id: string) => serverTable.must(world.state.local, id).record;
  return {
    world,
    ids,
    read,
    jobs: new Jobs({ ...world.deps, addAuthority: world.addAuthority }),
    hostId: read(ids[0] ?? '').hostId,
  };
}

/** Runs jobs, and has the hosts do as they are told, until the job has ended. */
async function runToEnd(world: ComputeWorld, id: string, canGoLive = true): Promise<shoal.v1.Job> {
  const runner = new JobRunner({
    ...world.deps,
    isOwn: () => true,
    kinds: (['drain', 'drain-domain'] as const).map((kind) =>
      anyJobKind(drainJob(world.compute, fakeHostViews(world), kind)),
    ),
  });
  await runner.start();
  const job = (): shoal.v1.Job => jobTable.must(world.state.local, id).record;
  try {
    for (let turn = 0; job().endedMs === 0; turn += 1) {
      if (turn > 2_000) throw new Error(`the job does not end: ${job().message}`);
      await hostsAct(world);
      if (canGoLive) await liveMovesAct(world);
      await delay(10);
    }
  } finally {
    await runner.stop();
  }
  return job();
}

/** Has what moves while it runs arrive. */
async function liveMovesAct(world: ComputeWorld): Promise<void> {
  const { signal } = new AbortController();
  const deps = { ...world.deps, hostViews: fakeHostViews(world), sealing: testSealing };
  const reports = new LiveMoveReportService(deps, signal);
  for (const { record: job } of jobTable.by(world.state.local, 'under-way', 'yes')) {
    if (job.liveMigration === null) continue;
    if (job.cancelRequested) {
      await reports.withdrawn(job, { isCancelled: true, why: 'It was aborted.' });
      continue;
    }
    await reports.described(job, '{}');
    await reports.copying(job);
    await reports.switched(job);
  }
}

t.test('a host is emptied: its servers go over while they run', async (t) => {
  const { world, ids, read, jobs, hostId } = await makeCloud(4);
  const here = ids.filter((id) => read(id).hostId === hostId);
  const there = ids.filter((id) => read(id).hostId !== hostId);
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId));
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_SUCCEEDED, progressDone: here.length, progressTotal: here.length });
  for (const server of here.map(read)) {
    t.not(server.hostId, hostId);
    t.match(server, { status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '', generation: 2 });
    t.notOk(server.actions.some(({ action }) => action === 'stop'));
  }
  t.ok(here.length > 0);
  t.ok(
    there.every((server) => read(server).generation === 1),
    'the others were left alone',
  );
  t.equal(hostTable.must(world.state.local, hostId).record.disabled, true);
  t.same(jobs.list(world.state.local, { ended: false }), []);
});

t.test('a server that is off moves while it is off', async (t) => {
  const { world, ids, read, hostId } = await makeCloud(1);
  await world.compute.servers.stop(world.alice, ids[0] ?? '');
  await hostsAct(world);
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId, { stopRunning: false }));
  t.match(await runToEnd(world, id), { status: JobStatus.JOB_STATUS_SUCCEEDED });
  t.not(read(ids[0] ?? '').hostId, hostId);
  t.match(read(ids[0] ?? ''), { status: ServerStatus.SERVER_STATUS_SHUTOFF });
});

t.test('a server with its disk on the host stays, and is named', async (t) => {
  const { world, ids, read, hostId } = await makeCloud(1);
  await transact(world.deps, { signal: new AbortController().signal }, ({ reader, change }) => {
    for (const row of serverTable.list(reader))
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'local' }));
  });
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId));
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_FAILED, message: /s0: its disk is on its host's own storage/ });
  t.equal(read(ids[0] ?? '').hostId, hostId);
});

t.test('a drain rests, and goes on', async (t) => {
  const { world, ids, read, jobs, hostId } = await makeCloud(1);
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId));
  await jobs.pause(world.admin, id);
  const ending = runToEnd(world, id);
  await delay(200);
  t.match(jobs.show(world.state.local, id), { endedMs: 0, message: /^Resting/ });
  t.equal(read(ids[0] ?? '').generation, 1);
  await jobs.resume(world.admin, id);
  t.match(await ending, { status: JobStatus.JOB_STATUS_SUCCEEDED });
  await t.rejects(jobs.pause(world.admin, id), { code: 'CONFLICT', message: /has ended/ });
});

t.test('a drain is called back: what goes over stays, and the host takes servers again', async (t) => {
  const { world, ids, read, hostId } = await makeCloud(1);
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId));
  const ending = runToEnd(world, id, false);
  while (read(ids[0] ?? '').taskState !== 'migrating') await delay(5);
  t.match(await world.compute.drains.undrain(world.admin, hostId), { id, cancelRequested: true });
  while (jobTable.one(world.state.local, 'subject', indexKey(`server/${ids[0]}`))?.record.cancelRequested === false)
    await delay(5);
  await delay(100);
  await liveMovesAct(world);
  await transact(world.deps, { signal: new AbortController().signal }, ({ reader, change }) => {
    const row = serverTable.must(reader, ids[0] ?? '');
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, discardHostId: '', discardGeneration: 0 }));
  });
  t.match(await ending, { status: JobStatus.JOB_STATUS_CANCELLED });
  t.match(read(ids[0] ?? ''), { hostId, status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '' });
  t.equal(hostTable.must(world.state.local, hostId).record.disabled, false);
  t.equal(await world.compute.drains.undrain(world.admin, hostId), undefined, 'again: there is nothing to do');
});

t.test('a zone is not emptied when the mesh would have no quorum without it', async (t) => {
  const { world, hostId } = await makeCloud(1);
  const inquiry = { explain: () => ({ explanation: noneFits, hosts: [] }), whatIf: () => 0 };
  const draft = draftOf('', { zone: 'nova' });
  const plan = world.compute.drains.plan(world.state.local, draft, inquiry);
  t.match(plan, { refusal: /no quorum/, steps: [{ how: 'stay', reason: 'none fits' }] });
  await t.rejects(world.compute.drains.begin(world.admin, draft), { code: 'CONFLICT', message: /no quorum/ });
  const one = world.compute.drains.plan(world.state.local, draftOf(hostId), inquiry);
  t.equal(one.refusal, '');
  await t.rejects(world.compute.drains.begin(world.admin, draftOf('', { zone: 'none' })), { code: 'NOT_FOUND' });
  await t.rejects(world.compute.drains.begin(world.admin, draftOf(hostId, { zone: 'nova' })), {
    code: 'INVALID_ARGUMENT',
  });
});

const noneFits = { hosts: 1, passed: 0, filters: [], summary: 'none fits' };

t.test('a server that fits no other host runs on where it is', async (t) => {
  const { world, ids, read, hostId } = await makeCloud(1);
  world.placer.isFull = true;
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId, { stopRunning: true }));
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_FAILED, failures: [{ attempts: 3 }] });
  await hostsAct(world);
  t.match(read(ids[0] ?? ''), { hostId, status: ServerStatus.SERVER_STATUS_ACTIVE });
});

t.test('cancelled, the host takes new servers again', async (t) => {
  const { world, jobs, hostId } = await makeCloud(1);
  const { id } = await world.compute.drains.begin(world.admin, draftOf(hostId, { stopRunning: true }));
  await jobs.cancel(world.admin, id);
  const job = await runToEnd(world, id);
  t.equal(job.status, JobStatus.JOB_STATUS_CANCELLED);
  t.equal(hostTable.must(world.state.local, hostId).record.disabled, false);
  await t.rejects(jobs.cancel(world.admin, id), { code: 'CONFLICT' });
});

t.test('a drain that cannot begin is refused', async (t) => {
  const { world, jobs, hostId } = await makeCloud(1);
  const draft = draftOf(hostId, { stopRunning: true });
  await t.rejects(world.compute.drains.begin(world.admin, { ...draft, host: 'nobody' }), { code: 'NOT_FOUND' });
  await t.rejects(world.compute.drains.begin(world.admin, { ...draft, timeoutSeconds: 59 }), {
    code: 'INVALID_ARGUMENT',
  });
  const { id } = await world.compute.drains.begin(world.admin, draft);
  await t.rejects(world.compute.drains.begin(world.admin, draft), { code: 'CONFLICT', message: new RegExp(id) });
  await t.rejects(jobs.cancel(world.admin, 'none'), { code: 'NOT_FOUND' });
});
