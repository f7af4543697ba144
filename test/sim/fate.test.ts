import t from 'tap';
import { failpoint, maybe, reached, rule } from '../../node/base/buggify/buggify.ts';
import { simulate } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(120_000);

t.test('outside of a simulator nothing is forced, nobody dies, nobody counts', async (t) => {
  t.equal(maybe('claims.refuse-early'), false);
  t.doesNotThrow(() => failpoint('claims.before-admission'));
  t.doesNotThrow(() => reached('claim-refused'));
});

t.test('who rules is asked, until it rules no more', async (t) => {
  const asked: string[] = [];
  rule({
    maybe: (branch) => asked.push(branch) > 0,
    failpoint: (point) => void asked.push(point),
    reached: (probe) => void asked.push(probe),
  });
  t.teardown(() => rule(undefined));
  t.equal(maybe('claims.refuse-early'), true);
  failpoint('claims.before-admission');
  reached('claim-refused');
  t.same(asked, ['claims.refuse-early', 'claims.before-admission', 'claim-refused']);
  rule(undefined);
  t.equal(maybe('claims.refuse-early'), false);
});

t.test('a run forces branches, kills at failpoints and counts, and rules no more when it has ended', async (t) => {
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
  t.ok(of('probe').length >= 5, of('probe').join());
  t.equal(maybe('raft-loop.apply-one'), false);
});
