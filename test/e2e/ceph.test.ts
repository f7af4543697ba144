/** The same boot on a real single-node Ceph: root disks are copy-on-write clones in RBD, and a server moves with its disk. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { RbdStorageDriver } from '../../drivers/ceph/driver.ts';
import { runCommand } from '../../drivers/command.ts';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import type { VolumeId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { DevCeph } from '../../node/dev/ceph.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { agentPackages, cephPackages, guestImagePackages } from '../../node/dev/packages.ts';
import { runInGuest } from '../support/guests/guest.ts';
import { imageFileAt } from '../support/guests/image-file.ts';

const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';

t.setTimeout(580_000);
t.test('a guest on Ceph RBD moves to another host with its disk', { skip: why }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-ceph-'));
  // QEMU's user must be able to pass through.
  chmodSync(folder, 0o711);
  const ceph = new DevCeph(join(folder, 'ceph'));
  const cloud = await DevCloud.open({
    folder,
    agents: 2,
    real: true,
    storage: 'rbd',
    ceph: (agent) => ceph.clientOf(agent),
  });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    await ceph.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const signal = AbortSignal.timeout(500_000);
  await cloud.makeUnderlay();
  const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
  await ceph.start(cloud.layout.underlayCidr.replace('.0/24', '.254'), cloud.layout.agents);
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const client = cloud.client('h1');
  const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
  const guest = await bootGuest(client, demo, 'on-ceph');
  const floatingIp = await addFloatingIp(client, demo, guest);
  await waitUntilAnswers(floatingIp);
  await waitUntilReady(client, guest.serverId);

  const h1 = cloud.agent('h1');
  const { confPath, user, diskPool } = ceph.clientOf(h1);
  const rbd = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await runCommand(['rbd', '--conf', confPath, '--id', user, ...args, '--format', 'json']);
    return JSON.parse(stdout);
  };
  const disks = (await rbd('ls', diskPool)) as string[];
  t.equal(disks.length, 1, 'the root disk is in RBD');
  const info = (await rbd('info', `${diskPool}/${disks[0]}`)) as { parent?: { pool: string } };
  t.equal(info.parent?.pool, 'images', 'as a copy-on-write clone of the image');

  const driver = new RbdStorageDriver({ log: silentLogger }, { identity: { confPath, user } });
  await driver.start(signal);
  const volumeId = 'aaaaaaaa-0000-4000-8000-000000000001' as VolumeId;
  const { sha256: imageSha256 } = await imageFileAt(image.qcow2Path, {
    format: 'qcow2',
    virtualSizeBytes: image.virtualSizeBytes,
  });
  const startedMs = performance.now();
  await driver.ensureDisk({ volumeId, sizeBytes: image.virtualSizeBytes, imageSha256, generation: 1 }, signal);
  const cloneMs = Math.round(performance.now() - startedMs);
  t.comment(`a clone takes ${cloneMs} ms`);
  await driver.removeDisk(volumeId, signal);
  await driver.stop();

  await runInGuest(floatingIp, 'echo written-before-the-move >/mnt/state/witness; sync');
  const before = String((await client.server(guest.serverId))['OS-EXT-SRV-ATTR:host']);
  const target = before === 'h1' ? 'h2' : 'h1';
  await client.action(guest.serverId, 'os-stop');
  await client.waitForServer(guest.serverId, 'SHUTOFF', 60_000);
  const moved = await client.raw(`/compute/v2.1/servers/${guest.serverId}/action`, {
    method: 'POST',
    body: { migrate: { host: target } },
    headers: { 'openstack-api-version': 'compute 2.56' },
  });
  t.equal(moved.status, 202, moved.text);
  await client.waitForServer(guest.serverId, 'VERIFY_RESIZE', 60_000);
  t.equal((await client.server(guest.serverId))['OS-EXT-SRV-ATTR:host'], target);
  await client.action(guest.serverId, 'confirmResize');
  await client.waitForServer(guest.serverId, 'SHUTOFF', 60_000);
  await client.action(guest.serverId, 'os-start');
  await client.waitForServer(guest.serverId, 'ACTIVE', 60_000);
  await waitUntilAnswers(floatingIp);
  t.match(await runInGuest(floatingIp, 'cat /mnt/state/witness'), /written-before-the-move/, 'its writes came along');
  t.match(await waitUntilAnswers(floatingIp), /boots=2/, 'it booted once on each host');

  // Back again while it runs: what is in its memory goes along, and its address.
  const bootId = await runInGuest(floatingIp, 'cat /proc/sys/kernel/random/boot_id');
  const leftMs = Date.now();
  const live = await client.raw(`/compute/v2.1/servers/${guest.serverId}/action`, {
    method: 'POST',
    body: { 'os-migrateLive': { host: before, block_migration: 'auto' } },
    headers: { 'openstack-api-version': 'compute 2.68' },
  });
  t.equal(live.status, 202, live.text);
  for (let isThere = false; !isThere; await delay(200)) {
    const server = await client.server(guest.serverId);
    isThere = server['status'] === 'ACTIVE' && server['OS-EXT-SRV-ATTR:host'] === before;
    if (Date.now() - leftMs > 120_000) throw new Error(`still ${String(server['status'])} after two minutes`);
  }
  t.comment(`moved while it ran in ${Date.now() - leftMs} ms`);
  await waitUntilAnswers(floatingIp);
  t.equal(await runInGuest(floatingIp, 'cat /proc/sys/kernel/random/boot_id'), bootId, 'it has not booted again');
  await runInGuest(floatingIp, 'echo said-after-the-move >/dev/console');
  await delay(1000);
  t.match(await client.consoleLog(guest.serverId, 100), /said-after-the-move/, 'its console is read where it is');
  await runInGuest(floatingIp, 'echo after-the-live-move >> /mnt/state/witness && sync');
  t.match(await runInGuest(floatingIp, 'cat /mnt/state/witness'), /written-before-the-move\s+after-the-live-move/);

  await client.json(`/compute/v2.1/servers/${guest.serverId}`, { method: 'DELETE' });
  const gone = Date.now() + 60_000;
  let left = disks;
  while (left.length > 0 && Date.now() < gone) {
    await delay(500);
    left = (await rbd('ls', diskPool)) as string[];
  }
  t.same(left, [], 'a deleted server leaves no disk');
});
