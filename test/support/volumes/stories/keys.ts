/** Volumes that nobody else reads, and that outlive their host. It ends with one host less. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { runCommand } from '../../../../drivers/command.ts';
import { waitUntilAnswers, waitUntilReady } from '../../../../node/dev/demo.ts';
import type { RestClient } from '../../../../node/dev/rest-client.ts';
import { VolumeClient } from '../../../../node/dev/volume-client.ts';
import { deviceOf, sumOf, writing } from '../../guests/volumes-in-guest.ts';
import type { VolumeCloud, VolumeTypeName } from '../volume-cloud.ts';
import type { VolumeStoryWorld } from './world.ts';

/** What the guest writes. */
const word = 'nobody-else-reads-this';
const encryption = { provider: 'luks', cipher: 'aes-xts-plain64', key_size: 512, control_location: 'front-end' };

/** Encrypted volumes in Ceph and in files; their guest restarted without a quorum; a backup read when its host is gone. */
export async function sealedAndKept(t: Test, { cloud, near, far }: VolumeStoryWorld): Promise<void> {
  const { host, serverId, run } = near;
  const own = cloud.cloud.client(host);
  const volumes = new VolumeClient(own);
  const make = async (type: VolumeTypeName, isSealed: boolean): Promise<string> => {
    const name = isSealed ? `sealed-${type}` : type;
    if (isSealed) {
      const typeId = await volumes.makeType(name, { volume_backend_name: type === 'ceph' ? 'rbd' : 'local' });
      await own.json(`/volume/v3/types/${typeId}/encryption`, { method: 'POST', body: { encryption } });
    }
    const id = await volumes.make({ name, size: 1, volume_type: name });
    await volumes.attach(serverId, id);
    await run(writing(await deviceOf(run, id), word), 60_000);
    return id;
  };
  const sums = new Map<string, string>();
  let plainInFiles = '';

  await t.test('what a guest writes to an encrypted volume cannot be read in its pool', async (t) => {
    for (const type of ['files', 'ceph'] as const) {
      const plain = await make(type, false);
      t.equal(await holds(cloud, type, plain, word), true, `${type}: that of a plain volume shows it`);
      if (type === 'files') plainInFiles = plain;
      else {
        await volumes.detach(serverId, plain);
        await volumes.remove(plain);
      }
      const sealed = await make(type, true);
      t.equal(await holds(cloud, type, sealed, word), false, `${type}: that of an encrypted one does not`);
      t.equal(await holds(cloud, type, sealed, 'LUKS'), true, `${type}: which is a LUKS volume`);
      sums.set(sealed, await sumOf(run, await deviceOf(run, sealed)));
    }
  });

  await t.test('its guest restarts while the other hosts, and so the quorum, are gone', async (t) => {
    for (const { name } of cloud.cloud.layout.agents) if (name !== host) await cloud.cloud.killAgent(name, 'SIGKILL');
    t.equal(await statusOfWrite(own), 503, 'nothing can be written');
    await own.action(serverId, 'os-stop');
    await own.waitForServer(serverId, 'SHUTOFF', 30_000);
    await own.action(serverId, 'os-start');
    await own.waitForServer(serverId, 'ACTIVE', 60_000);
    await waitUntilReady(own, serverId, 2);
    await waitUntilAnswers(near.address);
    for (const [id, sum] of sums) t.equal(await sumOf(run, await deviceOf(run, id)), sum, 'the guest reads its data');
    await cloud.startAll();
  });

  await t.test('a backup is read on another host when the volume’s own is gone', async (t) => {
    const sum = await sumOf(run, await deviceOf(run, plainInFiles));
    const backupId = await madeBackup(own, plainInFiles);
    const verified = await cloud.cloud.shoal(cloud.cloud.agent(host), [
      'backup',
      'verify',
      backupId,
      '--wait',
      '--json',
    ]);
    t.match(JSON.parse(verified), { kind: 'volume-backup-verify' });
    const shown = await runCommand(['grep', '-rlaF', word, cloud.backupFolder], { okStatus: [0, 1] });
    t.equal(shown.stdout, '', 'the store shows nothing of it');

    await cloud.cloud.killAgent(host, 'SIGKILL');
    // Its servers are given up before the host is.
    await deleted(cloud.cloud.client(far.host), serverId);
    await removeHost(cloud, host, far.host);
    // Its guest's QEMU runs on, as nobody ends it: what it had on the host is gone under it.
    for (const path of await cloud.filesOf(plainInFiles)) rmSync(path);
    const left = new VolumeClient(cloud.cloud.client(far.host));
    const fresh = await left.make({ name: 'back', size: 1, volume_type: 'files', backup_id: backupId });
    t.not(String((await left.show(fresh))['os-vol-host-attr:host']).split('@')[0], host);
    await left.attach(far.serverId, fresh);
    t.equal(await sumOf(far.run, await deviceOf(far.run, fresh)), sum, 'with the same content');
    await left.detach(far.serverId, fresh);
    await left.remove(fresh);
    const listed = await cloud.cloud.shoal(cloud.cloud.agent(far.host), ['backup', 'list', '--json']);
    const { backups } = JSON.parse(listed) as { backups: readonly { id: string; verifyFault?: string }[] };
    t.match(backups, [{ id: backupId }]);
    t.notOk(backups[0]?.verifyFault, 'nothing is wrong with it');
  });
}

/** Whether what a volume's storage has of it holds a text. */
async function holds(cloud: VolumeCloud, type: VolumeTypeName, id: string, text: string): Promise<boolean> {
  if (type === 'files') {
    const paths = await cloud.filesOf(id);
    if (paths.length === 0) throw new Error(`volume ${id} has no file`);
    return (await runCommand(['grep', '-laF', text, ...paths], { okStatus: [0, 1] })).stdout !== '';
  }
  // All that was ever written, without the holes.
  const path = `${cloud.folder}/export-${id}`;
  try {
    await cloud.rbd('export-diff', `volumes/${id}`, path);
    return (await runCommand(['grep', '-caF', text, path], { okStatus: [0, 1] })).status === 0;
  } finally {
    rmSync(path, { force: true });
  }
}

/** The status of a request that needs a quorum, once it is refused for lack of one; else the last that there was. */
async function statusOfWrite(client: RestClient): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const volume = { size: 1, name: `without-quorum-${tries}` };
    const { status } = await client.raw('/volume/v3/volumes', { method: 'POST', body: { volume } });
    if (status === 503 || tries === 10) return status;
  }
}

/** Returns the id of a backup that is available. */
async function madeBackup(client: RestClient, volumeId: string): Promise<string> {
  const body = { backup: { volume_id: volumeId, name: 'kept', force: true } };
  const { id } = (await client.json('/volume/v3/backups', { method: 'POST', body }))['backup'] as { id: string };
  const endMs = Date.now() + 120_000;
  for (;;) {
    const { status, fail_reason: reason } = (await client.json(`/volume/v3/backups/${id}`))['backup'] as {
      status: string;
      fail_reason: string;
    };
    if (status === 'available') return id;
    if (status === 'error' || Date.now() > endMs) throw new Error(`the backup is ${status}: ${reason}`);
    await delay(100);
  }
}

/** Asks for the deletion until there is a leader again to write it down. */
async function deleted(client: RestClient, serverId: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { status, text } = await client.raw(`/compute/v2.1/servers/${serverId}`, { method: 'DELETE' });
    if (status === 204) return;
    if (status !== 503 || tries === 60) throw new Error(`the server is not deleted: HTTP ${status}: ${text}`);
    await delay(500);
  }
}

/** A host leaves for good; the mesh has other keys from then on. */
async function removeHost(cloud: VolumeCloud, host: string, stays: string): Promise<void> {
  await cloud.cloud.shoal(cloud.cloud.agent(stays), ['host', 'remove', '--force', host]);
  const endMs = Date.now() + 60_000;
  for (;;) {
    cloud.cloud.takeAuthority(stays);
    const answer = await cloud.cloud.client(stays).raw('/volume/v3/volumes').catch(String);
    if (typeof answer !== 'string' && answer.status === 200) return;
    if (Date.now() > endMs)
      throw new Error(`${stays} does not answer by its new certificate: ${JSON.stringify(answer)}`);
    await delay(500);
  }
}
