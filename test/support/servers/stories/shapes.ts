/** A server that gets another flavor: seen by its guest, taken back, and kept. */
import type { Test } from 'tap';
import type { VolumeGuest } from '../../volumes/volume-cloud.ts';
import { type ServerStoryWorld, witnessOf, writeWitness } from '../server-verbs.ts';

interface Shape {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

/** More of everything, seen in the guest; back to what it was; and again, for good. What it wrote is there each time. */
export async function resized(t: Test, { guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id } = guest;
  const larger = await verbs.makeFlavor('story.larger', { vcpus: 2, ram: 192, disk: 2 });
  await writeWitness(guest, 'before-resize');
  const small = await shapeOf(guest);
  t.match(small, { vcpus: 1, diskGib: 1 });

  await verbs.act(id, 'resize', { flavorRef: larger }, 'VERIFY_RESIZE');
  t.equal(await witnessOf(guest), 'before-resize');
  const large = await shapeOf(guest);
  t.match(large, { vcpus: 2, diskGib: 2 });
  t.ok(large.memoryMib > small.memoryMib + 50, `${small.memoryMib} MiB became ${large.memoryMib}`);
  t.match((await verbs.show(id))['flavor'], { vcpus: 2, ram: 192 });

  await verbs.act(id, 'revertResize', null, 'ACTIVE');
  t.equal(await witnessOf(guest), 'before-resize');
  const back = await shapeOf(guest);
  t.match(back, { vcpus: 1, memoryMib: small.memoryMib }, 'it is as it was');
  t.match((await verbs.show(id))['flavor'], { vcpus: 1, ram: 128, disk: 1 });

  await verbs.act(id, 'resize', { flavorRef: larger }, 'VERIFY_RESIZE');
  await verbs.act(id, 'confirmResize', null, 'ACTIVE');
  t.equal(await witnessOf(guest), 'before-resize');
  t.match(await shapeOf(guest), { vcpus: 2, diskGib: 2 });
}

/** As the guest sees it. */
async function shapeOf({ run }: VolumeGuest): Promise<Shape> {
  const script = "nproc; awk '/^MemTotal/{print $2}' /proc/meminfo; cat /sys/block/vda/size";
  const [vcpus = 0, memoryKib = 0, sectors = 0] = (await run(script)).trim().split('\n').map(Number);
  return { vcpus, memoryMib: Math.round(memoryKib / 1024), diskGib: (sectors * 512) / 1024 ** 3 };
}
