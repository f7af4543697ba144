/**
 * Many seeds on several cores. What a seed gives does not depend on who runs it, nor on what else runs: each thread has a
 * world of its own, and a seed decides everything in it.
 */
import { Worker } from 'node:worker_threads';
import { drawOptions } from '../settings/draw-options.ts';
import type { RunSpec } from './run-spec.ts';
import type { SimResult } from './simulator.ts';

/** A young generation this large is collected seldom enough: simulated messages live briefly. Unit: MiB. */
const youngGenerationMib = 64;
/**
 * Seeds that one thread runs before another takes its place. Node keeps a signal that is made of others for as long as
 * somebody listens to it, and a process that was killed in its world never stops: a seed leaves some MiB behind.
 */
const seedsOfThreadMax = 100;

/** Longest that a thread may be at one seed: the largest worlds take minutes. Beyond, it runs in circles. Unit: ms. */
const seedMsMax = 20 * 60_000;

interface PoolOptions {
  readonly spec: RunSpec;
  /** Seeds from `first`, `count` of them. */
  readonly first: number;
  readonly count: number;
  /** Threads, at least 1. */
  readonly workers: number;
  /** Seeds that one thread runs, at least 1; default `seedsOfThreadMax`. */
  readonly seedsOfThread?: number;
  /** Longest that a thread may be at one seed, ms; default `seedMsMax`. */
  readonly seedMs?: number;
  /** No more seeds are begun, and those under way are given up. */
  readonly signal?: AbortSignal;
  /** What a thread runs; default worker.ts. */
  readonly program?: URL;
}

/** Runs all seeds; tells each result as it comes. Resolves with all of them, in the order of seeds. */
export async function runSeeds(options: PoolOptions, onResult: (result: SimResult) => void): Promise<SimResult[]> {
  const { first, count, signal } = options;
  const results: SimResult[] = [];
  let next = first;
  const take = (): number | undefined => {
    if (next >= first + count || signal?.aborted === true) return undefined;
    next += 1;
    return next - 1;
  };
  const tell = (result: SimResult): void => {
    results.push(result);
    onResult(result);
  };
  const threads = Math.max(1, Math.min(options.workers, count));
  await Promise.all(Array.from({ length: threads }, () => runThreads(options, take, tell)));
  return results.sort((a, b) => a.options.seed - b.options.seed);
}

/** One thread after the other, until no seed is left: one that dies takes only its seed with it. */
async function runThreads(
  options: PoolOptions,
  take: () => number | undefined,
  tell: (result: SimResult) => void,
): Promise<void> {
  for (;;) {
    const isDone = await runThread(options, take, tell);
    if (isDone) return;
  }
}

/** Resolves true when no seed is left, false when the thread died or has run its share. */
function runThread(
  {
    spec,
    signal,
    seedsOfThread = seedsOfThreadMax,
    seedMs = seedMsMax,
    program = new URL('./worker.ts', import.meta.url),
  }: PoolOptions,
  take: () => number | undefined,
  tell: (result: SimResult) => void,
): Promise<boolean> {
  const first = take();
  if (first === undefined) return Promise.resolve(true);
  let seed: number | undefined = first;
  const worker = new Worker(program, {
    workerData: spec,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMib },
  });
  return new Promise((resolve) => {
    let isEnded = false;
    let seedsRun = 0;
    let watchdog: NodeJS.Timeout | undefined;
    const end = (isDone: boolean): void => {
      if (isEnded) return;
      isEnded = true;
      clearTimeout(watchdog);
      signal?.removeEventListener('abort', onAbort);
      void worker.terminate();
      resolve(isDone);
    };
    const run = (next: number): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => died(new Error(`not done after ${seedMs / 1000} s`)), seedMs);
      worker.postMessage(next);
    };
    const onAbort = (): void => end(true);
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.on('message', (result: SimResult) => {
      tell(result);
      seedsRun += 1;
      if (seedsRun >= seedsOfThread) {
        end(false);
        return;
      }
      seed = take();
      if (seed === undefined) end(true);
      else run(seed);
    });
    const died = (error: Error): void => {
      if (!isEnded && seed !== undefined) tell(crashed(seed, spec, error));
      end(false);
    };
    worker.on('error', died);
    worker.on('exit', (status) => died(new Error(`exit status ${status}`)));
    run(first);
  });
}

/** What is told of a seed whose thread died or had to be ended: out of memory, or in circles, for the most part. */
function crashed(seed: number, spec: RunSpec, error: Error): SimResult {
  return {
    options: drawOptions(seed, spec.overrides),
    verdict: 'crash',
    violated: 'crash',
    detail: `the thread that ran it ended: ${error.message}\n${error.stack ?? ''}`,
    simulatedMs: 0,
    events: 0,
    traceLines: 0,
    traceDigest: '',
    lastLines: [],
    reached: {},
  };
}
