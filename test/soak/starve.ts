/**
 * Twenty agents (or so many as are asked for) without CPU for ten seconds, in slices, under clients, and then the loss of all
 * but one: what test/e2e/starved.test.ts does with three, with figures.
 *
 *     node test/soak/starve.ts [agents] [clients] [seed]
 */
import { starveCloud } from '../support/starve.ts';

const [agents = 20, clients = 20, seed = 1] = process.argv.slice(2).map(Number);
const report = await starveCloud({ agents, starveMs: 10_000, clients, seed, tell: (line) => console.log(line) });

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)} ms`;
}

for (const wasStarved of [false, true]) {
  for (const isWrite of [false, true]) {
    const chosen = report.calls.filter((call) => call.wasStarved === wasStarved && call.isWrite === isWrite);
    const what = `${isWrite ? 'writes' : 'reads'} ${wasStarved ? 'of starved agents' : 'before and after'}`;
    console.log(`${what}: ${chosen.length}, ${quantiles(chosen.map(({ tookMs }) => tookMs))}`);
  }
}
console.log(`old reads ${report.staleReads}; writes quick again after ${Math.round(report.recoveredAfterMs)} ms`);
console.log(`refusals after the loss: ${report.refusalsMs.join(', ')} ms; ${report.refusalTexts.at(-1) ?? ''}`);
const wrong = [...report.failures, ...report.missing, ...report.memberChanges];
for (const line of wrong.slice(0, 50)) console.log(line);
console.log(wrong.length === 0 ? 'no call failed, nobody was removed' : `${wrong.length} things went wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;
