/** `npm run fuzz:api -- [--requests 100000] [--seed N]`: ends with 1 when something broke, and says by which request. */
import { parseArgs } from 'node:util';
import { fuzzApi } from './api-fuzzer.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}, ${values.requests} requests`);
const startedMs = Date.now();
const report = await fuzzApi({
  requests: Number(values.requests),
  seed,
  onProgress: (done) => {
    if (done % 10_000 === 0) console.log(`${done} requests, ${Math.round((Date.now() - startedMs) / 1000)} s`);
  },
});
const statuses = [...report.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
console.log(
  `${report.requests} requests to ${report.routes} routes (${report.routesDone} of them did something): ${statuses.join(', ')}`,
);
for (const { what, request } of report.failures) console.log(`FAILED ${what}\n  ${JSON.stringify(request)}`);
console.log(
  report.failures.length === 0 ? 'nothing broke' : `${report.failures.length} failures; again with --seed ${seed}`,
);
process.exitCode = report.failures.length === 0 ? 0 : 1;
