/** Each change of Nova's microversions above 2.79 that is not of a verb's own: the answer below it and from it on. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { volumeHostsAct } from '../../../../node/services/volume/volume-world.ts';
import { type Cloud, startCloud } from '../../cloud.ts';
import { at } from '../server-effects.ts';

const url = (path: string): string => `/compute/v2.1${path}`;
const get = async (cloud: Cloud, path: string, minor: number, token?: string) =>
  cloud.gateway.call('GET', url(path), { headers: at(minor), ...(token === undefined ? {} : { token }) });
const send = async (cloud: Cloud, method: string, path: string, body: object, minor: number) =>
  cloud.gateway.call(method, url(path), { body, headers: at(minor) });
const newServer = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };

async function boot(cloud: Cloud, more: object = {}, extra: object = {}): Promise<string> {
  const made = await send(cloud, 'POST', '/servers', { server: { ...newServer, ...more }, ...extra }, 79);
  await hostsAct(cloud.world);
  return made.json().server.id;
}

void t.test('2.81: images fetched ahead by aggregate are known and not there', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  t.equal((await send(cloud, 'POST', '/os-aggregates/1/images', { cache: [] }, 81)).statusCode, 501);
});

void t.test('2.82 and 2.93: events of accelerators and of volumes that got another image', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const server_uuid = await boot(cloud);
  for (const [name, from] of [
    ['accelerator-request-bound', 82],
    ['volume-reimaged', 93],
  ] as const) {
    const body = { events: [{ server_uuid, name, tag: randomUUID() }] };
    t.equal((await send(cloud, 'POST', '/os-server-external-events', body, from - 1)).statusCode, 400, name);
    t.equal((await send(cloud, 'POST', '/os-server-external-events', body, from)).statusCode, 200, name);
  }
});

void t.test('2.86: extra specs of Nova’s scopes are checked, others are an operator’s own', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const flavor = { name: 'f', ram: 64, vcpus: 1, disk: 1 };
  const { id } = (await send(cloud, 'POST', '/flavors', { flavor }, 86)).json().flavor;
  const path = `/flavors/${id}/os-extra_specs`;
  for (const [name, right, wrong] of [
    ['hw:cpu_policy', 'dedicated', 'sharrred'],
    ['hw:numa_nodes', '1', 'foo'],
    ['hw:numa_nodes', '2', '0'],
    ['hw:numa_cpus.0', '0-3,^2', '0-3,8..9'],
    ['hw:cpu_realtime_mask', '^0', 'all'],
    ['hw:mem_page_size', '1GB', 'huge'],
    ['hw:redirected_usb_ports', '15', '16'],
    ['hw_rng:allowed', 'yes', 'perhaps'],
    ['hw:pmem', 'a,b', 'a b'],
    ['quota:disk_read_bytes_sec', '1024', '-1'],
    ['resources:VCPU', '2', 'two'],
    ['trait:HW_CPU_X86_AVX', 'required', 'wanted'],
    ['os:secure_boot', 'required', 'optional'],
    ['pci_passthrough:alias', 'gpu:1, nic:2', 'gpu'],
  ] as const) {
    for (const [value, status] of [
      [right, 200],
      [wrong, 400],
    ] as const) {
      const said = `${name}=${value}`;
      t.equal((await send(cloud, 'POST', path, { extra_specs: { [name]: value } }, 86)).statusCode, status, said);
      const one = `${path}/${encodeURIComponent(name)}`;
      t.equal((await send(cloud, 'PUT', one, { [name]: value }, 86)).statusCode, status, said);
      t.equal((await send(cloud, 'POST', path, { extra_specs: { [name]: value } }, 85)).statusCode, 200, said);
    }
  }
  for (const [name, status] of [
    ['hw:numa_node', 400],
    ['quota:foo', 400],
    ['capabilities:foo', 400],
    ['powervm:x', 400],
    ['capabilities:cpu_info:features', 200],
    ['aggregate_instance_extra_specs:ssd', 200],
    ['custom:foo', 200],
    ['plain', 200],
  ] as const) {
    t.equal((await send(cloud, 'POST', path, { extra_specs: { [name]: '1' } }, 86)).statusCode, status, name);
  }
});

void t.test('2.88: hypervisors without amounts, and with their uptime', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const gone = [
    'current_workload',
    'cpu_info',
    'vcpus',
    'vcpus_used',
    'free_disk_gb',
    'local_gb',
    'local_gb_used',
  ].concat(...[['disk_available_least', 'free_ram_mb', 'memory_mb', 'memory_mb_used', 'running_vms']]);
  const before = (await get(cloud, '/os-hypervisors/detail', 87)).json().hypervisors[0];
  const after = (await get(cloud, '/os-hypervisors/detail', 88)).json().hypervisors[0];
  for (const key of gone) t.strictSame([key in before, key in after], [true, false], key);
  t.strictSame(['uptime' in before, /load average/.test(after.uptime)], [false, true]);
  const one = (await get(cloud, `/os-hypervisors/${after.id}`, 88)).json().hypervisor;
  t.strictSame(Object.keys(one).sort(), [...Object.keys(after)].sort());
  for (const path of ['/os-hypervisors/statistics', `/os-hypervisors/${after.id}/uptime`]) {
    t.equal((await get(cloud, path, 87)).statusCode, 200, path);
    t.equal((await get(cloud, path, 88)).statusCode, 404, path);
  }
});

void t.test('2.89 and 2.101: a volume’s attachment and block device; attached without an answer', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const id = await boot(cloud);
  const path = `/servers/${id}/os-volume_attachments`;
  const attach = async (minor: number) => {
    const made = await cloud.gateway.call('POST', '/volume/v3/volumes', { body: { volume: { size: 1 } } });
    await volumeHostsAct(cloud.world);
    const volumeId = made.json().volume.id;
    const answer = await send(cloud, 'POST', path, { volumeAttachment: { volumeId } }, minor);
    await volumeHostsAct(cloud.world);
    return { volumeId, answer };
  };
  const first = await attach(100);
  t.equal(first.answer.statusCode, 200);
  t.match(first.answer.json().volumeAttachment, { volumeId: first.volumeId });
  const second = await attach(101);
  t.strictSame([second.answer.statusCode, second.answer.body], [202, '']);
  const before = (await get(cloud, path, 88)).json().volumeAttachments;
  t.strictSame(Object.keys(before[0]).sort(), ['delete_on_termination', 'device', 'id', 'serverId', 'tag', 'volumeId']);
  const after = (await get(cloud, path, 89)).json().volumeAttachments;
  t.equal(after.length, 2);
  for (const one of after) {
    t.notOk('id' in one);
    const { attachments } = (
      await cloud.gateway.call('GET', `/volume/v3/attachments?instance_id=${id}`, {
        headers: { 'openstack-api-version': 'volume 3.27' },
      })
    ).json();
    const own = attachments.find((use: { volume_id: string }) => use.volume_id === one.volumeId);
    t.equal(one.attachment_id, own.id);
    t.match(one.bdm_uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const shown = (await get(cloud, `${path}/${one.volumeId}`, 89)).json().volumeAttachment;
    t.strictSame(shown, one);
  }
  t.not(after[0].bdm_uuid, after[1].bdm_uuid);
});

void t.test('2.92: keys are made by their owners, and may be called a@b.c', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const add = (keypair: object, minor: number) => send(cloud, 'POST', '/os-keypairs', { keypair }, minor);
  const made = await add({ name: 'made' }, 91);
  t.equal(made.statusCode, 201);
  t.equal((await add({ name: 'made-later' }, 92)).statusCode, 400);
  const { public_key } = made.json().keypair;
  t.equal((await add({ name: 'me@my.host', public_key }, 91)).statusCode, 400);
  t.equal((await add({ name: 'me@my.host', public_key }, 92)).statusCode, 201);
  t.equal((await get(cloud, '/os-keypairs/me@my.host', 92)).statusCode, 200);
});

void t.test('2.90, 2.96, 2.98, 2.100: what a server shows', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const made = await send(cloud, 'POST', '/os-server-groups', { server_group: { name: 'g', policy: 'affinity' } }, 64);
  const group = made.json().server_group.id;
  const token = cloud.memberToken;
  const mine = await cloud.gateway.call('POST', url('/servers'), {
    token,
    body: { server: newServer },
    headers: at(79),
  });
  await hostsAct(cloud.world);
  const own = `/servers/${mine.json().server.id}`;
  const hostname = 'OS-EXT-SRV-ATTR:hostname';
  t.notOk(hostname in (await get(cloud, own, 89, token)).json().server);
  t.equal((await get(cloud, own, 90, token)).json().server[hostname], 'web');

  const id = await boot(cloud, { availability_zone: 'nova' }, { 'os:scheduler_hints': { group } });
  const show = async (minor: number) => (await get(cloud, `/servers/${id}`, minor)).json().server;
  t.notOk('pinned_availability_zone' in (await show(95)));
  t.equal((await show(96)).pinned_availability_zone, 'nova');
  t.notOk('properties' in (await show(97)).image);
  t.same((await show(98)).image.properties, {});
  t.notOk('scheduler_hints' in (await show(99)));
  t.same((await show(100)).scheduler_hints, { group });
  const listed = (await get(cloud, '/servers/detail', 100)).json().servers;
  t.match(listed, [{ id, scheduler_hints: { group }, pinned_availability_zone: 'nova', image: { properties: {} } }]);
  const changed = await send(cloud, 'PUT', `/servers/${id}`, { server: { name: 'db' } }, 100);
  t.match(changed.json().server, { name: 'db', scheduler_hints: { group }, [hostname]: 'web' });
});

void t.test('2.102: flavors without what nothing uses, and no query of unknown keys', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const [minor, has] of [
    [101, true],
    [102, false],
  ] as const) {
    const flavor = (await get(cloud, '/flavors/1', minor)).json().flavor;
    for (const key of ['rxtx_factor', 'OS-FLV-DISABLED:disabled']) t.equal(key in flavor, has, `${key} at 2.${minor}`);
    const body = { flavor: { name: `f-${minor}`, ram: 64, vcpus: 1, disk: 1, rxtx_factor: 2 } };
    t.equal((await send(cloud, 'POST', '/flavors', body, minor)).statusCode, has ? 200 : 400);
    for (const path of ['/os-aggregates', '/os-availability-zone', '/limits', '/extensions', '/flavors/1']) {
      const status = (await get(cloud, `${path}?unknown=1`, minor)).statusCode;
      if (path !== '/limits') t.equal(status, has ? 200 : 400, `${path} at 2.${minor}`);
      t.equal((await get(cloud, path, minor)).statusCode, 200, path);
    }
  }
});

void t.test('all that is announced is answered, and nothing above', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (let minor = 1; minor <= 104; minor++) {
    const answer = await get(cloud, '/servers/detail', minor);
    t.strictSame([answer.statusCode, answer.headers['x-openstack-nova-api-version']], [200, `2.${minor}`]);
  }
  t.equal((await get(cloud, '/servers', 105)).statusCode, 406);
});
