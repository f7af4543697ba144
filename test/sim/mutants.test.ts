import t from 'tap';
import { mutants } from '../../sim/mutants/index.ts';
import { simulate } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(800_000);

/** Seeds in which each planted bug must be found. Far fewer than a night has: this is what a test run can afford. */
const seedsMax = 20;

await t.test('there are as many as were promised', async (t) => {
  t.ok(Object.keys(mutants).length >= 30, `${Object.keys(mutants).length} planted bugs`);
});

for (const [name, mutant] of Object.entries(mutants)) {
  await t.test(`it sees the planted bug ${name}: ${mutant.text}`, async (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { verdict, violated, detail } = await simulate(seed, { mutant, overrides: mutant.overrides ?? {} });
      if (verdict === 'passed') continue;
      t.ok(
        verdict === 'safety' || verdict === 'liveness',
        `an invariant or a promise is broken, not the run: ${detail}`,
      );
      t.comment(`seed ${seed}: ${violated}`);
      return;
    }
    t.fail(`not found in ${seedsMax} seeds`);
  });
}
