import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

function sim(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ['sim/main.ts', ...args], {
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
