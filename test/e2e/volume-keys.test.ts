/**
 * Volumes that nobody else reads, and that outlive their host, on real QEMU and the hosts' own files: a guest with an encrypted
 * volume is restarted without a quorum, and what a backup holds is read on another host when the volume's own is gone.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { agentPackages, guestImagePackages } from '../../node/dev/packages.ts';
import { VolumeClient } from '../../node/dev/volume-client.ts';
import { runInGuest } from '../support/guests/guest.ts';

const missing = [...agentPackages, ...guestImagePackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';
/** What the guest writes. */
const word = 'nobody-else-reads-this';

t.setTimeout(580_000);
if (why !== '') {
  t.test('encrypted volumes and backups on real storage', { skip: why }, (t) => t.end());
} else {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-keys-'));
  // QEMU's user must be able to pass through.
  chmodSync(folder, 0o711);
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  process.env['SHOAL_BACKUPS_STORE'] = pathToFileURL(backups).href;
  const cloud = await DevCloud.open({ folder: join(folder, 'cloud'), agents: 3, real: true, storage: 'local' });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.makeUnderlay();
  const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const client = cloud.client('h1');
  const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
  const guest = await bootGuest(client, demo, 'with-secrets');
  const address = await addFloatingIp(client, demo, guest);
  await waitUntilAnswers(address);
  await waitUntilReady(client, guest.serverId);
  const host = String((await client.server(guest.serverId))['OS-EXT-SRV-ATTR:host']);
  const own = cloud.client(host);
  const others = cloud.layout.agents.filter(({ name }) => name !== host);
  const volumes = new VolumeClient(own);
  await volumes.makeType('plain', { volume_backend_name: 'local' });
  const typeId = await volumes.makeType('sealed', { volume_backend_name: 'local' });
  await own.json(`/volume/v3/types/${typeId}/encryption`, {
    method: 'POST',
    body: { encryption: { provider: 'luks', cipher: 'aes-xts-plain64', key_size: 512, control_location: 'front-end' } },
  });
  const plainId = await volumes.make({ name: 'plain', size: 1, volume_type: 'plain' });
  const sealedId = await volumes.make({ name: 'sealed', size: 1, volume_type: 'sealed' });
  let sum = '';

  await t.test('what a guest writes to an encrypted volume cannot be read in its file', async (t) => {
    for (const id of [plainId, sealedId]) {
      await volumes.attach(guest.serverId, id);
      await runInGuest(address, writing(await deviceOf(address, id)), 60_000);
    }
    t.equal(await holds(plainId, word), true, 'that of a plain volume shows it');
    t.equal(await holds(sealedId, word), false);
    t.equal(await holds(sealedId, 'LUKS'), true);
    sum = await sumOf(address, await deviceOf(address, sealedId));
  });

  await t.test('its guest restarts while the other hosts, and so the quorum, are gone', async (t) => {
    for (const { name } of others) await cloud.killAgent(name, 'SIGKILL');
    await delay(3_000);
    const refused = await own.raw('/volume/v3/volumes', { method: 'POST', body: { volume: { size: 1 } } });
    t.equal(refused.status, 503, 'nothing can be written');
    await own.action(guest.serverId, 'os-stop');
    await own.waitForServer(guest.serverId, 'SHUTOFF', 30_000);
    await own.action(guest.serverId, 'os-start');
    await own.waitForServer(guest.serverId, 'ACTIVE', 60_000);
    await waitUntilReady(own, guest.serverId, 2);
    await waitUntilAnswers(address);
    t.equal(await sumOf(address, await deviceOf(address, sealedId)), sum, 'the guest reads its data');
    for (const { name } of others) await cloud.startAgent(name);
    await cloud.waitUntilFormed(60_000);
  });

  await t.test('a backup is read on another host when the volume’s own is gone', async (t) => {
    const made = await own.json('/volume/v3/backups', {
      method: 'POST',
      body: { backup: { volume_id: sealedId, name: 'kept', force: true } },
    });
    const { id: backupId } = made['backup'] as { id: string };
    await backupIs(own, backupId, 'available');
    const verified = await cloud.shoal(cloud.agent(host), ['backup', 'verify', backupId, '--wait', '--json']);
    t.match(JSON.parse(verified), { kind: 'volume-backup-verify' });
    t.equal((await runCommand(['grep', '-rlaF', word, backups], { okStatus: [0, 1] })).stdout, '', 'it shows nothing');

    await cloud.killAgent(host, 'SIGKILL');
    const stays = others[0]?.name ?? '';
    await removed(stays);
    rmSync(cloud.agent(host).dataDir, { recursive: true, force: true });
    const left = cloud.client(stays);
    const there = new VolumeClient(left);
    const fresh = await there.make({ name: 'back', size: 1, volume_type: 'sealed', backup_id: backupId });
    t.not(String((await there.show(fresh))['os-vol-host-attr:host']).split('@')[0], host);
    const second = await bootGuest(left, demo, 'second');
    const secondAddress = await addFloatingIp(left, demo, second);
    await waitUntilAnswers(secondAddress);
    await waitUntilReady(left, second.serverId);
    await there.attach(second.serverId, fresh);
    t.equal(await sumOf(secondAddress, await deviceOf(secondAddress, fresh)), sum, 'with the same content');
    await there.detach(second.serverId, fresh);
    await there.remove(fresh);
    const list = JSON.parse(await cloud.shoal(cloud.agent(stays), ['backup', 'list', '--json'])) as {
      backups: readonly { id: string; verifyFault: string }[];
    };
    t.match(list.backups, [{ id: backupId, verifyFault: '' }]);
  });

  /** Whether the file of a volume holds a text. */
  async function holds(id: string, text: string): Promise<boolean> {
    const found = await runCommand(['find', folder, '-path', '*disks*', '-type', 'f', '-name', `*${id}*`]);
    const paths = found.stdout.split('\n').filter((line) => line !== '');
    t.ok(paths.length > 0, 'the volume has a file');
    const { stdout } = await runCommand(['grep', '-laF', text, ...paths], { okStatus: [0, 1] });
    return stdout !== '';
  }

  /** The host leaves for good; the mesh has other keys from then on. */
  async function removed(stays: string): Promise<void> {
    await cloud.shoal(cloud.agent(stays), ['host', 'remove', '--force', host]);
    const endMs = Date.now() + 60_000;
    for (;;) {
      cloud.takeAuthority(stays);
      const answer = await cloud.client(stays).raw('/volume/v3/volumes').catch(String);
      if (typeof answer !== 'string' && answer.status === 200) return;
      if (Date.now() > endMs)
        throw new Error(`${stays} does not answer by its new certificate: ${JSON.stringify(answer)}`);
      await delay(500);
    }
  }
}

async function backupIs(client: ReturnType<DevCloud['client']>, id: string, wanted: string): Promise<void> {
  const endMs = Date.now() + 120_000;
  for (;;) {
    const { status, fail_reason: reason } = (await client.json(`/volume/v3/backups/${id}`))['backup'] as {
      status: string;
      fail_reason: string;
    };
    if (status === wanted) return;
    if (status === 'error' || Date.now() > endMs) throw new Error(`the backup is ${status}: ${reason}`);
    await delay(100);
  }
}

/** Fills the first 8 MiB, and waits until it is on the disk. */
function writing(device: string): string {
  return `yes ${word} | head -c 8388608 | dd of=${device} bs=1M conv=fsync 2>&1`;
}

async function sumOf(address: string, device: string): Promise<string> {
  return (await runInGuest(address, `dd if=${device} bs=1M count=8 iflag=direct 2>/dev/null | md5sum`, 60_000)).trim();
}

/** Where the guest has the volume, which it knows by the first 20 characters of its id. Waits until it has found it. */
async function deviceOf(address: string, id: string): Promise<string> {
  const script = `for n in $(seq 200); do for d in /sys/block/vd*; do [ "$(cat $d/serial)" = ${id.slice(0, 20)} ] && echo \${d##*/} && exit; done; sleep 0.1; done`;
  const name = (await runInGuest(address, script, 40_000)).trim();
  if (!/^vd[a-z]$/.test(name)) throw new Error(`the guest does not find volume ${id}: ${name}`);
  return `/dev/${name}`;
}
