import t from 'tap';
import { runSpec, settingsOf } from '../../sim/run/run-spec.ts';
import { shrink, withoutParts } from '../../sim/run/shrink.ts';
import { simulate } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

/** Time for one failure. Unit: ms. */
const msMax = 45_000;

for (const mutant of ['acks-more-than-it-has', 'claims-ignored'] as const) {
  await t.test(`the failure of ${mutant} becomes smaller and stays the same failure`, async (t) => {
    const spec = runSpec({ mutant, flags: {} });
    const failure = await simulate(2, settingsOf(spec));
    t.equal(failure.verdict, 'safety');
    const startedMs = performance.now();
    const { result, spec: smallest, runs } = await shrink(failure, spec, { msMax, nowMs: () => performance.now() });
    t.ok(runs > 0);
    t.equal(result.violated, failure.violated);
    const again = await simulate(result.options.seed, settingsOf(smallest));
    t.equal(again.violated, failure.violated, 'the smallest fails again by itself');
    t.equal(again.traceDigest, result.traceDigest);
    t.ok(result.options.chaosMs < failure.options.chaosMs, `${result.options.chaosMs} ms`);
    t.ok(result.options.faults.length <= failure.options.faults.length);
    t.ok(result.options.clients <= failure.options.clients);
    t.comment(`${runs} runs, ${Math.round(performance.now() - startedMs)} ms: ${JSON.stringify(smallest.flags)}`);
  });
}

await t.test('time that is over ends it with what there is', async (t) => {
  const spec = runSpec({ mutant: 'acks-more-than-it-has', flags: {} });
  const failure = await simulate(2, settingsOf(spec));
  const { result, runs } = await shrink(failure, spec, { msMax: 0, nowMs: () => performance.now() });
  t.equal(result, failure);
  t.equal(runs, 0);
});

t.test('a list is tried without all, without halves, without each', async (t) => {
  t.same(withoutParts([]), []);
  t.same(withoutParts(['a']), [[]]);
  t.same(withoutParts(['a', 'b']), [[], ['a'], ['b']]);
  t.same(withoutParts(['a', 'b', 'c']), [[], ['a', 'b'], ['c'], ['b', 'c'], ['a', 'c'], ['a', 'b']]);
});
