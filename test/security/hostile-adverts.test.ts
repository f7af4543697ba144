/** A16: a host that says it has endless, negative or no numbers of anything is not placed upon, and nobody stumbles over it. */
import t from 'tap';
import { ShoalError } from '../../node/base/errors.ts';
import { placementAdvert } from '../../node/cluster/advert-mapping.ts';
import { openAdvert, signAdvert } from '../../node/mesh/gossip/advert-check.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';
import { HostColumns } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';

const meshId = 'm-1';
const identity = HostIdentity.fromSeed(new Uint8Array(32).fill(1));
const honest: shoal.v1.IAdvert = {
  meshId,
  hostId: identity.hostId,
  hostName: 'one',
  epoch: 1,
  sequence: 1,
  vcpus: 8,
  memoryMib: 8192,
  diskGib: 100,
  vcpusRatio: 4,
  memoryRatio: 1,
  diskRatio: 1,
  enabled: true,
  architecture: 'x86_64',
  hypervisorType: 'QEMU',
};

/** What becomes of an advert on its way from the wire to the table that placement reads. */
function outcomeOf(advert: shoal.v1.IAdvert): 'refused' | 'applied' | 'stale' | 'invalid' {
  const columns = new HostColumns({ seed: 1 });
  try {
    return columns.upsert(placementAdvert(openAdvert(signAdvert(identity, advert), meshId)));
  } catch (caught) {
    if (!(caught instanceof ShoalError) || caught.code !== 'INVALID_ARGUMENT') throw caught;
    return 'refused';
  }
}

void t.test('A16: numbers that are none reach no table', (t) => {
  t.equal(outcomeOf(honest), 'applied');
  const hostile: readonly shoal.v1.IAdvert[] = [
    ...(['vcpusRatio', 'memoryRatio', 'diskRatio'] as const).flatMap((ratio) =>
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1].map((value) => ({ [ratio]: value })),
    ),
    ...(
      ['memoryMib', 'diskGib', 'memoryMibUsed', 'diskGibUsed', 'memoryMibReserved', 'diskGibReserved'] as const
    ).flatMap((amount) => [2 ** 53, 2 ** 63].map((value) => ({ [amount]: value }))),
    ...[2 ** 53, 2 ** 63].flatMap((value) => [
      { resources: [{ resourceClass: 'NET_BW_EGR_KILOBIT_PER_SEC', total: value, allocationRatio: 1 }] },
      { resources: [{ resourceClass: 'NET_BW_EGR_KILOBIT_PER_SEC', total: 1, allocationRatio: 1, used: value }] },
      { numaCells: [{ id: 0, cpus: 1, memoryMib: 1, pages: [{ sizeKib: 2048, total: value }] }] },
    ]),
    { resources: [{ resourceClass: 'NET_BW_EGR_KILOBIT_PER_SEC', total: 1, allocationRatio: Number.NaN }] },
    { resources: [{ resourceClass: 'NET_BW_EGR_KILOBIT_PER_SEC', total: 2 ** 30, allocationRatio: 1024 }] },
    { numaCells: [{ id: 0, cpus: 1, cpusPinned: 2, memoryMib: 1 }] },
    { numaCells: Array.from({ length: 65 }, (_, id) => ({ id, cpus: 1, memoryMib: 1 })) },
    { pciPools: [{ vendorId: '10de', productId: '1eb8', total: 1, free: 2 }] },
    { epoch: 2 ** 53 },
    { sequence: 2 ** 60 },
  ];
  for (const fields of hostile) {
    const outcome = outcomeOf({ ...honest, ...fields });
    t.ok(['refused', 'invalid'].includes(outcome), `${Object.entries(fields).join()}: ${outcome}`);
  }
  t.end();
});

void t.test('no text of an advert is endless, nor any list, whichever field it is in', (t) => {
  const long = 'x'.repeat(257);
  const many = Array.from({ length: 513 }, (_, n) => `n${n}`);
  const hostile: readonly shoal.v1.IAdvert[] = [
    ...(['hostName', 'peerAddress', 'zone', 'disabledReason', 'architecture', 'hypervisorType'] as const).map(
      (name) => ({
        [name]: long,
      }),
    ),
    ...(['traits', 'storagePools', 'physicalNetworks'] as const).flatMap((name) => [
      { [name]: ['short', long] },
      { [name]: many },
    ]),
    { aggregates: [{ name: long }] },
    { pools: [{ name: long }] },
    { capabilities: { name: long } },
    { pciPools: many.map(() => ({ total: 1 })) },
    { aggregates: [{ name: 'a', metadata: { key: long } }] },
    { aggregates: [{ name: 'a', metadata: { [long]: 'value' } }] },
  ];
  const metrics: readonly Record<string, number>[] = [{ [long]: 1 }, Object.fromEntries(many.map((name) => [name, 1]))];
  for (const fields of [...hostile, ...metrics.map((values) => ({ metrics: values }))]) {
    t.equal(outcomeOf({ ...honest, ...fields }), 'refused', JSON.stringify(fields).slice(0, 80));
  }
  const metadata = Object.fromEntries(many.slice(0, 100).map((name) => [name, 'y'.repeat(255)]));
  const large = { traits: many.slice(0, 512), aggregates: [{ name: 'a', metadata }], metrics: { load: 1 } };
  t.equal(outcomeOf({ ...honest, ...large }), 'applied', 'as much as may be');
  t.end();
});
