/** What fails again and again is said once, then with growing pauses. */
import t from 'tap';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { RepeatedLog } from '../../../node/base/telemetry/repeated-log.ts';
import { ManualClock } from '../mesh/manual-clock.ts';

function collect() {
  const clock = new ManualClock();
  const said: { readonly facts: object; readonly message: string }[] = [];
  const logger: Logger = { ...silentLogger, warn: (facts, message) => void said.push({ facts, message }) };
  return { clock, said, log: new RepeatedLog({ clock, logger }) };
}

void t.test('a warning every two seconds for an hour is a dozen lines, and none is lost count of', async (t) => {
  const { clock, said, log } = collect();
  for (let n = 0; n < 1800; n++) {
    log.warn('a', { n }, 'it fails');
    await clock.advance(2_000);
  }
  t.ok(said.length >= 5 && said.length <= 12, `${said.length} lines`);
  t.same(said[0], { facts: { n: 0 }, message: 'it fails' }, 'the first is said at once, as it is');
  const told = said.slice(1).reduce((sum, { facts }) => sum + Number('timesSince' in facts ? facts.timesSince : 0), 1);
  t.ok(told > 900 && told <= 1800, `${told} of 1800 were told of`);
});

void t.test('another warning, and one that returns after it had ended, is logged at once', async (t) => {
  const { clock, said, log } = collect();
  log.warn('a', {}, 'a fails');
  log.warn('b', {}, 'b fails');
  log.warn('a', {}, 'a fails');
  t.equal(said.length, 2);
  await clock.advance(100_000);
  log.warn('a', {}, 'a fails');
  t.same(said.at(-1), { facts: {}, message: 'a fails' }, 'as a new one');
});

void t.test('a flood of different things is bounded', async (t) => {
  const { said, log } = collect();
  for (let n = 0; n < 5_000; n++) log.warn(`key ${n}`, {}, 'once');
  t.equal(said.length, 5_000);
  log.warn('key 4999', {}, 'once');
  t.equal(said.length, 5_000, 'the newest are remembered');
  log.warn('key 0', {}, 'once');
  t.equal(said.length, 5_001, 'the oldest are not');
});
