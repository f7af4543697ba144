/** A18, A19, A20: a member whose key was stolen floods its gossip links; the host that is flooded stays itself, and so does the mesh. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FrameCounter, LinkBudget } from '../../node/mesh/link-budget.ts';
import { until } from '../compliance/gossip.ts';
import { gossipTopic, type HonestHost, HostileMember, startHonestHost } from './support/hostile-member.ts';

t.setTimeout(100_000);

/** A victim with an honest neighbour, and an attacker that is linked and has been heard once. */
async function attacked(t: Test): Promise<{ victim: HonestHost; friend: HonestHost; attacker: HostileMember }> {
  const [victim, friend] = [await startHonestHost(t, () => true), await startHonestHost(t, () => true)];
  victim.gossip.setPeers([friend.peer()]);
  await until(() => victim.gossip.connected.length === 1);
  const attacker = await HostileMember.start(t);
  await attacker.connect(victim);
  await attacker.send({ subscriptions: [{ topic: gossipTopic, subscribe: true }] });
  await until(() => attacker.isSpokenTo);
  t.ok(await isHeard(attacker, victim), 'the attacker is a member like any other at first');
  return { victim, friend, attacker };
}

let word = 0;

/** Whether a new message of the attacker reaches the victim. */
async function isHeard(attacker: HostileMember, victim: HonestHost): Promise<boolean> {
  for (let attempt = 0; attempt < 15; attempt += 1) {
    word += 1;
    const text = `good ${word}`;
    if (!(await attacker.publish(text))) return false;
    await sleep(100);
    if (victim.heard.has(text)) return true;
  }
  return false;
}

/** Honest hosts still hear each other. */
async function isWell(victim: HonestHost, friend: HonestHost): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    word += 1;
    const text = `honest ${word}`;
    await friend.gossip.publish(gossipTopic, Buffer.from(text));
    await sleep(100);
    if (victim.heard.has(text)) return true;
  }
  return false;
}

/** CPU of this process, which is victim and attacker both, and growth of its heap, while `work` lasts. */
async function measured(work: () => Promise<unknown>): Promise<string> {
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()];
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  globalThis.gc?.();
  const grownMb = (process.memoryUsage().heapUsed - heap) / 1e6;
  return `${seconds.toFixed(1)} s, CPU of both ${(((user + system) / 1e6 / seconds) * 100).toFixed(0)} %, heap ${grownMb.toFixed(1)} MB more`;
}

/** Sends until it is cut off. Whether it was, within the time. */
async function isCutOff(send: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + 30_000;
  while (performance.now() < end) if (!(await send())) return true;
  return false;
}

t.test('A18: subscriptions to topics that nobody knows are kept nowhere, and their sender is cut off', async (t) => {
  const { victim, friend, attacker } = await attacked(t);
  let topics = 0;
  const subscribe = (count: number): Promise<boolean> => {
    topics += count;
    const subscriptions = Array.from({ length: count }, (_, at) => ({
      topic: `${topics + at}${'x'.repeat(200)}`,
      subscribe: true,
    }));
    return attacker.send({ subscriptions });
  };
  // As many in a frame as the decoder takes, and as the advisory has them.
  const figures = await measured(async () => {
    for (let round = 0; round < 1_000; round += 1) await subscribe(32);
    for (let round = 0; round < 20; round += 1) await subscribe(5_000);
  });
  t.comment(`132,000 topics: ${figures}`);
  t.ok(await isWell(victim, friend));
  const frame = { subscriptions: [{ topic: 'unknown', subscribe: true }] };
  t.ok(await isCutOff(() => attacker.send(frame, 5_000)), 'more frames than any mesh has');
  await until(() => victim.gossip.connected.length === 1);
  t.same(victim.gossip.connected, [friend.identity.hostId]);
  await t.rejects(attacker.connect(victim), 'it is not let in again at once');
  t.ok(await isWell(victim, friend));
});

t.test('A19: announcements, requests and refusals of messages without end', async (t) => {
  const { victim, friend, attacker } = await attacked(t);
  const ids = (count: number, seed: number): Uint8Array[] =>
    Array.from({ length: count }, (_, at) => Buffer.from(`${seed} ${at} `.padEnd(32, 'x')));
  const figures = await measured(async () => {
    for (let round = 0; round < 60; round += 1) {
      const messageIDs = ids(5_000, round);
      const control = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] };
      await attacker.send({ control: { ...control, ihave: [{ topicID: gossipTopic, messageIDs }] } });
      await attacker.send({ control: { ...control, iwant: [{ messageIDs }] } });
      await attacker.send({ control: { ...control, idontwant: [{ messageIDs: messageIDs.slice(0, 512) }] } });
    }
  });
  t.comment(`600,000 message ids: ${figures}`);
  t.ok(await isWell(victim, friend), 'honest hosts are heard meanwhile');
  const iwant = [{ messageIDs: ids(1, 0) }];
  const frame = { control: { ihave: [], iwant, graft: [], prune: [], idontwant: [] } };
  t.ok(await isCutOff(() => attacker.send(frame, 5_000)));
  await until(() => victim.gossip.connected.length === 1);
  t.ok(await isWell(victim, friend));
});

t.test('A20: a GRAFT while it should keep away is pruned, and repeated costs the link its voice', async (t) => {
  const { victim, friend, attacker } = await attacked(t);
  const none = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] };
  const graft = { control: { ...none, graft: [{ topicID: gossipTopic }] } };
  await attacker.send({ control: { ...none, prune: [{ topicID: gossipTopic, peers: [], backoff: 60 }] } });
  const before = attacker.prunes();
  await attacker.send(graft);
  await until(() => attacker.prunes() > before);
  t.ok(attacker.prunes() > before, 'the answer is PRUNE');
  // A good score is looked at once a second, or every 128 frames.
  await attacker.send(graft, 200);
  await sleep(1_200);
  await attacker.send(graft, 20);
  await attacker.publish('good while grafting');
  await sleep(300);
  t.notOk(victim.heard.has('good while grafting'), 'nothing of it is looked at now');
  t.ok(await isWell(victim, friend));
});

t.test('A13: a peer whose messages are rejected is not listened to any more, and they go no further', async (t) => {
  const { victim, friend, attacker } = await attacked(t);
  for (let at = 0; at < 10; at += 1) await attacker.publish(`bad ${at}`);
  // A good score is looked at once a second.
  await sleep(1_200);
  await attacker.publish('good after the bad');
  await sleep(500);
  t.notOk(victim.heard.has('good after the bad'));
  t.notOk([...victim.heard, ...friend.heard].some((text) => text.startsWith('bad')));
  t.ok(await isWell(victim, friend));
});

t.test('frames are counted wherever the pieces of a stream end', (t) => {
  const frame = (length: number): Buffer =>
    Buffer.concat([
      Buffer.from(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]),
      Buffer.alloc(length, 0xff),
    ]);
  const stream = Buffer.concat([0, 1, 127, 128, 300, 5_000, 0, 2].map(frame));
  for (let piece = 1; piece <= 700; piece += 1) {
    const counter = new FrameCounter();
    let frames = 0;
    for (let at = 0; at < stream.length; at += piece) frames += counter.count(stream.subarray(at, at + piece));
    if (frames !== 8) t.fail(`${frames} frames in pieces of ${piece}`);
  }
  t.end();
});

t.test('a budget fills with time, and a clock that stands still or goes back gives nothing', (t) => {
  const budget = new LinkBudget({ bytesPerSecond: 100, bytesAtOnce: 1_000, framesPerSecond: 10, framesAtOnce: 50 }, 0);
  t.ok(budget.take(1_000, 50, 0));
  t.notOk(budget.take(0, 1, 0));
  t.ok(budget.take(0, 9, 1_000));
  t.notOk(budget.take(0, 5, 500));
  t.ok(budget.take(500, 40, 60_000), 'never more than at once');
  t.notOk(budget.take(501, 1, 60_000));
  t.end();
});
