/** The owner of a server is told what was asked of it, and what its host did on its own. */
import t from 'tap';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { hostsAct } from '../../../node/services/compute-world.ts';
import { PolicyCallers } from '../../../security/support/policy-callers.ts';
import { startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });
const why =
  "The guest's QEMU process had ended unexpectedly: it crashed or was killed. Its host started the guest again.";

void t.test('requests of the owner, and a start that nobody requested, are actions of the server', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, world, memberToken: token, memberProjectId } = cloud;
  const { network } = (
    await gateway.call('POST', '/networking/v2.0/networks', { token, body: { network: { name: 'net' } } })
  ).json();
  const subnet = { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 };
  await gateway.call('POST', '/networking/v2.0/subnets', { token, body: { subnet } });
  const draft = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: [{ uuid: network.id }] };
  const made = await gateway.call('POST', '/compute/v2.1/servers', { token, body: { server: draft } });
  const url = `/compute/v2.1/servers/${made.json().server.id}`;
  await hostsAct(world);
  await gateway.call('POST', `${url}/action`, { token, body: { 'os-stop': null } });
  await hostsAct(world);
  await gateway.call('POST', `${url}/action`, { token, body: { 'os-start': null } });
  await hostsAct(world);
  const listed = async (headers: object = {}) =>
    (await gateway.call('GET', `${url}/os-instance-actions`, { token, headers: { ...headers } })).json()
      .instanceActions;
  const before = await listed();
  t.same(
    before.map(({ action }: { action: string }) => action),
    ['start', 'stop', 'create'],
  );
  t.match(before[2], { project_id: memberProjectId, message: null, instance_uuid: made.json().server.id });
  t.same(Object.keys(before[0]).sort(), [
    'action',
    'instance_uuid',
    'message',
    'project_id',
    'request_id',
    'start_time',
    'user_id',
  ]);
  t.equal(before[2].request_id, made.headers['x-compute-request-id']);

  const record = serverTable.must(world.state.local, made.json().server.id).record;
  const { updated } = (await gateway.call('GET', url, { token })).json().server;
  // Times are told in whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await world.reports(record.hostId).power(record, 'running', record.rebootsDone, why);
  const [restart] = await listed(at(58));
  t.match(restart, { action: 'start', message: why, user_id: null, project_id: null, updated_at: String });
  const shown = (await gateway.call('GET', url, { token })).json().server;
  t.not(shown.updated, updated, 'the server has changed');
  t.equal(shown.status, 'ACTIVE');

  const one = await gateway.call('GET', `${url}/os-instance-actions/${restart.request_id}`, { token, headers: at(62) });
  t.match(one.json().instanceAction, {
    message: why,
    events: [{ event: 'compute_start_instance', result: 'Success', hostId: /^[0-9a-f]{56}$/ }],
  });
  t.notOk('host' in one.json().instanceAction.events[0], 'which host is for administrators');
  const old = await gateway.call('GET', `${url}/os-instance-actions/${restart.request_id}`, { token });
  t.notOk('events' in old.json().instanceAction, 'before 2.51 events are for administrators');
  const none = await gateway.call('GET', `${url}/os-instance-actions/req-none`, { token });
  t.equal(none.statusCode, 404);
  const eventsOf = async (action: { request_id: string }, minor: number) =>
    (await gateway.call('GET', `${url}/os-instance-actions/${action.request_id}`, { token, headers: at(minor) })).json()
      .instanceAction.events;
  const created = await eventsOf(before[2], 62);
  t.match(created.at(-1), { event: 'compute__do_build_and_run_instance', result: 'Success', hostId: /^[0-9a-f]{56}$/ });
  const told = created.map(({ event }: { event: string }) => event);
  t.same(told.slice(0, 3), ['scheduler_select_destinations', 'compute_claim_resources', 'conductor_bind_instance']);
  for (const { start_time: start, finish_time: finish } of created) t.ok(start <= finish && start !== null);
  t.match(await eventsOf(before[1], 51), [{ event: 'compute_stop_instance', result: 'Success' }]);
  t.notOk('hostId' in (await eventsOf(before[1], 61)).at(-1), 'where is told from 2.62 on');

  t.equal((await gateway.call('DELETE', url, { token })).statusCode, 204);
  await hostsAct(world);
  t.equal((await gateway.call('GET', url, { token })).statusCode, 404, 'it has gone');
  const actions = (minor: number, by: string | null = token) =>
    gateway.call('GET', `${url}/os-instance-actions`, { token: by, headers: at(minor) });
  t.equal((await actions(20)).statusCode, 404, 'before 2.21 nothing is told of it any more');
  const [deletion] = (await actions(21)).json().instanceActions;
  t.match(deletion, { action: 'delete', instance_uuid: made.json().server.id, project_id: memberProjectId });
  const callers = await new PolicyCallers(gateway).living();
  const stranger = callers.get('member of a foreign project')?.token ?? null;
  t.equal((await actions(21, stranger)).statusCode, 404, 'nor to others, later');
  const shownOne = await gateway.call('GET', `${url}/os-instance-actions/${deletion.request_id}`, {
    token,
    headers: at(21),
  });
  t.equal(shownOne.json().instanceAction.action, 'delete');
});

void t.test('what failed at the host is an event with its reason, and the action says so', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, world, memberToken: token } = cloud;
  const made = await gateway.call('POST', '/compute/v2.1/servers', {
    token,
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' } },
    headers: at(37),
  });
  const record = serverTable.must(world.state.local, made.json().server.id).record;
  await world.reports(record.hostId).fault(record, 'starting the server failed on its host', 'details');
  const url = `/compute/v2.1/servers/${record.id}/os-instance-actions`;
  const { instanceActions } = (await gateway.call('GET', url, { token })).json();
  t.match(instanceActions, [{ action: 'create', message: 'Error' }]);
  const one = await gateway.call('GET', `${url}/${instanceActions[0].request_id}`, { token, headers: at(51) });
  t.match(one.json().instanceAction.events.at(-1), { event: 'compute__do_build_and_run_instance', result: 'Error' });
});

void t.test('the history is bounded', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, world, memberToken: token } = cloud;
  const made = await gateway.call('POST', '/compute/v2.1/servers', {
    token,
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' } },
    headers: at(37),
  });
  await hostsAct(world);
  const url = `/compute/v2.1/servers/${made.json().server.id}`;
  for (let n = 0; n < 40; n++) await gateway.call('POST', `${url}/action`, { token, body: { lock: null } });
  const { instanceActions } = (await gateway.call('GET', `${url}/os-instance-actions`, { token })).json();
  t.equal(instanceActions.length, 32);
});
