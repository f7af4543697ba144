import t from 'tap';
import { buggify, coverageMark, failpoint, setFaultInjector } from '../../node/base/buggify/buggify.ts';
import { simulate } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(120_000);

const buggifySmallest = buggify('test.smallest', 'the smallest is taken');
const failpointBetween = failpoint('test.between', 'one step is done');
const markRare = coverageMark('test-rare', 'a rare branch');

t.test('outside of a simulator nothing is forced, nobody dies, nothing is counted', async (t) => {
  t.equal(buggifySmallest(), false);
  t.doesNotThrow(() => failpointBetween());
  t.doesNotThrow(() => markRare());
});

t.test('the fault injector is called at each point, until it is removed', async (t) => {
  const calls: string[] = [];
  setFaultInjector({
    buggify: (name) => calls.push(`buggify ${name}`) > 0,
    failpoint: (name) => void calls.push(`failpoint ${name}`),
    mark: (name) => void calls.push(`mark ${name}`),
  });
  t.teardown(() => setFaultInjector(undefined));
  t.equal(buggifySmallest(), true);
  failpointBetween();
  markRare();
  t.same(calls, ['buggify test.smallest', 'failpoint test.between', 'mark test-rare']);
  setFaultInjector(undefined);
  t.equal(buggifySmallest(), false);
});

t.test('a name is declared once of its kind', async (t) => {
  buggify('test.twice', 'the first');
  failpoint('test.twice', 'of another kind');
  t.throws(() => buggify('test.twice', 'the second'), /the buggify test\.twice is declared twice/);
});

t.test(
  'a run forces branches, kills at failpoints and counts, and removes its fault injector at the end',
  async (t) => {
    const {
      verdict,
      detail,
      reached: counts,
    } = await simulate(3, {
      overrides: {
        hosts: 3,
        tenants: 2,
        chaosMs: 20_000,
        faults: ['agent-failpoint'],
        faultEveryMs: 200,
        unlikely: ['raft-loop.apply-one', 'host-loop.backwards', 'transact.lose-race'],
        unlikelyChance: 0.3,
      },
    });
    t.equal(verdict, 'passed', detail);
    const of = (group: string): readonly string[] => Object.keys(counts).filter((name) => name.startsWith(`${group} `));
    t.ok(of('unlikely').length >= 2, of('unlikely').join());
    t.ok(of('failpoint').length >= 3, of('failpoint').join());
    t.ok(of('mark').length >= 5, of('mark').join());
    t.equal(buggifySmallest(), false);
  },
);
