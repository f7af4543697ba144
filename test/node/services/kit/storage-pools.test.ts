import t from 'tap';
import { advertisedPools, isApart, isSharedPool, roomOf } from '../../../../node/services/kit/storage-pools.ts';
import { shoal } from '../../../../proto/messages.ts';

void t.test('the host that has a disk is believed before others, and nobody is when nobody tells', (t) => {
  const advert = (hostId: string, shared: boolean) =>
    new shoal.v1.Advert({ hostId, storagePools: ['fast'], pools: [{ name: 'fast', shared }] });
  const adverts = [advert('a', false), advert('b', true)];
  t.equal(isSharedPool(adverts, 'fast', 'b'), true);
  t.equal(isSharedPool(adverts, 'fast', 'a'), false);
  t.equal(isSharedPool(adverts, 'fast', 'silent'), false, 'any host that lists it');
  t.equal(isSharedPool(adverts, 'slow', 'a'), undefined);
  t.equal(isSharedPool([], 'fast', 'a'), undefined);
  t.end();
});

void t.test('the free space of a pool is reported, or is unknown', (t) => {
  const pools = [
    { name: 'local', shared: false, serves: true },
    { name: 'ceph', shared: true, serves: false, freeGib: 0 },
  ];
  const sent = shoal.v1.Advert.encode({ storagePools: ['local', 'ceph'], pools }).finish();
  t.strictSame(advertisedPools(shoal.v1.Advert.decode(sent)), pools);
  t.end();
});

void t.test('of the pool in the data folder the room is what claims leave; of others what they tell', (t) => {
  const advert = new shoal.v1.Advert({ diskGib: 100, diskGibReserved: 10, diskRatio: 2, diskGibUsed: 30 });
  const own = { shared: false, serves: false };
  t.same(roomOf(advert, { name: 'local', ...own }), { totalGib: 180, freeGib: 150 });
  t.same(roomOf(advert, { name: 'fast', ...own, freeGib: 1, totalGib: 2 }), { freeGib: 1, totalGib: 2 });
  t.same(roomOf(advert, { name: 'fast', ...own }), {}, 'nothing is made up');
  t.end();
});

void t.test('only disks in the data folder take of the disk that claims count', (t) => {
  t.equal(isApart('local', false), false);
  t.equal(isApart('fast', false), true);
  t.equal(isApart('ceph', true), true);
  t.equal(isApart('none', undefined), undefined);
  t.end();
});
