import t from 'tap';
import { systemClock } from '../../node/base/clock.ts';
import { compareEngineWithOracle } from './engine-against-oracle.ts';

void t.test(
  'engine and naive scan give the same hosts in the same order with the same scores, whatever changes',
  (t) => {
    const started = systemClock.monotonicMs();
    const result = compareEngineWithOracle(1, 1_000_000, () => systemClock.monotonicMs() - started < 10_000);
    t.equal(result.difference, undefined);
    t.comment(`${result.decisions} decisions compared, ${result.placed} found a host`);
    t.ok(result.decisions > 10_000, 'many decisions were compared');
    t.ok(result.placed > result.decisions / 4, 'many decisions found a host');
    t.end();
  },
);
