import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeNetworkDriver } from '../../../drivers/fake/network.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import { BlobStore } from '../../../drivers/image/store.ts';
import type { HostGossip, HostPorts } from '../../../node/agent/host-ports.ts';
import { buildHost } from '../../../node/agent/host-side.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { loadConfig } from '../../../node/config/load.ts';
import type { PeerCall } from '../../../node/mesh/peers/peer-server.ts';
import { plainMetadataSettings } from '../../../node/services/network/metadata.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../node/store/host/host-store.ts';
import { HostColumns } from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { addHost, makeWorld, testClock } from '../services/world.ts';

/** Gossip that tells nobody: it counts what it is told, and composes the advert when it is asked for it. */
class LoneGossip implements HostGossip {
  readonly columns = new HostColumns({ seed: 1 });
  readonly #ownAdvert: () => shoal.v1.IAdvert;
  changes = 0;

  constructor(ownAdvert: () => shoal.v1.IAdvert) {
    this.#ownAdvert = ownAdvert;
  }

  own(): shoal.v1.IAdvert {
    return this.#ownAdvert();
  }

  adverts(): readonly shoal.v1.Advert[] {
    return [];
  }

  condition(): 'unknown' {
    return 'unknown';
  }

  accept(): boolean {
    return false;
  }

  changed(): void {
    this.changes += 1;
  }

  freshOwnAdvert(): shoal.v1.SignedAdvert {
    return new shoal.v1.SignedAdvert({ advert: shoal.v1.Advert.encode(this.#ownAdvert()).finish() });
  }

  nextOwnAdvert(): { readonly epoch: number; readonly sequence: number } {
    return { epoch: 1, sequence: this.changes + 1 };
  }
}

const inventory = {
  cpus: 4,
  cpu: { vendor: 'test', model: 'test', flags: [], sockets: 1, cores: 4, threads: 1 },
  numaCells: [],
  pciDevices: [],
  architecture: 'x86_64',
  memoryMib: 4_096,
  diskGib: 100,
  operatingSystem: 'test',
  kernel: 'test',
  bootedMs: 1_700_000_000_000,
};

/** A host of its own on a state in memory, built from ports and nothing else. */
async function host(more: Partial<HostPorts<LoneGossip>> = {}) {
  const world = makeWorld();
  const hostId = (await addHost(world, 1)).id as HostId;
  const config = loadConfig({
    settings: { advertiseAddress: '192.0.2.1', 'capacity.vcpusRatio': '1', 'compute.stopGraceMs': '1000' },
  });
  const ports: HostPorts<LoneGossip> = {
    services: { ...world.deps, clock: testClock },
    random: new Prng(1),
    store: memoryHostStore(),
    drivers: {
      compute: new FakeComputeDriver(new FakeComputeHost(testClock)),
      network: new FakeNetworkDriver(),
      storage: new Map([['local', new FakeStorageDriver(new FakeStorage({ shared: false }))]]),
      hypervisor: {
        version: 1,
        machine: 'pc',
        guestCpu: 'qemu64',
        devices: ['virtio-blk-pci'],
        firmware: { uefi: false, secureBoot: false },
      },
    },
    blobs: new BlobStore(mkdtempSync(join(tmpdir(), 'shoal-host-side-'))),
    inventory,
    load: async () => ({ cpuPercent: 50, load1m: 2, memoryAvailableMib: 100 }),
    peers: {
      call: async () => {
        throw new ShoalError('UNAVAILABLE', 'There is nobody else.');
      },
      stream: () => {
        throw new ShoalError('UNAVAILABLE', 'There is nobody else.');
      },
    },
    gossip: (ownAdvert) => new LoneGossip(ownAdvert),
    observer: {},
    ...more,
  };
  const { signal } = new AbortController();
  const built = buildHost(ports, { config, hostId, meshId: 'mesh', metadata: plainMetadataSettings, signal });
  return { world, hostId, built, ports };
}

const claimOf = (hostId: HostId, vcpus: number): shoal.v1.ClaimRequest =>
  new shoal.v1.ClaimRequest({
    serverId: `server-of-${vcpus}`,
    generation: 1,
    hostId,
    ttlMs: 30_000,
    resources: { vcpus, memoryMib: 64, diskGib: 1 },
  });

const callOf = (caller: HostId): PeerCall => ({
  caller,
  signal: new AbortController().signal,
  remoteAddress: 'test',
  certificate: undefined,
  header: () => undefined,
});

await t.test('a claim that is admitted is told to gossip, and counted in the advert', async (t) => {
  const results: string[] = [];
  const { built, hostId } = await host({ observer: { claim: (result) => void results.push(result) } });
  t.match(built.gossip.own(), { vcpus: 4, vcpusUsed: 0, memoryMib: 4_096, enabled: true });
  const answer = await built.handlers.claim(claimOf(hostId, 3), callOf(hostId));
  t.match(answer, { admitted: true, countedSequence: 2 }, 'the next advert counts it');
  t.equal(built.gossip.changes, 1);
  t.equal(built.gossip.own().vcpusUsed, 3);
  const refusal = await built.handlers.claim(claimOf(hostId, 2), callOf(hostId));
  t.equal(refusal.admitted, false);
  const told = shoal.v1.Advert.decode(refusal.advert?.advert ?? new Uint8Array(0));
  t.equal(told.vcpusUsed, 3, 'a refusal carries the advert as of now');
  t.same(results, ['admitted', 'refused']);
});

await t.test('a wrapper of the claims is used by the handlers and by the advert', async (t) => {
  const asked: string[] = [];
  const { built, hostId } = await host({
    claims: (inner) => ({
      usage: () => inner.usage(),
      admit: (claim, ttlMs) => {
        asked.push(claim.serverId);
        return inner.admit(claim, ttlMs);
      },
      withdraw: (...claim) => inner.withdraw(...claim),
      release: (...claim) => inner.release(...claim),
      follow: (...records) => inner.follow(...records),
    }),
  });
  await built.handlers.claim(claimOf(hostId, 1), callOf(hostId));
  t.same(asked, ['server-of-1']);
  t.equal(built.gossip.own().vcpusUsed, 1);
});

await t.test(
  'once it is started, the advert follows the records and the load; a duty that fails is told and tried again',
  async (t) => {
    let failures = 0;
    let loads = 0;
    const health: string[] = [];
    const { built, hostId, world, ports } = await host({
      load: async () => {
        loads += 1;
        if (loads === 1) throw new ShoalError('DRIVER_FAILED', 'the machine does not say');
        return { cpuPercent: 50, load1m: 2, memoryAvailableMib: 100 };
      },
      observer: {
        health: (part, error) => {
          if (part !== 'host duties') return;
          health.push(error === undefined ? 'works' : 'failed');
          if (error !== undefined) failures += 1;
        },
      },
    });
    const { compute, network } = ports.drivers;
    for (const driver of [compute, network]) await driver.start(new AbortController().signal);
    await built.start();
    t.teardown(() => built.stop());
    const before = built.gossip.changes;
    const row = hostTable.get(world.state.local, hostId);
    if (row === undefined) throw new Error('the host is recorded');
    await world.state.commit({
      compares: [],
      thenOps: [
        {
          kind: 'put',
          key: hostTable.key(hostId),
          value: shoal.v1.Host.encode({ ...row.record, disabled: true, disabledReason: 'maintenance' }).finish(),
        },
      ],
      elseOps: [],
    });
    t.ok(built.gossip.changes > before);
    t.match(built.gossip.own(), { enabled: false, disabledReason: 'maintenance' });
    const untilMs = Date.now() + 20_000;
    while (built.gossip.own().load_1m !== 2 && Date.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(built.gossip.own().load_1m, 2, 'the load, as the port tells it');
    t.equal(failures, 1);
    t.equal(health[0], 'failed');
    await built.stop();
    const after = loads;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    t.equal(loads, after, 'and nothing is done any more');
  },
);
