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

function peersOf(hosts: readonly Host[]): readonly GossipPeer[] {
  return hosts.map(({ identity: { hostId, publicKey } }) => ({ hostId, publicKey, address: '/memory/0' }));
}

/** Hosts whose probes are calls, and whose gossip is a hub: the loop as it is, on a clock of the test's. */
async function meshOf(count: number): Promise<{
  readonly clock: ManualClock;
  readonly hosts: readonly Host[];
  readonly down: Set<HostId>;
  readonly stalled: Set<HostId>;
  readonly asEarlierVersion: Set<HostId>;
}> {
  const clock = new ManualClock();
  const hub = new MemoryGossipHub(clock);
  const down = new Set<HostId>();
  const stalled = new Set<HostId>();
  const asEarlierVersion = new Set<HostId>();
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
        wire: {
          port: async (hostId) => (down.has(hostId) || down.has(identity.hostId) ? 'silent' : 'listening'),
          probe: async (hostId, request, { signal }) => {
            const target = hosts.find((host) => host.identity.hostId === hostId);
            if (target === undefined || down.has(hostId) || down.has(identity.hostId)) {
              throw new ShoalError('UNAVAILABLE', 'no answer');
            }
            if (stalled.has(hostId)) throw new ShoalError('DEADLINE_EXCEEDED', 'no answer');
            if (asEarlierVersion.has(hostId)) return earlierAnswer(target.identity, request);
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
  const peers = peersOf(hosts);
  for (const { gossip, loop } of hosts) {
    gossip.setPeers(peers);
    loop.setMembers(peers.map(({ hostId }) => hostId));
    await gossip.start();
    await loop.start();
  }
  return { clock, hosts, down, stalled, asEarlierVersion };
}

/** What the version before answers, of which it knows the fields 1 and 2: it is there, and refutes what it is told. */
function earlierAnswer(identity: HostIdentity, request: shoal.v1.IProbeRequest): shoal.v1.ProbeResponse {
  const { suspicion } = request;
  if (!suspicion) return shoal.v1.ProbeResponse.create({ reached: true });
  const { epoch, incarnation } = shoal.v1.HealthUpdate.decode(suspicion.update ?? new Uint8Array(0));
  const alive = signHealthUpdate(identity, {
    ...{ meshId: 'm-1', aboutHostId: identity.hostId, fromHostId: identity.hostId, epoch },
    ...{ incarnation: incarnation + 1, kind: shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_ALIVE },
  });
  return shoal.v1.ProbeResponse.create({ reached: true, alive });
}

/** As `hostsOf`'s nth, with a word if there is none. */
function nth(hosts: readonly Host[], n: number): Host {
  const host = hosts[n];
  if (host === undefined) throw new Error('too few hosts');
  return host;
}

/** What a host says of another, as it goes over gossip. */
function saying(
  host: Host,
  about: HostId,
  more: shoal.v1.IHealthUpdate,
  secondedBy: readonly shoal.v1.ISignedHealthUpdate[] = [],
): Uint8Array {
  const { hostId } = host.identity;
  const update = { meshId: 'm-1', aboutHostId: about, fromHostId: hostId, epoch: 1, incarnation: 0, kind: 1, ...more };
  const signed = signHealthUpdate(host.identity, update);
  return shoal.v1.SignedHealthUpdate.encode({ ...signed, secondedBy: [...secondedBy] }).finish();
}

async function stopAll(hosts: readonly Host[]): Promise<void> {
  for (const { loop } of hosts) await loop.stop();
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

t.test(
  'an agent that gets no CPU for 10 s is a suspect and not down, and one whose host is gone is down',
  async (t) => {
    const { clock, hosts, down, stalled } = await meshOf(6);
    for (const { loop } of hosts) for (const { identity } of hosts) loop.advertised(identity.hostId, 1);
    await clock.advance(10_000);
    const [slow, gone] = [nth(hosts, 4).identity.hostId, nth(hosts, 5).identity.hostId];
    stalled.add(slow);
    nth(hosts, 4).gossip.setPeers([]); // It neither hears nor says anything.
    down.add(gone);
    nth(hosts, 5).gossip.setPeers([]);
    await clock.advance(5_000);
    t.same(
      hosts.slice(0, 4).map(({ loop }) => loop.conditionOf(gone)),
      ['dead', 'dead', 'dead', 'dead'],
    );
    t.ok(nth(hosts, 0).loop.accusationsOf(gone).length >= 3, 'it is known who accused it');
    await clock.advance(5_000);
    t.same(
      hosts.slice(0, 4).map(({ loop }) => loop.conditionOf(slow)),
      ['suspect', 'suspect', 'suspect', 'suspect'],
    );
    stalled.delete(slow);
    nth(hosts, 4).gossip.setPeers(peersOf(hosts));
    await clock.advance(5_000);
    t.same(
      hosts.slice(0, 4).map(({ loop }) => loop.conditionOf(slow)),
      ['alive', 'alive', 'alive', 'alive'],
    );
    t.notOk(hosts.slice(0, 4).some(({ conditions }) => conditions.includes('4 dead')));
    t.ok(nth(hosts, 4).loop.counts.refutations > 0);
    await stopAll(hosts);
  },
);

t.test('an agent of the version before is probed, refutes, and is called down only when it is gone', async (t) => {
  const { clock, hosts, down, asEarlierVersion } = await meshOf(5);
  const earlier = nth(hosts, 4);
  const { hostId } = earlier.identity;
  asEarlierVersion.add(hostId);
  await earlier.loop.stop(); // It asks in its own way; what it is asked is what counts here.
  for (const { loop } of hosts) for (const { identity } of hosts) loop.advertised(identity.hostId, 1);
  await clock.advance(60_000);
  const others = hosts.slice(0, 4);
  t.notOk(others.some(({ conditions }) => conditions.some((line) => /^4 (suspect|dead)/.test(line))));

  // Its probes have neither digest nor helpers' words: they are answered as before.
  const call = { caller: hostId, signal: new AbortController().signal, remoteAddress: '', certificate: undefined };
  const one = nth(hosts, 0);
  const suspicion = signHealthUpdate(earlier.identity, {
    ...{ meshId: 'm-1', aboutHostId: one.identity.hostId, fromHostId: hostId, epoch: 1, incarnation: 0, kind: 1 },
  });
  const request = shoal.v1.ProbeRequest.create({ suspicion });
  const answer = await one.loop.peerHandlers.probe(request, { ...call, header: () => undefined });
  t.equal(answer.reached, true);
  t.equal(shoal.v1.HealthUpdate.decode(answer.alive?.update ?? new Uint8Array(0)).incarnation, 1);
  t.same(answer.updates, []);

  // What it tells by gossip says nothing of what it saw: a suspicion, and "dead" of one alone is no more.
  const two = nth(hosts, 1);
  for (const kind of [1, 3]) {
    await earlier.gossip.publish(topic, saying(earlier, two.identity.hostId, { kind, publishedMs: kind }));
  }
  await clock.advance(10_000);
  t.ok(one.conditions.includes('1 suspect'));
  t.notOk(hosts.some(({ conditions }) => conditions.includes('1 dead')));
  t.equal(one.loop.conditionOf(two.identity.hostId), 'alive', 'it was refuted');
  down.add(hostId);
  await clock.advance(10_000);
  t.same(
    others.map(({ loop }) => loop.conditionOf(hostId)),
    ['dead', 'dead', 'dead', 'dead'],
  );
  await stopAll(hosts);
});

t.test('words of others in one message count when their makers signed them, of the same host', async (t) => {
  const { clock, hosts } = await meshOf(7);
  for (const { loop } of hosts) for (const { identity } of hosts) loop.advertised(identity.hostId, 1);
  const [one, two, victim, ...rest] = hosts as [Host, Host, Host, ...Host[]];
  const word = (host: Host, of: Host = victim): shoal.v1.ISignedHealthUpdate =>
    shoal.v1.SignedHealthUpdate.decode(saying(host, of.identity.hostId, { evidence: 1 }));
  let publishedMs = 0;
  const heard = async (secondedBy: readonly shoal.v1.ISignedHealthUpdate[], of: Host = victim): Promise<number> => {
    publishedMs++;
    await two.gossip.publish(topic, saying(two, of.identity.hostId, { evidence: 1, publishedMs }, secondedBy));
    await clock.advance(1); // Before the accused can answer.
    return one.loop.accusationsOf(of.identity.hostId).length;
  };
  const forged = { ...word(nth(rest, 0)), publicKey: nth(rest, 1).identity.publicKey };
  t.equal(await heard([forged]), 0, 'a forged word spoils the message');
  const stranger = { ...two, identity: HostIdentity.create() };
  t.equal(await heard(Array.from({ length: 9 }, () => word(two))), 0, 'so do more than anybody collects');
  t.equal(await heard([word(nth(rest, 1), one), word(stranger)]), 1, 'of another host, or by a stranger');
  const other = nth(rest, 2);
  t.equal(await heard([word(nth(rest, 0), other), word(nth(rest, 1), other)], other), 3, 'honest ones count');
  await stopAll(hosts);
});
