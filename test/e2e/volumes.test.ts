/**
 * Volumes on real QEMU, real Ceph and the host's own files, as their owners use them: one cloud of two agents, in the order of a
 * story. What a guest wrote is compared inside of the guest.
 */
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
import { VolumeClient } from '../../node/dev/volume-client.ts';
import { runInGuest } from '../support/guests/guest.ts';
import { deviceOf, type InGuest, sumOf, writing } from '../support/guests/volumes-in-guest.ts';

const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';

t.setTimeout(580_000);
if (why !== '') {
  t.test('volumes on real storage', { skip: why }, (t) => t.end());
} else {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-volumes-'));
  // QEMU's user must be able to pass through.
  chmodSync(folder, 0o711);
  const ceph = new DevCeph(join(folder, 'ceph'));
  const cloud = await DevCloud.open({
    folder,
    agents: 2,
    real: true,
    storage: 'local',
    ceph: (agent) => ceph.clientOf(agent),
  });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    await ceph.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.makeUnderlay();
  const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
  await ceph.start(cloud.layout.underlayCidr.replace('.0/24', '.254'), cloud.layout.agents);
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const client = cloud.client('h1');
  const volumes = new VolumeClient(client);
  const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
  const guest = await bootGuest(client, demo, 'with-volumes');
  const address = await addFloatingIp(client, demo, guest);
  await waitUntilAnswers(address);
  await waitUntilReady(client, guest.serverId);
  const inGuest = (script: string, timeoutMs?: number): Promise<string> => runInGuest(address, script, timeoutMs);
  await volumes.makeType('ceph', { volume_backend_name: 'rbd' });
  await volumes.makeType('files', { volume_backend_name: 'local' });

  for (const type of ['ceph', 'files'] as const) {
    await t.test(`${type}: what was written before a snapshot is there after a revert`, async (t) => {
      const id = await volumes.make({ name: `data-${type}`, size: 1, volume_type: type });
      if (type === 'files') {
        t.equal((await volumes.show(id))['os-vol-host-attr:host'], null, 'it has no host before it is needed');
      }
      await volumes.attach(guest.serverId, id);
      const device = await deviceOf(inGuest, id);
      await inGuest(writing(device, 'first'), 60_000);
      const first = await sumOf(inGuest, device);

      const snapshotId = await volumes.snapshot(id);
      await inGuest(writing(device, 'second'), 60_000);
      t.not(await sumOf(inGuest, device), first, 'it was overwritten');
      await volumes.detach(guest.serverId, id);
      t.match(await inGuest(`ls ${device} 2>&1; true`), /No such file/, 'the guest has it no more');

      await volumes.revert(id, snapshotId);
      await volumes.attach(guest.serverId, id);
      const again = await deviceOf(inGuest, id);
      t.equal(await sumOf(inGuest, again), first, 'what the snapshot saw is back');

      const cloneId = await volumes.make({ name: 'clone', size: 1, volume_type: type, snapshot_id: snapshotId });
      await volumes.attach(guest.serverId, cloneId);
      const clone = await deviceOf(inGuest, cloneId);
      t.equal(await sumOf(inGuest, clone), first, 'a volume made of the snapshot has the same');
      await volumes.detach(guest.serverId, cloneId);
      await volumes.remove(cloneId);

      await volumes.extend(id, 2);
      t.equal(await grownTo(inGuest, again, 2 * 1024 ** 3), 2 * 1024 ** 3, 'the guest sees it grow');
      t.equal(await sumOf(inGuest, again), first, 'and what it holds stays');
      await volumes.detach(guest.serverId, id);
      await volumes.removeSnapshot(snapshotId);
      await volumes.remove(id);
      t.same(await leftOn(type, id), [], 'nothing is left of it');
    });
  }

  await t.test('of two requests for one volume exactly one wins', async (t) => {
    const other = await bootGuest(client, demo, 'other');
    const id = await volumes.make({ name: 'wanted-twice', size: 1, volume_type: 'ceph' });
    const answers = await Promise.all(
      [guest.serverId, other.serverId].map((serverId) => volumes.tryToAttach(serverId, id)),
    );
    t.same(answers.map(({ status }) => status).sort(), [200, 400]);
    const winner = answers[0]?.status === 200 ? guest.serverId : other.serverId;
    await volumes.waitFor(id, 'in-use');
    const attachments = (await volumes.show(id))['attachments'] as { server_id: string }[];
    t.same(
      attachments.map((one) => one.server_id),
      [winner],
      'the record names the winner alone',
    );
    await volumes.detach(winner, id);
    await volumes.remove(id);
    await client.json(`/compute/v2.1/servers/${other.serverId}`, { method: 'DELETE' });
  });

  await t.test('all agents killed while a guest writes to two volumes: not one write fails', async (t) => {
    const ids = await Promise.all(
      ['ceph', 'files'].map((type) => volumes.make({ name: `busy-${type}`, size: 1, volume_type: type })),
    );
    const devices: string[] = [];
    for (const id of ids) {
      await volumes.attach(guest.serverId, id);
      devices.push(await deviceOf(inGuest, id));
    }
    const load = devices.map((device) => inGuest(steadyWriting(device), 60_000));
    await delay(1000);
    for (const { name } of cloud.layout.agents) await cloud.killAgent(name, 'SIGKILL');
    await delay(4000);
    await Promise.all(cloud.layout.agents.map((agent) => cloud.startAgent(agent.name)));
    await cloud.waitUntilFormed(60_000);
    for (const output of await Promise.all(load)) t.match(output, /writes=40 failed=0/);
    for (const id of ids) {
      t.equal((await volumes.show(id))['status'], 'in-use', 'it is attached as before');
      await volumes.detach(guest.serverId, id);
      await volumes.remove(id);
    }
  });

  await t.test('a server boots from a volume, which outlives it', async (t) => {
    const id = await volumes.make({ name: 'root', size: 1, volume_type: 'ceph', imageRef: demo.imageId });
    t.equal((await volumes.show(id))['bootable'], 'true');
    const server = await client.create('/compute/v2.1/servers', 'server', {
      name: 'from-volume',
      flavorRef: '42',
      networks: [{ uuid: demo.networkId }],
      block_device_mapping_v2: [
        { boot_index: 0, uuid: id, source_type: 'volume', destination_type: 'volume', delete_on_termination: false },
      ],
    });
    await client.waitForServer(server.id, 'ACTIVE', 60_000);
    await waitUntilReady(client, server.id);
    await client.json(`/compute/v2.1/servers/${server.id}`, { method: 'DELETE' });
    await volumes.waitFor(id, 'available');
    await volumes.remove(id);
  });

  /** What the storage has under a volume's id. */
  async function leftOn(type: 'ceph' | 'files', id: string): Promise<readonly string[]> {
    if (type === 'files') {
      const found = await runCommand(['find', folder, '-path', '*disks*', '-name', `*${id}*`]);
      return found.stdout.split('\n').filter((line) => line !== '');
    }
    const { confPath, user, diskPool } = ceph.clientOf(cloud.agent('h1'));
    const { stdout } = await runCommand(['rbd', '--conf', confPath, '--id', user, 'ls', diskPool, '--format', 'json']);
    return (JSON.parse(stdout) as string[]).filter((name) => name.includes(id));
  }
}

/** Forty writes, a tenth of a second apart, each of them synced. */
function steadyWriting(device: string): string {
  return `f=0; for n in $(seq 40); do dd if=/dev/zero of=${device} bs=64k count=1 seek=$n conv=fsync 2>/dev/null || f=$((f+1)); sleep 0.1; done; echo writes=40 failed=$f`;
}

/** The size that the guest sees, bytes; waits a while for `wanted`. */
async function grownTo(inGuest: InGuest, device: string, wanted: number): Promise<number> {
  const file = `/sys/block/${device.replace('/dev/', '')}/size`;
  const sectors = wanted / 512;
  const script = `for n in $(seq 150); do [ "$(cat ${file})" = ${sectors} ] && break; sleep 0.1; done; cat ${file}`;
  return 512 * Number((await inGuest(script, 40_000)).trim());
}
