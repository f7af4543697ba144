/**
 * A volume on one host's own files, and a guest on another host: real agents, real QEMU, NBD in TLS between two network namespaces.
 * One cloud in the order of a story. What a guest wrote is compared inside of the guests.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { storageDaemon } from '../../drivers/nbd/exports/export-command.ts';
import { scanProcesses } from '../../drivers/process.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { agentPackages, guestImagePackages } from '../../node/dev/packages.ts';
import { VolumeClient } from '../../node/dev/volume-client.ts';
import { runInGuest } from '../support/guests/guest.ts';
import { deviceOf, type InGuest, sumOf, writing } from '../support/guests/volumes-in-guest.ts';

const missing = [...agentPackages, ...guestImagePackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';

t.setTimeout(580_000);
if (why !== '') {
  t.test('volumes of other hosts', { skip: why }, (t) => t.end());
} else {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-served-'));
  // QEMU's user must be able to pass through.
  chmodSync(folder, 0o711);
  const cloud = await DevCloud.open({ folder, agents: 2, real: true, storage: 'local' });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.makeUnderlay();
  const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const client = cloud.client('h1');
  const volumes = new VolumeClient(client);
  const demo = await makeDemo(client, cloud.layout, image.qcow2Path);

  interface Guest {
    readonly serverId: string;
    readonly host: string;
    readonly run: InGuest;
  }
  const boot = async (name: string, hints?: Readonly<Record<string, unknown>>): Promise<Guest> => {
    const { serverId, ...guest } = await bootGuest(client, demo, name, hints);
    const address = await addFloatingIp(client, demo, { serverId, ...guest });
    await waitUntilAnswers(address);
    await waitUntilReady(client, serverId);
    const host = String((await client.server(serverId))['OS-EXT-SRV-ATTR:host']);
    return { serverId, host, run: (script, timeoutMs) => runInGuest(address, script, timeoutMs) };
  };
  const near = await boot('near');
  const far = await boot('far', { different_host: [near.serverId] });
  const id = await volumes.make({ name: 'data', size: 1 });
  let sum = '';
  let device = '';

  await t.test('what one guest wrote is read by a guest on another host', async (t) => {
    t.not(far.host, near.host, 'they are on different hosts');
    await volumes.attach(near.serverId, id);
    const nearDevice = await deviceOf(near.run, id);
    await near.run(writing(nearDevice, 'near'), 60_000);
    sum = await sumOf(near.run, nearDevice);
    await volumes.detach(near.serverId, id);

    const startedMs = performance.now();
    await volumes.attach(far.serverId, id);
    t.comment(`attached over the network in ${Math.round(performance.now() - startedMs)} ms`);
    device = await deviceOf(far.run, id);
    t.equal(await sumOf(far.run, device), sum);
    t.match(await volumes.show(id), { status: 'in-use', 'os-vol-host-attr:host': new RegExp(`^${near.host}@`) });
    t.equal((await daemons(id)).length, 1);
  });

  await t.test('A102: a stranger on the underlay does not read it', async (t) => {
    const [daemon] = await daemons(id);
    const { host, port } = daemon ?? { host: '', port: '' };
    const { namespace = '' } = cloud.agent(far.host);
    const url = `driver=nbd,host=${host},port=${port},export=disk`;
    const inside = ['nsenter', `--net=/run/netns/${namespace}`];
    const asked = await runCommand([...inside, 'qemu-io', '-r', '-c', 'read 0 512', '--image-opts', url], {
      okStatus: [0, 1],
    });
    t.equal(asked.status, 1);
    t.match(asked.stderr + asked.stdout, /TLS/);
  });

  await t.test('a snapshot of it is made, and growing it is refused in words', async (t) => {
    const snapshotId = await volumes.snapshot(id);
    await volumes.removeSnapshot(snapshotId);
    await t.rejects(volumes.extend(id, 2), { status: 409, message: /served over the network/ });
  });

  await t.test('both agents killed while the guest writes: not one write fails', async (t) => {
    const load = far.run(steadyWriting(device, 40), 90_000);
    await delay(1000);
    for (const { name } of cloud.layout.agents) await cloud.killAgent(name, 'SIGKILL');
    await delay(4000);
    t.match(await load, /writes=40 failed=0/, 'with no agent there');
    const before = await daemons(id);
    await Promise.all(cloud.layout.agents.map((agent) => cloud.startAgent(agent.name)));
    await cloud.waitUntilFormed(60_000);
    t.same(await daemons(id), before, 'the next agent goes on with what served it');
    t.equal((await volumes.show(id))['status'], 'in-use');
  });

  await t.test('what serves it is killed while the guest writes: writes wait, and none is lost', async (t) => {
    const load = far.run(steadyWriting(device, 40), 90_000);
    await delay(1000);
    const [before] = await daemons(id);
    const startedMs = performance.now();
    if (before !== undefined) process.kill(before.pid, 'SIGKILL');
    for (let tries = 0; tries < 300; tries += 1) {
      const [now] = await daemons(id);
      if (now !== undefined && now.pid !== before?.pid) break;
      await delay(100);
    }
    t.comment(`served again after ${Math.round(performance.now() - startedMs)} ms`);
    const output = await load;
    t.match(output, /writes=40 failed=0/);
    t.comment(`longest write: ${/longest=(\d+)/.exec(output)?.[1]} s`);
    const [after] = await daemons(id);
    t.match(after, { host: before?.host, port: before?.port }, 'at the same place');
    t.not(after?.pid, before?.pid);
  });

  await t.test('detached, it is read equal by a guest of its own host, and nothing is left', async (t) => {
    await far.run(writing(device, 'far'), 60_000);
    sum = await sumOf(far.run, device);
    await volumes.detach(far.serverId, id);
    t.same(await daemons(id), [], 'nobody serves it any more');
    await volumes.attach(near.serverId, id);
    t.equal(await sumOf(near.run, await deviceOf(near.run, id)), sum);
    await volumes.detach(near.serverId, id);
    await volumes.remove(id);
    const left = await runCommand(['find', folder, '-name', `*${id}*`]);
    t.equal(left.stdout, '');
  });

  await t.test('a server that is deleted lets go of it', async (t) => {
    const other = await volumes.make({ name: 'other', size: 1 });
    await volumes.attach(near.serverId, other);
    await volumes.detach(near.serverId, other);
    await volumes.attach(far.serverId, other);
    t.equal((await daemons(other)).length, 1);
    await client.json(`/compute/v2.1/servers/${far.serverId}`, { method: 'DELETE' });
    await volumes.waitFor(other, 'available');
    t.same(await daemons(other), []);
    await volumes.remove(other);
  });
}

/** What serves a volume, and where. */
async function daemons(
  id: string,
): Promise<readonly { readonly pid: number; readonly host: string; readonly port: string }[]> {
  const found = await scanProcesses((argv) => {
    if (argv[0] !== storageDaemon || !argv.some((word) => word.includes(id))) return undefined;
    const { addr } = JSON.parse(argv[argv.indexOf('--nbd-server') + 1] ?? '{}') as {
      addr: { host: string; port: string };
    };
    return { host: addr.host, port: addr.port };
  });
  return found.map(({ identity, selected }) => ({ pid: identity.pid, ...selected }));
}

/** Writes a tenth of a second apart, each of them synced, behind what `writing` fills; tells how long the longest took. */
function steadyWriting(device: string, count: number): string {
  return (
    `f=0; l=0; for n in $(seq ${count}); do a=$(cut -d. -f1 /proc/uptime); ` +
    `dd if=/dev/zero of=${device} bs=64k count=1 seek=$((1000+n)) conv=fsync 2>/dev/null || f=$((f+1)); ` +
    'b=$(cut -d. -f1 /proc/uptime); [ $((b-a)) -gt $l ] && l=$((b-a)); sleep 0.1; done; ' +
    `echo writes=${count} failed=$f longest=$l`
  );
}
