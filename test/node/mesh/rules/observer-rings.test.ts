import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { ObserverRings, observersPerHost } from '../../../../node/mesh/rules/observer-rings.ts';

const random = new Prng(7);
const hostIds = (count: number): readonly HostId[] =>
  Array.from(
    { length: count },
    () => Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('') as HostId,
  );
const all = (): boolean => true;

t.test('who watches and who is watched agree when some are passed over', async (t) => {
  for (const count of [2, 9, 16, 17, 40, 300]) {
    const ids = hostIds(count);
    const rings = new ObserverRings(ids);
    const down = new Set(ids.filter(() => random.chance(0.3)));
    for (const isUsable of [all, (hostId: HostId) => !down.has(hostId)]) {
      for (const self of ids.filter(isUsable)) {
        const watched = ids.filter((target) => rings.observersOf(target, isUsable).includes(self));
        t.same([...rings.subjectsOf(self, isUsable)].sort(), [...watched].sort(), `of ${count}`);
      }
    }
  }
});

t.test('each host has enough observers and watches few, and half of them gone leaves enough', async (t) => {
  const ids = hostIds(1_000);
  const rings = new ObserverRings(ids);
  const subjects = ids.map((id) => rings.subjectsOf(id, all).length);
  t.ok(Math.max(...subjects) <= observersPerHost);
  t.ok(Math.min(...ids.map((id) => rings.observersOf(id, all).length)) >= observersPerHost - 2);
  const half = new Set(ids.slice(0, 500));
  const isUsable = (hostId: HostId): boolean => !half.has(hostId);
  const left = ids.map((id) => rings.observersOf(id, isUsable).length);
  t.ok(Math.min(...left) >= 3, 'when it is known that they are gone, others watch in their place');
});

t.test('the order of members means nothing, and a newcomer moves few', async (t) => {
  const ids = hostIds(200);
  const before = new ObserverRings(ids);
  const after = new ObserverRings([...ids].reverse().concat(hostIds(1)));
  const moved = ids.filter((id) => `${before.observersOf(id, all)}` !== `${after.observersOf(id, all)}`);
  t.ok(moved.length <= observersPerHost, `${moved.length} hosts have another observer`);
});

t.test('those who are not involved watch not, and are the same for all who ask', async (t) => {
  const ids = hostIds(50);
  const rings = new ObserverRings(ids);
  for (const target of ids) {
    const others = rings.uninvolvedIn(target, all, 2);
    t.equal(others.length, 2);
    for (const id of others) t.notOk(id === target || rings.observersOf(target, all).includes(id));
  }
  t.same(rings.uninvolvedIn('0'.repeat(32) as HostId, all, 2), [], 'of no member');
  const small = new ObserverRings(ids.slice(0, 5));
  t.same(small.uninvolvedIn(ids[0] ?? ('' as HostId), all, 2), [], 'in a small mesh everybody watches everybody');
});
