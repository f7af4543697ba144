import t from 'tap';
import { mutants } from '../../sim/mutants/index.ts';
import { simulate } from '../../sim/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

/** Seeds in which each planted bug must be found. */
const seedsMax = 20;

for (const [name, mutant] of Object.entries(mutants)) {
  await t.test(`it sees the planted bug ${name}: ${mutant.text}`, async (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { verdict, violated } = await simulate(seed, { mutant, overrides: mutant.overrides ?? {} });
      if (verdict === 'passed') continue;
      t.equal(verdict, 'safety');
      t.comment(`seed ${seed}: ${violated}`);
      return;
    }
    t.fail(`not found in ${seedsMax} seeds`);
  });
}
