/**
 * Compares engine and oracle over many decisions: `node test/placement/engine-soak.ts [decisions] [seed]`. One million takes
 * two to five minutes. Exit status 1 and the world's seed on the first difference.
 */
import { compareEngineWithOracle } from './engine-against-oracle.ts';

const decisions = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1_000);
const started = performance.now();
const result = compareEngineWithOracle(seed, decisions, () => true);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${result.decisions} decisions from seed ${seed}, ${result.placed} found a host, ${seconds} s`);
if (result.difference !== undefined) {
  console.log(`DIFFERENCE: ${result.difference}`);
  process.exitCode = 1;
} else {
  console.log('engine and oracle never differed');
}
