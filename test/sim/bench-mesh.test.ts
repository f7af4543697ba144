/** The bench of the mesh as a program: its flags, and its sums. What it measures of real agents is test/e2e/bench-mesh.test.ts. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../../node/dev/house/source.ts';
import { timesOf } from '../../sim/bench/mesh/figures/times.ts';
import { StarNetwork } from '../../sim/bench/mesh/hosts/star-network.ts';

function bench(...flags: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const program = join(repositoryRoot, 'sim/bench/mesh/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...flags], { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

t.test('it says what it can be asked for, and refuses the rest', (t) => {
  t.match(bench('--help'), { status: 0, out: /--agents.*--only.*--checkout/s });
  t.match(bench('--agents', '4,x'), { status: 2, err: /--agents 4,x: give whole numbers from 2/ });
  t.match(bench('--agents', '1'), { status: 2 });
  t.match(bench('--only', 'real,moon'), { status: 2, err: /--only moon: give some of real/ });
  t.match(bench('--hosts', '5'), { status: 2, err: /--hosts 5: give whole numbers from 20/ });
  t.match(bench('--phases', 'rest,sleep'), { status: 2, err: /--phases sleep/ });
  t.end();
});

t.test('p50 and p99 are of the samples themselves', (t) => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  t.same(timesOf(hundred), { count: 100, p50Ms: 50, p99Ms: 99, worstMs: 100 });
  t.same(timesOf([7]), { count: 1, p50Ms: 7, p99Ms: 7, worstMs: 7 });
  t.equal(timesOf([]), undefined);
  t.end();
});

t.test('every host of the network has an address of its own', (t) => {
  const network = new StarNetwork('smbx', 1000, 101);
  const addresses = Array.from({ length: 1000 }, (_, at) => network.addressOf(at + 1));
  t.equal(new Set([...addresses, network.benchAddress]).size, 1001);
  for (const address of addresses) t.match(address, /^10\.101\.[0-4]\.(?:[1-9]\d?|1\d\d|2[0-4]\d|250)$/);
  t.throws(() => new StarNetwork('Bad name', 4, 101));
  t.throws(() => new StarNetwork('smb', 1001, 101));
  t.end();
});
