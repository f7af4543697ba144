/** What the compute API takes has its effect, is shown as it was sent, or is refused. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { computePolicies } from '../../../../api-gateway/policies/compute.ts';
import { extensions } from '../../../../api-gateway/rest/compute/extensions.ts';
import { namePattern } from '../../../../api-gateway/rest/compute/kit/name-pattern.ts';
import { serverMetadata } from '../../../../node/services/network/metadata.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { hostsAct } from '../../../node/services/compute-world.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });
const create = (cloud: Cloud, server: object, minor = 1) =>
  cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...server } },
    token: cloud.memberToken,
    headers: at(Math.max(37, minor)),
  });
const show = async (cloud: Cloud, id: string) =>
  (await cloud.gateway.call('GET', `/compute/v2.1/servers/${id}`, { token: cloud.memberToken })).json().server;

void t.test('user data of any bytes and injected files reach the guest unchanged', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const bytes = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xe9, 0xff]);
  const contents = bytes.toString('base64');
  const answer = await create(cloud, { user_data: contents, personality: [{ path: '/etc/motd', contents }] });
  t.equal(answer.statusCode, 202, answer.body);
  const record = serverTable.must(cloud.world.state.local, answer.json().server.id).record;
  const bodies = serverMetadata(cloud.world.state.local, record);
  for (const path of ['/openstack/latest/user_data', '/latest/user-data', '/openstack/content/0000']) {
    t.same(Buffer.from(bodies[path] ?? ''), bytes, path);
  }
  for (const [personality, status, minor] of [
    [[{ path: '/a', contents: '!' }], 400, 37],
    [[{ path: '', contents }], 400, 37],
    [
      [
        { path: '/a', contents },
        { path: '/a', contents },
      ],
      400,
      37,
    ],
    [Array.from({ length: 6 }, (_, n) => ({ path: `/${n}`, contents })), 403, 37],
    [[{ path: '/a', contents: Buffer.alloc(10_241).toString('base64') }], 403, 37],
    [[{ path: '/a', contents }], 400, 57],
  ] as const) {
    const refused = await create(cloud, { personality }, minor);
    t.equal(refused.statusCode, status, `${minor} ${JSON.stringify(personality).slice(0, 80)} ${refused.body}`);
  }
});

void t.test('the quotas of injected files are kept and hold', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const path = `/compute/v2.1/os-quota-sets/${cloud.memberProjectId}`;
  const set = await cloud.gateway.call('PUT', path, { body: { quota_set: { injected_files: 0, fixed_ips: 7 } } });
  t.match(set.json(), { quota_set: { injected_files: 0, fixed_ips: 7 } });
  t.match((await cloud.gateway.call('GET', path)).json(), { quota_set: { injected_files: 0, fixed_ips: 7 } });
  t.equal((await create(cloud, { personality: [{ path: '/a', contents: 'YQ==' }] })).statusCode, 403);
  t.equal((await cloud.gateway.call('PUT', path, { body: { quota_set: { no_such_thing: 1 } } })).statusCode, 400);
});

void t.test('access addresses and disk config are kept, shown and changed; what is none is refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const sent = { accessIPv4: '192.0.2.9', accessIPv6: '2001:db8::9', 'OS-DCF:diskConfig': 'AUTO' };
  const { id } = (await create(cloud, sent)).json().server;
  t.match(await show(cloud, id), sent);
  const put = (server: object) =>
    cloud.gateway.call('PUT', `/compute/v2.1/servers/${id}`, { token: cloud.memberToken, body: { server } });
  const changed = { accessIPv4: '192.0.2.10', accessIPv6: '2001:db8::a', 'OS-DCF:diskConfig': 'MANUAL' };
  t.match((await put(changed)).json().server, changed);
  t.match(await show(cloud, id), changed);
  for (const server of [{ accessIPv4: '' }, { accessIPv4: '::1' }, { accessIPv6: '192.0.2.1' }, { accessIPv4: 'x' }]) {
    t.equal((await put(server)).statusCode, 400, JSON.stringify(server));
    t.equal((await create(cloud, server)).statusCode, 400, JSON.stringify(server));
  }
});

void t.test('a public key comes back byte for byte; a certificate is a key, too', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from('ssh-ed25519'),
    Buffer.from([0, 0, 0, 32]),
    Buffer.alloc(32, 7),
  ]).toString('base64');
  const add = (keypair: object) =>
    cloud.gateway.call('POST', '/compute/v2.1/os-keypairs', {
      token: cloud.memberToken,
      body: { keypair },
      headers: at(2),
    });
  for (const [name, text] of [
    ['plain', `ssh-ed25519 ${blob} me@laptop`],
    ['newline', `ssh-ed25519 ${blob} me@laptop\n`],
    ['crlf', `ssh-ed25519 ${blob}\r\n`],
  ] as const) {
    t.equal((await add({ name, public_key: text })).json().keypair.public_key, text, name);
    const key = await cloud.gateway.call('GET', `/compute/v2.1/os-keypairs/${name}`, { token: cloud.memberToken });
    t.equal(key.json().keypair.public_key, text, name);
  }
  const twoLines = `ssh-ed25519 ${blob}\nssh-ed25519 ${blob}`;
  t.equal((await add({ name: 'two', public_key: twoLines })).statusCode, 400, 'two keys are no key');
  const pem = certificate;
  const made = await add({ name: 'win', type: 'x509', public_key: pem });
  t.match(made.json().keypair, {
    type: 'x509',
    public_key: pem,
    fingerprint: new X509Certificate(pem).fingerprint.toLowerCase(),
  });
  t.equal((await add({ name: 'bad', type: 'x509', public_key: 'no certificate' })).statusCode, 400);
});

void t.test('names are found by regular expressions, at a bounded cost', async (t) => {
  for (const [pattern, name, isFound] of [
    ['^a.*-[0-9]+$', 'api-12', true],
    ['^a.*-[0-9]+$', 'api-x', false],
    ['web', 'my-WEB-1', true],
    ['^web$', 'web-1', false],
    ['w(eb|iki)\\d?', 'wiki', true],
    ['a.c', 'a\\c', true],
    ['a\\.c', 'abc', false],
  ] as const) {
    t.equal(namePattern('name', pattern).matches(name), isFound, `${pattern} in ${name}`);
  }
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  await create(cloud, { name: 'api-12' });
  const list = (query: string) =>
    cloud.gateway.call('GET', `/compute/v2.1/servers?${query}`, { token: cloud.memberToken });
  t.equal((await list(`name=${encodeURIComponent('^a.*-[0-9]+$')}`)).json().servers.length, 1);
  for (const name of ['(', '[a', 'a**', '(?=x)', 'x'.repeat(256)]) {
    const refused = await list(`name=${encodeURIComponent(name)}`);
    t.equal(refused.statusCode, 400, name.slice(0, 20));
    t.match(refused.json().badRequest.message, /filter name/);
  }
  const dear = namePattern('name', '(a?){500}a{500}');
  t.throws(() => {
    for (let n = 0; n < 1_000; n++) dear.matches('a'.repeat(255));
  }, /costs too much/);
});

void t.test('an action is judged by what its agent shows, also before the report is committed', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { id } = (await create(cloud, {})).json().server;
  // The guest runs at this agent's host, and the report of it waits for a quorum.
  cloud.world.hostControl.withLocalIntents = (server) =>
    new shoal.v1.Server({ ...server, status: shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE, taskState: '' });
  t.match(await show(cloud, id), { status: 'ACTIVE' });
  const stop = await cloud.gateway.call('POST', `/compute/v2.1/servers/${id}/action`, {
    token: cloud.memberToken,
    body: { 'os-stop': null },
  });
  t.equal(stop.statusCode, 202, stop.body);
  cloud.world.hostControl.withLocalIntents = (server) => server;
  await hostsAct(cloud.world);
  t.match(await show(cloud, id), { status: 'SHUTOFF' });
});

void t.test(
  'a host that is forced down is down, takes nothing new, and comes back when that is taken back',
  async (t) => {
    const cloud = await startCloud();
    t.teardown(() => cloud.stop());
    const path = '/compute/v2.1/os-services';
    const put = (below: string, body: object, minor: number) =>
      cloud.gateway.call('PUT', `${path}/${below}`, { body, headers: at(minor) });
    const stateOf = async (name: string) => {
      const { services } = (await cloud.gateway.call('GET', path, { headers: at(53) })).json();
      return services.find((service: { host: string }) => service.host === name);
    };
    const early = { host: 'host-2', binary: 'nova-compute', forced_down: true };
    t.same((await put('force-down', early, 11)).json().service, early);
    const { id, ...down } = await stateOf('host-2');
    t.match(down, { state: 'down', status: 'enabled', forced_down: true });
    t.equal((await put(id, { forced_down: false, status: 'disabled', disabled_reason: 'x' }, 53)).statusCode, 200);
    t.match(await stateOf('host-2'), { state: 'up', status: 'disabled', forced_down: false, disabled_reason: 'x' });
    for (const [below, body, minor, status] of [
      [id, {}, 53, 400],
      [id, { disabled_reason: 'x' }, 53, 400],
      [id, { forced_down: 'maybe' }, 53, 400],
      ['force-down', { ...early, binary: 'nova-scheduler' }, 11, 404],
      ['force-down', { ...early, host: 'none' }, 11, 404],
      ['force-down', early, 10, 404],
    ] as const) {
      t.equal((await put(below, body, minor)).statusCode, status, `${below} ${JSON.stringify(body)} at 2.${minor}`);
    }
  },
);

void t.test('host_status says how the host of a server is, from 2.16 on, to administrators', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { id } = (await create(cloud, {})).json().server;
  const view = async (minor: number, token = cloud.gateway.token) =>
    (await cloud.gateway.call('GET', `/compute/v2.1/servers/${id}`, { token, headers: at(minor) })).json().server;
  const host = (await view(1))['OS-EXT-SRV-ATTR:host'];
  const put = (below: string, body: object) =>
    cloud.gateway.call('PUT', `/compute/v2.1/os-services/${below}`, {
      body: { host, binary: 'nova-compute', ...body },
      headers: at(11),
    });
  t.equal((await view(16)).host_status, 'UP');
  t.notOk('host_status' in (await view(15)));
  t.notOk('host_status' in (await view(16, cloud.memberToken)));
  await put('disable', {});
  t.equal((await view(16)).host_status, 'MAINTENANCE');
  await put('force-down', { forced_down: true });
  t.equal((await view(16)).host_status, 'DOWN');
});

void t.test('every extension that is listed is here, by its route or by the key of an answer', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const listed = (await cloud.gateway.call('GET', '/compute/v2.1/extensions')).json().extensions;
  t.same(
    listed.map(({ alias }: { alias: string }) => alias),
    Object.keys(extensions),
  );
  const operations = new Set(computePolicies.flatMap((rule) => rule.operations));
  const networkId = (
    await cloud.gateway.call('POST', '/networking/v2.0/networks', { token: cloud.memberToken, body: { network: {} } })
  ).json().network.id;
  await cloud.gateway.call('POST', '/networking/v2.0/subnets', {
    token: cloud.memberToken,
    body: { subnet: { network_id: networkId, cidr: '10.0.0.0/24', ip_version: 4 } },
  });
  const { id } = (await create(cloud, { networks: [{ uuid: networkId }] })).json().server;
  const answers = await Promise.all(
    [`/servers/${id}`, '/flavors/1'].map((path) => cloud.gateway.call('GET', `/compute/v2.1${path}`)),
  );
  const text = answers.map(({ body }) => body).join('\n');
  for (const [alias, shown] of Object.entries(extensions)) {
    if ('operation' in shown) t.ok(operations.has(shown.operation), `${alias}: ${shown.operation}`);
    else t.ok(text.includes(`"${shown.attribute.split('.').slice(1).join('.')}"`), `${alias}: ${shown.attribute}`);
  }
});

const certificate = `-----BEGIN CERTIFICATE-----
MIIBNjCB6aADAgECAhQPxhbKln86B9ISrWfD4FYx92ljQjAFBgMrZXAwEDEOMAwG
A1UEAwwFd2lucm0wIBcNMjYxMTI5MTYwOTE0WhgPMjEyNjExMDUxNjA5MTRaMBAx
DjAMBgNVBAMMBXdpbnJtMCowBQYDK2VwAyEARkMsCS9sHxwgdlaApCNX4GVpXsyE
1kOCi2IFLvbiTQyjUzBRMB0GA1UdDgQWBBRFC4NBTc0Y4W66c35/RBRrqsdAujAf
BgNVHSMEGDAWgBRFC4NBTc0Y4W66c35/RBRrqsdAujAPBgNVHRMBAf8EBTADAQH/
MAUGAytlcANBAPgWGy8uMu/3No1Fghq+qSbQxHDG+w4B15Ai6nlmh4eTuZ/YaSvS
hWHXK/Ga7Bnvay+kMuHwZxYjtjX/0FrPvQw=
-----END CERTIFICATE-----
`;
