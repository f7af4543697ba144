import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { ServerId } from '../../../../node/base/ids.ts';
import { ClaimBook } from '../../../../node/host/claims/claim-book.ts';
import { memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';

const needs = { vcpus: 1, memoryMib: 1, diskGib: 1, egressKbps: 0, pci: [] };

void t.test('records that cannot be asked for leave the claims in memory as they are on disk', async (t) => {
  const store = memoryHostStore();
  const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });
  const open = (): ClaimBook =>
    new ClaimBook(
      { store, clock: systemClock, onChange: () => {}, isApart: () => false },
      { vcpus: pool(4), memoryMib: pool(100), diskGib: pool(100), pciPools: [], numaCells: [] },
    );
  const claims = open();
  for (const id of ['first', 'second']) {
    await claims.admit({ serverId: id as ServerId, generation: 1, needs }, 30_000);
  }
  const server = (id: string) =>
    new shoal.v1.Server({ id, hostId: 'self', generation: 1, flavor: { vcpus: 1, memoryMib: 1, diskGib: 1 } });
  await claims.follow(
    [server('first'), server('second')],
    'self',
    1,
    () => true,
    () => false,
  );

  // Neither is recorded here any more; about the second, a host with a slice has to ask first.
  const isUnreadable = (id: string): boolean => {
    if (id === 'second') throw new ShoalError('NOT_IN_SLICE', 'not asked for yet');
    return false;
  };
  await t.rejects(
    claims.follow([], 'self', 2, () => true, isUnreadable),
    { code: 'NOT_IN_SLICE' },
  );

  t.equal(claims.usage().vcpus.used, 2);
  t.equal(open().usage().vcpus.used, 2, 'a restart finds the same');
  await claims.follow(
    [],
    'self',
    2,
    () => true,
    () => false,
  );
  t.equal(claims.usage().vcpus.used, 0);
  t.equal(open().usage().vcpus.used, 0, 'and so it does when they could be asked for');
});
