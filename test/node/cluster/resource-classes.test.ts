/**
 * Worked example of placement/README.md, "How to add a resource class": every extra entry of the list goes all the way, from
 * the host's settings to a guest that has it. A new entry is tested by this as soon as it is in the list.
 */
import t from 'tap';
import type { HostId, ServerId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { placementAdvert, resourceFields } from '../../../node/cluster/advert-mapping.ts';
import { claimAmounts, claimedNeeds, needsOf } from '../../../node/cluster/resource-needs.ts';
import { configDefaults } from '../../../node/config/options.ts';
import { extraCapacity, resourceMistakes } from '../../../node/config/resources.ts';
import { checkAttributes } from '../../../node/services/compute/attribute-rules.ts';
import {
  ClaimLedger,
  defaultConfiguration,
  defaultFilterNames,
  explainHost,
  extraResources,
  type HostCapacity,
  HostColumns,
  PlacementEngine,
  placementRequest,
  resourceClasses,
} from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';

const hostId = 'a'.repeat(32) as HostId;
const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });

function configWith(resources: string): ReturnType<typeof configDefaults> {
  const config = configDefaults();
  return { ...config, capacity: { ...config.capacity, resources } };
}

function advertOf(capacity: HostCapacity, ledger: ClaimLedger, sequence: number): shoal.v1.Advert {
  const advert = {
    hostId,
    hostName: 'one',
    epoch: 1,
    sequence,
    enabled: true,
    ...resourceFields(capacity, ledger.usage()),
  };
  return shoal.v1.Advert.decode(shoal.v1.Advert.encode(advert).finish());
}

for (const name of extraResources) {
  const { placementName, unit } = resourceClasses[name];

  void t.test(`${placementName}: from the settings to a guest that has it`, (t) => {
    const config = configWith(`${placementName}=100`);
    t.same(resourceMistakes(config), []);
    const capacity: HostCapacity = {
      ...extraCapacity(config),
      vcpus: pool(8),
      memoryMib: pool(8192),
      diskGib: pool(100),
      pciPools: [],
      numaCells: [],
    };
    const ledger = ClaimLedger.restore(capacity);
    const columns = new HostColumns({ seed: 1 });
    t.equal(columns.upsert(placementAdvert(advertOf(capacity, ledger, 1))), 'applied');

    const extraSpecs = { [`resources:${placementName}`]: '60' };
    const flavor = new shoal.v1.Flavor({ name: 'f', vcpus: 1, memoryMib: 512, diskGib: 1, extraSpecs });
    t.doesNotThrow(() => checkAttributes(flavor, undefined, new Set(defaultFilterNames)));
    const needs = needsOf({ flavor, storage: 'local' }, () => false);
    t.match(needs, { [name]: 60, vcpus: 1, diskGib: 1 });
    const engine = new PlacementEngine(columns, defaultConfiguration, new Prng(1));
    const request = placementRequest({ needs, extraSpecs });
    t.equal(engine.select(request).outcome, 'selected');

    const wire = shoal.v1.ResourceAmounts.decode(shoal.v1.ResourceAmounts.encode(claimAmounts(needs)).finish());
    const claimed = claimedNeeds(wire);
    if (typeof claimed === 'string') throw new Error(claimed);
    t.same(claimed, needs);
    const claim = (server: string) => ({
      serverId: server as ServerId,
      generation: 1,
      needs: claimed,
      expiresAtMs: 1000,
    });
    t.equal(ledger.admit(claim('a'), 0).outcome, 'admitted');
    t.match(ledger.admit(claim('b'), 0), { outcome: 'refused', why: name, text: `60 ${unit} are wanted, 40 are free` });
    t.match(ledger.admit({ ...claim('a'), needs: { ...claimed, [name]: 59 } }, 0), { why: 'conflict' });

    columns.upsert(placementAdvert(advertOf(capacity, ledger, 2)));
    t.equal(engine.select(request).outcome, 'none');
    t.match(explainHost(columns, defaultConfiguration, request, hostId)?.refusals, [
      { filter: 'ResourceClassFilter', reason: new RegExp(`^60 ${unit} are needed, 40 of 100 are free`) },
    ]);
    // Half of what is free: a hold on it counts as well.
    const small = placementRequest({ needs: { ...needs, [name]: 40 } });
    t.equal(engine.select(small).outcome, 'selected');
    columns.hold({ serverId: 's' as ServerId, generation: 1 }, hostId, small.needs, 1e9);
    t.equal(engine.select(small).outcome, 'none');
    t.equal(engine.select(placementRequest({ needs: { ...needs, [name]: 0 } })).outcome, 'selected');

    ledger.release(claim('a'), 0);
    columns.upsert(placementAdvert(advertOf(capacity, ledger, 3)));
    columns.releaseHold({ serverId: 's' as ServerId, generation: 1 });
    t.equal(engine.select(request).outcome, 'selected');
    t.end();
  });
}

void t.test('what is no such class, or no amount of it, is refused where it comes in', (t) => {
  for (const [text, mistake] of [
    ['CUSTOM_ROCKETS=1', /there is no "CUSTOM_ROCKETS"; there are NET_BW_EGR_KILOBIT_PER_SEC/],
    ['VCPU=4', /there is no "VCPU"/],
    ['NET_BW_EGR_KILOBIT_PER_SEC', /is not CLASS=AMOUNT/],
    ['NET_BW_EGR_KILOBIT_PER_SEC=-1', /is not CLASS=AMOUNT/],
    ['NET_BW_EGR_KILOBIT_PER_SEC=9999999999', /is not CLASS=AMOUNT/],
    ['NET_BW_EGR_KILOBIT_PER_SEC=1=2', /is not CLASS=AMOUNT/],
  ] as const) {
    t.match(resourceMistakes(configWith(text)), [mistake], text);
  }
  for (const [extraSpecs, message] of [
    [{ 'resources:CUSTOM_ROCKETS': '1' }, /does not know it/],
    [{ 'resources:NET_BW_EGR_KILOBIT_PER_SEC': '-1' }, /cannot be honoured/],
    [{ 'resources:NET_BW_EGR_KILOBIT_PER_SEC': 'all' }, /cannot be honoured/],
  ] as const) {
    const flavor = new shoal.v1.Flavor({ name: 'f', extraSpecs });
    t.throws(() => checkAttributes(flavor, undefined, new Set(defaultFilterNames)), { message });
  }
  const { placementName } = resourceClasses.egressKbps;
  const wanting = new shoal.v1.Flavor({ name: 'f', extraSpecs: { [`resources:${placementName}`]: '1' } });
  t.throws(() => checkAttributes(wanting, undefined, new Set()), { message: /needs the ResourceClassFilter/ });
  t.equal(claimedNeeds({ vcpus: 1, extra: { CUSTOM_ROCKETS: 1 } }), 'CUSTOM_ROCKETS');
  t.end();
});

void t.test('a disk takes of the host only where its storage is the host’s own', (t) => {
  const flavor = new shoal.v1.Flavor({ vcpus: 1, memoryMib: 1, diskGib: 7, ephemeralGib: 2, swapMib: 1025 });
  const diskGib = (isShared: boolean | undefined) => needsOf({ flavor, storage: 'x' }, () => isShared).diskGib;
  t.equal(diskGib(false), 11);
  t.equal(diskGib(true), 0);
  t.equal(diskGib(undefined), 0, 'no storage of this host');
  t.end();
});

void t.test('pools are shared by the word of most hosts; adverts of earlier versions tell names alone', (t) => {
  const columns = new HostColumns({ seed: 1 });
  let sequence = 0;
  const say = (host: number, fields: shoal.v1.IAdvert): void => {
    const id = `${host}`.padStart(32, '0');
    const sized = { vcpusRatio: 1, memoryRatio: 1, diskRatio: 1, diskGib: 10 };
    const advert = new shoal.v1.Advert({ hostId: id, epoch: 1, sequence: ++sequence, ...sized, ...fields });
    t.equal(columns.upsert(placementAdvert(advert)), 'applied');
  };
  t.equal(columns.isSharedPool('fast'), undefined);
  say(1, { storagePools: ['local', 'rbd'] });
  t.equal(columns.isSharedPool('local'), false);
  t.equal(columns.isSharedPool('rbd'), true);
  const fast = (shared: boolean) => ({ storagePools: ['fast'], pools: [{ name: 'fast', shared }] });
  say(2, fast(false));
  say(3, fast(false));
  say(4, fast(true));
  t.equal(columns.isSharedPool('fast'), false, 'one host that says otherwise changes nothing');
  say(2, fast(true));
  t.equal(columns.isSharedPool('fast'), true);
  const slot = columns.slotOf('3'.padStart(32, '0') as HostId) ?? -1;
  t.same(columns.storagePools[slot], [{ name: 'fast', shared: false, freeGib: 10 }], 'its own: what its disk has');
  say(4, { storagePools: ['fast'], pools: [{ name: 'fast', shared: true, freeGib: 5 }] });
  const other = columns.slotOf('4'.padStart(32, '0') as HostId) ?? -1;
  t.match(columns.storagePools[other], [{ freeGib: 5 }]);
  for (const host of [2, 3, 4]) columns.remove(`${host}`.padStart(32, '0') as HostId);
  t.equal(columns.isSharedPool('fast'), undefined);
  t.end();
});
