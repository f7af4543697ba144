/**
 * Agents of the version before, which repeat their adverts, know no updates and answer no questions, in one mesh with these.
 * What they say and hear is made of the messages that they know: SignedAdvert on the topic of adverts, PullView.
 */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { openAdvert, signAdvert } from '../../../../node/mesh/gossip/advert-check.ts';
import { AdvertExchange } from '../../../../node/mesh/gossip/advert-exchange.ts';
import { AdvertPublisher } from '../../../../node/mesh/gossip/advert-publisher.ts';
import { type MemoryGossip, MemoryGossipHub } from '../../../../node/mesh/gossip/memory-gossip.ts';
import { UpdateReaders } from '../../../../node/mesh/gossip/update-readers.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ManualClock } from '../manual-clock.ts';

const topic = 'shoal/m-1/cell0/adverts/1';
const updatesTopic = 'u/m-1/cell0';
const identityOf = (n: number): HostIdentity => HostIdentity.fromSeed(new Uint8Array(32).fill(n));

/** An agent of the version before. */
class OlderAgent {
  readonly identity: HostIdentity;
  readonly gossip: MemoryGossip;
  readonly held = new Map<string, shoal.v1.Advert>();
  #sequence = 0;

  constructor(identity: HostIdentity, gossip: MemoryGossip) {
    this.identity = identity;
    this.gossip = gossip;
    gossip.subscribe(topic, { validate: (data) => (this.#take(data) ? 'accept' : 'ignore'), handle: () => {} });
  }

  /** What it did every few seconds, whether or not anything had changed. */
  async repeat(vcpusUsed: number): Promise<void> {
    this.#sequence += 1;
    const { hostId } = this.identity;
    const { advert, signature, publicKey } = signAdvert(this.identity, {
      meshId: 'm-1',
      hostId,
      epoch: 5,
      sequence: this.#sequence,
      vcpusUsed,
    });
    await this.gossip.publish(topic, shoal.v1.SignedAdvert.encode({ advert, signature, publicKey }).finish());
  }

  /** What it did with the answer to PullView. */
  takeView({ adverts }: shoal.v1.IPullViewResponse): void {
    for (const signed of adverts ?? []) this.#keep(openAdvert(signed, 'm-1'));
  }

  #take(data: Uint8Array): boolean {
    return this.#keep(openAdvert(shoal.v1.SignedAdvert.decode(data), 'm-1'));
  }

  #keep(advert: shoal.v1.Advert): boolean {
    const known = this.held.get(advert.hostId);
    if (known !== undefined && (known.epoch > advert.epoch || known.sequence >= advert.sequence)) return false;
    this.held.set(advert.hostId, advert);
    return true;
  }
}

/** The parts of an agent of this version, put together as node/cluster/mesh-view.ts does. */
class Agent {
  readonly identity: HostIdentity;
  readonly gossip: MemoryGossip;
  readonly adverts: AdvertExchange;
  readonly publisher: AdvertPublisher;
  readonly readers = new UpdateReaders();
  vcpusUsed = 0;

  constructor(clock: ManualClock, identity: HostIdentity, gossip: MemoryGossip) {
    this.identity = identity;
    this.gossip = gossip;
    const deps = { clock, logger: silentLogger, random: new Prng(1), gossip, identity };
    this.adverts = new AdvertExchange(deps, {
      meshId: 'm-1',
      topic,
      updatesTopic,
      isMember: () => true,
      onAdvert: (advert) => {
        if (this.readers.note(advert)) clock.setTimeout(() => this.publisher.again(), 5_000);
      },
    });
    this.publisher = new AdvertPublisher(deps, {
      topic,
      epoch: 5,
      compose: () => ({ meshId: 'm-1', hostName: 'new', vcpus: 100, vcpusRatio: 1, vcpusUsed: this.vcpusUsed }),
      onAdvert: (signed) => void this.adverts.accept(signed),
      updates: { topic: updatesTopic, meshId: 'm-1', areUnderstood: () => this.readers.areAll },
    });
  }
}

t.test('agents of the version before and of this one see each other change, in whatever order they come', async (t) => {
  const clock = new ManualClock();
  const hub = new MemoryGossipHub(clock);
  const [one, two] = [1, 2].map((n) => new Agent(clock, identityOf(n), hub.join(identityOf(n).hostId)));
  if (one === undefined || two === undefined) throw new Error('two agents');
  const older = new OlderAgent(identityOf(3), hub.join(identityOf(3).hostId));
  const all = [one, two, older];
  for (const { gossip } of all) {
    gossip.setPeers(all.map(({ identity: { hostId, publicKey } }) => ({ hostId, publicKey, address: '/memory/0' })));
  }
  for (const { gossip, adverts } of [one, two]) {
    await gossip.start();
    adverts.start();
  }
  for (const { publisher } of [one, two]) await publisher.start();
  await clock.advance(3_000);
  const change = async (vcpusUsed: number): Promise<void> => {
    one.vcpusUsed = vcpusUsed;
    one.publisher.changed();
    await clock.advance(2_000);
  };
  const seenBy = (view: { readonly vcpusUsed: number } | undefined): number | undefined => view?.vcpusUsed;
  const hostId: HostId = one.identity.hostId;
  await change(10);
  t.equal(seenBy(two.adverts.view.get(hostId)?.advert), 10, 'by an update');
  t.ok(two.adverts.view.get(hostId)?.update, 'by an update');
  await older.gossip.start();
  older.takeView(one.adverts.pullView());
  t.equal(older.held.size, 2, 'a newcomer of the version before pulls what it can read');
  await older.repeat(33);
  await clock.advance(10);
  t.equal(seenBy(one.adverts.view.get(older.identity.hostId)?.advert), 33);
  await clock.advance(6_000);
  t.equal(seenBy(older.held.get(hostId)), 10, 'and is told the rest soon');
  await change(20);
  t.equal(seenBy(older.held.get(hostId)), 20, 'whole adverts while it is there');
  t.equal(seenBy(two.adverts.view.get(hostId)?.advert), 20);
  await older.repeat(34);
  await clock.advance(10);
  t.equal(seenBy(two.adverts.view.get(older.identity.hostId)?.advert), 34, 'its repeats count');
  for (const { readers } of [one, two]) readers.retain((member) => member !== older.identity.hostId);
  await change(30);
  t.equal(seenBy(two.adverts.view.get(hostId)?.advert), 30);
  t.ok(two.adverts.view.get(hostId)?.update, 'by updates again when it has gone');
});
