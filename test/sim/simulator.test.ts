import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { simulate } from '../../sim/run/simulator.ts';
import { type FaultName, faultNames } from '../../sim/settings/fault-names.ts';

// Seeds take their time on a busy machine.
t.setTimeout(400_000);

await t.test('one seed gives one trace, in one process and in another', async (t) => {
  for (const seed of [1, 48]) {
    const first: string[] = [];
    const second: string[] = [];
    const one = await simulate(seed, { write: (line) => first.push(line) });
    const two = await simulate(seed, { write: (line) => second.push(line) });
    t.equal(one.verdict, 'passed', one.detail);
    t.equal(first.join(''), second.join(''), 'every byte');
    t.equal(one.traceDigest, two.traceDigest);
    const module = new URL('../../sim/run/simulator.ts', import.meta.url);
    const script = `const { simulate } = await import(${JSON.stringify(module)}); console.log((await simulate(${seed})).traceDigest);`;
    const elsewhere = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('../..', import.meta.url),
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    t.equal(elsewhere.trim(), one.traceDigest, `seed ${seed} in a process of its own`);
  }
});

await t.test('another seed gives another trace', async (t) => {
  const one = await simulate(2);
  const two = await simulate(3);
  t.not(one.traceDigest, two.traceDigest);
});

await t.test('seeds that once found something find nothing now', async (t) => {
  const lines = readFileSync(new URL('../../sim/seeds.txt', import.meta.url), 'utf8').split('\n');
  const seeds = lines.flatMap((line) => {
    const found = /^(\d+)(?: --faults (\S+))?/.exec(line);
    if (found === null) return [];
    const [, seed, faults] = found;
    return [{ seed: Number(seed), faults: faults?.split(',').map(faultName) }];
  });
  t.ok(seeds.length > 0);
  for (const { seed, faults } of seeds) {
    const { verdict, detail } = await simulate(seed, faults === undefined ? {} : { overrides: { faults } });
    t.equal(verdict, 'passed', `seed ${seed}: ${detail}`);
  }
});

function faultName(text: string): FaultName {
  const name = faultNames.find((one) => one === text);
  if (name === undefined) throw new Error(`no fault ${text}`);
  return name;
}
