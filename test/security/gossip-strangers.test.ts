/** A21, A22, A24: neither what a peer says of others, nor how many it is, makes anybody a member or cuts a member off. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { linkPolicy } from '../../node/mesh/gossip/link-keeper.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';
import { peerIdOf } from '../../node/mesh/identity/libp2p-keys.ts';
import { until } from '../compliance/gossip.ts';
import { gossipTopic, type HonestHost, HostileMember, startHonestHost } from './support/hostile-member.ts';

t.setTimeout(100_000);

t.test('A21: hosts that a peer recommends are not dialled, even members at addresses that are known', async (t) => {
  const victim = await startHonestHost(t, () => true);
  let isFriendly = true;
  const friend = await startHonestHost(t, () => isFriendly);
  friend.gossip.setPeers([victim.peer()]);
  await until(() => victim.gossip.connected.length === 1);
  await sleep(500); // Time to tell each other their addresses.
  isFriendly = false;
  friend.gossip.setPeers([]);
  await until(() => victim.gossip.connected.length === 0);
  isFriendly = true;

  const attacker = await HostileMember.start(t);
  await attacker.connect(victim);
  await attacker.send({ subscriptions: [{ topic: gossipTopic, subscribe: true }] });
  await until(() => attacker.isSpokenTo);
  // A good reputation first, as far as one can be had.
  for (let at = 0; at < 30; at += 1) await attacker.publish(`good ${at}`);
  await until(() => victim.heard.size === 30);
  await sleep(1_200);
  const peers = [friend.identity, HostIdentity.create()].map(({ publicKey }) => ({
    peerID: peerIdOf(publicKey).toMultihash().bytes,
  }));
  const prune = [{ topicID: gossipTopic, peers, backoff: 1 }];
  await attacker.send({ control: { ihave: [], iwant: [], graft: [], prune, idontwant: [] } });
  await sleep(1_500);
  t.same(victim.gossip.connected, [attacker.identity.hostId]);
});

t.test('A22: a hundred strangers at the door, and the honest hear each other', async (t) => {
  const members = new Set<string>();
  const admits = (hostId: string): boolean => members.has(hostId);
  const honest: HonestHost[] = [];
  for (let at = 0; at < 4; at += 1) honest.push(await startHonestHost(t, admits));
  for (const { identity } of honest) members.add(identity.hostId);
  const peers = honest.map((host) => host.peer());
  const [victim, friend] = honest;
  if (victim === undefined || friend === undefined) throw new Error('there are four');
  for (const host of honest.slice(0, 3)) {
    host.gossip.setPeers(peers.slice(0, 3).filter(({ hostId }) => hostId !== host.identity.hostId));
  }
  await until(() => honest.slice(0, 3).every(({ gossip }) => gossip.connected.length === 2));

  // One process that changes its key: ten at a time, a hundred in all.
  const startedMs = performance.now();
  let refused = 0;
  for (let round = 0; round < 10; round += 1) {
    const strangers = await Promise.all(Array.from({ length: 10 }, () => HostileMember.start(t)));
    const results = await Promise.allSettled(strangers.map((stranger) => stranger.connect(victim)));
    refused += results.filter(({ status }) => status === 'rejected').length;
    await Promise.all(strangers.map((stranger) => stranger.stop()));
  }
  t.comment(`100 strangers in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  t.equal(refused, 100);
  t.ok(victim.gossip.connected.every((hostId) => members.has(hostId)));
  t.equal(victim.gossip.connected.length, 2, 'no member lost its place');
  // The fourth member comes in the middle of it.
  honest[3]?.gossip.setPeers(peers.slice(0, 3));
  await until(() => victim.gossip.connected.length === 3);
  t.equal(victim.gossip.connected.length, 3);
  for (let attempt = 0; attempt < 50 && !victim.heard.has('honest'); attempt += 1) {
    await friend.gossip.publish(gossipTopic, Buffer.from('honest'));
    await sleep(50);
  }
  t.ok(victim.heard.has('honest'));
});

t.test(
  'A24: a host that only attackers are linked with finds the members by the records, and drops strangers',
  async (t) => {
    const members = new Set<string>();
    const victim = await startHonestHost(t, (hostId) => members.has(hostId));
    const friend = await startHonestHost(t, () => true);
    const attackers = await Promise.all(Array.from({ length: 12 }, () => HostileMember.start(t)));
    for (const { identity } of [friend, ...attackers]) members.add(identity.hostId);
    // Twelve members that were taken over fill every link that a host wants, and pass nothing on. It may close what is above `linksMax`.
    await Promise.allSettled(attackers.map((attacker) => attacker.connect(victim)));
    await until(() => victim.gossip.connected.length >= linkPolicy.linksWanted);
    t.ok(victim.gossip.connected.length >= linkPolicy.linksWanted, 'eclipsed');
    t.notOk(victim.gossip.connected.includes(friend.identity.hostId), 'by the attackers alone');
    victim.gossip.setPeers([friend.peer()]);
    await until(() => victim.gossip.connected.includes(friend.identity.hostId), 60_000);
    t.ok(victim.gossip.connected.includes(friend.identity.hostId), 'it looks beyond the links that it has');
    for (const { identity } of attackers) members.delete(identity.hostId);
    victim.gossip.setPeers([friend.peer()]);
    await until(() => victim.gossip.connected.length === 1);
    t.same(victim.gossip.connected, [friend.identity.hostId], 'what the records do not have is gone at once');
  },
);
