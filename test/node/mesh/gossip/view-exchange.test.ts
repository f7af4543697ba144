/** Views are brought together over gossip links: what was missed, a newcomer's whole view, and what a liar makes of it. */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { signAdvert, signAdvertUpdate } from '../../../../node/mesh/gossip/advert-check.ts';
import { AdvertExchange } from '../../../../node/mesh/gossip/advert-exchange.ts';
import { type MemoryGossip, MemoryGossipHub } from '../../../../node/mesh/gossip/memory-gossip.ts';
import { ViewExchange } from '../../../../node/mesh/gossip/view-exchange.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ManualClock } from '../manual-clock.ts';

const topic = 'shoal/m-1/cell0/adverts/1';
const identityOf = (n: number): HostIdentity => {
  const seed = new Uint8Array(32).fill(7);
  new DataView(seed.buffer).setUint32(0, n);
  return HostIdentity.fromSeed(seed);
};
const advertOf = (identity: HostIdentity, sequence: number, epoch = 1): shoal.v1.SignedAdvert =>
  signAdvert(identity, {
    meshId: 'm-1',
    hostId: identity.hostId,
    epoch,
    sequence,
    traits: Array(20).fill('HW_CPU_X86_AVX'),
  });

interface Host {
  readonly identity: HostIdentity;
  readonly gossip: MemoryGossip;
  readonly adverts: AdvertExchange;
  readonly views: ViewExchange;
  readonly pulledAsBefore: HostId[];
}

async function hostsOf(
  count: number,
  memberCount = count,
): Promise<{ clock: ManualClock; hub: MemoryGossipHub; hosts: Host[] }> {
  const clock = new ManualClock();
  const hub = new MemoryGossipHub(clock);
  const hosts: Host[] = [];
  for (let n = 0; n < count; n += 1) {
    const identity = identityOf(n);
    const gossip = hub.join(identity.hostId);
    const deps = { clock, logger: silentLogger, random: new Prng(n + 1), gossip };
    const adverts = new AdvertExchange(deps, { meshId: 'm-1', topic, isMember: () => true, onAdvert: () => {} });
    const pulledAsBefore: HostId[] = [];
    const views = new ViewExchange(
      { ...deps, adverts },
      {
        memberCount: () => memberCount,
        pullAsBefore: async (hostId) => {
          pulledAsBefore.push(hostId);
          return true;
        },
      },
    );
    adverts.accept(advertOf(identity, 1));
    hosts.push({ identity, gossip, adverts, views, pulledAsBefore });
  }
  return { clock, hub, hosts };
}

async function begin(hosts: readonly Host[]): Promise<void> {
  for (const { gossip, views } of hosts) {
    gossip.setPeers(hosts.map(({ identity: { hostId, publicKey } }) => ({ hostId, publicKey, address: '/memory/0' })));
    await gossip.start();
    await views.start();
  }
}

/** Longer than many turns of the loop, for checks of signatures that give way to others. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
}

t.test('what got lost is found within a minute, in both directions, and equal views cost a digest', async (t) => {
  const { clock, hosts } = await hostsOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await begin(hosts);
  await pass(clock, 3_000);
  t.equal(one.adverts.view.size, 2, 'soon after the link was made');
  t.equal(two.adverts.view.size, 2);
  await pass(clock, 60_000);
  const before = { one: one.views.counts, two: two.views.counts };
  one.adverts.accept(advertOf(one.identity, 9));
  two.adverts.accept(advertOf(two.identity, 8));
  await pass(clock, 45_000);
  t.equal(two.adverts.view.get(one.identity.hostId)?.advert.sequence, 9);
  t.equal(one.adverts.view.get(two.identity.hostId)?.advert.sequence, 8);
  const taken = one.views.counts.taken + two.views.counts.taken - before.one.taken - before.two.taken;
  t.equal(taken, 2, 'nothing else was sent');
  const still = one.views.counts;
  await pass(clock, 300_000);
  t.ok(one.views.counts.comparisons - still.comparisons >= 6);
  t.equal(one.views.counts.same - still.same, one.views.counts.comparisons - still.comparisons);
  t.equal(one.views.counts.given, still.given);
  for (const { views } of hosts) await views.stop();
});

t.test('a newcomer among 1,000 has the whole view from one peer within two seconds', async (t) => {
  const { clock, hosts } = await hostsOf(4, 1_000);
  const [newcomer, ...others] = hosts;
  if (newcomer === undefined) throw new Error('a newcomer');
  for (let n = 4; n < 1_000; n += 1) {
    const advert = advertOf(identityOf(n), 3);
    for (const { adverts } of others) adverts.accept(advert, 5_000);
  }
  await begin(hosts);
  const startMs = clock.monotonicMs();
  while (newcomer.adverts.view.size < 999 && clock.monotonicMs() - startMs < 10_000) await clock.advance(10);
  t.ok(clock.monotonicMs() - startMs <= 2_000, `${clock.monotonicMs() - startMs} ms`);
  t.equal(newcomer.views.counts.pulls, 1);
  const [aged] = newcomer.adverts.view.all().filter(({ advert }) => advert.sequence === 3);
  t.ok(
    (newcomer.adverts.view.ageMs(aged?.hostId ?? newcomer.identity.hostId, clock.monotonicMs()) ?? 0) >= 5_000,
    'as old as it was there',
  );
  await pass(clock, 5_000);
  t.ok(
    others.every(({ adverts }) => adverts.view.size === 1_000),
    'and they have its advert',
  );
  for (const { views } of hosts) await views.stop();
});

t.test('an advert that was updated goes with its update, in a pull and in a comparison', async (t) => {
  const { clock, hosts } = await hostsOf(2, 10);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  const third = identityOf(5);
  const whole = { meshId: 'm-1', hostId: third.hostId, epoch: 1, sequence: 1, profile: 1 };
  const update = (sequence: number, vcpusUsed: number): shoal.v1.SignedAdvertUpdate =>
    signAdvertUpdate(
      third,
      { hostId: Buffer.from(third.hostId, 'hex'), epoch: 1, sequence, profile: 1, vcpusUsed },
      'm-1',
    );
  two.adverts.accept(signAdvert(third, whole));
  t.equal(two.adverts.offerUpdate(update(4, 44)), 'taken');
  await begin(hosts);
  await pass(clock, 3_000);
  t.match(one.adverts.view.get(third.hostId)?.advert, { sequence: 4, vcpusUsed: 44 });
  one.adverts.offerUpdate(update(9, 99));
  await pass(clock, 60_000);
  t.match(two.adverts.view.get(third.hostId)?.advert, { sequence: 9, vcpusUsed: 99 });
  t.same(one.adverts.view.digest, two.adverts.view.digest);
  for (const { views } of hosts) await views.stop();
});

t.test('a pull that breaks goes on at another peer, from where it broke', async (t) => {
  const { clock, hub, hosts } = await hostsOf(3, 600);
  const [newcomer, ...others] = hosts;
  if (newcomer === undefined) throw new Error('a newcomer');
  for (let n = 3; n < 600; n += 1) for (const { adverts } of others) adverts.accept(advertOf(identityOf(n), 3));
  hub.delayMs = 20;
  await begin(hosts);
  for (let n = 0; n < 200 && newcomer.adverts.view.size < 150; n += 1) await clock.advance(5);
  const half = newcomer.adverts.view.size;
  t.ok(half >= 150 && half < 598, `${half} adverts so far`);
  const [asked] = others.filter(({ views }) => views.counts.given > 0);
  if (asked === undefined) throw new Error('somebody was asked');
  hub.cut(newcomer.identity.hostId, asked.identity.hostId);
  await pass(clock, 1_500);
  t.equal(newcomer.adverts.view.size, 600);
  const second = others.find((host) => host !== asked);
  t.ok((second?.views.counts.given ?? 0) < 600 - 100, 'the second gave what was missing only');
  for (const { views } of hosts) await views.stop();
});

t.test(
  'a liar that leaves out, makes up or repeats changes nothing that another peer does not put right',
  async (t) => {
    const { clock, hosts } = await hostsOf(3, 3);
    const [newcomer, liar, honest] = hosts;
    if (newcomer === undefined || liar === undefined || honest === undefined) throw new Error('three hosts');
    honest.adverts.accept(advertOf(honest.identity, 5));
    newcomer.adverts.accept(advertOf(honest.identity, 4));
    const forged = signAdvert(liar.identity, { meshId: 'm-1', hostId: honest.identity.hostId, epoch: 9, sequence: 9 });
    const other = signAdvert(honest.identity, { meshId: 'm-2', hostId: honest.identity.hostId, epoch: 9, sequence: 9 });
    await begin([newcomer, liar]);
    let questions = 0;
    liar.gossip.answer((_from, bytes) => {
      questions += 1;
      const { body } = shoal.v1.ViewQuestion.decode(bytes);
      // It says that it knows better of everybody, and hands out what is forged, foreign or old.
      if (body === 'digest') {
        const rows = [honest, liar].map(({ identity }) => ({
          hostId: Buffer.from(identity.hostId, 'hex'),
          epoch: 99,
          sequence: 99,
        }));
        return [shoal.v1.ViewAnswer.encode({ digest: new Uint8Array(1024), rows }).finish()];
      }
      const adverts = [
        forged,
        other,
        advertOf(honest.identity, 3),
        { advert: Buffer.from('x'), publicKey: new Uint8Array(32) },
      ];
      return [shoal.v1.ViewAnswer.encode({ adverts, agesMs: [0, 0, 0, 2 ** 50] }).finish(), Buffer.from('rubbish')];
    });
    await pass(clock, 120_000);
    t.equal(newcomer.adverts.view.get(honest.identity.hostId)?.advert.sequence, 4);
    t.ok(questions >= 2 && questions < 60, `${questions} questions in two minutes: a liar is not asked all the time`);
    for (const host of [newcomer, liar, honest])
      host.gossip.setPeers(
        hosts.map(({ identity: { hostId, publicKey } }) => ({ hostId, publicKey, address: '/memory/0' })),
      );
    await honest.gossip.start();
    await honest.views.start();
    await pass(clock, 5_000);
    t.equal(newcomer.adverts.view.get(honest.identity.hostId)?.advert.sequence, 5, 'with an honest peer beside it');
    for (const { views } of hosts) await views.stop();
  },
);

t.test('questions are bounded: no digest, nonsense, and whole views again and again are refused', async (t) => {
  const { clock, hosts } = await hostsOf(2);
  const [one, two] = hosts;
  if (one === undefined || two === undefined) throw new Error('two hosts');
  await begin(hosts);
  const ask = async (question: Uint8Array): Promise<number> => {
    let answers = 0;
    const work = (async () => {
      for await (const _ of one.gossip.ask(two.identity.hostId, question, new AbortController().signal)) answers += 1;
    })();
    work.catch(() => {});
    await clock.advance(20);
    await work;
    return answers;
  };
  const question = (body: shoal.v1.IViewQuestion): Uint8Array => shoal.v1.ViewQuestion.encode(body).finish();
  await t.rejects(ask(question({ digest: new Uint8Array(17) })), { code: 'UNAVAILABLE' });
  await t.rejects(ask(Buffer.from('rubbish')), { code: 'UNAVAILABLE' });
  await t.rejects(ask(question({})), { code: 'UNAVAILABLE' });
  for (let n = 0; n < 3; n += 1) t.equal(await ask(question({ pullAfterHostId: '' })), 1);
  await t.rejects(ask(question({ pullAfterHostId: '' })), { code: 'UNAVAILABLE' }, 'a fourth whole view');
  await clock.advance(25_000);
  t.equal(await ask(question({ pullAfterHostId: '' })), 1, 'some time later');
  for (const { views } of hosts) await views.stop();
});

t.test('a newcomer among agents of an earlier version pulls as they know it', async (t) => {
  const { clock, hosts } = await hostsOf(2, 10);
  const [newcomer, old] = hosts;
  if (newcomer === undefined || old === undefined) throw new Error('two hosts');
  await begin([newcomer]);
  newcomer.gossip.setPeers([{ hostId: old.identity.hostId, publicKey: old.identity.publicKey, address: '/memory/0' }]);
  old.gossip.setPeers([
    { hostId: newcomer.identity.hostId, publicKey: newcomer.identity.publicKey, address: '/memory/0' },
  ]);
  await old.gossip.start();
  await pass(clock, 60_000);
  t.same(newcomer.pulledAsBefore, [old.identity.hostId], 'once');
  t.ok(
    newcomer.views.counts.failed >= 1 && newcomer.views.counts.failed <= 6,
    `${newcomer.views.counts.failed} vain questions a minute`,
  );
  await newcomer.views.stop();
});
