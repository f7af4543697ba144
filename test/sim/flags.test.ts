import { parseArgs } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { flagsOf, overrideFlags, overridesHelp, overridesOf } from '../../sim/run/flags.ts';
import { drawOptions } from '../../sim/settings/draw-options.ts';
import { faultNames } from '../../sim/settings/fault-names.ts';
import { optionBounds, type SimOverrides } from '../../sim/settings/options.ts';
import { productionPoints } from '../../sim/settings/production-points.ts';
import { calmNetwork } from '../../sim/world/network.ts';

/** What a command line of these flags fixes. */
function parsed(flags: readonly string[]): SimOverrides {
  const args = flags.flatMap((flag) => flag.split(' '));
  return overridesOf(parseArgs({ args, options: overrideFlags }).values);
}

t.test('what is written as flags is read as it was', async (t) => {
  const numbers = Object.entries(optionBounds).filter(([name]) => name !== 'servers');
  const fixed = fc.record(
    {
      ...Object.fromEntries(numbers.map(([name, [min, max]]) => [name, fc.integer({ min: Math.ceil(min), max })])),
      storage: fc.constantFrom('local', 'rbd'),
      faults: fc.subarray([...faultNames]),
      unlikely: fc.subarray([...productionPoints('buggify')]),
      network: fc.constant(calmNetwork),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fixed, (overrides) => {
      t.same(parsed(flagsOf(overrides)), overrides);
    }),
    { numRuns: 50 },
  );
});

t.test('servers bring their tenants, and hosts with room for them', async (t) => {
  const overrides = parsed(['--servers 2000', '--hosts 100']);
  t.match(overrides, { servers: 2000, hosts: 100, tenants: 334, hostVcpus: 40 });
  t.doesNotThrow(() => drawOptions(1, overrides));
  t.match(parsed(['--servers 0']), { servers: 0, tenants: 0 }, 'none: hosts without guests');
  t.equal(parsed(['--hours 0.5']).chaosMs, 1_800_000);
  t.same(parsed(['--faults none']).faults, []);
});

t.test('a mistake names the flag, the value and what is wanted', async (t) => {
  for (const [flag, message] of [
    ['--hosts 2001', /--hosts 2001: an integer from 1 to 2000 is wanted/],
    ['--clients 1.5', /--clients 1.5: an integer from 0 to 1000/],
    ['--hours 0', /--hours 0: a number from 0.0001 to 1000/],
    ['--faults flood', /--faults flood: there is no such fault; there are net-partition/],
    ['--storage tape', /--storage tape: local or rbd/],
    ['--network storm', /--network storm: calm is wanted/],
    ['--hours 1 --chaos-ms 1', /say the same/],
  ] as const)
    t.throws(() => parsed([flag]), { code: 'CONFIG_INVALID', message });
});

t.test('every flag is in the help', async (t) => {
  for (const name of Object.keys(overrideFlags)) t.match(overridesHelp(), `--${name} `);
});
