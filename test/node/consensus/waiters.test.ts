import t from 'tap';
import { AppliedWaiters, ChangeWaiters } from '../../../node/consensus/loop/waiters.ts';
import { ManualClock } from '../mesh/manual-clock.ts';

await t.test('a wait for a change ends with the next one, or when its time is over', async (t) => {
  const clock = new ManualClock();
  const changes = new ChangeWaiters(clock);
  const ended: string[] = [];
  changes.wait(100).then(() => ended.push('short'), t.error);
  changes.wait(1000).then(() => ended.push('long'), t.error);
  await clock.advance(99);
  t.same(ended, []);
  await clock.advance(1);
  t.same(ended, ['short']);
  changes.tell();
  await clock.advance(0);
  t.same(ended, ['short', 'long']);
  await clock.advance(1000);
  t.same(ended, ['short', 'long'], 'each once');
});

await t.test(
  'a wait for an entry ends when it is applied, when its time is over, or when nothing more will be',
  async (t) => {
    const clock = new ManualClock();
    let index = 5;
    const applied = new AppliedWaiters(clock, () => index);
    t.equal(await applied.wait(5, 100), true, 'there already');
    const [six, eight, late, never] = [
      applied.wait(6, 1000),
      applied.wait(8, 1000),
      applied.wait(7, 100),
      applied.wait(99, 1000),
    ];
    index = 6;
    applied.tell();
    t.equal(await six, true);
    await clock.advance(100);
    t.equal(await late, false, 'its time was over');
    index = 8;
    applied.tell();
    t.equal(await eight, true);
    applied.close();
    t.equal(await never, false);
  },
);
