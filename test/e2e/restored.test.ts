/**
 * A cloud that has lost the state on all of its hosts comes back from its own backup: a new mesh on a folder that has kept nothing
 * but its host's key, another host of before that joins with a ticket, and all records; nothing of the former mesh lets anybody in.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { RestClient } from '../../node/dev/rest-client.ts';
import { trustAuthority } from '../../node/dev/trust.ts';
import { adminPassword, LoneAgent, shoal } from '../support/lone-agent.ts';

/** Longest that something may take on a busy machine. Unit: milliseconds. */
const patienceMs = 60_000;
t.setTimeout(570_000);

/** What a host has of the mesh's state and keys; the rest is its own: its key, its notes, its disks. */
const meshFiles = ['log', 'slice', 'membership.json', 'mesh.key', 'ca.pem'];

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(300);
  }
}

/** Runs a command of an agent that must succeed. */
async function done(agent: LoneAgent, ...words: readonly string[]): Promise<string> {
  const { status, out, err } = await shoal([...words, ...agent.flags]);
  if (status !== 0) throw new Error(`shoal ${words.join(' ')}: ${err}`);
  return out;
}

function wipe(agent: LoneAgent): void {
  for (const name of meshFiles) rmSync(join(agent.dataDir, name), { recursive: true, force: true });
}

interface HostView {
  readonly host: { readonly id: string; readonly name: string };
  readonly condition: string;
}

const hostsOf = async (agent: LoneAgent): Promise<readonly HostView[]> =>
  ((await agent.json('hosts')) as { readonly hosts: readonly HostView[] }).hosts;

await t.test('a cloud comes back from its own backup', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-restored-'));
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  const store = `file://${backups}`;
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, 'correct horse battery staple\n', { mode: 0o600 });
  const agents: LoneAgent[] = [];
  t.teardown(async () => {
    for (const agent of agents.reverse()) await agent.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const alpha = await LoneAgent.start({ name: 'alpha' });
  agents.push(alpha);
  const beta = await LoneAgent.start({ name: 'beta', join: alpha });
  agents.push(beta);
  const gamma = await LoneAgent.start({ name: 'gamma', join: alpha });
  agents.push(gamma);

  const client = new RestClient(alpha.apiUrl, adminPassword);
  const image = { name: 'small', container_format: 'bare', disk_format: 'raw' };
  const { id: imageRef } = (await client.json('/image/v2/images', { method: 'POST', body: image })) as { id: string };
  await fetch(`${alpha.apiUrl}/image/v2/images/${imageRef}/file`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'x-auth-token': await client.token() },
    body: new Uint8Array(4096),
  });
  const active = async (agent: LoneAgent) => {
    const body = await new RestClient(agent.apiUrl, adminPassword).json('/compute/v2.1/servers/detail?all_tenants=1');
    const servers = body['servers'] as readonly {
      readonly name: string;
      readonly status: string;
      readonly id: string;
    }[];
    return servers.filter(({ status }) => status === 'ACTIVE').map(({ name, id }) => ({ name, id }));
  };
  const make = (name: string) =>
    client.json('/compute/v2.1/servers', {
      method: 'POST',
      body: { server: { name, flavorRef: '1', imageRef, networks: 'none' } },
      headers: { 'openstack-api-version': 'compute 2.79' },
    });
  for (const name of ['one', 'two', 'three']) await make(name);
  await until(async () => (await active(alpha)).length === 3, 'three servers run');
  const kept = (await active(alpha)).sort((a, b) => (a.name < b.name ? -1 : 1));

  await t.test('backups are set, made, listed and read again', async (t) => {
    const refused = await shoal(['cloud-backup', 'create', ...alpha.flags]);
    t.equal(refused.status, 1);
    t.match(refused.err, /Nothing says where backups of the cloud go/);
    await done(
      beta,
      'cloud-backup',
      'set',
      '--store',
      store,
      '--passphrase-file',
      passphrase,
      '--every',
      '1',
      '--keep',
      '5',
    );
    t.match(await done(beta, 'cloud-backup', 'create'), /of revision \d+ is made/);
    const { settings, backups: listed } = JSON.parse(await done(alpha, 'cloud-backup', 'list', '--json'));
    t.ok(listed.length >= 1, 'the schedule may have made one as well');
    t.match(settings, { store, everyHours: 1, keep: 5 });
    t.notOk(settings.failure);
    t.notOk(settings.sealedKey, 'the key is not shown');
    t.match(await done(alpha, 'cloud-backup', 'verify'), /is whole/);
    t.match(
      await done(alpha, 'cloud-backup', 'verify', '--from', store, '--passphrase-file', passphrase),
      /is whole/,
      'without an agent, too',
    );
    writeFileSync(join(folder, 'another'), 'another horse battery staple\n', { mode: 0o600 });
    const other = ['--from', store, '--passphrase-file', join(folder, 'another')];
    const wrong = await shoal(['cloud-backup', 'verify', ...other, ...alpha.flags]);
    t.equal(wrong.status, 1);
    t.match(wrong.err, /passphrase or key file is another one/);
  });

  const before = await hostsOf(alpha);
  const formerToken = await client.token();
  const { status: formerStatus } = await fetch(`${alpha.apiUrl}/v3/auth/tokens`, {
    headers: { 'x-auth-token': formerToken, 'x-subject-token': formerToken },
  });
  t.equal(formerStatus, 200, 'the token is good now');
  await make('after the backup').catch(() => {});

  // All of the state goes, on all hosts at once; gamma is lost with all that it had.
  for (const agent of agents) await agent.end('SIGKILL');
  for (const agent of [alpha, beta]) wipe(agent);

  await t.test('a restore says first what it would do, and wants a folder of no mesh', async (t) => {
    const words = ['cloud-backup', 'restore', '--from', store, '--passphrase-file', passphrase];
    const member = await shoal([...words, '--yes', ...gamma.flags]);
    t.equal(member.status, 1);
    t.match(member.err, /belongs to a mesh; say first: shoal reset-membership/);
    const asked = await shoal([...words, ...alpha.flags]);
    t.equal(asked.status, 1);
    t.match(asked.out, /is whole/);
    t.match(asked.err, /nothing was changed; say --yes/);
    t.notOk(readdirSync(alpha.dataDir).includes('membership.json'));
  });

  const restored = JSON.parse(
    await done(alpha, 'cloud-backup', 'restore', '--from', store, '--passphrase-file', passphrase, '--yes', '--json'),
  );
  t.same(restored.awaited, ['beta', 'gamma']);
  trustAuthority(readFileSync(alpha.authorityPath, 'utf8'));
  await alpha.run();

  await t.test('everything is as it was, and nothing of the former mesh lets anybody in', async (t) => {
    const names = async (agent: LoneAgent) =>
      (
        (await new RestClient(agent.apiUrl, adminPassword).json('/compute/v2.1/servers?all_tenants=1'))['servers'] as {
          name: string;
          id: string;
        }[]
      )
        .map(({ name, id }) => ({ name, id }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    t.same(await names(alpha), kept, 'all servers of the backup, by their ids, and none of afterwards');
    const now = await hostsOf(alpha);
    t.same(
      now.map(({ host }) => [host.id, host.name]),
      before.map(({ host }) => [host.id, host.name]),
      'the same hosts',
    );
    await until(
      async () =>
        (await hostsOf(alpha)).every(({ host, condition }) => condition === (host.name === 'alpha' ? 'alive' : 'dead')),
      'the others are down',
    );
    const { status } = await fetch(`${alpha.apiUrl}/v3/auth/tokens`, {
      headers: { 'x-auth-token': formerToken, 'x-subject-token': formerToken },
    });
    t.equal(status, 401, 'a token of before is void');
  });

  await beta.run(await alpha.ticket());
  await t.test('a host whose key is left is the same host as before, and its servers run', async (t) => {
    await until(
      async () => (await hostsOf(alpha)).some(({ host, condition }) => host.name === 'beta' && condition === 'alive'),
      'beta is up',
    );
    t.same(
      (await hostsOf(beta)).map(({ host }) => [host.id, host.name]),
      before.map(({ host }) => [host.id, host.name]),
    );
    const hostOf = async (id: string) =>
      (
        (await new RestClient(alpha.apiUrl, adminPassword).json(`/compute/v2.1/servers/${id}`))['server'] as Record<
          string,
          string
        >
      )['OS-EXT-SRV-ATTR:host'];
    const here: string[] = [];
    for (const server of kept) if ((await hostOf(server.id)) !== 'gamma') here.push(server.name);
    await until(async () => {
      const running = (await active(alpha)).map(({ name }) => name);
      return here.every((name) => running.includes(name));
    }, 'servers of both run');
  });

  await t.test('the cloud goes on: its secrets open, it is backed up again, and a lost host is removed', async (t) => {
    t.match(await done(beta, 'cloud-backup', 'create'), /is made/, 'the key of the backups is among what was sealed');
    const listed = JSON.parse(await done(alpha, 'cloud-backup', 'list', '--json')).backups;
    t.equal(listed[0].meshId, restored.meshId);
    const everywhere = JSON.parse(await done(alpha, 'cloud-backup', 'list', '--from', store, '--json')).backups;
    t.ok(everywhere.length > listed.length, 'those of the former mesh stay');
    const upgrade = JSON.parse(await done(alpha, 'upgrade', 'status', '--json'));
    t.equal(upgrade.featureLevel, upgrade.ownFeatureLevel, 'what was in force is in force');
  });
});
