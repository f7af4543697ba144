import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { drainJob } from '../../../../node/host/jobs/kinds/drain.ts';
import { Jobs } from '../../../../node/services/jobs/jobs.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, jobTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, hostsAct, makeComputeWorld } from '../../services/compute-world.ts';
import { addNetwork } from '../../services/world.ts';

const { JobStatus, ServerStatus } = shoal.v1;

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
async function runToEnd(world: ComputeWorld, id: string): Promise<shoal.v1.Job> {
  const runner = new JobRunner({
    ...world.deps,
    isOwn: () => true,
    kinds: [anyJobKind(drainJob(world.compute, () => true))],
  });
  await runner.start();
  const job = (): shoal.v1.Job => jobTable.must(world.state.local, id).record;
  try {
    for (let turn = 0; job().endedMs === 0; turn += 1) {
      if (turn > 2_000) throw new Error(`the job does not end: ${job().message}`);
      await hostsAct(world);
      await delay(10);
    }
  } finally {
    await runner.stop();
  }
  return job();
}

t.test('a host is emptied: its servers stop, move, and run again elsewhere', async (t) => {
  const { world, ids, read, jobs, hostId } = await makeCloud(4);
  const here = ids.filter((id) => read(id).hostId === hostId);
  const there = ids.filter((id) => read(id).hostId !== hostId);
  const { id } = await jobs.drainHost(world.admin, { host: hostId, stopRunning: true, timeoutSeconds: 0 });
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_SUCCEEDED, progressDone: here.length, progressTotal: here.length });
  for (const server of here.map(read)) {
    t.not(server.hostId, hostId);
    t.match(server, { status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '', generation: 2 });
  }
  t.ok(here.length > 0);
  t.ok(
    there.every((server) => read(server).generation === 1),
    'the others were left alone',
  );
  t.equal(hostTable.must(world.state.local, hostId).record.disabled, true);
  t.same(jobs.list(world.state.local, { ended: false }), []);
  t.equal(jobs.list(world.state.local, { ended: true }).length, 1);
});

t.test('a running server that must not be stopped stays, and is named', async (t) => {
  const { world, ids, read, jobs, hostId } = await makeCloud(1);
  const { id } = await jobs.drainHost(world.admin, { host: hostId, stopRunning: false, timeoutSeconds: 0 });
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_FAILED, message: /s0: it runs/ });
  t.equal(read(ids[0] ?? '').hostId, hostId);
});

t.test('a server that fits no other host is started again where it is', async (t) => {
  const { world, ids, read, jobs, hostId } = await makeCloud(1);
  world.placer.isFull = true;
  const { id } = await jobs.drainHost(world.admin, { host: hostId, stopRunning: true, timeoutSeconds: 0 });
  const job = await runToEnd(world, id);
  t.match(job, { status: JobStatus.JOB_STATUS_FAILED, failures: [{ attempts: 3 }] });
  await hostsAct(world);
  t.match(read(ids[0] ?? ''), { hostId, status: ServerStatus.SERVER_STATUS_ACTIVE });
});

t.test('cancelled, the host takes new servers again', async (t) => {
  const { world, jobs, hostId } = await makeCloud(1);
  const { id } = await jobs.drainHost(world.admin, { host: hostId, stopRunning: true, timeoutSeconds: 0 });
  await jobs.cancel(world.admin, id);
  const job = await runToEnd(world, id);
  t.equal(job.status, JobStatus.JOB_STATUS_CANCELLED);
  t.equal(hostTable.must(world.state.local, hostId).record.disabled, false);
  await t.rejects(jobs.cancel(world.admin, id), { code: 'CONFLICT' });
});

t.test('a drain that cannot begin is refused', async (t) => {
  const { world, jobs, hostId } = await makeCloud(1);
  const draft = { host: hostId, stopRunning: true, timeoutSeconds: 0 };
  await t.rejects(jobs.drainHost(world.admin, { ...draft, host: 'nobody' }), { code: 'NOT_FOUND' });
  await t.rejects(jobs.drainHost(world.admin, { ...draft, timeoutSeconds: 59 }), { code: 'INVALID_ARGUMENT' });
  const { id } = await jobs.drainHost(world.admin, draft);
  await t.rejects(jobs.drainHost(world.admin, draft), { code: 'CONFLICT', message: new RegExp(id) });
  await t.rejects(jobs.cancel(world.admin, 'none'), { code: 'NOT_FOUND' });
});
