/** A36, A37, A46, A61: doors that other clouds had and this one has not, headers that say who one is, and names as paths. */
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { PolicyCallers } from './support/policy-callers.ts';
import { startWholeCloud } from './support/whole-cloud.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

/** Bytes of the heap that are in use once finished requests have been cleared away. */
async function usedBytes(): Promise<number> {
  if (typeof collectGarbage !== 'function') throw new Error('this Node does not let its garbage be collected');
  for (let round = 0; round < 5; round += 1) {
    await setTimeout(20);
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

const whole = await startWholeCloud();
t.teardown(() => whole.stop());
const { gateway } = whole.cloud;
const callers = new PolicyCallers(gateway);
const member = await callers.tenant();

await t.test('A36: there is no EC2, S3 or other way to a token, with or without one', async (t) => {
  const paths = [
    'ec2tokens',
    's3tokens',
    'OS-TRUST/trusts',
    'OS-OAUTH1/access_token',
    'credentials',
    'OS-FEDERATION/saml2',
  ];
  for (const prefix of ['/identity/v3', '/v3', '/identity/v2.0', '/v2.0']) {
    for (const path of paths) {
      for (const token of [null, member.token]) {
        const answer = await gateway.call('POST', `${prefix}/${path}`, {
          token,
          body: { credentials: { access: 'a' } },
        });
        t.ok([401, 403, 404, 405, 501].includes(answer.statusCode), `${prefix}/${path}: ${answer.statusCode}`);
        t.equal(answer.headers['x-subject-token'], undefined);
      }
    }
  }
});

await t.test('A37: what the headers say of the caller is not believed, only the token', async (t) => {
  const claimed = {
    'x-identity-status': 'Confirmed',
    'x-user-id': gateway.adminUserId,
    'x-user-name': 'admin',
    'x-user-domain-id': 'default',
    'x-project-id': gateway.adminProjectId,
    'x-tenant-id': gateway.adminProjectId,
    'x-roles': 'admin',
    'x-role': 'admin',
    'x-is-admin-project': 'True',
    'openstack-system-scope': 'all',
    'x-service-token': gateway.token,
    'x-service-roles': 'service,admin',
    'x-auth-user': 'admin',
    'x-remote-user': 'admin',
    'remote-user': 'admin',
    'ssl-client-s-dn': 'CN=admin',
  };
  for (const path of [
    '/identity/v3/users',
    '/compute/v2.1/os-hypervisors',
    '/networking/v2.0/quotas',
    '/compute/v2.1/servers/detail?all_tenants=1',
  ]) {
    const ask = async (token: string | null, headers: Record<string, string>) =>
      (await gateway.call('GET', path, { token, headers })).statusCode;
    t.equal(await ask(null, claimed), 401, `${path} without a token`);
    t.equal(await ask(member.token, claimed), 403, `${path} as a member`);
    t.equal(await ask(gateway.token, {}), 200, `${path} as the administrator that the headers name`);
  }
  const made = await gateway.call('POST', '/networking/v2.0/networks', {
    token: member.token,
    headers: claimed,
    body: { network: { name: 'whose' } },
  });
  t.equal(made.json().network.project_id, member.projectId, 'what is made is the token’s project’s');
});

await t.test('A46: paths that are not cost no memory that stays', { timeout: 120_000 }, async (t) => {
  const knock = async (count: number, from: number): Promise<void> => {
    for (let at = from; at < from + count; at += 1) {
      const { statusCode } = await gateway.call('GET', `/compute/v2.1/controller-${at}/${'x'.repeat(400)}${at}`, {
        token: at % 2 === 0 ? null : member.token,
      });
      if (statusCode !== 404) t.fail(`${at}: ${statusCode}`);
    }
  };
  await knock(1000, 0);
  const before = await usedBytes();
  await knock(4000, 1000);
  const growthBytes = (await usedBytes()) - before;
  // Kept paths alone would be 4000 x 400 bytes and more.
  t.ok(growthBytes < 1024 * 1024, `${growthBytes} bytes more after 4,000 paths`);
});

await t.test('A61: the name of an image is data, and no part of any path', async (t) => {
  const hostile = [
    '../../../../etc/shadow',
    '/etc/passwd',
    '..',
    '%2e%2e%2f',
    'a;reboot',
    '$(reboot)',
    '-rf',
    'a\\..\\b',
  ];
  for (const name of hostile) {
    const body = { name, disk_format: 'raw', container_format: 'bare' };
    const made = await gateway.call('POST', '/image/v2/images', { token: member.token, body });
    t.equal(made.statusCode, 201, name);
    const { id, file, self } = made.json();
    t.equal(made.json().name, name, 'as it was sent');
    t.match(id, /^[0-9a-f-]{36}$/);
    t.same([file, self], [`/v2/images/${id}/file`, `/v2/images/${id}`]);
    const upload = await gateway.call('PUT', `/image/v2/images/${id}/file`, {
      token: member.token,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(512),
    });
    t.equal(upload.statusCode, 204, 'its bytes go by its id');
  }
  for (const name of ['a\0b', 'x'.repeat(65_536), '\ud800']) {
    const body = { name, disk_format: 'raw', container_format: 'bare' };
    const refused = await gateway.call('POST', '/image/v2/images', { token: member.token, body });
    t.equal(refused.statusCode, 400, JSON.stringify(name.slice(0, 10)));
  }
  for (const id of ['..', '../../x', '%2e%2e%2fx', 'a/b', '/etc/passwd', 'A'.repeat(300)]) {
    const body = { id, name: 'x', disk_format: 'raw', container_format: 'bare' };
    const refused = await gateway.call('POST', '/image/v2/images', { token: member.token, body });
    t.equal(refused.statusCode, 400, `the id ${id.slice(0, 20)}`);
  }
});
