/** The seeds that every change has to pass. The same ones each time: `npm run sim -- --seeds N` looks elsewhere. */
import t from 'tap';
import { runSeeds } from '../../sim/run/pool.ts';
import { replayCommand, runSpec } from '../../sim/run/run-spec.ts';

const seeds = 300;
/** As many as the smallest machine that runs the tests has cores. */
const workers = 2;

t.setTimeout(900_000);

await t.test(`nothing is found in seeds 1 to ${seeds}`, async (t) => {
  const spec = runSpec({ flags: {} });
  const startedMs = performance.now();
  const results = await runSeeds({ spec, first: 1, count: seeds, workers }, ({ options, verdict, detail }) => {
    if (verdict !== 'passed') t.fail(`${replayCommand(options.seed, spec)}: ${detail}`);
  });
  t.same(
    results.map(({ options }) => options.seed),
    Array.from({ length: seeds }, (_, at) => at + 1),
    'each seed once, in order',
  );
  const simulatedMs = results.reduce((sum, result) => sum + result.simulatedMs, 0);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  t.comment(`${seeds} seeds, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours in ${seconds} s`);
});
