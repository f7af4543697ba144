import t from 'tap';
import { runSeeds } from '../../sim/run/pool.ts';
import { type RunSpec, runSpec } from '../../sim/run/run-spec.ts';
import type { SimResult } from '../../sim/run/simulator.ts';

// Seeds take their time on a busy machine.
t.setTimeout(170_000);

const spec: RunSpec = runSpec({ flags: { chaosMs: 3_000, tenants: 1, hosts: 3 } });

await t.test('what seeds give does not depend on how many threads run them', async (t) => {
  const run = async (workers: number): Promise<readonly (readonly [number, string])[]> => {
    const told: SimResult[] = [];
    const results = await runSeeds({ spec, first: 5, count: 6, workers }, (result) => told.push(result));
    t.equal(told.length, 6, 'each is told as it comes');
    return results.map(({ options, traceDigest }) => [options.seed, traceDigest] as const);
  };
  const alone = await run(1);
  t.same(
    alone.map(([seed]) => seed),
    [5, 6, 7, 8, 9, 10],
  );
  t.equal(new Set(alone.map(([, digest]) => digest)).size, 6);
  t.same(await run(3), alone);
});

await t.test('a run that is ended keeps what it has', async (t) => {
  const stop = new AbortController();
  const results = await runSeeds({ spec, first: 1, count: 1_000, workers: 2, signal: stop.signal }, () => stop.abort());
  t.ok(results.length >= 1 && results.length < 1_000, `${results.length} results`);
});

await t.test('a planted bug goes to the threads too', async (t) => {
  const planted = runSpec({ mutant: 'counter-unbounded', flags: {} });
  const [result] = await runSeeds({ spec: planted, first: 1, count: 1, workers: 2 }, () => {});
  t.equal(result?.verdict, 'safety');
});

await t.test('a thread that has run its share makes room for another, and no seed is left out', async (t) => {
  const program = new URL(
    `data:text/javascript,import { parentPort, threadId } from 'node:worker_threads';
     parentPort.on('message', (seed) =>
       parentPort.postMessage({ options: { seed }, verdict: 'passed', traceDigest: String(threadId) }));`,
  );
  const results = await runSeeds({ spec, first: 1, count: 6, workers: 1, seedsOfThread: 2, program }, () => {});
  t.same(
    results.map(({ options }) => options.seed),
    [1, 2, 3, 4, 5, 6],
  );
  const threads = results.map(({ traceDigest }) => traceDigest);
  t.equal(new Set(threads).size, 3, 'three threads');
  t.equal(threads[0], threads[1], 'of two seeds each');
});

await t.test('a thread that runs in circles is told as a crash of its seed, and the next seeds are run', async (t) => {
  const program = new URL(
    `data:text/javascript,import { parentPort } from 'node:worker_threads';
     parentPort.on('message', (seed) => {
       while (seed === 2) {}
       parentPort.postMessage({ options: { seed }, verdict: 'passed' });
     });`,
  );
  const results = await runSeeds({ spec, first: 1, count: 3, workers: 1, seedMs: 2_000, program }, () => {});
  t.same(
    results.map(({ options, verdict }) => [options.seed, verdict]),
    [
      [1, 'passed'],
      [2, 'crash'],
      [3, 'passed'],
    ],
  );
  t.match(results[1]?.detail, /not done after 2 s/);
});

await t.test('a thread that dies is told as a crash of its seed, and the next seeds are run', async (t) => {
  for (const [how, words] of [
    ["throw new Error('out of luck')", /the thread that ran it ended: out of luck/],
    ['process.exit(3)', /exit status 3/],
  ] as const) {
    const program = new URL(
      `data:text/javascript,import { parentPort } from 'node:worker_threads';
       parentPort.on('message', (seed) => {
         if (seed === 2) { ${how}; }
         parentPort.postMessage({ options: { seed }, verdict: 'passed' });
       });`,
    );
    const results = await runSeeds({ spec, first: 1, count: 4, workers: 1, program }, () => {});
    t.same(
      results.map(({ options, verdict }) => [options.seed, verdict]),
      [
        [1, 'passed'],
        [2, 'crash'],
        [3, 'passed'],
        [4, 'passed'],
      ],
    );
    t.match(results[1]?.detail, words);
  }
});
