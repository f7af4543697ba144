import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { signHealthUpdate } from '../../../../node/mesh/gossip/advert-check.ts';
import type { GossipPeer } from '../../../../node/mesh/gossip/gossip.ts';
import { type MemoryGossip, MemoryGossipHub } from '../../../../node/mesh/gossip/memory-gossip.ts';
import { DetectorLoop } from '../../../../node/mesh/health/detector-loop.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ManualClock } from '../manual-clock.ts';

interface Host {
  readonly identity: HostIdentity;
  readonly gossip: MemoryGossip;
  readonly loop: DetectorLoop;
  readonly conditions: string[];
}

const topic = 'shoal/m-1/cell0/rumours/1';

/** Hosts whose probes are calls, and whose gossip is a hub: the loop as it is, on a clock of the test's. */
async function meshOf(count: number): Promise<{
  readonly clock: ManualClock;
  readonly hosts: readonly Host[];
  readonly down: Set<HostId>;
}> {
  const clock = new ManualClock();
  const hub = new MemoryGossipHub(clock);
  const down = new Set<HostId>();
  const hosts: Host[] = [];
  for (let n = 0; n < count; n++) {
    const identity = HostIdentity.fromSeed(new Uint8Array(32).fill(n + 1));
    const gossip = hub.join(identity.hostId);
    const conditions: string[] = [];
    const loop: DetectorLoop = new DetectorLoop(
      {
        clock,
        logger: silentLogger,
        random: new Prng(n),
        gossip,
        identity,
        prober: {
          probe: async (hostId, request, { signal }) => {
            const target = hosts.find((host) => host.identity.hostId === hostId);
            if (target === undefined || down.has(hostId) || down.has(identity.hostId)) {
              throw new ShoalError('UNAVAILABLE', 'no answer');
            }
            const answer = await target.loop.peerHandlers.probe(shoal.v1.ProbeRequest.create(request), {
              caller: identity.hostId,
              signal,
              remoteAddress: '',
              certificate: undefined,
              header: () => undefined,
            });
            return shoal.v1.ProbeResponse.create(answer);
          },
        },
      },
      {
        meshId: 'm-1',
        topic,
        epoch: 1,
        isMember: (hostId) => hosts.some((host) => host.identity.hostId === hostId),
        onCondition: (hostId, condition) => {
          const index = hosts.findIndex((host) => host.identity.hostId === hostId);
          conditions.push(`${index} ${condition}`);
        },
      },
    );
    hosts.push({ identity, gossip, loop, conditions });
  }
  const peers = hosts.map(
    ({ identity: { hostId, publicKey } }): GossipPeer => ({ hostId, publicKey, address: '/memory/0' }),
  );
  for (const { gossip, loop } of hosts) {
    gossip.setPeers(peers);
    loop.setMembers(peers.map(({ hostId }) => hostId));
    await gossip.start();
    await loop.start();
  }
  return { clock, hosts, down };
}

t.test('hosts find one another alive, and a fallen one dead, and alive again', async (t) => {
  const { clock, hosts, down } = await meshOf(4);
  const [, , , fallen] = hosts;
  const id = fallen?.identity.hostId;
  if (id === undefined) throw new Error('four hosts');
  const seen = (): string[] => hosts.slice(0, 3).map(({ loop }) => loop.conditionOf(id));
  t.same(seen(), ['unknown', 'unknown', 'unknown']);
  await clock.advance(10_000);
  t.same(seen(), ['alive', 'alive', 'alive']);
  down.add(id);
  fallen?.gossip.setPeers([]); // From here on it is known to the others by probes alone.
  await clock.advance(30_000);
  t.same(seen(), ['dead', 'dead', 'dead']);
  t.ok(hosts[0]?.conditions.includes('3 suspect'), 'it was suspected first');
  down.delete(id);
  await clock.advance(20_000);
  t.same(seen(), ['alive', 'alive', 'alive']);
  for (const { loop } of hosts) {
    await loop.stop();
    await loop.stop();
  }
});

t.test('a health update that another host signed, or of another mesh, is refused', async (t) => {
  const { clock, hosts } = await meshOf(3);
  const [one, two, three] = hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts');
  await clock.advance(5_000);
  const about = { aboutHostId: three.identity.hostId, epoch: 5, incarnation: 5 };
  const stranger = HostIdentity.create();
  const bad: readonly [string, HostIdentity, shoal.v1.IHealthUpdate][] = [
    ['another signer', stranger, { meshId: 'm-1', fromHostId: two.identity.hostId, ...about, kind: 1 }],
    ['no member', stranger, { meshId: 'm-1', fromHostId: stranger.hostId, ...about, kind: 1 }],
    ['another mesh', two.identity, { meshId: 'm-2', fromHostId: two.identity.hostId, ...about, kind: 1 }],
    ['alive by another', two.identity, { meshId: 'm-1', fromHostId: two.identity.hostId, ...about, kind: 2 }],
    ['no kind', two.identity, { meshId: 'm-1', fromHostId: two.identity.hostId, ...about, kind: 0 }],
  ];
  for (const [what, signer, update] of bad) {
    const { update: bytes, signature, publicKey } = signHealthUpdate(signer, update);
    await two.gossip.publish(
      topic,
      shoal.v1.SignedHealthUpdate.encode({ update: bytes, signature, publicKey }).finish(),
    );
    await clock.advance(100);
    t.equal(one.loop.conditionOf(three.identity.hostId), 'alive', what);
  }
  await two.gossip.publish(topic, Buffer.from('rubbish'));
  await clock.advance(100);
  t.equal(one.loop.conditionOf(three.identity.hostId), 'alive');
});

t.test('a host probes others on behalf of members, for members only', async (t) => {
  const { hosts } = await meshOf(3);
  const [one, two, three] = hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts');
  const call = {
    caller: one.identity.hostId,
    signal: new AbortController().signal,
    remoteAddress: '',
    certificate: undefined,
    header: () => undefined,
  };
  const ask = (targetHostId: string): Promise<shoal.v1.IProbeResponse> =>
    two.loop.peerHandlers.probe(shoal.v1.ProbeRequest.create({ targetHostId }), call);
  t.same(await ask(three.identity.hostId), { reached: true });
  await t.rejects(ask('f'.repeat(32)), { code: 'INVALID_ARGUMENT' });
  await t.rejects(ask('nonsense'), { code: 'INVALID_ARGUMENT' });
});
