/** What Nova refuses, or reads in another way than it looks: services, hypervisors, its old security groups. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { securityGroupTable } from '../../../../node/state/tables/index.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const ask = async (cloud: Cloud, method: string, path: string, minor: number, body?: unknown) => {
  const headers = { 'openstack-api-version': `compute 2.${minor}` };
  const answer = await cloud.gateway.call(method, `/compute/v2.1/${path}`, {
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.statusCode, text: answer.body, body: answer.body === '' ? {} : answer.json() };
};

void t.test('a host is not disabled with a reason that is not given', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const service = { host: 'host-1', binary: 'nova-compute' };
  const refused = await ask(cloud, 'PUT', 'os-services/disable-log-reason', 1, service);
  t.equal(refused.status, 400);
  t.match(refused.body, { badRequest: { message: 'Missing disabled reason field' } });
  t.match((await ask(cloud, 'GET', 'os-services?host=host-1', 1)).body, { services: [{ status: 'enabled' }] });
  const done = await ask(cloud, 'PUT', 'os-services/disable-log-reason', 1, { ...service, disabled_reason: 'x' });
  t.match(done.body, { service: { status: 'disabled', disabled_reason: 'x' } });
});

void t.test('from 2.53 on a service is changed by its id, not by its host’s name', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const disable = (id: string) => ask(cloud, 'PUT', `os-services/${id}`, 53, { status: 'disabled' });
  for (const id of ['host-1', '1', '0'.repeat(32)]) t.equal((await disable(id)).status, 404, id);
  const statuses = async () =>
    (await ask(cloud, 'GET', 'os-services', 53)).body.services.map(({ status }: { status: string }) => status);
  t.strictSame(await statuses(), ['enabled', 'enabled']);
  t.match(await disable('1'.repeat(32)), { status: 200, body: { service: { host: 'host-1', status: 'disabled' } } });
  t.strictSame(await statuses(), ['disabled', 'enabled']);
});

void t.test('the statistics are those of all hypervisors, whatever pattern is named', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const pattern of ['host-1', 'none']) {
    const { body } = await ask(cloud, 'GET', `os-hypervisors/statistics?hypervisor_hostname_pattern=${pattern}`, 53);
    t.match(body, { hypervisor_statistics: { count: 2 } }, pattern);
    const { body: found } = await ask(cloud, 'GET', `os-hypervisors?hypervisor_hostname_pattern=${pattern}`, 53);
    t.equal(found.hypervisors?.length, pattern === 'none' ? undefined : 1, 'a list is filtered');
  }
});

void t.test('a security group has a name that is more than blanks', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const body = (name: string) => ({ security_group: { name, description: '' } });
  const made = await ask(cloud, 'POST', 'os-security-groups', 1, body(' web '));
  t.equal(made.body.security_group.name, ' web ', 'as it was given, like Nova’s and Neutron’s');
  for (const [method, path] of [
    ['POST', 'os-security-groups'],
    ['PUT', `os-security-groups/${made.body.security_group.id}`],
  ] as const) {
    for (const name of ['', ' ', '\t\n ']) {
      const refused = await ask(cloud, method, path, 1, body(name));
      t.equal(refused.status, 400, `${method} ${JSON.stringify(name)}: ${refused.text}`);
      t.ok(refused.body.badRequest);
    }
  }
  const names = securityGroupTable.list(cloud.world.state.local).map(({ record }) => record.name);
  t.strictSame(names.sort(), [' web ', 'default'], 'nothing else was made or renamed');
});

void t.test('a list of security groups is answered while nothing can be written', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { state } = cloud.world;
  let refused = 0;
  t.intercept(state, 'commit', {
    value: async () => {
      refused += 1;
      throw new ShoalError('NO_QUORUM', 'no quorum');
    },
  });
  const listed = await ask(cloud, 'GET', 'os-security-groups', 1);
  t.strictSame([listed.status, listed.body], [200, { security_groups: [] }], listed.text);
  t.equal(refused, 1, 'the default group could not be made');
});
