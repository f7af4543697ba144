/** A volume on one host's own files and a guest on another host: NBD in TLS between two network namespaces. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { runCommand } from '../../../../drivers/command.ts';
import { deviceOf, steadyWriting, sumOf, writing } from '../../guests/volumes-in-guest.ts';
import type { VolumeStoryWorld } from './world.ts';

/** What one guest wrote is read by a guest on another host; nobody else reads it; what serves it may die. */
export async function served(t: Test, { cloud, near, far }: VolumeStoryWorld): Promise<void> {
  const { volumes } = cloud;
  const id = await volumes.make({ name: 'data', size: 1, volume_type: 'files' });
  await volumes.attach(near.serverId, id);
  const nearDevice = await deviceOf(near.run, id);
  await near.run(writing(nearDevice, 'near'), 60_000);
  const sum = await sumOf(near.run, nearDevice);
  await volumes.detach(near.serverId, id);

  const startedMs = performance.now();
  await volumes.attach(far.serverId, id);
  t.comment(`attached over the network in ${Math.round(performance.now() - startedMs)} ms`);
  const device = await deviceOf(far.run, id);
  t.equal(await sumOf(far.run, device), sum);
  t.match(await volumes.show(id), { status: 'in-use', 'os-vol-host-attr:host': new RegExp(`^${near.host}@`) });
  const [daemon, ...more] = await cloud.servingDaemons(id);
  t.same(more, [], 'it is served once');

  await t.test('A102: a stranger on the underlay does not read it', async (t) => {
    const { host, port } = daemon ?? { host: '', port: '' };
    const { namespace = '' } = cloud.cloud.agent(far.host);
    const url = `driver=nbd,host=${host},port=${port},export=disk`;
    const asked = await runCommand(
      ['nsenter', `--net=/run/netns/${namespace}`, 'qemu-io', '-r', '-c', 'read 0 512', '--image-opts', url],
      { okStatus: [0, 1] },
    );
    t.equal(asked.status, 1);
    t.match(asked.stderr + asked.stdout, /TLS/);
  });

  await t.test('a snapshot of it is made, and growing it is refused in words', async (t) => {
    const snapshotId = await volumes.snapshot(id);
    await volumes.removeSnapshot(snapshotId);
    await t.rejects(volumes.extend(id, 2), { status: 409, message: /served over the network/ });
  });

  await t.test('what serves it is killed while the guest writes: writes wait, and none is lost', async (t) => {
    const load = far.run(steadyWriting(device), 90_000);
    await delay(1000);
    const killedMs = performance.now();
    if (daemon !== undefined) process.kill(daemon.pid, 'SIGKILL');
    let now = daemon;
    for (let tries = 0; tries < 300 && (now === undefined || now.pid === daemon?.pid); tries += 1) {
      await delay(100);
      [now] = await cloud.servingDaemons(id);
    }
    t.comment(`served again after ${Math.round(performance.now() - killedMs)} ms`);
    const output = await load;
    t.match(output, /writes=40 failed=0/);
    t.comment(`longest write: ${/longest=(\d+)/.exec(output)?.[1]} s`);
    t.match(now, { host: daemon?.host, port: daemon?.port }, 'at the same place');
    t.not(now?.pid, daemon?.pid);
  });

  await t.test('detached, it is read equal by a guest of its own host, and nothing is left', async (t) => {
    await far.run(writing(device, 'far'), 60_000);
    const written = await sumOf(far.run, device);
    await volumes.detach(far.serverId, id);
    t.same(await cloud.servingDaemons(id), [], 'nobody serves it any more');
    await volumes.attach(near.serverId, id);
    t.equal(await sumOf(near.run, await deviceOf(near.run, id)), written);
    await volumes.detach(near.serverId, id);
    await volumes.remove(id);
    t.same(await cloud.filesOf(id), []);
  });
}
