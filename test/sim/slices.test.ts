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

// Members that are away for longer than the grace period are replaced, and hold slices when they are back.
await t.test('seed 6, eight hosts: former members shed what they held, and come back', async (t) => {
  const { verdict, detail, reached } = await simulate(6, {
    overrides: {
      hosts: 8,
      standbys: 1,
      graceMs: 1_500,
      chaosMs: 240_000,
      faultEveryMs: 15_000,
      faultForMs: 8_000,
      tenants: 2,
      faults: [
        'host-power-cut',
        'agent-down',
        'agent-failpoint',
        'net-isolate',
        'leader-moves',
        'net-replay',
        'agent-crash',
      ],
    },
  });
  t.equal(verdict, 'passed', detail);
  t.ok((reached['state shed'] ?? 0) > 0, 'somebody has shed its state');
  t.equal(reached['log quarantined'], undefined, 'and is not taken for one that has lost it');
});
