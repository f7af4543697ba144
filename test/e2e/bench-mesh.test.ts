/** The bench of the mesh on two real agents: every figure of a phase is there, and nothing of it is left on the machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../../node/dev/house/source.ts';

const isRoot = process.getuid?.() === 0;

t.test('two agents are started, measured and taken away', { timeout: 180_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const json = join(folder, 'rows.json');
  const ran = spawnSync(
    process.execPath,
    [
      join(repositoryRoot, 'sim/bench/mesh/main.ts'),
      ...[
        '--quick',
        '--only',
        'real',
        '--agents',
        '2',
        '--phases',
        'rest,creates,capacity',
        '--json',
        json,
        '--dir',
        folder,
      ],
    ],
    { encoding: 'utf8', timeout: 170_000 },
  );
  t.equal(ran.status, 0, ran.stderr + ran.stdout);
  const made = JSON.parse(readFileSync(json, 'utf8')) as {
    readonly real: readonly {
      readonly agents: number;
      readonly failure?: string;
      readonly rest: Readonly<Record<string, unknown>>;
      readonly creates: { readonly failed: number; readonly times: { readonly count: number } };
      readonly capacity: { readonly seenByAll: { readonly count: number }; readonly notSeen: number };
    }[];
  };
  const [row] = made.real;
  t.match(row, { agents: 2, creates: { failed: 0, times: { count: 20 } } });
  t.match(row?.capacity, { seenByAll: { count: 5 }, notSeen: 0 });
  t.equal(row?.failure, undefined);
  const { cpuPercent, memory, sentBytesPerSecond } = row?.rest ?? {};
  t.ok(Number(cpuPercent) > 0 && Number(cpuPercent) < 200, `cpu ${String(cpuPercent)}`);
  t.ok((memory as { readonly pssMib: number }).pssMib > 30, 'memory of an agent');
  if (isRoot) t.ok(Number(sentBytesPerSecond) > 10, `${String(sentBytesPerSecond)} bytes a second`);
  t.same(readdirSync(folder), ['rows.json'], 'the data of the agents are gone');
  if (isRoot) {
    const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
    t.notMatch(stdout, /^smb/m, 'and so are the namespaces');
  }
  t.end();
});
