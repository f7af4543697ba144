import t from 'tap';
import type { GuestFound } from '../../../../drivers/types.ts';
import type { ServerId } from '../../../../node/base/ids.ts';
import { planLetIn } from '../../../../node/host/plan/let-in-plan.ts';
import { shoal } from '../../../../proto/messages.ts';

const record = new shoal.v1.Server({ id: 's1', generation: 3, storage: 'rbd', rootVolumeId: 'v1' });
const guest = (over: Partial<GuestFound> = {}): GuestFound => ({
  ...{ serverId: 's1' as ServerId, generation: 3, power: 'paused', detail: 'io-error' },
  ...over,
});

t.test('a fence is lifted once no guest of before has a disk of that storage open', async (t) => {
  const plan = (guests: readonly GuestFound[], pool = 'rbd', known: shoal.v1.Server | undefined = record) =>
    planLetIn(pool, guests, (id) => (id === known?.id ? known : undefined)).kind;
  t.equal(plan([]), 'let-in');
  t.equal(plan([guest()]), 'wait', 'also one of this very generation: its connection stays fenced');
  t.equal(plan([guest({ generation: 1 })]), 'wait', 'an older one all the more');
  t.equal(plan([guest({ power: 'running', detail: 'running' })]), 'wait', 'it has written nothing since');
  t.equal(plan([guest({ power: 'shutdown', detail: 'shutdown' })]), 'wait', 'its process is there');
  t.equal(plan([guest({ power: 'crashed', detail: 'gone' })]), 'let-in', 'no process, no connection');
  t.equal(plan([guest()], 'other'), 'let-in', 'its disks are elsewhere');
  t.match(
    planLetIn('rbd', [guest()], () => undefined),
    { kind: 'wait', reason: /no record/ },
    'of a guest without a record nobody knows what it has open',
  );
});
