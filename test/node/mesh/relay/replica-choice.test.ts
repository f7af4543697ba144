import t from 'tap';
import type { Clock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { ReplicaChoice, type ReplicaPlace } from '../../../../node/mesh/relay/replica-choice.ts';

let nowMs = 0;
const clock: Clock = {
  nowMs: () => nowMs,
  monotonicMs: () => nowMs,
  setTimeout: () => ({ cancel: () => {} }),
  setInterval: () => ({ cancel: () => {} }),
};

function place(name: string, more: Partial<ReplicaPlace> = {}): ReplicaPlace {
  return { hostId: name.repeat(32) as HostId, isLeader: false, zone: 'z2', failureDomain: 'r9', ...more };
}

function namesOf(places: readonly ReplicaPlace[]): string {
  return places.map(({ hostId }) => hostId.charAt(0)).join('');
}

t.test('the nearest first, the leader last', (t) => {
  const choice = new ReplicaChoice(clock, { zone: 'z1', failureDomain: 'r1' });
  const places = [
    place('a', { isLeader: true, zone: 'z1', failureDomain: 'r1' }),
    place('b'),
    place('c', { zone: 'z1' }),
    place('d', { zone: 'z1', failureDomain: 'r1' }),
  ];
  t.equal(namesOf(choice.order(places)), 'dcba');
  const nowhere = new ReplicaChoice(clock, { zone: '', failureDomain: '' });
  t.equal(namesOf(nowhere.order([place('b', { zone: '', failureDomain: '' }), places[0] ?? place('a')])), 'ba');
  t.same(choice.order([]), []);
  t.end();
});

t.test('of several that are as near the quick ones first, and in turn when they are alike', (t) => {
  const choice = new ReplicaChoice(clock, { zone: '', failureDomain: '' });
  const places = [place('a'), place('b'), place('c')];
  choice.answered(place('a').hostId, 50);
  const first = new Set(Array.from({ length: 6 }, () => namesOf(choice.order(places)).charAt(0)));
  t.same([...first].sort(), ['b', 'c'], 'the slow one is never first, and the others share');
  for (let count = 0; count < 40; count++) choice.answered(place('a').hostId, 0.5);
  const then = new Set(Array.from({ length: 6 }, () => namesOf(choice.order(places)).charAt(0)));
  t.same([...then].sort(), ['a', 'b', 'c'], 'it has become quick');
  t.end();
});

t.test('one that failed is asked after all others, even after the leader, for a time that doubles', (t) => {
  const choice = new ReplicaChoice(clock, { zone: '', failureDomain: '' });
  const places = [place('a'), place('b', { isLeader: true })];
  t.equal(namesOf(choice.order(places)), 'ab');
  choice.failed(place('a').hostId);
  t.equal(namesOf(choice.order(places)), 'ba');
  nowMs += 501;
  t.equal(namesOf(choice.order(places)), 'ab', 'it is tried again');
  choice.failed(place('a').hostId);
  nowMs += 501;
  t.equal(namesOf(choice.order(places)), 'ba');
  for (let count = 0; count < 20; count++) choice.failed(place('a').hostId);
  nowMs += 30_001;
  t.equal(namesOf(choice.order(places)), 'ab', 'but never for longer than half a minute');
  choice.failed(place('a').hostId);
  choice.answered(place('a').hostId, 1);
  t.equal(namesOf(choice.order(places)), 'ab', 'one that answers is good');
  choice.failed(place('a').hostId);
  choice.order([place('b')]);
  t.equal(namesOf(choice.order(places)), 'ab', 'one that is no replica any more is forgotten');
  t.end();
});
