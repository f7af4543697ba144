/**
 * Volumes that move between the host's own files and real Ceph, and give way to others, while a real guest writes to them: every
 * block that it was told is written is there in the end.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { DevCeph } from '../../node/dev/ceph.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { agentPackages, cephPackages, guestImagePackages } from '../../node/dev/packages.ts';
import { VolumeClient } from '../../node/dev/volume-client.ts';
import { runInGuest } from '../support/guests/guest.ts';
import { deviceOf, sumOf, writing } from '../support/guests/volumes-in-guest.ts';

const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';
/** Blocks that the guest numbers. */
const blocks = 150;

t.setTimeout(580_000);
if (why !== '') {
  t.test('volumes that move on real storage', { skip: why }, (t) => t.end());
} else {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-moves-'));
  // QEMU's user must be able to pass through.
  chmodSync(folder, 0o711);
  const ceph = new DevCeph(join(folder, 'ceph'));
  const cloud = await DevCloud.open({
    folder,
    agents: 1,
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

  /** While the move before is still removing the old bytes it is refused. */
  const retype = async (id: string, type: string): Promise<void> => {
    const body = { 'os-retype': { new_type: type, migration_policy: 'on-demand' } };
    for (let tries = 0; tries < 100; tries += 1) {
      const { status, text } = await client.raw(`/volume/v3/volumes/${id}/action`, { method: 'POST', body });
      if (status === 202) return;
      if (status !== 409) throw new Error(`retype: HTTP ${status}: ${text}`);
      await delay(200);
    }
    throw new Error(`volume ${id} cannot be given the type ${type}`);
  };
  const moved = async (id: string, type: string): Promise<void> => {
    for (let look = 0; look < 600; look += 1) {
      const { migration_status: status, volume_type: now } = await volumes.show(id);
      if (status === 'success' && now === type) return;
      if (status === 'error') throw new Error(`the move of ${id} failed: ${JSON.stringify(await volumes.show(id))}`);
      await delay(200);
    }
    throw new Error(`volume ${id} has not moved to ${type}`);
  };

  await t.test(
    'a guest writes while its volume moves to Ceph and back, and the agent is killed on the way',
    async (t) => {
      const id = await volumes.make({ name: 'moving', size: 1, volume_type: 'files' });
      await volumes.attach(guest.serverId, id);
      const device = await deviceOf(inGuest, id);
      await inGuest(writing(device, 'beginning'), 60_000);
      const load = inGuest(numbering(device), 300_000);
      await delay(1_000);
      await retype(id, 'ceph');
      await moved(id, 'ceph');
      t.equal((await volumes.show(id))['status'], 'in-use');
      await retype(id, 'files');
      await cloud.killAgent('h1', 'SIGKILL');
      await delay(1_000);
      await cloud.startAgent('h1');
      await cloud.waitUntilFormed(60_000);
      await moved(id, 'files');
      t.match(await load, new RegExp(`writes=${blocks} failed=0`));
      t.match(await inGuest(counting(device), 120_000), new RegExp(`there=${blocks}\\b`), 'every block is there');
      await volumes.detach(guest.serverId, id);
      await volumes.attach(guest.serverId, id);
      const again = await deviceOf(inGuest, id);
      t.match(await inGuest(counting(again), 120_000), new RegExp(`there=${blocks}\\b`), 'and where the record says');
      await volumes.detach(guest.serverId, id);
      await volumes.remove(id);
    },
  );

  await t.test('a server goes over to another, larger volume with what it wrote', async (t) => {
    const id = await volumes.make({ name: 'first', size: 1, volume_type: 'files' });
    const other = await volumes.make({ name: 'second', size: 2, volume_type: 'ceph' });
    await volumes.attach(guest.serverId, id);
    const device = await deviceOf(inGuest, id);
    await inGuest(writing(device, 'kept'), 60_000);
    const sum = await sumOf(inGuest, device);
    await client.json(`/compute/v2.1/servers/${guest.serverId}/os-volume_attachments/${id}`, {
      method: 'PUT',
      body: { volumeAttachment: { volumeId: other } },
    });
    await volumes.waitFor(other, 'in-use');
    await volumes.waitFor(id, 'available');
    for (let look = 0; look < 100 && (await volumes.show(other))['migration_status'] !== null; look += 1)
      await delay(200);
    t.equal(await sumOf(inGuest, device), sum, 'the guest has the same device with the same content');
    await volumes.detach(guest.serverId, other);
    await volumes.attach(guest.serverId, other);
    t.equal(await sumOf(inGuest, await deviceOf(inGuest, other)), sum);
    await volumes.detach(guest.serverId, other);
    for (const one of [id, other]) await volumes.remove(one);
  });
}

/** Numbered blocks behind the first 16 MiB, each on the disk before the next. */
function numbering(device: string): string {
  const write = `printf '%04d' $n | dd of=${device} bs=4096 seek=$((4096+n)) conv=fsync,sync 2>/dev/null || f=$((f+1))`;
  return `f=0; for n in $(seq ${blocks}); do ${write}; sleep 0.2; done; echo writes=${blocks} failed=$f`;
}

/** How many of them say their number. */
function counting(device: string): string {
  const read = `dd if=${device} bs=4096 skip=$((4096+n)) count=1 iflag=direct 2>/dev/null | head -c 4`;
  return `c=0; for n in $(seq ${blocks}); do [ "$(${read})" = "$(printf '%04d' $n)" ] && c=$((c+1)); done; echo there=$c`;
}
