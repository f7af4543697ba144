import { readFileSync } from 'node:fs';
import t from 'tap';
import { readScenario, scenarioNames } from '../../sim/scenarios/scenario.ts';
import { simulate } from '../../sim/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

await t.test('every shipped scenario can be read, and holds when it is shortened', async (t) => {
  t.ok(scenarioNames().length >= 12);
  for (const name of scenarioNames()) {
    const { seed, overrides, story } = readScenario(name, (path) => readFileSync(path, 'utf8'));
    t.ok(story.length > 40, name);
    const { verdict, detail } = await simulate(seed, {
      overrides: { ...overrides, chaosMs: 6_000, faultEveryMs: 1_000 },
    });
    t.equal(verdict, 'passed', `${name}: ${detail}`);
  }
});

await t.test('a scenario with mistakes is refused, and all of them are named', async (t) => {
  const read = (text: string) => () => text;
  t.throws(() => readScenario('x.yaml', read('hosts: many\nguests: 1\n')), {
    code: 'CONFIG_INVALID',
    message: /no story; it has no seed; hosts is to be a number; there is no option guests/,
  });
  t.throws(() => readScenario('x.yaml', read('story: s\nseed: 1\nfaults: [net-partition, flood]\n')), /no fault flood/);
  t.throws(() => readScenario('x.yaml', read('- 1\n')), /a map is wanted/);
});
