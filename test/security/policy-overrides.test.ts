/**
 * F4: what the operator sets in place of a rule counts at both doors, for the operation and for the record that it finds; and
 * nothing else changes by it.
 */
import t from 'tap';
import { mistakesIn } from '../../api-gateway/policies/overrides.ts';
import { GrpcKnocker } from './support/native-methods.ts';
import { type LivingCaller, PolicyCallers } from './support/policy-callers.ts';
import { startWholeCloud } from './support/whole-cloud.ts';

const policy: Readonly<Record<string, string>> = {
  // A role that means nothing by default sees servers and networks of all projects.
  'os_compute_api:servers:show': 'role:observer or rule:admin_or_owner',
  get_network: 'role:observer or rule:admin_or_owner',
  'os_compute_api:os-extended-server-attributes': 'role:observer',
  // A right is given away, and one is taken from everybody.
  'os_compute_api:os-flavor-manage:create': 'role:member',
  create_router: '!',
};

const observer = 'role without meaning';

async function open(overrides: Readonly<Record<string, string>>) {
  const whole = await startWholeCloud({}, overrides);
  const callers = await new PolicyCallers(whole.cloud.gateway).living();
  const tokenOf = (name: LivingCaller): string | null => callers.get(name)?.token ?? null;
  const call = (name: LivingCaller, method: string, url: string, body?: unknown) =>
    whole.cloud.gateway.call(method, url, { token: tokenOf(name), ...(body === undefined ? {} : { body }) });
  const owner = 'member of a foreign project';
  const network = await call(owner, 'POST', '/networking/v2.0/networks', { network: { name: 'theirs' } });
  // Without a port, from the microversion on that says so.
  const server = await whole.cloud.gateway.call('POST', '/compute/v2.1/servers', {
    token: tokenOf(owner),
    headers: { 'x-openstack-nova-api-version': '2.37' },
    body: {
      server: { name: 'theirs', flavorRef: '1', imageRef: 'cirros', networks: 'none' },
    },
  });
  if (server.statusCode !== 202) throw new Error(`no server: ${server.body}`);
  return { whole, call, tokenOf, networkId: network.json().network?.id, serverId: server.json().server?.id };
}

const flavor = { flavor: { name: 'mine', ram: 64, vcpus: 1, disk: 1 } };

void t.test('F4: by default the role sees nothing of others and makes no flavor', async (t) => {
  const { whole, call, tokenOf, networkId, serverId } = await open({});
  t.teardown(() => whole.stop());
  t.equal((await call(observer, 'GET', `/compute/v2.1/servers/${serverId}`)).statusCode, 403);
  t.equal((await call(observer, 'GET', `/networking/v2.0/networks/${networkId}`)).statusCode, 403);
  t.equal((await call('member', 'GET', `/compute/v2.1/servers/${serverId}`)).statusCode, 404);
  t.equal((await call('member', 'POST', '/compute/v2.1/flavors', flavor)).statusCode, 403);
  const router = { router: { name: 'r' } };
  t.equal((await call('member', 'POST', '/networking/v2.0/routers', router)).statusCode, 201);
  const knocker = new GrpcKnocker(whole.grpcPort);
  t.teardown(() => knocker.close());
  t.equal(await knocker.knock('/shoal.v1.ComputeService/GetServer', tokenOf(observer)), 'PERMISSION_DENIED');
});

void t.test('F4: what is set in place of a rule counts at both doors', async (t) => {
  const { whole, call, tokenOf, networkId, serverId } = await open(policy);
  t.teardown(() => whole.stop());
  const shown = await call(observer, 'GET', `/compute/v2.1/servers/${serverId}`);
  t.equal(shown.statusCode, 200, 'a server of another project');
  t.hasOwnProp(shown.json().server, 'OS-EXT-SRV-ATTR:host', 'and the host that it is on');
  t.equal((await call(observer, 'GET', `/networking/v2.0/networks/${networkId}`)).statusCode, 200);
  const listed = await call(observer, 'GET', '/networking/v2.0/networks?name=theirs');
  t.equal(listed.json().networks.length, 1, 'lists hold what may be seen');
  t.equal(
    (await call(observer, 'DELETE', `/compute/v2.1/servers/${serverId}`)).statusCode,
    403,
    'to see is not to end',
  );
  t.equal((await call(observer, 'GET', '/compute/v2.1/servers')).statusCode, 403, 'each rule by itself');
  t.equal((await call('member', 'GET', `/compute/v2.1/servers/${serverId}`)).statusCode, 404, 'others see no more');
  const own = await call('member of a foreign project', 'GET', `/compute/v2.1/servers/${serverId}`);
  t.notOk(Object.hasOwn(own.json().server, 'OS-EXT-SRV-ATTR:host'), 'the owner is not the observer');
  t.equal((await call('member', 'POST', '/compute/v2.1/flavors', flavor)).statusCode, 200);
  const refused = await call('admin of a project', 'POST', '/networking/v2.0/routers', { router: { name: 'r' } });
  t.equal(refused.statusCode, 403, 'also for administrators');
  t.match(refused.body, /create_router/, 'which says the rule');
  const knocker = new GrpcKnocker(whole.grpcPort);
  t.teardown(() => knocker.close());
  t.not(await knocker.knock('/shoal.v1.ComputeService/GetServer', tokenOf(observer)), 'PERMISSION_DENIED');
  t.equal(await knocker.knock('/shoal.v1.NetworkService/CreateRouter', tokenOf('member')), 'PERMISSION_DENIED');
  t.equal(await knocker.knock('/shoal.v1.ComputeService/ListServers', tokenOf(observer)), 'PERMISSION_DENIED');
});

void t.test('F4: a rule that is not there, or is not written right, is told by its name', (t) => {
  t.same(mistakesIn(policy), []);
  const mistakes = mistakesIn({
    'os_compute_api:servers:shows': '@',
    get_network: 'roles:admin',
    get_subnet: '(role:admin',
    get_port: 'rule:nobody',
    update_port: 'rule:delete_port',
    delete_port: 'rule:update_port',
  });
  t.match(
    mistakes.join('\n'),
    /policy\.os_compute_api:servers:shows: there is no such rule; did you mean os_compute_api:servers:show\?/,
  );
  t.match(mistakesIn({ 'shoal:mesh:reset_password': 'role:admin' }), [
    /^policy\.shoal:mesh:reset_password: this rule cannot be set/,
  ]);
  t.match(mistakes.join('\n'), /policy\.get_network: .*"roles" is not role, rule, scope, user_id/);
  t.match(mistakes.join('\n'), /policy\.get_subnet: .*a parenthesis is not closed/);
  t.match(mistakes.join('\n'), /policy\.get_port: .*rule nobody, which is not there/);
  t.match(mistakes.join('\n'), /policy: Policy rule (?:update|delete)_port refers to itself/);
  t.end();
});
