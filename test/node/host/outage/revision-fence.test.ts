import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ClaimBook } from '../../../../node/host/claims/claim-book.ts';
import { RevisionFence } from '../../../../node/host/outage/revision-fence.ts';
import { type HostStore, memoryHostStore } from '../../../../node/store/host/host-store.ts';

void t.test('a host remembers the newest records that it has acted on, also in its next agent', async (t) => {
  const store = memoryHostStore();
  let writes = 0;
  const counting: HostStore = {
    ...store,
    async write(batch) {
      writes += 1;
      await store.write(batch);
    },
  };
  const fence = new RevisionFence(counting);
  t.notOk(fence.isAheadOf(0), 'a new host has acted on nothing');
  await fence.note(7);
  await fence.note(7);
  await fence.note(5);
  t.same(fence.writes(7), []);
  t.equal(writes, 1, 'what is known is not written again');
  for (const each of [fence, new RevisionFence(store)]) {
    t.ok(each.isAheadOf(6), 'a replica that went back');
    t.notOk(each.isAheadOf(7));
  }
  const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });
  const claims = new ClaimBook(
    { store, clock: systemClock, onChange: () => {}, isApart: () => false },
    { vcpus: pool(4), memoryMib: pool(4_096), diskGib: pool(100), pciPools: [], numaCells: [] },
  );
  await claims.follow(
    [],
    'self',
    6,
    () => false,
    () => false,
  );
  t.ok(fence.isAheadOf(6), 'books that follow an older replica take nothing back');
});
