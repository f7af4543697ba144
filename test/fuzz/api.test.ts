/** The short form of `npm run fuzz:api`: a few thousand requests of one seed. */
import t from 'tap';
import { fuzzApi } from './api-fuzzer.ts';

await t.test('no request is a 500, no list breaks, no host stumbles', { timeout: 300_000 }, async (t) => {
  const report = await fuzzApi({ requests: 3000, seed: 1 });
  for (const { what, request } of report.failures) t.fail(what, { request });
  t.same(report.failures, []);
  t.equal(report.requests, 3000);
  t.ok(report.routes > 250, `${report.routes} routes`);
  t.ok(report.routesDone > 80, `${report.routesDone} routes did something`);
});
