import t from 'tap';
import type { ServerId } from '../../../node/base/ids.ts';
import { hostIdOf, syntheticHost } from '../../../placement/bench/synthetic.ts';
import { adverseIn, HostColumns } from '../../../placement/index.ts';

const needs = { vcpus: 4, memoryMib: 1024, diskGib: 10, pci: [] };
const key = (server: string) => ({ serverId: server as ServerId, generation: 1 });

void t.test('a lower or equal (epoch, sequence) never wins', (t) => {
  const columns = new HostColumns({ seed: 1 });
  const said = (epoch: number, sequence: number) =>
    columns.upsert(syntheticHost(1, { epoch, sequence, numInstances: epoch * 100 + sequence }));
  const cases = [
    [1, 5, 'applied'],
    [1, 5, 'stale'],
    [1, 4, 'stale'],
    [0, 9, 'stale'],
    [1, 6, 'applied'],
    [2, 1, 'applied'],
    [1, 7, 'stale'],
  ] as const;
  for (const [epoch, sequence, want] of cases) t.equal(said(epoch, sequence), want, `${epoch}/${sequence}`);
  t.same(columns.versionOf(hostIdOf(1)), { epoch: 2, sequence: 1 });
  t.equal(columns.numInstances[columns.slotOf(hostIdOf(1)) ?? -1], 201);
  t.end();
});

void t.test('numbers that no host sends are refused whole', (t) => {
  const columns = new HostColumns({ seed: 1 });
  const pool = { total: 8, reserved: 0, allocationRatio: 1, used: 0 };
  const bad = [
    { vcpus: { ...pool, total: Number.NaN } },
    { memoryMib: { ...pool, used: -1 } },
    { diskGib: { ...pool, allocationRatio: 0 } },
    { vcpus: { ...pool, total: 2 ** 31, allocationRatio: 16 } },
    { numInstances: 1.5 },
    { sequence: -1 },
    { metrics: { load: Number.POSITIVE_INFINITY } },
    { traits: Array.from({ length: 2_000 }, (_, i) => `T${i}`) },
  ];
  for (const parts of bad) {
    const advert = syntheticHost(1, parts);
    t.type(adverseIn(advert), 'string', JSON.stringify(parts).slice(0, 60));
    t.equal(columns.upsert(advert), 'invalid');
  }
  t.equal(columns.hostCount, 0);
  t.end();
});

void t.test('a claim in flight is deducted until its hold is released, expired or its host forgotten', (t) => {
  const columns = new HostColumns({ seed: 1 });
  columns.upsert(syntheticHost(1));
  const slot = columns.slotOf(hostIdOf(1)) ?? -1;
  t.equal(columns.hold(key('a'), hostIdOf(9), needs, 100), false, 'a host that is not in the view');
  columns.hold(key('a'), hostIdOf(1), needs, 100);
  columns.hold(key('a'), hostIdOf(1), needs, 100);
  columns.hold(key('b'), hostIdOf(1), needs, 200);
  t.equal(columns.resources.vcpus.free[slot], 256 - 8, 'the same key twice counts once');
  columns.upsert(syntheticHost(1, { sequence: 2, vcpus: { total: 64, reserved: 0, allocationRatio: 4, used: 100 } }));
  t.equal(columns.resources.vcpus.free[slot], 156 - 8, 'an advert does not end a claim in flight');
  t.equal(columns.releaseHold(key('a')), true);
  t.equal(columns.releaseHold(key('a')), false);
  t.equal(columns.expireHolds(199), 0);
  t.equal(columns.expireHolds(200), 1);
  t.equal(columns.resources.vcpus.free[slot], 156);
  columns.hold(key('c'), hostIdOf(1), needs, 300);
  columns.remove(hostIdOf(1));
  t.equal(columns.holdCount, 0);
  columns.upsert(syntheticHost(2));
  t.equal(
    columns.resources.vcpus.free[columns.slotOf(hostIdOf(2)) ?? -1],
    256,
    'a host that takes the slot starts clean',
  );
  t.end();
});

void t.test('the failure detector overrules adverts until it takes its verdict back', (t) => {
  const columns = new HostColumns({ seed: 1 });
  columns.upsert(syntheticHost(1));
  const slot = columns.slotOf(hostIdOf(1)) ?? -1;
  columns.setLiveness(hostIdOf(1), { up: false, suspicion: 1 });
  columns.upsert(syntheticHost(1, { sequence: 2 }));
  t.equal(columns.takesGuests[slot], 0);
  columns.setLiveness(hostIdOf(1), { up: true, suspicion: 0 });
  t.equal(columns.takesGuests[slot], 1);
  t.end();
});

void t.test('scales follow the largest host, and many profiles come and go without growing the table', (t) => {
  const columns = new HostColumns({ seed: 1 });
  columns.upsert(syntheticHost(1, { vcpus: { total: 10, reserved: 0, allocationRatio: 1, used: 0 } }));
  t.equal(columns.resources.vcpus.scale, 16);
  columns.upsert(syntheticHost(2, { vcpus: { total: 100, reserved: 0, allocationRatio: 1, used: 0 } }));
  t.equal(columns.resources.vcpus.scale, 128);
  columns.remove(hostIdOf(2));
  t.equal(columns.resources.vcpus.scale, 16);
  for (let i = 0; i < 5_000; i++)
    columns.upsert(syntheticHost(1, { sequence: 2 + i, capabilities: { boot: String(i) } }));
  t.equal(columns.profiles.size, 1);
  t.ok(columns.profiles.byId.length < 2_000);
  t.end();
});

void t.test('ranks are unique and differ between agents', (t) => {
  const [a, b] = [new HostColumns({ seed: 1, slotsMax: 4_096 }), new HostColumns({ seed: 2, slotsMax: 4_096 })];
  t.equal(new Set(a.rank).size, 4_096);
  t.not(a.rank.join(), b.rank.join());
  t.end();
});

void t.test('an admitted claim stays deducted until the advert that counts it', (t) => {
  const columns = new HostColumns({ seed: 1 });
  const used = (sequence: number, vcpus: number) =>
    columns.upsert(syntheticHost(1, { sequence, vcpus: { total: 64, reserved: 0, allocationRatio: 4, used: vcpus } }));
  used(1, 0);
  const slot = columns.slotOf(hostIdOf(1)) ?? -1;
  columns.hold(key('a'), hostIdOf(1), needs, 1e6);
  columns.hold(key('b'), hostIdOf(1), needs, 1e6);
  t.ok(columns.releaseHoldWith(key('a'), { epoch: 1, sequence: 3 }));
  t.ok(columns.releaseHoldWith(key('b'), { epoch: 1, sequence: 5 }));
  t.equal(columns.resources.vcpus.free[slot], 256 - 8);
  used(2, 0);
  t.equal(columns.resources.vcpus.free[slot], 256 - 8, 'an advert from before the claims');
  used(4, 4);
  t.equal(columns.resources.vcpus.free[slot], 256 - 8, 'counts the first: nothing twice');
  t.equal(columns.holdCount, 1);
  columns.upsert(
    syntheticHost(1, { epoch: 2, sequence: 1, vcpus: { total: 64, reserved: 0, allocationRatio: 4, used: 8 } }),
  );
  t.equal(columns.resources.vcpus.free[slot], 256 - 8, 'a restarted host counts all that it holds');
  t.equal(columns.holdCount, 0);
  columns.hold(key('c'), hostIdOf(1), needs, 1e6);
  t.ok(columns.releaseHoldWith(key('c'), { epoch: 2, sequence: 1 }), 'the advert was here before the answer');
  t.equal(columns.holdCount, 0);
  t.notOk(columns.releaseHoldWith(key('nobody'), { epoch: 2, sequence: 9 }));
  columns.hold(key('d'), hostIdOf(1), needs, 50);
  columns.releaseHoldWith(key('d'), { epoch: 9, sequence: 9 });
  t.equal(columns.expireHolds(49), 0);
  t.equal(columns.expireHolds(50), 1, 'an advert that never comes does not keep the room for ever');
  t.ok(columns.remove(hostIdOf(1)));
  t.end();
});
