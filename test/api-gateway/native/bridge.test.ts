/** The native API over HTTP: the same answers, failures and marks as by gRPC. */
import t from 'tap';
import { startWholeCloud } from '../../security/support/whole-cloud.ts';

const whole = await startWholeCloud();
t.teardown(() => whole.stop());
const { gateway, memberToken, memberProjectId } = whole.cloud;

const call = (path: string, body: unknown, token?: string | null) =>
  gateway.call('POST', `/shoal/v1/${path}`, { body, ...(token === undefined ? {} : { token }) });

void t.test('reads and writes go through', async (t) => {
  const hosts = await call('ClusterService/ListHosts', {});
  t.equal(hosts.statusCode, 200, hosts.body);
  t.equal(hosts.headers['content-type'], 'application/json; charset=utf-8');
  const [first] = hosts.json().hosts;
  t.match(first.host.name, /^host/);
  const off = await call('ClusterService/SetHostEnabled', { host_id: first.host.id, enabled: false, reason: 'a fan' });
  t.equal(off.statusCode, 200, off.body);
  t.same(off.json(), {});
  const after = (await call('ClusterService/ListHosts', {})).json().hosts;
  t.equal(after.find((one: { host: { id: string } }) => one.host.id === first.host.id).host.disabled_reason, 'a fan');
  await call('ClusterService/SetHostEnabled', { host_id: first.host.id, enabled: true });
  const fits = await call('PlacementService/WhatIf', { flavor_id: '1', count_max: 5 });
  t.same(fits.json(), { count: 5 });
});

void t.test('an empty body is an empty request', async (t) => {
  const answer = await gateway.call('POST', '/shoal/v1/ClusterService/GetStatus');
  t.equal(answer.statusCode, 200, answer.body);
  t.type(answer.json().has_quorum, 'boolean');
});

void t.test('a project sees its own things', async (t) => {
  const made = await call('ComputeService/CreateServer', { name: 'one', flavor_id: '1', image_id: '' }, memberToken);
  t.equal(made.json().error?.code, 400, 'a request is checked as by gRPC');
  const servers = await call('ComputeService/ListServers', {}, memberToken);
  t.equal(servers.statusCode, 200, servers.body);
  for (const { project_id: owner } of servers.json().servers) t.equal(owner, memberProjectId);
});

void t.test('failures have the code of gRPC’s', async (t) => {
  const missing = await call('ComputeService/GetServer', { server_id: '00000000-0000-4000-8000-00000000dead' });
  t.equal(missing.statusCode, 404);
  t.match(missing.json(), { error: { code: 404, title: 'Not Found', reason: 'NOT_FOUND', message: /./ } });
  const refused = await call('ClusterService/ListHosts', {}, memberToken);
  t.equal(refused.statusCode, 403);
  t.match(refused.json(), { error: { reason: 'FORBIDDEN', message: /shoal:mesh:list_hosts.*needs the role admin/ } });
  const nobody = await call('ClusterService/ListHosts', {}, null);
  t.equal(nobody.statusCode, 401);
  t.ok(nobody.headers['www-authenticate']);
  const unknown = await call('ClusterService/ListHosts', { nothing: 1 });
  t.equal(unknown.statusCode, 400);
  t.match(unknown.json().error.message, /has unknown properties: nothing/);
  t.equal((await call('ClusterService/Nothing', {})).statusCode, 404);
  t.equal((await gateway.call('GET', '/shoal/v1/ClusterService/ListHosts')).statusCode, 405);
  t.equal((await call('PeerService/Relay', {})).statusCode, 404, 'what agents ask each other is not there');
});

void t.test('streams are refused and say where they are', async (t) => {
  const watch = await call('ComputeService/WatchServers', {});
  t.equal(watch.statusCode, 501);
  t.match(watch.json().error.message, /gRPC/);
});

void t.test('a token is to be had here, too', async (t) => {
  const wrong = await call(
    'IdentityService/Authenticate',
    { password: { user: { name: 'admin', domain: { id: 'default' } }, password: 'wrong' } },
    null,
  );
  t.ok([400, 401].includes(wrong.statusCode), wrong.body);
});

void t.test('without a quorum the answer says that it is old', async (t) => {
  gateway.state.available = false;
  t.teardown(() => {
    gateway.state.available = true;
  });
  const hosts = await call('ClusterService/ListHosts', {});
  t.equal(hosts.statusCode, 200, hosts.body);
  t.ok(hosts.headers['x-shoal-stale'], 'the header is REST’s');
  t.equal(hosts.json().stale, true);
  const ticket = await call('ClusterService/CreateTicket', {});
  t.equal(ticket.statusCode, 503);
  t.match(ticket.json().error, { reason: /NO_QUORUM|UNAVAILABLE/ });
  t.ok(ticket.headers['retry-after']);
});
