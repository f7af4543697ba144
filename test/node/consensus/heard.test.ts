import t from 'tap';
import { Heard } from '../../../node/consensus/quorum/heard.ts';

await t.test('silence is told by the time in which messages could have been read', async (t) => {
  const heard = new Heard(1);
  t.equal(heard.silentMs(1), 0, 'itself');
  t.equal(heard.silentMs(2), Number.POSITIVE_INFINITY, 'never heard of');
  heard.note(2);
  heard.advance(100);
  heard.note(3);
  heard.advance(500);
  t.equal(heard.silentMs(2), 600);
  t.equal(heard.silentMs(3), 500);
  t.same(heard.missing([4, 3, 2, 1, 2], 550), [2, 4]);
  t.equal(heard.isMajorityHeard([1, 2, 3], 550), true);
  t.equal(heard.isMajorityHeard([1, 2, 4], 550), false);
  t.equal(heard.isMajorityHeard([1, 2], 550), false, 'half is no majority');
  t.equal(heard.isMajorityHeard([1], 550), true);
});
