import t from 'tap';
import { isObserved, nextRequest, requestOf } from '../../../../node/services/kit/server-request.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { hostsAct, makeComputeWorld } from '../compute-world.ts';

const { PowerWanted } = shoal.v1;

t.test('a request without a number has the name that earlier versions noted on disk', async (t) => {
  const server = new shoal.v1.Server({
    generation: 3,
    powerWanted: PowerWanted.POWER_WANTED_STOPPED,
    rebootsWanted: 2,
    taskState: 'powering-on',
  });
  t.equal(requestOf(server), `3/${PowerWanted.POWER_WANTED_STOPPED}/2/false/true`);
});

t.test('whatever its owner asks for next has another name, and what its host reports has not', async (t) => {
  const server = new shoal.v1.Server({
    generation: 1,
    powerWanted: PowerWanted.POWER_WANTED_RUNNING,
    askedRevision: 4,
  });
  const name = requestOf(server);
  const changed = (fields: object): string => requestOf(new shoal.v1.Server({ ...server, ...fields }));
  t.not(changed(nextRequest(server)), name, 'the same asked once more');
  for (const fields of [
    { generation: 2 },
    { powerWanted: PowerWanted.POWER_WANTED_STOPPED },
    { rebootsWanted: 1 },
    { deleting: true },
  ])
    t.not(changed(fields), name, JSON.stringify(fields));
  // A replica that has gone back behind the host's own report shows the task that this ended.
  for (const fields of [
    { status: 3 },
    { taskState: 'powering-on' },
    { taskState: 'powering-off' },
    { rebootsDone: 1 },
    { observedRevision: 4 },
  ])
    t.equal(changed(fields), name, JSON.stringify(fields));
});

t.test('a task ends when the host has done the last that was asked for, and not an earlier one', async (t) => {
  const world = await makeComputeWorld();
  const draft = { name: 's', flavorId: '1', imageId: 'image-1', networks: 'none' as const };
  const { servers } = await world.compute.servers.create(world.alice, draft);
  const id = servers[0]?.id ?? '';
  const read = (): shoal.v1.Server => serverTable.must(world.state.local, id).record;
  t.match(read(), { askedRevision: 1, observedRevision: 0 });
  await hostsAct(world);
  t.match(read(), { askedRevision: 1, observedRevision: 1, taskState: '' });

  const before = read();
  await world.compute.servers.reboot(world.alice, id, true);
  await world.compute.servers.reboot(world.alice, id, true);
  const reports = world.reports(before.hostId);
  t.equal(read().askedRevision, 3);
  // A host that has seen the first of both, and done as much.
  await reports.power(new shoal.v1.Server({ ...before, askedRevision: 2 }), 'running', 2);
  t.match(read(), { observedRevision: 2, taskState: 'rebooting_hard' });
  t.notOk(isObserved(read()));
  await reports.power(read(), 'running', 2);
  t.match(read(), { observedRevision: 3, taskState: '' });
  t.ok(isObserved(read()));
});
