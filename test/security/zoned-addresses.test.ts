/** An address with a zone means something on one machine only: no API keeps one. */
import t from 'tap';
import { ipVersion } from '../../node/base/ip-version.ts';
import { type Cloud, startCloud } from '../api-gateway/rest/cloud.ts';

const ask = async (cloud: Cloud, method: string, path: string, minor: number, body?: unknown) => {
  const headers = { 'openstack-api-version': `compute 2.${minor}` };
  const answer = await cloud.gateway.call(method, `/compute/v2.1/${path}`, {
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.statusCode, text: answer.body, body: answer.body === '' ? {} : answer.json() };
};

void t.test('an address with a zone is none, wherever an address is sent', async (t) => {
  for (const [text, version] of [
    ['10.0.0.1', 4],
    ['fe80::1', 6],
    ['::ffff:10.0.0.1', 6],
    ['fe80::1%eth0', 0],
    ['fe80::1%', 0],
    ['10.0.0.1%1', 0],
    ['', 0],
  ] as const) {
    t.equal(ipVersion(text), version, text);
  }
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const zoned = 'fe80::1%eth0';
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const made = await ask(cloud, 'POST', 'servers', 37, { server: { ...server, accessIPv6: 'fe80::1' } });
  t.equal(made.status, 202, made.text);
  const { id } = made.body.server;
  for (const [method, path, body] of [
    ['POST', 'servers', { server: { ...server, accessIPv6: zoned } }],
    ['PUT', `servers/${id}`, { server: { accessIPv6: zoned } }],
    ['POST', 'servers', { server, 'os:scheduler_hints': { build_near_host_ip: zoned } }],
  ] as const) {
    const refused = await ask(cloud, method, path, 37, body);
    t.equal(refused.status, 400, `${method} ${JSON.stringify(body)}: ${refused.text}`);
  }
  t.equal((await ask(cloud, 'GET', `servers/${id}`, 37)).body.server.accessIPv6, 'fe80::1');
  const groups = await cloud.gateway.call('POST', '/networking/v2.0/security-groups', {
    body: { security_group: { name: 'g' } },
  });
  for (const [remote_ip_prefix, status] of [
    ['fe80::1/64', 201],
    ['fe80::1%eth0/64', 400],
    ['fe80::1%1', 400],
  ] as const) {
    const security_group_rule = {
      security_group_id: groups.json().security_group.id,
      direction: 'ingress',
      ethertype: 'IPv6',
      remote_ip_prefix,
    };
    const answer = await cloud.gateway.call('POST', '/networking/v2.0/security-group-rules', {
      body: { security_group_rule },
    });
    t.equal(answer.statusCode, status, `${remote_ip_prefix}: ${answer.body}`);
  }
});
