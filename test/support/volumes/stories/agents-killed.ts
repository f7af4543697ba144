/** All agents are killed while guests write: to Ceph, to a host's own files, and to those of another host. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { deviceOf, steadyWriting } from '../../guests/volumes-in-guest.ts';
import type { VolumeStoryWorld } from './world.ts';

/** Not one write fails, and the next agents go on with what was there. */
export async function agentsKilled(t: Test, { cloud, near, far }: VolumeStoryWorld): Promise<void> {
  const { volumes } = cloud;
  const make = (name: string, type: string): Promise<string> => volumes.make({ name, size: 1, volume_type: type });
  const [inCeph, inFiles, elsewhere] = await Promise.all([
    make('busy-ceph', 'ceph'),
    make('busy-files', 'files'),
    make('busy-far', 'files'),
  ]);
  // Its first use binds it to the near guest's host.
  await volumes.attach(near.serverId, elsewhere);
  await volumes.detach(near.serverId, elsewhere);
  const uses = [
    { guest: near, id: inCeph },
    { guest: near, id: inFiles },
    { guest: far, id: elsewhere },
  ];
  const devices: string[] = [];
  for (const { guest, id } of uses) {
    await volumes.attach(guest.serverId, id);
    devices.push(await deviceOf(guest.run, id));
  }
  const before = await cloud.servingDaemons(elsewhere);
  t.equal(before.length, 1);
  const load = uses.map(({ guest }, at) => guest.run(steadyWriting(devices[at] ?? ''), 90_000));
  await delay(1000);
  await cloud.killAll();
  await delay(3000);
  await cloud.startAll();
  for (const output of await Promise.all(load)) t.match(output, /writes=40 failed=0/);
  t.same(await cloud.servingDaemons(elsewhere), before, 'the next agent goes on with what served it');
  for (const { guest, id } of uses) {
    t.equal((await volumes.show(id))['status'], 'in-use', 'it is attached as before');
    await volumes.detach(guest.serverId, id);
    await volumes.remove(id);
  }
}
