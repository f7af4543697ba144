import { readFileSync } from 'node:fs';
import t from 'tap';
import { simulate } from '../../sim/run/simulator.ts';
import { readScenario, scenarioNames } from '../../sim/scenarios/scenario.ts';
import { faultNames } from '../../sim/settings/fault-names.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

await t.test('every shipped scenario can be read, and holds when it is shortened', async (t) => {
  t.ok(scenarioNames().length >= 20);
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
  for (const [text, message] of [
    ['hosts: 0', /hosts 0 must be an integer from 1 to 2000/],
    ['chaosMs: 1.5', /chaosMs 1.5 must be an integer/],
    ['network: { loss: 2 }', /network.loss 2 must be from 0 to 1/],
    ['network: { rain: 1, loss: much }', /there is no option network.rain; network.loss is to be a number/],
    ['faults: net-partition', /faults is to be a list/],
    ['storage: tape', /storage tape must be local or rbd/],
    ['tenants: 1\nservers: 7', /servers 7 are more than 1 tenants keep, 6 each/],
    ['hosts: ~', /hosts is to be a number/],
  ] as const)
    t.throws(() => readScenario('x.yaml', read(`story: s\nseed: 1\n${text}\n`)), { code: 'CONFIG_INVALID', message });
});

await t.test('all kinds of faults can be asked for at once, and a network in parts', async (t) => {
  const text = 'story: s\nseed: 1\nfaults: all\nnetwork: { loss: 0.5 }\n';
  const { overrides } = readScenario('x.yaml', () => text);
  t.same(overrides.faults, faultNames);
  t.match(overrides.network, { loss: 0.5, repeat: 0, delayMs: 0.3 });
});
