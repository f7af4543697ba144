/** Two views that differ are found out by digests of a fixed size, and what differs is all that is sent. */
import fc from 'fast-check';
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { AdvertView, type HeldAdvert } from '../../../../node/mesh/rules/adverts.ts';
import { advertsAfter, compareRows, differingRows } from '../../../../node/mesh/rules/view-comparison.ts';
import { bucketOf, differingBuckets, digestBytes } from '../../../../node/mesh/rules/view-digest.ts';
import { ViewSync } from '../../../../node/mesh/rules/view-sync.ts';
import { shoal } from '../../../../proto/messages.ts';

const hostOf = (n: number): HostId => (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(32, '0') as HostId;
const held = (n: number, sequence: number, epoch = 1): HeldAdvert => ({
  hostId: hostOf(n),
  advert: shoal.v1.Advert.create({ hostId: hostOf(n), epoch, sequence }),
  signed: shoal.v1.SignedAdvert.create(),
  takenMs: 0,
});

t.test('whatever two hosts hold, one comparison makes their views and their digests the same', async (t) => {
  const row = fc.tuple(fc.nat(60), fc.nat(3), fc.nat(1));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(row), fc.array(row), fc.array(fc.nat(60)), (first, second, removed) => {
        const [a, b] = [new AdvertView(), new AdvertView()];
        for (const [n, sequence, epoch] of first) a.merge(held(n, sequence, epoch));
        for (const [n, sequence, epoch] of second) b.merge(held(n, sequence, epoch));
        b.retain((hostId) => !removed.some((n) => hostOf(n) === hostId));
        const differ = differingBuckets(a.digest, b.digest);
        const rows = differingRows(b, a.digest);
        // b answers a's digest with rows; a gives and asks.
        const { wants, gives } = compareRows(a, b.digest, rows);
        for (const advert of gives) if (!b.merge(advert)) return false;
        for (const hostId of wants) {
          const advert = b.get(hostId);
          if (advert === undefined || !a.merge(advert)) return false;
        }
        const isSame = Buffer.compare(a.digest, b.digest) === 0;
        return isSame && a.size === b.size && differ.length > 0 === gives.length + wants.length > 0;
      }),
      { seed: 13, numRuns: 400 },
    ),
  );
});

t.test('a digest has one size, says nothing of order, and the newest advert alone counts', async (t) => {
  const [small, large, mixed] = [new AdvertView(), new AdvertView(), new AdvertView()];
  small.merge(held(0, 1));
  for (let n = 0; n < 5_000; n += 1) large.merge(held(n, 1));
  t.equal(small.digest.length, digestBytes);
  t.equal(large.digest.length, digestBytes);
  for (let n = 4_999; n >= 0; n -= 1) mixed.merge(held(n, 0)) && mixed.merge(held(n, 1));
  t.same(mixed.digest, large.digest);
  mixed.merge(held(77, 2));
  t.same(differingBuckets(mixed.digest, large.digest), [bucketOf(hostOf(77))]);
  t.ok(differingRows(large, mixed.digest).length < 5_000 / 40, 'rows of one bucket');
  const fill = new Map<number, number>();
  for (let n = 0; n < 5_000; n += 1) fill.set(bucketOf(hostOf(n)), (fill.get(bucketOf(hostOf(n))) ?? 0) + 1);
  t.equal(fill.size, 128);
  t.ok(Math.max(...fill.values()) < 80, 'buckets fill evenly');
  t.equal(differingBuckets(large.digest, new Uint8Array(3)).length, 128, 'no digest differs everywhere');
});

t.test('a pull goes on where it broke off', async (t) => {
  const view = new AdvertView();
  for (let n = 0; n < 50; n += 1) view.merge(held(n, 1));
  const all = advertsAfter(view, '').map(({ hostId }) => hostId);
  t.same(all, [...all].sort());
  t.same(
    advertsAfter(view, all[19] ?? '').map(({ hostId }) => hostId),
    all.slice(20),
  );
});

const links = [0, 1, 2, 3, 4].map(hostOf);
const rich = { held: 5, members: 5 };

t.test('views are compared every half a minute or so, with one peer after another', async (t) => {
  const sync = new ViewSync(new Prng(4), 0);
  const times: number[] = [];
  const asked: string[] = [];
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 250) {
    const action = sync.next(nowMs, links, rich);
    if (action === undefined) continue;
    t.equal(action.kind, 'compare');
    times.push(nowMs);
    asked.push(action.with);
    t.equal(sync.next(nowMs + 10_000_000, links, rich), undefined, 'one at a time');
    sync.ended(nowMs, { isComplete: true, newAdverts: 0 });
  }
  t.ok(times.length >= 105 && times.length <= 135, `${times.length} an hour`);
  const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
  t.ok(Math.min(...gaps) >= 20_000 && Math.max(...gaps) <= 40_000, 'with jitter');
  t.equal(new Set(asked).size, 5);
  t.ok(
    asked.every((hostId, at) => hostId !== asked[at - 1]),
    'never the same twice running',
  );
});

t.test('a reason makes it soon, and no reason makes a flood of it', async (t) => {
  const sync = new ViewSync(new Prng(5), 0);
  let count = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
    sync.missed(nowMs); // A link that comes and goes twenty times a second.
    if (sync.next(nowMs, links, rich) === undefined) continue;
    count += 1;
    sync.ended(nowMs, { isComplete: true, newAdverts: 1 });
  }
  t.ok(count >= 50 && count <= 240, `${count} in a minute`);
});

t.test('a newcomer pulls at once, from another peer when one breaks, and then compares', async (t) => {
  const sync = new ViewSync(new Prng(6), 0);
  const poor = { held: 1, members: 1_000 };
  t.equal(sync.next(0, [], poor), undefined, 'of whom?');
  const first = sync.next(0, links, poor);
  t.equal(first?.kind, 'pull');
  sync.ended(100, { isComplete: false, newAdverts: 400 });
  const second = sync.next(100, links, poor);
  t.equal(second?.kind, 'pull');
  t.not(second?.with, first?.with);
  sync.ended(200, { isComplete: true, newAdverts: 0 });
  let third: ReturnType<ViewSync['next']>;
  let nowMs = 200;
  for (; third === undefined && nowMs < 2_000; nowMs += 50) third = sync.next(nowMs, links, poor);
  t.equal(third?.kind, 'compare', 'an empty view of a liar is not the end of it, and is not asked for again');
  t.not(third?.with, second?.with);
  for (let n = 0; n < 40; n += 1) {
    sync.ended(nowMs, { isComplete: false, newAdverts: 0 });
    sync.next(nowMs, links, rich);
  }
  t.equal(sync.next(nowMs, links, rich), undefined, 'when nobody answers it waits');
});
