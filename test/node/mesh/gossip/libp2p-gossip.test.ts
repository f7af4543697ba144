import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import type { GossipPeer } from '../../../../node/mesh/gossip/gossip.ts';
import { Libp2pGossip } from '../../../../node/mesh/gossip/libp2p-gossip.ts';
import { linkPolicy } from '../../../../node/mesh/gossip/link-keeper.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { until } from '../../../compliance/gossip.ts';

const topic = 'shoal/m-1/cell0/adverts/1';

interface Node {
  readonly identity: HostIdentity;
  readonly gossip: Libp2pGossip;
  readonly heard: Set<string>;
}

async function start(
  test: { teardown(run: () => Promise<void>): void },
  options: {
    readonly identity?: HostIdentity;
    readonly listen?: string;
    readonly admits?: (hostId: string) => boolean;
    readonly linksWanted?: number;
    readonly pingMs?: number;
  } = {},
): Promise<Node> {
  const identity = options.identity ?? HostIdentity.create();
  const heard = new Set<string>();
  const gossip = new Libp2pGossip(
    { clock: systemClock, logger: silentLogger, random: new Prng(identity.publicKey[0] ?? 0), identity },
    {
      listen: options.listen ?? '/ip4/127.0.0.1/tcp/0',
      topics: [topic],
      admits: options.admits ?? (() => true),
      links: {
        ...linkPolicy,
        linksWanted: options.linksWanted ?? linkPolicy.linksWanted,
        pingMs: options.pingMs ?? linkPolicy.pingMs,
      },
    },
  );
  gossip.subscribe(topic, {
    validate: () => 'accept',
    handle: (data) => heard.add(Buffer.from(data).toString()),
  });
  await gossip.start();
  test.teardown(() => gossip.stop());
  return { identity, gossip, heard };
}

const peerOf = ({ identity, gossip }: Node): GossipPeer => ({
  hostId: identity.hostId,
  publicKey: identity.publicKey,
  address: gossip.addresses[0] ?? '',
});

/** Publishes from `from` until all of `to` have heard one of the messages. Returns whether they did. */
async function reaches(from: Node, to: readonly Node[], word: string): Promise<boolean> {
  for (let round = 0; round < 100; round++) {
    await from.gossip.publish(topic, Buffer.from(`${word} ${round}`));
    await sleep(50);
    if (to.every(({ heard }) => [...heard].some((line) => line.startsWith(`${word} `)))) return true;
  }
  return false;
}

t.test('sixteen hosts behind one address, few links each, all hear one another', { timeout: 150_000 }, async (t) => {
  const nodes: Node[] = [];
  for (let i = 0; i < 16; i++) nodes.push(await start(t, { linksWanted: 5 }));
  const peers = nodes.map(peerOf);
  for (const { identity, gossip } of nodes) gossip.setPeers(peers.filter(({ hostId }) => hostId !== identity.hostId));
  await until(() => nodes.every(({ gossip }) => gossip.connected.length >= 5), 20_000);
  for (const [at, node] of nodes.entries()) {
    if (at % 5 !== 0) continue;
    t.ok(
      await reaches(
        node,
        nodes.filter((other) => other !== node),
        `from${at}`,
      ),
      `host ${at} reaches the others`,
    );
  }
});

t.test('a stranger is not let in, and a member that was removed is cut off', { timeout: 30_000 }, async (t) => {
  const members = new Set<string>();
  const admits = (hostId: string): boolean => members.has(hostId);
  const [one, two] = [await start(t, { admits }), await start(t, { admits })];
  const stranger = await start(t);
  members.add(one.identity.hostId).add(two.identity.hostId);
  one.gossip.setPeers([peerOf(two)]);
  stranger.gossip.setPeers([peerOf(one)]);
  await until(() => one.gossip.connected.length > 0);
  await sleep(1000);
  t.same(one.gossip.connected, [two.identity.hostId]);
  t.notOk(await Promise.race([reaches(stranger, [one], 'evil'), sleep(1000)]), 'nothing of it is heard');
  members.delete(two.identity.hostId);
  one.gossip.setPeers([]);
  await until(() => one.gossip.connected.length === 0);
  t.same(one.gossip.connected, []);
});

t.test("a stranger at a member's address with another key is not taken for it", { timeout: 30_000 }, async (t) => {
  const [one, impostor] = [await start(t), await start(t)];
  const victim = HostIdentity.create();
  one.gossip.setPeers([{ ...peerOf(impostor), hostId: victim.hostId, publicKey: victim.publicKey }]);
  await sleep(1500);
  t.same(one.gossip.connected, []);
});

t.test('the mesh forms again after all have gone, in whatever order they come back', { timeout: 60_000 }, async (t) => {
  const first: Node[] = [];
  for (let i = 0; i < 3; i++) first.push(await start(t));
  const peers = first.map(peerOf);
  const setPeers = ({ identity, gossip }: Node): void =>
    gossip.setPeers(peers.filter(({ hostId }) => hostId !== identity.hostId));
  for (const node of first) setPeers(node);
  await until(() => first.every(({ gossip }) => gossip.connected.length === 2));
  await Promise.all(first.map(({ gossip }) => gossip.stop()));
  const again: Node[] = [];
  for (const at of [2, 0, 1]) {
    const { identity } = first[at] ?? {};
    const node = await start(t, {
      ...(identity === undefined ? {} : { identity }),
      listen: peers[at]?.address ?? '',
    });
    setPeers(node);
    again.push(node);
    await sleep(700); // Long enough for dials to those that are still away to fail.
  }
  const startedMs = systemClock.monotonicMs();
  await until(() => again.every(({ gossip }) => gossip.connected.length === 2), 20_000);
  t.ok(again.every(({ gossip }) => gossip.connected.length === 2));
  t.comment(`linked ${Math.round(systemClock.monotonicMs() - startedMs)} ms after the last one came back`);
  const [node] = again;
  if (node !== undefined) t.ok(await reaches(node, again.slice(1), 'again'));
});

t.test('a link that went silent is dropped soon after a ping', { timeout: 40_000 }, async (t) => {
  const [one, two] = [await start(t, { pingMs: 4_000 }), await start(t, { pingMs: 4_000 })];
  const port = Number(peerOf(two).address.split('/').at(-1));
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.push(near, far);
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const bound = proxy.address();
  const proxyPort = typeof bound === 'object' && bound !== null ? bound.port : 0;
  one.gossip.setPeers([{ ...peerOf(two), address: `/ip4/127.0.0.1/tcp/${proxyPort}` }]);
  await until(() => one.gossip.connected.length === 1);
  await sleep(500);
  proxy.close();
  for (const socket of sockets) {
    socket.unpipe();
    socket.pause();
  }
  const silentMs = systemClock.monotonicMs();
  await until(() => one.gossip.connected.length === 0 && two.gossip.connected.length === 0, 12_000);
  const tookMs = Math.round(systemClock.monotonicMs() - silentMs);
  t.ok(tookMs < 10_000, `dropped after ${tookMs} ms`);
});
