/** Hosts that hold slices, under faults: each slice is held against the replay of the log whenever it changes. */
import t from 'tap';
import { simulate } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(400_000);

for (const [seed, standbys] of [
  [11, 1],
  [15, 1],
  [16, 0],
  [23, 1],
] as const) {
  await t.test(`seed ${seed}, seven hosts, ${standbys} beside the voters`, async (t) => {
    const result = await simulate(seed, { overrides: { hosts: 7, standbys } });
    t.equal(result.verdict, 'passed', result.detail);
    t.ok((result.reached['slice compared'] ?? 0) > 20, 'slices were compared');
  });
}
