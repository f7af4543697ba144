/**
 * The long form of test/node/consensus/crash.test.ts: `node test/soak/raft-kill.ts [rounds] [seed]`, 200 rounds by default.
 * Prints a report as JSON and exits with 1 when anything that was acknowledged is lost, or when after any
 * round the members do not hold the same state.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killRounds } from '../support/raft/raft-kill.ts';

const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`${rounds} rounds, seed ${seed}`);
const folder = await mkdtemp(join(tmpdir(), 'shoal-soak-'));
const report = await killRounds(folder, rounds, seed);
const sorted = [...report.recoveryMs].sort((a, b) => a - b);
const { recoveryMs: _, ...rest } = report;
console.log(
  JSON.stringify(
    {
      ...rest,
      leaderKills: sorted.length,
      recoveryP50Ms: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
      recoveryWorstMs: Math.round(sorted.at(-1) ?? 0),
    },
    undefined,
    2,
  ),
);
if (report.lost.length > 0 || report.differing.length > 0 || report.quarantines.length > 0) {
  console.error(`kept for a look: ${folder}`);
  process.exitCode = 1;
} else {
  await rm(folder, { recursive: true, force: true });
}
