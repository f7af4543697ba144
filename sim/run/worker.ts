/** A thread of the pool: runs the seeds that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../node/base/assert.ts';
import { type RunSpec, settingsOf } from './run-spec.ts';
import { simulate } from './simulator.ts';

const port = must(parentPort, 'a thread of the pool has a parent');
const settings = settingsOf(workerData as RunSpec);

port.on('message', (seed: number) => {
  // `simulate` reports what it finds; what it throws all the same ends this thread, and the pool hears of it.
  void simulate(seed, settings).then((result) => port.postMessage(result));
});
