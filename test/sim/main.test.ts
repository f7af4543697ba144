import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { simFlags } from '../../node/cli/sim.ts';
import { exitStatus } from '../../sim/run/exit-status.ts';
import { mainFlags, overrideFlags } from '../../sim/run/flags.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const sim = (...args: string[]): Ended => run('sim/main.ts', ...args);

function run(...args: string[]): Ended {
  return spawnSync(process.execPath, args, {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
}

t.test('it says how it is used', async (t) => {
  const { status, stdout } = sim('--help');
  t.equal(status, 0);
  t.match(stdout, /Exit status: 0 nothing found, 1 safety violated, 2 liveness violated, 64 wrong use, 70 crash/);
});

t.test('the command shoal knows every flag, and starts it', async (t) => {
  const own = Object.entries({ ...overrideFlags, ...mainFlags }).filter(([name]) => name !== 'help');
  t.same(simFlags, Object.fromEntries(own.map(([name, { type }]) => [name, type === 'string'])));
  const { status, stdout } = run('node/bin/shoal.mjs', 'sim', '--list-scenarios');
  t.equal(status, 0);
  t.match(stdout, /rolling-crashes\n {2}One agent after the other/);
  const { stdout: script } = run('node/bin/shoal.mjs', 'completion', 'bash');
  t.match(script, /'sim'\) words='[^']*--scenario[^']*--faults/);
});

t.test('one object of figures is printed with --json', async (t) => {
  const { status, stdout } = sim('--seeds', '2', '--hosts', '3', '--servers', '0', '--hours', '0.002', '--json');
  t.equal(status, 0);
  const report: unknown = JSON.parse(stdout);
  t.match(report, { seeds: 2, failures: [], simulated_seconds: Number, wall_seconds: Number, events: Number });
});

t.test('a failure tells the seed, the invariant, the cause and the command, and the status says safety', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-sim-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const trace = join(folder, 'trace');
  const { status, stdout } = sim('--mutant', 'vote-forgotten', '--seed', '1', '--trace', trace);
  t.equal(status, 1);
  t.match(stdout, /seed 1: safety \(sync-before-send\)/);
  t.match(stdout, /no vote and no acknowledgement leaves before the sync that covers it has returned/);
  t.match(stdout, /again: npm run sim -- --seed 1 --mutant vote-forgotten/);
  t.match(readFileSync(trace, 'utf8'), /sim +safety/);
});

t.test('wrong use names the flag, the value and the range', async (t) => {
  for (const [args, pattern] of [
    [['--hosts', '0'], /--hosts 0: an integer from 1 to 2000 is wanted/],
    [['--nothing'], /nothing/],
    [['--mutant', 'none'], /there is no such mutant/],
    [['--scenario', 'none'], /scenario none/],
  ] as const) {
    const { status, stderr } = sim(...args);
    t.equal(status, 64, args.join(' '));
    t.match(stderr, pattern);
  }
});

t.test('the exit status tells what was found apart; the worst counts', async (t) => {
  for (const [verdicts, isEarly, status] of [
    [[], false, 0],
    [['passed'], false, 0],
    [['passed', 'liveness'], false, 2],
    [['crash', 'liveness'], false, 70],
    [['liveness', 'crash', 'safety'], false, 1],
    [['passed'], true, 130],
    [['passed', 'liveness'], true, 2],
  ] as const)
    t.equal(exitStatus(verdicts, isEarly), status, `${verdicts.join()} ${isEarly}`);
});

t.test('Ctrl-C ends it with the summary so far', async (t) => {
  const flags = ['--seeds', '100000', '--chaos-ms', '1000', '--tenants', '0'];
  const child = spawn(process.execPath, ['sim/main.ts', ...flags], { cwd: new URL('../..', import.meta.url) });
  let out = '';
  let isTold = false;
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    // Once: a second one ends it on the spot.
    if (isTold || !/100000 seeds from 1 on \d+ threads/.test(out)) return;
    isTold = child.kill('SIGINT');
  });
  const [status] = await once(child, 'close');
  t.equal(status, 130);
  t.match(out, /ended early, \d+ of 100000 seeds, 0 failures/);
});
