/** A server that is repaired from the disk of another image. */
import type { Test } from 'tap';
import { type ServerStoryWorld, witnessOf, writeWitness } from '../server-verbs.ts';

/** In rescue the guest's own disk is its second one; what was mended there is what it boots with afterwards. */
export async function rescued(t: Test, { guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id, run } = guest;
  await writeWitness(guest, 'broken');
  await verbs.act(id, 'rescue', {}, 'RESCUE');
  t.equal(await witnessOf(guest), '', 'it has booted from another disk');
  t.match(await run('mkdir -p /tmp/own; mount -t ext4 /dev/vdb2 /tmp/own && cat /tmp/own/witness'), /^broken\s*$/);
  await run('echo mended >/tmp/own/witness; sync; umount /tmp/own');
  await verbs.act(id, 'unrescue', null, 'ACTIVE');
  t.equal(await witnessOf(guest), 'mended');
  t.match(await run('ls /sys/block/vdb 2>&1; true'), /No such file/, 'the disk of the rescue is gone');
}
