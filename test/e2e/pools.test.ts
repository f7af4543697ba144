/**
 * Storage pools by configuration, on real files and a real Ceph: two folders and two Ceph pools of one agent. What is made in
 * each lies in each, moves between them, and outlives that its pool is taken out of the configuration.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { DevCluster } from '../../drivers/ceph/dev-cluster.ts';
import { runCommand } from '../../drivers/command.ts';
import { agentPackages, cephPackages } from '../../node/dev/packages.ts';
import { LoneAgent, shoal } from '../support/lone-agent.ts';

const missing = [...agentPackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';

const monitorAddress = '127.0.0.41';
/** Nothing here copies more than an empty GiB. */
const statusMsMax = 90_000;

interface Volume {
  readonly id: string;
  readonly status: string;
  readonly volume_type: string;
  readonly 'os-vol-host-attr:host'?: string | null;
}

t.setTimeout(400_000);
if (why !== '') {
  t.test('pools on real storage', { skip: why }, (t) => t.end());
} else {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-pools-'));
  const signal = AbortSignal.timeout(300_000);
  const cluster = await DevCluster.start({ dir: join(folder, 'ceph'), address: monitorAddress }, signal);
  t.teardown(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await cluster.makePool('volumes-ssd', signal);
  const { confPath, user } = await cluster.createClient({ name: 'alpha', furtherPools: ['volumes-ssd'] }, signal);
  for (const name of ['nvme', 'disk']) mkdirSync(join(folder, name));
  const pools = {
    nvme: `{ name: nvme, driver: local, path: ${join(folder, 'nvme')} }`,
    disk: `{ name: disk, driver: local, path: ${join(folder, 'disk')} }`,
    ssd: '{ name: ssd, driver: rbd, cephPool: volumes-ssd }',
  };
  const fileOf = (names: readonly (keyof typeof pools)[]): string =>
    `ceph: { confPath: ${confPath}, user: ${user} }\npools:\n${names.map((name) => `  - ${pools[name]}\n`).join('')}`;
  const agent = await LoneAgent.start({
    file: fileOf(['nvme', 'disk', 'ssd']),
    settings: { 'compute.driver': 'qemu' },
    parent: folder,
  });
  t.teardown(() => agent.stop());
  const token = await agent.token();

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${agent.apiUrl}/volume/v3${path}`, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json', 'openstack-api-version': 'volume 3.59' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  };
  const volumeNow = async (id: string): Promise<Volume> =>
    (await call<{ volume: Volume }>('GET', `/volumes/${id}`)).volume;
  const until = async (id: string, isSo: (volume: Volume) => boolean): Promise<Volume> => {
    const endMs = performance.now() + statusMsMax;
    for (;;) {
      const volume = await volumeNow(id);
      if (isSo(volume) || volume.status.startsWith('error') || performance.now() > endMs) return volume;
      await delay(300);
    }
  };
  const make = async (type: string): Promise<string> => {
    const volume = { size: 1, volume_type: type, name: `in-${type}-${randomUUID()}` };
    const { id } = (await call<{ volume: Volume }>('POST', '/volumes', { volume })).volume;
    t.match(await until(id, ({ status }) => status === 'available'), { status: 'available' }, type);
    return id;
  };
  const isFile = (pool: string, id: string): boolean => existsSync(join(folder, pool, 'disks', `${id}.qcow2`));
  const imagesOf = async (pool: string): Promise<readonly string[]> =>
    (await runCommand(['rbd', '--conf', confPath, '--id', user, 'ls', pool])).stdout.trim().split('\n');

  for (const name of [...Object.keys(pools), 'rbd']) {
    await call('POST', '/types', { volume_type: { name, extra_specs: { volume_backend_name: name } } });
  }

  await t.test('every pool is told, with its room', async (t) => {
    const { pools: found } = (await agent.json('pools')) as { pools: readonly { name: string }[] };
    t.match(
      found.map(({ name }) => name),
      ['disk', 'local', 'nvme', 'rbd', 'ssd'],
    );
    type Told = { pools: readonly { name: string; capabilities: Record<string, unknown> }[] };
    const ask = (): Promise<Told> => call('GET', '/scheduler-stats/get_pools?detail=true');
    // Measured by its agent, then told by gossip.
    const endMs = performance.now() + statusMsMax;
    let told = await ask();
    const isUnknown = (): boolean =>
      told.pools.some(({ capabilities }) => capabilities['free_capacity_gb'] === 'unknown');
    for (; isUnknown() && performance.now() < endMs; told = await ask()) await delay(300);
    t.equal(told.pools.length, 5);
    for (const { name, capabilities } of told.pools) {
      t.match(capabilities, { total_capacity_gb: Number, free_capacity_gb: Number }, name);
    }
  });

  const ids: Record<string, string> = {};
  await t.test('a volume is made in the pool that its type names, and in no other', async (t) => {
    for (const type of ['rbd', 'ssd']) ids[type] = await make(type);
    t.ok((await imagesOf('volumes')).includes(ids['rbd'] ?? ''));
    t.notOk((await imagesOf('volumes')).includes(ids['ssd'] ?? ''));
    t.ok((await imagesOf('volumes-ssd')).includes(ids['ssd'] ?? ''));
    // An empty one of a host's own pool gets its bytes when it is needed: as a copy is.
    for (const type of ['nvme', 'disk']) {
      const source = await make(type);
      const snapshot = { volume_id: source, name: 'first', force: true };
      const made = await call<{ snapshot: { id: string } }>('POST', '/snapshots', { snapshot });
      const volume = { size: 1, snapshot_id: made.snapshot.id };
      const endMs = performance.now() + statusMsMax;
      for (;;) {
        const { snapshot: now } = await call<{ snapshot: { status: string } }>('GET', `/snapshots/${made.snapshot.id}`);
        if (now.status === 'available' || now.status === 'error' || performance.now() > endMs) break;
        await delay(300);
      }
      const { id } = (await call<{ volume: Volume }>('POST', '/volumes', { volume })).volume;
      t.match(await until(id, ({ status }) => status === 'available'), {
        status: 'available',
        'os-vol-host-attr:host': `alpha@${type}#${type}`,
      });
      ids[type] = id;
    }
    t.ok(isFile('nvme', ids['nvme'] ?? ''));
    t.notOk(isFile('disk', ids['nvme'] ?? ''));
    t.ok(isFile('disk', ids['disk'] ?? ''));
  });

  await t.test('a volume moves to another folder, to Ceph, and to another Ceph pool, by retype', async (t) => {
    const id = ids['nvme'] ?? '';
    for (const type of ['disk', 'ssd', 'rbd', 'nvme']) {
      await call('POST', `/volumes/${id}/action`, {
        'os-retype': { new_type: type, migration_policy: 'on-demand' },
      });
      const host = `alpha@${type}#${type}`;
      t.match(
        await until(id, (volume) => volume.status === 'available' && volume['os-vol-host-attr:host'] === host),
        { status: 'available', volume_type: type, 'os-vol-host-attr:host': host },
        type,
      );
      t.same(((await agent.json('job', 'list')) as { jobs: unknown[] }).jobs, [], 'its job ended with the move');
      t.equal(isFile('disk', id), type === 'disk', 'nothing stays behind in the folder');
      t.equal((await imagesOf('volumes-ssd')).includes(id), type === 'ssd', 'nor in Ceph');
    }
    t.equal(isFile('nvme', id), true);
  });

  await t.test('a pool that is taken out of the configuration loses nothing', async (t) => {
    const id = ids['nvme'] ?? '';
    await agent.end();
    agent.configure(fileOf(['disk', 'ssd']));
    await agent.run();
    t.match(await shoal(['pools', '--data-dir', agent.dataDir]), {
      out: /nvme .*missing/,
      err: /no host has pool nvme/,
    });
    t.match(await volumeNow(id), { status: 'available' });
    await call('DELETE', `/volumes/${id}`);
    // Deletions are tried again for as long as it takes.
    await delay(5_000);
    t.match(await volumeNow(id), { status: 'deleting' });
    t.equal(isFile('nvme', id), true, 'its bytes are where they were');

    await agent.end();
    agent.configure(fileOf(['nvme', 'disk', 'ssd']));
    await agent.run();
    const endMs = performance.now() + statusMsMax;
    while (isFile('nvme', id) && performance.now() < endMs) await delay(300);
    t.equal(isFile('nvme', id), false, 'and it goes once the pool is set again');
  });
}
