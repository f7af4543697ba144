import t from 'tap';
import { type HostSeen, judgeHost, type PoolWord } from '../../../../node/host/plan/host-gone-plan.ts';

const silent: PoolWord = { pool: 'rbd', word: 'silent' };
const dead: HostSeen = { condition: 'dead', forcedDown: false, port: 'silent', pools: [silent] };

t.test('a host is gone when all witnesses say so, and not before', async (t) => {
  const cases: readonly [string, Partial<HostSeen>, string][] = [
    ['all agree', {}, 'gone'],
    ['it answers', { condition: 'alive' }, 'there'],
    ['it answers, whatever an operator says', { condition: 'alive', forcedDown: true }, 'there'],
    ['a suspicion is no verdict', { condition: 'suspect' }, 'there'],
    ['nothing is known of it', { condition: 'unknown' }, 'unknown'],
    ['its agent alone was killed: its kernel answers', { port: 'closed' }, 'unknown'],
    ['its agent stands still', { port: 'listening' }, 'there'],
    ['its kernel was not asked', { port: undefined }, 'unknown'],
    ['this agent stood still while it asked', { port: 'unknown' }, 'unknown'],
    ['cut off from its peers only', { pools: [{ pool: 'rbd', word: 'says-so' }] }, 'there'],
    ['one pool of two hears it', { pools: [silent, { pool: 'b', word: 'says-so' }] }, 'there'],
    ['one pool of two does not answer', { pools: [silent, { pool: 'b', word: 'unknown', reason: 'full' }] }, 'unknown'],
    ['a pool that it never used says nothing', { pools: [silent, { pool: 'b', word: 'never' }] }, 'gone'],
    ['it never told any', { pools: [{ pool: 'b', word: 'never' }] }, 'unknown'],
    ['there is no shared storage', { pools: [] }, 'unknown'],
    ['an operator stands for kernel and storage', { forcedDown: true, port: 'closed', pools: [] }, 'gone'],
  ];
  for (const [name, over, kind] of cases) t.match(judgeHost({ ...dead, ...over }), { kind }, name);
});
