import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import {
  openAdvert,
  signAdvert,
  signAdvertUpdate,
  signHealthUpdate,
} from '../../../../node/mesh/gossip/advert-check.ts';
import { AdvertExchange } from '../../../../node/mesh/gossip/advert-exchange.ts';
import { AdvertPublisher } from '../../../../node/mesh/gossip/advert-publisher.ts';
import { type MemoryGossip, MemoryGossipHub } from '../../../../node/mesh/gossip/memory-gossip.ts';
import { nextEpoch } from '../../../../node/mesh/identity/epoch-file.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { AdvertView, type HeldAdvert } from '../../../../node/mesh/rules/adverts.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ManualClock } from '../manual-clock.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../peer-fixtures.ts';

const topic = 'shoal/m-1/cell0/adverts/1';
const identityOf = (n: number): HostIdentity => HostIdentity.fromSeed(new Uint8Array(32).fill(n));

const held = (hostId: HostId, epoch: number, sequence: number, takenMs = 0): HeldAdvert => ({
  hostId,
  advert: shoal.v1.Advert.create({ hostId, epoch, sequence }),
  signed: shoal.v1.SignedAdvert.create(),
  takenMs,
});

t.test('in whatever order and however often adverts come, the highest of each host is held', async (t) => {
  const hostIds = ['a', 'b', 'c'].map((letter) => letter.repeat(32) as HostId);
  const one = fc.tuple(fc.constantFrom(...hostIds), fc.nat(3), fc.nat(3));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(one), fc.array(fc.nat()), (adverts, places) => {
        const [straight, mixed] = [new AdvertView(), new AdvertView()];
        for (const [hostId, epoch, sequence] of adverts) straight.merge(held(hostId, epoch, sequence));
        const again = [...adverts, ...adverts.filter((_, at) => (places[at] ?? 0) % 2 === 0)];
        again.sort((a, b) => (places[adverts.indexOf(a)] ?? 0) - (places[adverts.indexOf(b)] ?? 0));
        for (const [hostId, epoch, sequence] of again) mixed.merge(held(hostId, epoch, sequence));
        for (const hostId of hostIds) {
          const best = adverts
            .filter(([of]) => of === hostId)
            .map(([, epoch, sequence]) => epoch * 10 + sequence)
            .reduce<number | undefined>((max, value) => (max === undefined ? value : Math.max(max, value)), undefined);
          for (const view of [straight, mixed]) {
            const advert = view.get(hostId)?.advert;
            const found = advert === undefined ? undefined : advert.epoch * 10 + advert.sequence;
            if (found !== best) return false;
          }
        }
        return true;
      }),
      { seed: 21, numRuns: 300 },
    ),
  );
});

t.test('a view knows the age of what it holds and forgets who is no member', async (t) => {
  const [a, b] = ['a'.repeat(32) as HostId, 'b'.repeat(32) as HostId];
  const view = new AdvertView();
  t.equal(view.merge(held(a, 1, 1, 100)), true);
  t.equal(view.merge(held(a, 1, 1, 900)), false, 'the same again does not make it younger');
  t.equal(view.ageMs(a, 600), 500);
  t.equal(view.ageMs(b, 600), undefined);
  t.same(
    view.retain((hostId) => hostId === b),
    [a],
  );
  t.equal(view.size, 0);
});

t.test('only a host speaks for itself, in its own mesh, and in an advert', async (t) => {
  const [one, two] = [identityOf(1), identityOf(2)];
  const advert = { meshId: 'm-1', hostId: one.hostId, epoch: 1, sequence: 1, hostName: 'one' };
  t.equal(openAdvert(signAdvert(one, advert), 'm-1').hostName, 'one');
  const good = signAdvert(one, advert);
  const update = signHealthUpdate(one, { meshId: 'm-1' });
  const bad: readonly [string, shoal.v1.ISignedAdvert, string][] = [
    ['for another host', signAdvert(two, advert), 'IDENTITY_MISMATCH'],
    ['with another key', { ...good, publicKey: two.publicKey }, 'IDENTITY_MISMATCH'],
    ['changed', { ...good, advert: shoal.v1.Advert.encode({ ...advert, vcpus: 9 }).finish() }, 'IDENTITY_MISMATCH'],
    ['of another mesh', signAdvert(one, { ...advert, meshId: 'm-2' }), 'IDENTITY_MISMATCH'],
    ['unsigned', { advert: good.advert, publicKey: good.publicKey }, 'IDENTITY_MISMATCH'],
    [
      'a health update',
      { advert: update.update, signature: update.signature, publicKey: update.publicKey },
      'IDENTITY_MISMATCH',
    ],
    ['rubbish', { advert: Buffer.from('\xff\xff\xff'), publicKey: one.publicKey }, 'INVALID_ARGUMENT'],
    ['a number out of range', signAdvert(one, { ...advert, sequence: 2 ** 60 }), 'INVALID_ARGUMENT'],
    ['an endless text', signAdvert(one, { ...advert, zone: 'z'.repeat(300) }), 'INVALID_ARGUMENT'],
    ['endless traits', signAdvert(one, { ...advert, traits: Array(600).fill('T') }), 'INVALID_ARGUMENT'],
  ];
  for (const [what, signed, code] of bad) t.throws(() => openAdvert(signed, 'm-1'), { code }, what);
});

interface Host {
  readonly identity: HostIdentity;
  readonly gossip: MemoryGossip;
  readonly exchange: AdvertExchange;
  readonly publisher: AdvertPublisher;
  readonly heard: string[];
  vcpusUsed: number;
  isEnabled: boolean;
  cpuPercent: number;
}

async function meshOf(count: number): Promise<{ clock: ManualClock; hosts: readonly Host[] }> {
  const clock = new ManualClock();
  const hub = new MemoryGossipHub(clock);
  const hosts: Host[] = [];
  for (let n = 0; n < count; n++) {
    const identity = identityOf(n + 1);
    const gossip = hub.join(identity.hostId);
    const heard: string[] = [];
    const deps = { clock, logger: silentLogger, random: new Prng(n), gossip, identity };
    const exchange = new AdvertExchange(deps, {
      meshId: 'm-1',
      topic,
      isMember: () => true,
      onAdvert: (advert, ageMs) => heard.push(`${advert.hostName} ${advert.vcpusUsed} ${ageMs}`),
    });
    const publisher = new AdvertPublisher(deps, {
      topic,
      epoch: 5,
      compose: () => ({
        meshId: 'm-1',
        hostName: `h${n}`,
        vcpus: 1_000,
        vcpusRatio: 1,
        enabled: host.isEnabled,
        cpuPercent: host.cpuPercent,
        vcpusUsed: host.vcpusUsed,
      }),
      onAdvert: (signed) => exchange.accept(signed),
    });
    const host: Host = { identity, gossip, exchange, publisher, heard, vcpusUsed: 0, isEnabled: true, cpuPercent: 10 };
    hosts.push(host);
  }
  for (const { gossip, exchange } of hosts) {
    gossip.setPeers(hosts.map(({ identity: { hostId, publicKey } }) => ({ hostId, publicKey, address: '/memory/0' })));
    await gossip.start();
    exchange.start();
  }
  return { clock, hosts };
}

t.test('a change is told soon, many changes at once, and nothing because time has passed', async (t) => {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await one.publisher.start();
  await clock.advance(10);
  t.same(two.heard, ['h0 0 0'], 'at the start');
  await clock.advance(10_000);
  for (let n = 1; n <= 100; n++) {
    one.vcpusUsed = n;
    one.publisher.changed();
  }
  await clock.advance(240);
  t.equal(two.heard.length, 1);
  await clock.advance(20);
  t.same(two.heard.slice(1), ['h0 100 0'], 'a hundred changes are one advert');
  await clock.advance(24 * 3_600_000);
  t.equal(two.heard.length, 2, 'a day of nothing new is silent');
  one.publisher.changed();
  await clock.advance(5_000);
  t.equal(two.heard.length, 2, 'nor is a change that changed nothing told');
  await one.publisher.stop();
  await one.publisher.stop();
  one.vcpusUsed = 1;
  one.publisher.changed();
  await clock.advance(60_000);
  t.equal(two.heard.length, 2, 'none after it stopped');
});

t.test('a host that changes all the time tells of it once a second', async (t) => {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await one.publisher.start();
  for (let n = 0; n < 100; n++) {
    one.vcpusUsed = n;
    one.publisher.changed();
    await clock.advance(100);
  }
  t.ok(
    two.heard.length >= 9 && two.heard.length <= 11,
    `${two.heard.length} adverts in ten seconds of constant change`,
  );
  await clock.advance(2_000);
  t.equal(two.heard.at(-1), 'h0 99 0', 'the last one is told');
});

t.test(
  'what placement must know is told at once, however lately something else was, and not more than it must',
  async (t) => {
    const { clock, hosts } = await meshOf(2);
    const [one, two] = hosts;
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const heardAfter = async (change: () => void, withinMs: number): Promise<boolean> => {
      const before = two.heard.length;
      change();
      one.publisher.changed();
      await clock.advance(withinMs);
      return two.heard.length > before;
    };
    await one.publisher.start();
    await clock.advance(300);
    t.equal(await heardAfter(() => (one.isEnabled = false), 30), true, 'new servers are kept away');
    await clock.advance(300);
    t.equal(await heardAfter(() => (one.vcpusUsed = 1_000), 30), true, 'it is full');
    await clock.advance(300);
    t.equal(await heardAfter(() => (one.vcpusUsed = 999), 30), true, 'it is full no more');
    await clock.advance(300);
    t.equal(await heardAfter(() => (one.vcpusUsed = 600), 30), true, 'far more room');
    await clock.advance(300);
    t.equal(await heardAfter(() => (one.vcpusUsed = 590), 30), false, 'a little more room waits');
    await clock.advance(1_000);
    t.equal(two.heard.at(-1), 'h0 590 0');
    t.equal(await heardAfter(() => (one.cpuPercent = 20), 60_000), false, 'load that moves a little is not told');
    t.equal(await heardAfter(() => (one.cpuPercent = 30), 1_100), true, 'load that has moved is');
    const before = two.heard.length;
    for (let n = 0; n < 100; n++) {
      one.isEnabled = n % 2 === 0;
      one.publisher.changed();
      await clock.advance(50);
    }
    t.ok(
      two.heard.length - before <= 21,
      `${two.heard.length - before} adverts of a host that flickers for five seconds`,
    );
  },
);

t.test('a clock that was set is told, and everything is told once more when it is asked for', async (t) => {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  let offsetMs = 0;
  const publisher = new AdvertPublisher(
    {
      clock: {
        nowMs: () => clock.nowMs() + offsetMs,
        monotonicMs: () => clock.monotonicMs(),
        setTimeout: (run, ms) => clock.setTimeout(run, ms),
        setInterval: (run, ms) => clock.setInterval(run, ms),
      },
      logger: silentLogger,
      gossip: one.gossip,
      identity: one.identity,
    },
    {
      topic,
      epoch: 6,
      compose: () => ({ meshId: 'm-1', hostName: 'h0' }),
      onAdvert: (signed) => one.exchange.accept(signed),
    },
  );
  await publisher.start();
  await clock.advance(10_000);
  offsetMs = -60_000;
  publisher.changed();
  await clock.advance(2_000);
  const told = (): number | undefined => two.exchange.view.get(one.identity.hostId)?.advert.sequence;
  t.equal(told(), 2, 'the same again, with another time');
  publisher.again();
  await clock.advance(10);
  t.equal(told(), 3);
  await publisher.stop();
});

t.test('a fresh advert is signed once while nothing changes, and beats what was published before', async (t) => {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await one.publisher.start();
  await clock.advance(10);
  one.vcpusUsed = 7;
  one.publisher.changed();
  const fresh = one.publisher.fresh();
  t.equal(one.publisher.fresh(), fresh);
  t.equal(two.exchange.accept(fresh), true);
  t.equal(two.exchange.accept(fresh), false, 'the second time it is no news');
  t.equal(two.heard.at(-1), 'h0 7 0');
  t.equal(one.exchange.view.get(one.identity.hostId)?.advert.vcpusUsed, 7, 'its own view has it too');
});

t.test('what is old or forged is not passed on', async (t) => {
  const { clock, hosts } = await meshOf(3);
  const [one, two, three] = hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts');
  const encode = ({ advert, signature, publicKey }: shoal.v1.SignedAdvert): Uint8Array =>
    shoal.v1.SignedAdvert.encode({ advert, signature, publicKey }).finish();
  const advert = { meshId: 'm-1', hostId: three.identity.hostId, hostName: 'h2', epoch: 9, sequence: 2 };
  await two.gossip.publish(topic, encode(signAdvert(three.identity, advert)));
  await clock.advance(10);
  t.equal(one.heard.length, 1);
  await two.gossip.publish(topic, encode(signAdvert(three.identity, { ...advert, epoch: 8, sequence: 99 })));
  await two.gossip.publish(topic, encode(signAdvert(two.identity, { ...advert, sequence: 3 })));
  await two.gossip.publish(topic, Buffer.from('rubbish'));
  await clock.advance(10);
  t.equal(one.heard.length, 1);
  t.equal(one.exchange.view.get(three.identity.hostId)?.advert.sequence, 2);
});

t.test('no time is lost on the signature of what is old; what is newer and forged is refused', async (t) => {
  const [member, other] = [identityOf(1), identityOf(2)];
  const warnings: unknown[] = [];
  const clock = new ManualClock();
  const exchange = new AdvertExchange(
    {
      clock,
      logger: { ...silentLogger, warn: (facts: unknown) => warnings.push(facts) },
      random: new Prng(1),
      gossip: new MemoryGossipHub(clock).join(other.hostId),
    },
    { meshId: 'm-1', topic, isMember: (hostId) => hostId === member.hostId, onAdvert: () => {} },
  );
  const advert = { meshId: 'm-1', hostId: member.hostId, epoch: 3, sequence: 5, vcpusUsed: 1 };
  const forged = (changed: object): shoal.v1.ISignedAdvert => ({
    ...signAdvert(member, advert),
    advert: shoal.v1.Advert.encode({ ...advert, ...changed, vcpusUsed: 9 }).finish(),
  });
  t.equal(exchange.accept(forged({})), false, 'a forged first one');
  t.equal(warnings.length, 1);
  t.equal(exchange.accept(signAdvert(member, advert)), true);
  for (const changed of [{ sequence: 4 }, { epoch: 2, sequence: 99 }]) {
    t.equal(exchange.accept(forged(changed)), false, JSON.stringify(changed));
  }
  t.equal(
    exchange.accept({ ...signAdvert(other, { ...advert, hostId: other.hostId }), signature: new Uint8Array(64) }),
    false,
  );
  t.equal(warnings.length, 1, 'of what is of no use nobody asks who signed it');
  for (const changed of [{ sequence: 6 }, { epoch: 4, sequence: 0 }]) {
    // Longer than a warning that repeats is kept back.
    await clock.advance(200_000);
    t.equal(exchange.accept(forged(changed)), false, JSON.stringify(changed));
  }
  t.equal(warnings.length, 3);
  t.same(exchange.view.get(member.hostId)?.advert.vcpusUsed, 1);
  t.equal(exchange.view.size, 1);
});

t.test(
  'a host that signs two different adverts as one is found out, and every host keeps the first it heard',
  async (t) => {
    const [host, viewer] = [identityOf(1), identityOf(2)];
    const clock = new ManualClock();
    const exchangeOf = (): AdvertExchange =>
      new AdvertExchange(
        { clock, logger: silentLogger, random: new Prng(1), gossip: new MemoryGossipHub(clock).join(viewer.hostId) },
        { meshId: 'm-1', topic, isMember: () => true, onAdvert: () => {} },
      );
    const exchange = exchangeOf();
    const advert = { meshId: 'm-1', hostId: host.hostId, epoch: 3, sequence: 5, vcpusUsed: 1 };
    t.equal(exchange.offer(signAdvert(host, advert)), 'taken');
    t.equal(exchange.offer(signAdvert(host, advert)), 'known', 'the same again is none');
    t.equal(exchange.refused.equivocal, 0);
    t.equal(exchange.offer(signAdvert(host, { ...advert, vcpusUsed: 100 })), 'known', 'who hands it on may not know');
    t.equal(exchange.refused.equivocal, 1);
    t.equal(exchange.view.get(host.hostId)?.advert.vcpusUsed, 1);
    const forged = {
      ...signAdvert(host, advert),
      advert: shoal.v1.Advert.encode({ ...advert, vcpusUsed: 7 }).finish(),
    };
    t.equal(exchange.offer(forged), 'refused', 'nobody can make another look like that');
    t.match(exchange.refused, { equivocal: 1, forged: 1 });
    t.equal(
      exchange.offer(signAdvert(host, { ...advert, sequence: 6 })),
      'taken',
      'its next one counts, for everybody',
    );
  },
);

t.test('what a flooding member tells of itself goes no further than its links', async (t) => {
  const { clock, hosts } = await meshOf(3);
  const [flooder, near, far] = hosts;
  if (flooder === undefined || near === undefined || far === undefined) throw new Error('three hosts');
  // The far one is linked with the near one alone.
  const peer = ({ identity: { hostId, publicKey } }: Host) => ({ hostId, publicKey, address: '/memory/0' });
  flooder.gossip.setPeers([peer(near)]);
  near.gossip.setPeers([peer(flooder), peer(far)]);
  far.gossip.setPeers([peer(near)]);
  const advert = { meshId: 'm-1', hostId: flooder.identity.hostId, hostName: 'f', epoch: 1 };
  for (let second = 0; second < 10; second += 1) {
    for (let n = 1; n <= 400; n += 1) {
      const {
        advert: bytes,
        signature,
        publicKey,
      } = signAdvert(flooder.identity, { ...advert, sequence: 400 * second + n });
      await flooder.gossip.publish(
        topic,
        shoal.v1.SignedAdvert.encode({ advert: bytes, signature, publicKey }).finish(),
      );
    }
    await clock.advance(1_000);
  }
  t.ok(far.heard.length >= 100 && far.heard.length < 400, `${far.heard.length} of 4,000 went on`);
  t.ok(near.exchange.refused.flooding > 3_500);
  t.equal(near.gossip.counts.ignored, near.exchange.refused.flooding, 'and nobody is to blame for passing on');
});

t.test('what an answer carried is published as it is', async (t) => {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await one.publisher.start();
  await clock.advance(2_000);
  one.vcpusUsed = 7;
  one.publisher.changed();
  const { sequence } = shoal.v1.Advert.decode(one.publisher.fresh().advert);
  await clock.advance(300);
  t.equal(two.exchange.view.get(one.identity.hostId)?.advert.sequence, sequence, 'nothing was signed again for it');
  t.same(two.heard, ['h0 0 0', 'h0 7 0']);
  await one.publisher.stop();
});

t.test('a new host fetches the whole view from one peer, and each advert is as old as it was there', async (t) => {
  const { clock, hosts } = await meshOf(3);
  for (const { publisher } of hosts) await publisher.start();
  await clock.advance(1000);
  const [one] = hosts;
  const authority = testAuthority();
  const [server, client, absent] = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const address = await serve(t, server, { handlers: { pullView: async () => one?.exchange.pullView() ?? {} } });
  const peers = clientsOf(
    t,
    client,
    new Map([
      [server.hostId, address],
      [absent.hostId, '127.0.0.1:1'],
    ]),
  );
  const ages: number[] = [];
  const newcomer = new AdvertExchange(
    { clock, logger: silentLogger, random: new Prng(3), gossip: new MemoryGossipHub(clock).join(identityOf(9).hostId) },
    { meshId: 'm-1', topic, isMember: () => true, onAdvert: (_advert, ageMs) => ages.push(Math.round(ageMs / 100)) },
  );
  const { signal } = new AbortController();
  t.equal(await newcomer.pull(peers, [absent.hostId, server.hostId], signal), true);
  t.equal(newcomer.view.size, 3);
  t.same(ages, [10, 10, 10]);
  t.equal(await newcomer.pull(peers, [absent.hostId], signal), false, 'it says when nobody answered');
});

const updatesTopic = 'u/m-1/cell0';

const takes = (exchange: AdvertExchange, signed: shoal.v1.ISignedAdvertUpdate): boolean =>
  exchange.offerUpdate(signed) === 'taken';

interface UpdatingHosts {
  readonly clock: ManualClock;
  readonly one: Host;
  readonly two: Host;
  readonly publisher: AdvertPublisher;
  readonly content: { vcpusUsed: number; load_1m: number; traits: string[] };
  readonly told: { readonly topic: string; readonly data: Uint8Array }[];
  readonly missed: string[];
  readonly listener: AdvertExchange;
  areUnderstood: boolean;
}

/** Two hosts, the first of which tells its usage by updates while `areUnderstood` says so. */
async function updatingHosts(): Promise<UpdatingHosts> {
  const { clock, hosts } = await meshOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  two.exchange.stop();
  const told: { topic: string; data: Uint8Array }[] = [];
  const missed: string[] = [];
  const listener = new AdvertExchange(
    { clock, logger: silentLogger, random: new Prng(9), gossip: two.gossip },
    {
      meshId: 'm-1',
      topic,
      updatesTopic,
      isMember: () => true,
      onAdvert: () => {},
      onMissed: () => missed.push('missed'),
    },
  );
  listener.start();
  const content = {
    vcpusUsed: 1,
    load_1m: 0.5,
    traits: Array.from({ length: 30 }, (_, n) => `HW_CPU_X86_FEATURE_${n}`),
  };
  const world: UpdatingHosts = {
    clock,
    one,
    two,
    content,
    told,
    missed,
    listener,
    areUnderstood: true,
    publisher: new AdvertPublisher(
      {
        clock,
        logger: silentLogger,
        identity: one.identity,
        gossip: {
          publish: async (of, data) => {
            told.push({ topic: of, data });
            await one.gossip.publish(of, data);
          },
        },
      },
      {
        topic,
        epoch: 5,
        compose: () => ({ meshId: 'm-1', hostName: 'h0', vcpus: 1_000, vcpusRatio: 1, ...content }),
        onAdvert: (signed) => one.exchange.accept(signed),
        updates: { topic: updatesTopic, meshId: 'm-1', areUnderstood: () => world.areUnderstood },
      },
    ),
  };
  return world;
}

t.test('usage that changes is told by an update, anything else by a whole advert', async (t) => {
  const world = await updatingHosts();
  const { clock, one, publisher, content, told, listener } = world;
  const view = (): shoal.v1.Advert | undefined => listener.view.get(one.identity.hostId)?.advert;
  await publisher.start();
  await clock.advance(2_000);
  t.same(
    told.map((message) => message.topic),
    [topic],
  );
  content.vcpusUsed = 40;
  content.load_1m = 7.25;
  publisher.changed();
  await clock.advance(2_000);
  t.same(
    told.map((message) => message.topic),
    [topic, updatesTopic],
  );
  t.ok((told[1]?.data.length ?? 0) < 150 && (told[0]?.data.length ?? 0) > 700, 'a fraction of its size');
  t.match(view(), { vcpusUsed: 40, load_1m: 7.25, hostName: 'h0', sequence: 2, profile: 1, epoch: 5 });
  t.equal(view()?.traits.length, 30);
  const own = one.exchange.view.get(one.identity.hostId)?.advert ?? new shoal.v1.Advert();
  for (const [name, value] of Object.entries(view() ?? {})) {
    t.strictSame(value, Reflect.get(own, name), `a listener has the ${name} that the host itself has`);
  }
  content.traits = ['ONE'];
  publisher.changed();
  await clock.advance(2_000);
  content.vcpusUsed = 41;
  publisher.changed();
  await clock.advance(2_000);
  t.same(
    told.map((message) => message.topic),
    [topic, updatesTopic, topic, updatesTopic],
  );
  t.match(view(), { vcpusUsed: 41, traits: ['ONE'], sequence: 4, profile: 3 });
  world.areUnderstood = false;
  content.vcpusUsed = 42;
  publisher.changed();
  await clock.advance(2_000);
  t.equal(told.at(-1)?.topic, topic, 'whole while an agent of an earlier version listens');
  t.equal(view()?.vcpusUsed, 42);
  world.areUnderstood = true;
  publisher.again();
  await clock.advance(100);
  t.equal(told.at(-1)?.topic, topic, 'and when all is told once more');
  await publisher.stop();
});

t.test('an update counts for the advert that it is for, from its host, in its mesh, once', async (t) => {
  const { clock, one, two, publisher, content, told, listener, missed } = await updatingHosts();
  await publisher.start();
  await clock.advance(2_000);
  const update = (changed: shoal.v1.IAdvertUpdate): shoal.v1.IAdvertUpdate => ({
    hostId: Buffer.from(one.identity.hostId, 'hex'),
    epoch: 5,
    sequence: 7,
    profile: 1,
    vcpusUsed: 9,
    ...changed,
  });
  const good = signAdvertUpdate(one.identity, update({}), 'm-1');
  const bad: readonly [string, shoal.v1.ISignedAdvertUpdate][] = [
    ['of another host', signAdvertUpdate(two.identity, update({}), 'm-1')],
    ['of another mesh', signAdvertUpdate(one.identity, update({}), 'm-2')],
    ['changed', { ...good, update: shoal.v1.AdvertUpdate.encode(update({ vcpusUsed: 0 })).finish() }],
    ['unsigned', { update: good.update }],
    ['for no host', signAdvertUpdate(one.identity, update({ hostId: Buffer.from('x') }), 'm-1')],
    ['out of range', signAdvertUpdate(one.identity, update({ memoryMibUsed: 2 ** 60 }), 'm-1')],
    ['rubbish', { update: Buffer.from('\xff\xff'), signature: good.signature }],
  ];
  for (const [what, signed] of bad) t.equal(takes(listener, signed), false, what);
  t.equal(missed.length, 0, 'what is forged is no reason for anything');
  t.equal(takes(listener, good), true);
  t.equal(takes(listener, good), false, 'the second time it is old');
  t.equal(takes(listener, signAdvertUpdate(one.identity, update({ sequence: 6 }), 'm-1')), false, 'so is this');
  t.equal(takes(listener, signAdvertUpdate(one.identity, update({ sequence: 8, profile: 3 }), 'm-1')), false);
  t.equal(takes(listener, signAdvertUpdate(one.identity, update({ sequence: 8, epoch: 6 }), 'm-1')), false);
  t.equal(missed.length, 2, 'the advert that they are for was missed');
  t.equal(listener.view.get(one.identity.hostId)?.advert.vcpusUsed, 9);
  // A listener that missed the first advert of all.
  const late = new AdvertExchange(
    { clock, logger: silentLogger, random: new Prng(2), gossip: two.gossip },
    {
      meshId: 'm-1',
      topic,
      updatesTopic,
      isMember: () => true,
      onAdvert: () => {},
      onMissed: () => missed.push('late'),
    },
  );
  content.vcpusUsed = 400;
  t.equal(takes(late, good), false);
  t.equal(missed.at(-1), 'late');
  t.equal(told.length, 1);
});

t.test('an epoch is the time, and more than any before, even when the clock went back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-epoch-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  t.equal(await nextEpoch(folder, 5000.5), 5000);
  t.equal(await nextEpoch(folder, 9000), 9000);
  t.equal(await nextEpoch(folder, 10), 9001);
  await writeFile(join(folder, 'advert-epoch'), 'x', { mode: 0o600 });
  await t.rejects(nextEpoch(folder, 10), { code: 'LOG_CORRUPT' });
});
