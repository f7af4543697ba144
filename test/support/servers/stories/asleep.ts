/** Servers that stand still, in memory, on disk, and as an image. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { waitUntilAnswers } from '../../../../node/dev/demo.ts';
import { beginCounting, countOf, isSilent, type ServerStoryWorld, witnessOf, writeWitness } from '../server-verbs.ts';

/** Paused, nothing of it goes on; then all of it. */
export async function paused(t: Test, { guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id } = guest;
  await beginCounting(guest);
  await delay(1_000);
  await verbs.act(id, 'pause', null, 'PAUSED');
  t.ok(await isSilent(guest), 'a paused guest does not answer');
  await delay(1_000);
  await verbs.act(id, 'unpause', null, 'ACTIVE');
  const first = await countOf(guest);
  t.ok(first > 0, `it has counted to ${first}`);
  await delay(1_000);
  t.ok((await countOf(guest)) > first, 'and goes on');
}

/** Suspended, its agent killed and started again, resumed: its memory is as it was. */
export async function suspended(t: Test, { cloud, guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id } = guest;
  const host = (await verbs.hostOf(id)) ?? '';
  const before = await countOf(guest);
  const startedMs = performance.now();
  await verbs.act(id, 'suspend', null, 'SUSPENDED');
  t.comment(`suspended in ${Math.round(performance.now() - startedMs)} ms`);
  t.ok(await isSilent(guest), 'a suspended guest does not answer');
  await cloud.cloud.killAgent(host, 'SIGKILL');
  await cloud.startAll();
  t.equal((await verbs.show(id))['status'], 'SUSPENDED', 'a new agent leaves it as it is');
  await verbs.act(id, 'resume', null, 'ACTIVE');
  await waitUntilAnswers(guest.address);
  const after = await countOf(guest);
  t.ok(after >= before, `it has counted from ${before} to ${after}`);
  t.ok(after < before + 600, 'and not meanwhile');
  await delay(1_000);
  t.ok((await countOf(guest)) > after, 'and goes on');
}

/** Shelved it is an image and has no host; it comes back on another one with what it wrote, at its address. */
export async function shelved(t: Test, { cloud, guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id } = guest;
  const { name } = await verbs.show(id);
  const from = await verbs.hostOf(id);
  // The last, so that the first, which is asked, need not be the one that has it.
  const to = cloud.cloud.layout.agents.findLast((agent) => agent.name !== from)?.name ?? '';
  await writeWitness(guest, 'before-shelving');
  const { addresses } = await verbs.show(id);
  await verbs.act(id, 'shelve', null, 'SHELVED_OFFLOADED');
  t.equal(await verbs.hostOf(id), null);
  await verbs.act(id, 'unshelve', { host: to }, 'ACTIVE');
  t.equal(await verbs.hostOf(id), to);
  t.equal(await witnessOf(guest), 'before-shelving');
  t.match(await verbs.show(id), { addresses });
  t.same(await verbs.imagesNamed(`${String(name)}-shelved`), [], 'its image is gone');
}
