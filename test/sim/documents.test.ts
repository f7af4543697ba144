/** What the READMEs list is what there is. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { invariants } from '../../sim/checkers/invariants.ts';
import { faults } from '../../sim/faults/index.ts';
import { mutants } from '../../sim/mutants/index.ts';
import { faultNames } from '../../sim/settings/fault-names.ts';
import { probeNames, unreached } from '../../sim/settings/probes.ts';

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
  const [first, ...others] = probeNames.probe;
  t.ok(probeNames.probe.length >= 60, `${probeNames.probe.length} probes`);
  t.ok(probeNames.unlikely.length >= 12, `${probeNames.unlikely.length} unlikely branches`);
  t.same(unreached({ [String(first)]: 3 }).probe, others);
  t.same(unreached(Object.fromEntries(probeNames.fault.map((name) => [name, 1]))).fault, []);
});
