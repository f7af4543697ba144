import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { Detector } from '../../../../node/mesh/rules/detector.ts';
import {
  type DetectorAction,
  detectorOptions,
  type HelperAnswer,
} from '../../../../node/mesh/rules/detector-options.ts';
import type { Condition, DetectorUpdate, Evidence } from '../../../../node/mesh/rules/health-update.ts';
import { ObserverRings } from '../../../../node/mesh/rules/observer-rings.ts';

const idOf = (n: number): HostId => n.toString(16).padStart(32, '0') as HostId;

/**
 * Detectors of many hosts in a world whose links the test decides on. Messages take 5 ms; health updates reach all who
 * are linked.
 */
class World {
  nowMs = 0;
  readonly ids: readonly HostId[];
  readonly detectors: Map<HostId, Detector>;
  /** Conditions ever seen, as "who: whom condition". */
  readonly seen: string[] = [];
  /** When each was probed directly. */
  readonly probes = new Map<HostId, number[]>();
  /** Whether a message gets from one host to another. */
  reaches: (from: HostId, to: HostId) => boolean = () => true;
  readonly #events: { atMs: number; run: () => void }[] = [];

  constructor(count: number, seed: number) {
    const random = new Prng(seed);
    this.ids = Array.from({ length: count }, (_, n) => idOf(n + 1));
    this.detectors = new Map(this.ids.map((id) => [id, new Detector(id, 1, random.fork())]));
    for (const [id, detector] of this.detectors) {
      detector.setMembers(this.ids);
      for (const other of this.ids) this.run(id, detector.advertised(other, 1));
      this.after(random.below(200), () => this.tick(id));
    }
    this.seen.length = 0;
  }

  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (;;) {
      this.#events.sort((a, b) => a.atMs - b.atMs);
      const [first] = this.#events;
      if (first === undefined || first.atMs > endMs) break;
      this.#events.shift();
      this.nowMs = first.atMs;
      first.run();
    }
    this.nowMs = endMs;
  }

  restart(id: HostId, epoch: number): void {
    const detector = new Detector(id, epoch, new Prng(epoch));
    detector.setMembers(this.ids);
    this.detectors.set(id, detector);
    for (const other of this.ids) {
      if (other !== id && this.reaches(id, other)) this.run(other, this.of(other).advertised(id, epoch));
    }
  }

  of(id: HostId): Detector {
    const detector = this.detectors.get(id);
    if (detector === undefined) throw new Error('no such host');
    return detector;
  }

  /** How many of `by` see `about` in `condition`. */
  count(about: HostId, condition: Condition, by: readonly HostId[] = this.ids): number {
    return by.filter((id) => id !== about && this.of(id).conditionOf(about) === condition).length;
  }

  private after(delayMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, run });
  }

  private tick(id: HostId): void {
    this.run(id, this.of(id).tick(this.nowMs));
    this.after(200, () => this.tick(id));
  }

  private bothWays(a: HostId, b: HostId): boolean {
    return this.reaches(a, b) && this.reaches(b, a);
  }

  private run(self: HostId, actions: readonly DetectorAction[]): void {
    for (const action of actions) this.act(self, action);
  }

  private act(self: HostId, action: DetectorAction): void {
    switch (action.kind) {
      case 'condition':
        this.seen.push(`${Number(`0x${self}`)}: ${Number(`0x${action.hostId}`)} ${action.condition}`);
        break;
      case 'probe': {
        const { target, suspicion, timeoutMs } = action;
        const isReached = this.bothWays(self, target);
        this.probes.set(target, [...(this.probes.get(target) ?? []), this.nowMs]);
        this.after(isReached ? 10 : timeoutMs, () => {
          const nextInMs = isReached ? this.of(target).contacted(self, this.nowMs) : undefined;
          if (isReached && suspicion !== undefined) {
            this.run(target, this.of(target).heard(suspicion, this.nowMs));
            this.run(self, this.of(self).heard(this.of(target).ownHealthUpdate(), this.nowMs));
          }
          const outcome = isReached ? 'reached' : 'unreachable';
          this.run(self, this.of(self).probed(target, outcome, this.nowMs, nextInMs));
        });
        break;
      }
      case 'probe-indirectly': {
        const answers = action.helpers.map((helper): HelperAnswer => {
          if (!this.bothWays(self, helper)) return { kind: 'no-answer' };
          if (this.bothWays(helper, action.target)) return { kind: 'reached' };
          return { kind: 'not-reached', accusation: this.of(helper).witness(action.target, 'unreachable') };
        });
        this.after(action.timeoutMs, () => {
          this.run(self, this.of(self).probedIndirectly(action.target, answers, this.nowMs));
        });
        break;
      }
      case 'tell':
        for (const to of this.ids) {
          if (to === self || !this.reaches(self, to)) continue;
          for (const update of [action.update, ...action.secondedBy]) this.hears(to, update);
        }
        break;
    }
  }

  private hears(to: HostId, update: DetectorUpdate): void {
    this.after(20, () => this.run(to, this.of(to).heard(update, this.nowMs)));
  }
}

t.test('while all answer, nobody is suspected', async (t) => {
  const world = new World(20, 1);
  world.advance(60_000);
  t.same(world.seen, []);
  for (const id of world.ids) t.equal(world.of(id).localHealth, 0);
});

t.test('a host that falls is suspected and then dead everywhere, and nobody else is', async (t) => {
  for (const [count, withinMs] of [
    [3, 12_000],
    [5, 15_000],
    [30, 30_000],
  ] as const) {
    const world = new World(count, count);
    world.advance(5_000);
    const [fallen = idOf(0), ...others] = world.ids;
    world.reaches = (from, to) => from !== fallen && to !== fallen;
    world.advance(withinMs);
    t.equal(world.count(fallen, 'dead', others), others.length, `${count} hosts: all know within ${withinMs} ms`);
    for (const id of others) t.equal(world.count(id, 'alive', others), others.length - 1);
    t.notMatch(world.seen.filter((line) => !line.startsWith('1:')).join('\n'), /: ([2-9]|\d\d+) (suspect|dead)/);
  }
});

t.test('a dead host that comes back is alive everywhere, restarted or not', async (t) => {
  const world = new World(6, 3);
  const [one = idOf(0), two = idOf(0), ...others] = world.ids;
  world.reaches = (from, to) => from === to || ![one, two].some((id) => id === from || id === to);
  world.advance(60_000);
  t.equal(world.count(one, 'dead', others), 4);
  t.equal(world.count(two, 'dead', others), 4);
  world.reaches = () => true;
  world.restart(two, 2);
  world.advance(30_000);
  for (const id of world.ids) t.equal(world.count(id, 'alive'), 5, `host ${Number(`0x${id}`)}`);
});

t.test('after a partition heals both halves see each other again', async (t) => {
  const world = new World(10, 4);
  const left = new Set(world.ids.slice(0, 4));
  world.reaches = (from, to) => left.has(from) === left.has(to);
  world.advance(120_000);
  for (const id of world.ids) {
    const far = world.ids.filter((other) => left.has(other) !== left.has(id));
    t.equal(world.count(id, 'dead', far), far.length);
  }
  world.reaches = () => true;
  world.advance(60_000);
  for (const id of world.ids) t.equal(world.count(id, 'alive'), 9);
});

t.test('one host that hears nobody raises its local health multiplier and declares nobody dead', async (t) => {
  const world = new World(12, 5);
  const [deaf = idOf(0), ...others] = world.ids;
  // What it says gets out; what others say does not get in.
  world.reaches = (_from, to) => to !== deaf;
  world.advance(60_000);
  t.ok(world.of(deaf).localHealth > 0);
  for (const id of others) {
    t.equal(world.count(id, 'dead', others), 0);
    t.ok(world.count(id, 'alive', others) >= 9, `${world.count(id, 'alive', others)} see it alive`);
  }
});

t.test('two hosts that cannot reach each other, while all others can, are not suspected', async (t) => {
  const world = new World(8, 6);
  const [one = idOf(0), two = idOf(0)] = world.ids;
  world.reaches = (from, to) => !((from === one && to === two) || (from === two && to === one));
  world.advance(60_000);
  t.same(world.seen, []);
});

t.test('only the newest claim about a host counts', async (t) => {
  const [self, other, third] = [idOf(1), idOf(2), idOf(3)];
  const detector = new Detector(self, 1, new Prng(1));
  detector.setMembers([self, other, third]);
  const update = (kind: DetectorUpdate['kind'], from: HostId, epoch: number, incarnation: number): DetectorUpdate => ({
    about: other,
    from,
    kind,
    epoch,
    incarnation,
  });
  const steps: readonly [DetectorUpdate, Condition, string][] = [
    [update('alive', third, 9, 9), 'unknown', 'nobody else may say that it is alive'],
    [update('alive', other, 5, 1), 'alive', 'it says so itself'],
    [update('suspect', third, 5, 0), 'alive', 'an old suspicion'],
    [update('suspect', third, 5, 1), 'suspect', 'a suspicion of the same incarnation beats "alive"'],
    [update('alive', other, 5, 1), 'suspect', 'and is not refuted by it'],
    [update('alive', other, 5, 2), 'alive', 'but by the next one'],
    [update('dead', third, 5, 2), 'suspect', "nobody is dead on another's word alone"],
    [update('alive', other, 4, 99), 'suspect', 'an earlier start of the agent refutes nothing'],
    [update('alive', other, 6, 0), 'alive', 'a later one does'],
    [update('suspect', third, 6, 1), 'alive', 'nobody else raises its incarnation'],
    [update('dead', third, 9, 0), 'alive', 'or knows of a start that it has not told of'],
  ];
  for (const [heard, condition, why] of steps) {
    detector.heard(heard, 0);
    t.equal(detector.conditionOf(other), condition, why);
  }
  t.equal(detector.conditionOf(idOf(77)), 'unknown');
  t.equal(detector.conditionOf(self), 'alive');
});

t.test('a suspected host refutes with its next incarnation, and is the more careful for it', async (t) => {
  const [self, other] = [idOf(1), idOf(2)];
  const detector = new Detector(self, 7, new Prng(1));
  detector.setMembers([other]);
  const suspicion: DetectorUpdate = { about: self, from: other, kind: 'suspect', epoch: 7, incarnation: 0 };
  t.same(detector.heard(suspicion, 0), [
    { kind: 'tell', update: { about: self, from: self, kind: 'alive', epoch: 7, incarnation: 1 }, secondedBy: [] },
  ]);
  t.equal(detector.localHealth, 1);
  t.same(detector.heard(suspicion, 0), [], 'once is enough');
  t.equal(detector.ownHealthUpdate().incarnation, 1);
});

/** When a host of `count` is called down that so many accuse, ms; Infinity: within 100 s it is not. */
function downAfter(count: number, accusers: number, evidence: Evidence, liars: 'all' | 'one' = 'all'): number {
  const ids = Array.from({ length: count }, (_, n) => idOf(n + 1));
  const [self = idOf(0), other = idOf(0)] = ids;
  const detector = new Detector(self, 1, new Prng(1));
  detector.setMembers(ids);
  for (const id of ids) detector.advertised(id, 1);
  const rings = new ObserverRings(ids);
  const observers = rings.observersOf(other, (id) => id !== self);
  const order = [...observers, ...rings.uninvolvedIn(other, (id) => id !== self && !observers.includes(id), 1)];
  const chosen = accusers > 3 ? [...order.slice(0, accusers - 1), ...order.slice(-1)] : order.slice(0, accusers);
  for (let n = 0; n < accusers; n++) {
    const from = liars === 'all' ? chosen[n] : chosen[0];
    if (from === undefined) throw new Error('too few hosts');
    detector.heard({ about: other, from, kind: 'suspect', epoch: 1, incarnation: 0, evidence }, 0);
  }
  for (let nowMs = 0; nowMs < 100_000; nowMs += 100) {
    detector.tick(nowMs);
    if (detector.conditionOf(other) === 'dead') return nowMs;
  }
  return Number.POSITIVE_INFINITY;
}

t.test(
  'a host is called down by three that watch it and one that does not, and the sooner the more they are',
  async (t) => {
    const { unreachableMs, stalledMs } = detectorOptions.suspicion;
    for (const accusers of [1, 2, 3]) t.equal(downAfter(100, accusers, 'unreachable'), Number.POSITIVE_INFINITY);
    t.equal(downAfter(100, 4, 'unreachable'), unreachableMs.longest);
    t.ok(downAfter(100, 5, 'unreachable') < unreachableMs.longest);
    t.equal(downAfter(100, 6, 'unreachable'), unreachableMs.shortest);
    t.equal(downAfter(100, 4, 'stalled'), stalledMs.longest, 'whose kernel answers has far longer');
    t.equal(downAfter(100, 6, 'stalled'), stalledMs.shortest);
  },
);

t.test('one member calls nobody down, however often it accuses and whatever it says', async (t) => {
  for (const count of [3, 10, 100]) {
    t.equal(downAfter(count, 50, 'unreachable', 'one'), Number.POSITIVE_INFINITY, `of ${count}`);
  }
});

t.test('a member that accuses all is not heard beyond its share', async (t) => {
  const ids = Array.from({ length: 1_000 }, (_, n) => idOf(n + 1));
  const [self = idOf(0), liar = idOf(0), ...rest] = ids;
  const detector = new Detector(self, 1, new Prng(1));
  detector.setMembers(ids);
  let probes = 0;
  for (const about of rest) {
    detector.advertised(about, 1);
    detector.heard({ about, from: liar, kind: 'suspect', epoch: 1, incarnation: 0, evidence: 'unreachable' }, 0);
  }
  t.equal(rest.filter((id) => detector.conditionOf(id) === 'suspect').length, detectorOptions.accusationsMax);
  for (const action of detector.tick(0)) if (action.kind === 'probe') probes++;
  t.ok(probes <= detectorOptions.probesPerTick);
});

t.test('accusations of before a refutation, and those of a removed host, mean nothing', async (t) => {
  const ids = Array.from({ length: 6 }, (_, n) => idOf(n + 1));
  const [self = idOf(0), other = idOf(0), ...rest] = ids;
  const detector = new Detector(self, 1, new Prng(1));
  detector.setMembers(ids);
  detector.advertised(other, 1);
  const accuse = (incarnation: number): void => {
    for (const from of rest) {
      detector.heard({ about: other, from, kind: 'suspect', epoch: 1, incarnation, evidence: 'unreachable' }, 0);
    }
  };
  accuse(0);
  t.equal(detector.conditionOf(other), 'suspect');
  detector.heard({ about: other, from: other, kind: 'alive', epoch: 1, incarnation: 1 }, 0);
  accuse(0);
  t.equal(detector.conditionOf(other), 'alive', 'replayed');
  accuse(1);
  t.equal(detector.accusationsOf(other).length, rest.length);
  detector.setMembers([self, other]);
  t.same(detector.accusationsOf(other), [], 'its accusers are no members any more');
  accuse(1);
  t.same(detector.accusationsOf(other), []);
});

t.test('a host that stood still blames nobody for what it did not hear meanwhile', async (t) => {
  const ids = Array.from({ length: 5 }, (_, n) => idOf(n + 1));
  const [self = idOf(0)] = ids;
  const detector = new Detector(self, 1, new Prng(1));
  detector.setMembers(ids);
  for (const id of ids) detector.advertised(id, 1);
  const probes = [0, 1_000, 2_000, 3_000].flatMap((nowMs) => [...detector.tick(nowMs)]);
  t.ok(probes.length > 0);
  for (const action of probes) {
    if (action.kind === 'probe') t.same(detector.probed(action.target, 'unreachable', 13_000), []);
  }
  t.ok(detector.localHealth > 0, 'but it takes itself for slow');
});

t.test('each host is probed once a period, by those who watch it in turn, and probes as often', async (t) => {
  for (const count of [4, 12, 60]) {
    const world = new World(count, count);
    world.advance(30_000);
    world.probes.clear();
    world.advance(60_000);
    for (const id of world.ids) {
      const times = (world.probes.get(id) ?? []).sort((a, b) => a - b);
      t.ok(times.length >= 50 && times.length <= 70, `${count} hosts: ${times.length} probes a minute`);
      const gaps = times.slice(1).map((atMs, n) => atMs - (times[n] ?? atMs));
      t.ok(Math.max(...gaps) <= 2_000, `${count} hosts: the longest pause is ${Math.max(...gaps)} ms`);
    }
  }
});

t.test('what a host missed of the dead and of refutations it is brought by the next answer', async (t) => {
  const ids = Array.from({ length: 8 }, (_, n) => idOf(n + 1));
  const [one = idOf(0), two = idOf(0), fallen = idOf(0), wronged = idOf(0), ...rest] = ids;
  const [knows, missed] = [one, two].map((id) => {
    const detector = new Detector(id, 1, new Prng(1));
    detector.setMembers(ids);
    for (const other of ids) detector.advertised(other, 1);
    return detector;
  });
  if (knows === undefined || missed === undefined) throw new Error('two');
  const signed = {};
  for (const from of rest) {
    knows.heard({ about: fallen, from, kind: 'suspect', epoch: 1, incarnation: 0, evidence: 'unreachable', signed }, 0);
  }
  knows.heard({ about: wronged, from: wronged, kind: 'alive', epoch: 1, incarnation: 3, signed }, 0);
  knows.tick(5_000);
  t.equal(knows.conditionOf(fallen), 'dead');
  t.not(knows.digest(), missed.digest());
  for (const update of knows.updatesFor(missed.digest(), [])) missed.heard(update, 0);
  missed.tick(5_000);
  t.equal(missed.conditionOf(fallen), 'dead');
  t.equal(missed.digest(), knows.digest(), 'and then they hold the same');
  t.same(knows.updatesFor(missed.digest(), []), []);
});

t.test('the same seed gives the same events', async (t) => {
  const course = (): string => {
    const world = new World(9, 8);
    const [fallen = idOf(0)] = world.ids;
    world.reaches = (from, to) => from !== fallen && to !== fallen;
    world.advance(20_000);
    return world.seen.join('\n');
  };
  t.equal(course(), course());
});
