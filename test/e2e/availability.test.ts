/** Hosts are lost, and only seem to be: three hosts on a real Ceph, a guest that writes all the time, and where it is afterwards. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { DevCeph } from '../../node/dev/ceph.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { agentPackages, cephPackages, guestImagePackages } from '../../node/dev/packages.ts';
import type { RestClient } from '../../node/dev/rest-client.ts';
import { runInGuest } from '../support/guests/guest.ts';

const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';

/** As long as a host that was really lost would be taken over twice. Unit: ms. */
const patienceMs = 25_000;

t.setTimeout(580_000);
t.test('what becomes of a guest when its host is lost, or only seems to be', { skip: why }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-availability-'));
  chmodSync(folder, 0o711);
  const ceph = new DevCeph(join(folder, 'ceph'));
  const cloud = await DevCloud.open({
    ...{ folder, agents: 3, real: true, storage: 'rbd' },
    ceph: (agent) => ceph.clientOf(agent),
  });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    await ceph.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.makeUnderlay();
  const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
  const cephAddress = cloud.layout.underlayCidr.replace('.0/24', '.254');
  await ceph.start(cephAddress, cloud.layout.agents);
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const names = cloud.layout.agents.map(({ name }) => name);
  const first = cloud.client('h1');
  const demo = await makeDemo(first, cloud.layout, image.qcow2Path);
  const guest = await bootGuest(first, demo, 'precious');
  const path = `/compute/v2.1/servers/${guest.serverId}`;
  await first.json(`${path}/metadata`, { method: 'POST', body: { metadata: { ha: 'restart' } } });
  const floatingIp = await addFloatingIp(first, demo, guest);
  await waitUntilAnswers(floatingIp);
  await waitUntilReady(first, guest.serverId);

  const hostOf = async (client: RestClient): Promise<string> =>
    String((await client.server(guest.serverId))['OS-EXT-SRV-ATTR:host']);
  const home = await hostOf(first);
  const others = names.filter((name) => name !== home);
  const other = cloud.client(others[0] ?? '');
  const place = cloud.agent(home);
  const inHost = async (...argv: string[]): Promise<string> =>
    (await runCommand(['ip', 'netns', 'exec', place.namespace ?? '', ...argv])).stdout;
  const boots = async (): Promise<string> => runInGuest(floatingIp, 'cat /proc/sys/kernel/random/boot_id');
  const fences = async (): Promise<string> => {
    const { confPath, user } = ceph.clientOf(cloud.agent(others[0] ?? ''));
    const { stdout } = await runCommand(['ceph', '--conf', confPath, '--id', user, 'osd', 'dump', '--format', 'json']);
    return Object.keys((JSON.parse(stdout) as { blocklist: object }).blocklist)
      .filter((key) => key.endsWith(':0/0'))
      .join(' ');
  };
  const bootId = await boots();
  await runInGuest(
    floatingIp,
    'echo kept >/mnt/state/witness; sync; (n=0; while true; do n=$((n+1)); echo $n >/mnt/state/count; sync; sleep 0.2; done) >/dev/null 2>&1 &',
  );
  const untouched = async (t: { equal(a: unknown, b: unknown, why: string): void }): Promise<void> => {
    t.equal(await hostOf(other), home, 'it was not moved');
    t.equal(await fences(), '', 'nobody was fenced');
    t.equal(await boots(), bootId, 'the guest runs on');
  };

  await t.test('the agent alone is killed: nothing is moved', async (t) => {
    await cloud.killAgent(home, 'SIGKILL');
    await delay(patienceMs);
    await untouched(t);
    await cloud.startAgent(home);
  });

  await t.test(
    'the host is cut off from the other hosts, not from Ceph: nothing is moved, and nobody is fenced',
    async (t) => {
      const peers = others.map((name) => cloud.agent(name).address);
      for (const peer of peers) await inHost('ip', 'route', 'add', 'blackhole', `${peer}/32`);
      await delay(patienceMs);
      for (const peer of peers) await inHost('ip', 'route', 'del', 'blackhole', `${peer}/32`);
      await untouched(t);
      await cloud.waitUntilFormed(60_000);
    },
  );

  await t.test('the host is cut off from Ceph, not from the other hosts: nothing is moved', async (t) => {
    await inHost('ip', 'route', 'add', 'blackhole', `${cephAddress}/32`);
    await delay(15_000);
    t.equal(await hostOf(other), home, 'it was not moved');
    await inHost('ip', 'route', 'del', 'blackhole', `${cephAddress}/32`);
    t.equal(await fences(), '', 'nobody was fenced');
    await waitUntilAnswers(floatingIp, 60_000);
    t.equal(await boots(), bootId, 'the guest runs on');
  });

  await t.test('the host is killed: the guest is back elsewhere, with what it had written', async (t) => {
    const count = Number(await runInGuest(floatingIp, 'cat /mnt/state/count'));
    const { stdout } = await runCommand(['ip', 'netns', 'pids', place.namespace ?? '']);
    const killedMs = Date.now();
    await runCommand(['ip', '-n', place.namespace ?? '', 'link', 'set', 'ul0', 'down']);
    await cloud.killAgent(home, 'SIGKILL');
    for (const pid of stdout.split('\n').map(Number)) if (pid > 1) endProcess(pid);
    const times = new Map<string, number>();
    const note = (what: string): void => void times.set(what, Date.now() - killedMs);
    let server = await other.server(guest.serverId);
    while (
      server['status'] !== 'ACTIVE' ||
      server['OS-EXT-SRV-ATTR:host'] === home ||
      server['OS-EXT-STS:task_state'] !== null
    ) {
      if (Date.now() - killedMs > 90_000)
        throw new Error(`not back: ${JSON.stringify(server)} ${await jobsOf(cloud, others[0])}`);
      await delay(100);
      server = await other.server(guest.serverId);
      if (server['OS-EXT-SRV-ATTR:host'] !== home && !times.has('bound')) note('bound');
    }
    note('restarted');
    await waitUntilAnswers(floatingIp, 90_000);
    note('answers');
    t.comment(`times from the kill, ms: ${JSON.stringify(Object.fromEntries(times))}`);
    t.comment(await jobsOf(cloud, others[0]));
    t.ok(times.has('bound'), 'it was given another host');
    t.equal(await fences(), `${place.address}:0/0`, 'its host alone is fenced');
    t.match(await runInGuest(floatingIp, 'cat /mnt/state/witness'), /kept/);
    const after = Number(await runInGuest(floatingIp, 'cat /mnt/state/count'));
    // A count is read from the guest's memory before it is synced: the last one may never have been on a disk.
    t.ok(after >= count - 1, `it had written ${count} when it was asked last, and has ${after}`);
    const errors = await runInGuest(floatingIp, 'dmesg | grep -ciE "ext4-fs error|i/o error" || true');
    t.equal(errors.trim(), '0', 'its file system is clean');
  });

  await t.test('the host comes back: its fence is lifted, and it takes guests again', async (t) => {
    await runCommand(['ip', '-n', place.namespace ?? '', 'link', 'set', 'ul0', 'up']);
    await cloud.startAgent(home);
    const deadline = Date.now() + 60_000;
    while ((await fences()) !== '') {
      if (Date.now() > deadline) throw new Error('its fence is not lifted');
      await delay(250);
    }
    t.comment(`its fence was lifted ${60_000 - (deadline - Date.now())} ms after its start`);
    await cloud.waitUntilFormed(60_000);
    t.not(await hostOf(other), home, 'what was taken stays where it is');
    const body = { migrate: { host: home } };
    const headers = { 'openstack-api-version': 'compute 2.56' };
    // Its former host has said that nothing is left there, else this is a 409.
    let moved = { status: 0, text: '' };
    while (moved.status !== 202 && Date.now() < deadline + 30_000) {
      moved = await other.raw(`${path}/action`, { method: 'POST', body, headers });
      if (moved.status !== 202) await delay(500);
    }
    t.equal(moved.status, 202, moved.text);
    await other.waitForServer(guest.serverId, 'VERIFY_RESIZE', 90_000);
    await waitUntilAnswers(floatingIp, 60_000);
    t.match(await runInGuest(floatingIp, 'cat /mnt/state/witness'), /kept/);
  });
});

/** Gone already: that is what was wanted. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (caught) {
    if (!(caught instanceof Error && 'code' in caught && caught.code === 'ESRCH')) throw caught;
  }
}

async function jobsOf(cloud: DevCloud, name: string | undefined): Promise<string> {
  return cloud.shoal(cloud.agent(name ?? ''), ['job', 'list', '--all', '--json']);
}
