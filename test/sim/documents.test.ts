/** What the READMEs list is what there is. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { invariants } from '../../sim/checkers/invariants.ts';
import { faults } from '../../sim/faults/index.ts';
import { mutants } from '../../sim/mutants/index.ts';
import { faultNames } from '../../sim/settings/fault-names.ts';
import { pointNames, unreached } from '../../sim/settings/points.ts';

const read = (path: string): string => readFileSync(new URL(`../../sim/${path}`, import.meta.url), 'utf8');

t.test('every fault, planted bug and invariant has its line', async (t) => {
  for (const { path, names, atLeast } of [
    { path: 'faults/README.md', names: faultNames, atLeast: 30 },
    { path: 'mutants/README.md', names: Object.keys(mutants), atLeast: 30 },
    { path: 'checkers/README.md', names: Object.keys(invariants), atLeast: 20 },
  ]) {
    const text = read(path);
    t.same(
      names.filter((name) => !text.includes(`\`${name}\``)),
      [],
      path,
    );
    t.ok(names.length >= atLeast, `${path}: ${names.length} of at least ${atLeast}`);
  }
});

t.test('every fault that is named can strike, and is drawn by its name', async (t) => {
  t.same(Object.keys(faults), faultNames);
});

t.test('a set of runs is told what it did not reach', async (t) => {
  const names = pointNames();
  const [first, ...others] = names.mark;
  t.ok(names.mark.length >= 60, `${names.mark.length} coverage marks`);
  t.ok(names.unlikely.length >= 12, `${names.unlikely.length} unlikely branches`);
  t.same(unreached({ [String(first)]: 3 }).mark, others);
  t.same(unreached(Object.fromEntries(names.fault.map((name) => [name, 1]))).fault, []);
});
