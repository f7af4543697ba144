/**
 * The long form of test/e2e/volumes-killed.test.ts: `node test/soak/volumes-kill.ts [cycles] [seed] [files|ceph]`, 100 cycles of
 * each kind on each storage by default. Prints a report as JSON and exits with 1 when anything was left behind.
 */
import { killCycles } from '../support/volumes/kill-cycles.ts';

const cycles = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const only = process.argv[4];
if (!Number.isInteger(cycles) || cycles < 1 || (only !== undefined && only !== 'files' && only !== 'ceph')) {
  console.error('usage: node test/soak/volumes-kill.ts [cycles] [seed] [files|ceph]');
  process.exit(2);
}
console.log(`${cycles} cycles, seed ${seed}`);
const report = await killCycles({
  cycles,
  seed,
  ...(only === undefined ? {} : { only }),
  tell: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
});
console.log(JSON.stringify({ cycles, seed, ...report }, undefined, 2));
const { left, descriptors, wrong, boots } = report;
process.exitCode = left.length + descriptors.length + wrong.length === 0 && boots === 1 ? 0 : 1;
