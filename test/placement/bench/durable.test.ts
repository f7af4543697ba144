/** The parts of the durable bench whose mistakes would make its figures or its check worthless. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { ServerId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { freePorts } from '../../../node/raft/bench/machine.ts';
import { memoryHostStore, openHostStore } from '../../../node/store/host/host-store.ts';
import { BaselineEngine } from '../../../placement/bench/durable/baseline-engine.ts';
import { checkPlacements } from '../../../placement/bench/durable/check.ts';
import { AdvertFeed, AdvertListener } from '../../../placement/bench/durable/feed.ts';
import type { RecordedServer } from '../../../placement/bench/durable/messages.ts';
import { StorePart } from '../../../placement/bench/durable/store-part.ts';
import { benchFlavors, hostSizeFor } from '../../../placement/bench/durable/world.ts';
import { hostIdOf, syntheticHost } from '../../../placement/bench/synthetic.ts';
import { type ClaimRecord, HostColumns, placementRequest } from '../../../placement/index.ts';

const fail = (error: unknown): never => {
  throw error;
};
const size = { vcpus: 4, memoryMib: 8192, diskGib: 16 };

/** A store on disk with these claims, as a host process leaves it. */
async function claimed(
  t: { teardown(clean: () => Promise<void>): void },
  claims: readonly {
    readonly host: string;
    readonly server: string;
    readonly vcpus: number;
    readonly state?: ClaimRecord['state'];
  }[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-durable-test-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const store = await openHostStore(folder, fail);
  for (const { host, server, vcpus, state = 'bound' } of claims) {
    const record: ClaimRecord = {
      serverId: server as ServerId,
      generation: 1,
      needs: { vcpus, memoryMib: 1, diskGib: 1, pci: [] },
      groupId: '',
      state,
      expiresAtMs: 0,
      pci: [],
      numa: [],
    };
    await new StorePart(store, host).write([{ key: `claim/${server}/1`, value: record }]);
  }
  await store.close();
  return folder;
}

const recorded = (id: string, hostId: string, vcpus: number): RecordedServer => ({
  id,
  hostId,
  generation: 1,
  vcpus,
  memoryMib: 1,
  diskGib: 1,
});

void t.test('the check passes what holds and names what does not', async (t) => {
  const folder = await claimed(t, [
    { host: 'h1', server: 'a', vcpus: 2 },
    { host: 'h1', server: 'b', vcpus: 2, state: 'admitted' },
    { host: 'h2', server: 'gone', vcpus: 99, state: 'released' },
  ]);
  const records = [recorded('a', 'h1', 2), recorded('b', 'h1', 2)];
  const check = (replicas: readonly (readonly RecordedServer[])[], answered: readonly string[], folders = [folder]) =>
    checkPlacements(folders, replicas, answered, { size, hosts: 2 });
  t.match(await check([records, records], ['a', 'b']), {
    faults: [],
    claims: 2,
    records: 2,
    overcommittedByClaims: 0,
    overcommittedByRecords: 0,
    unevennessPct: 100,
  });
  t.match((await check([records, records.slice(1)], [])).faults, [/agent 2 differ/]);
  t.match((await check([records], ['a', 'lost'])).faults, [/server lost was acknowledged and is not on record/]);
  t.match((await check([records], ['a', 'a'])).faults, [/given to two callers/]);
  const elsewhere = [recorded('a', 'h2', 2), recorded('b', 'h1', 1), recorded('c', 'h1', 1)];
  t.match((await check([elsewhere], [])).faults, [
    /server a is bound to one host and claimed at another/,
    /server b was claimed in another shape/,
    /server c is bound without a claim/,
  ]);
  const full = await claimed(t, [
    { host: 'h1', server: 'a', vcpus: 3 },
    { host: 'h1', server: 'b', vcpus: 2 },
  ]);
  const over = [recorded('a', 'h1', 3), recorded('b', 'h1', 2)];
  t.match(await check([over], [], [full]), {
    overcommittedByClaims: 1,
    overcommittedByRecords: 1,
    faults: ['hosts are over-committed'],
  });
});

void t.test('hosts that share a store do not see each other', async (t) => {
  const store = memoryHostStore();
  const [a, b] = [new StorePart(store, 'a'), new StorePart(store, 'ab')];
  await a.write([{ key: 'claim/1', value: 1 }]);
  await b.write([{ key: 'claim/2', value: 2 }]);
  t.same(a.entries('claim/'), [['claim/1', 1]]);
  t.equal(b.get('claim/1'), undefined);
  await a.write([{ key: 'claim/1', value: undefined }]);
  t.same(a.entries(''), []);
  t.same(b.entries(''), [['claim/2', 2]]);
});

void t.test('other ways to choose take only hosts that are up, wanted and have room', (t) => {
  const columns = new HostColumns({ seed: 1 });
  const vcpus = (used: number) => ({ total: 8, reserved: 0, allocationRatio: 1, used });
  for (let n = 0; n < 8; n++) columns.upsert(syntheticHost(n, { vcpus: vcpus(n < 5 ? 8 : 0) }));
  columns.setLiveness(hostIdOf(5), { up: false, suspicion: 0 });
  const request = placementRequest({
    needs: { vcpus: 2, memoryMib: 1, diskGib: 1, pci: [] },
    excludedHosts: [hostIdOf(6)],
  });
  for (const rule of ['random2', 'first-fit'] as const) {
    const engine = new BaselineEngine(columns, rule, new Prng(1));
    for (let i = 0; i < 50; i++) t.match(engine.select(request), { candidate: { hostId: hostIdOf(7) } });
    t.same(engine.select(placementRequest({ needs: { ...request.needs, vcpus: 9 } })), { outcome: 'none' });
  }
  const first = new BaselineEngine(columns, 'first-fit', new Prng(1));
  t.match(first.select(placementRequest({ needs: request.needs })), { candidate: { hostId: hostIdOf(6) } });
  t.end();
});

void t.test('adverts reach every listener whole and in order', async (t) => {
  const [port = 0] = await freePorts(1);
  const feed = new AdvertFeed();
  await feed.listen(`127.0.0.1:${port}`);
  const listeners = [1, 2].map(() => new AdvertListener([`127.0.0.1:${port}`]));
  const heard: number[][] = [[], []];
  for (const [at, listener] of listeners.entries()) {
    listener.subscribe('adverts', {
      validate: (data) => (data.length % 2 === 0 ? 'accept' : 'ignore'),
      handle: (data) => void heard[at]?.push(data.length),
    });
    await listener.start();
  }
  const lengths = Array.from({ length: 300 }, (_, n) => n * 7);
  // A connection counts once the feed has heard of it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const length of lengths) await feed.publish('adverts', new Uint8Array(length));
  const wanted = lengths.filter((length) => length % 2 === 0);
  for (let i = 0; i < 200 && heard.some((own) => own.length < wanted.length); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.same(heard, [wanted, wanted]);
  t.equal(feed.count, 300);
  for (const listener of listeners) await listener.stop();
  await feed.stop();
});

void t.test('hosts are as full at the end as they are meant to be', (t) => {
  const average = benchFlavors.reduce((sum, flavor) => sum + flavor.vcpus, 0) / benchFlavors.length;
  const host = hostSizeFor(5000, 100_000, 0.85);
  t.ok(Math.abs((100_000 * average) / (5000 * host.vcpus) - 0.85) < 0.01);
  for (const flavor of benchFlavors) {
    t.ok(flavor.memoryMib / flavor.vcpus === host.memoryMib / host.vcpus, 'no resource runs out before another');
    t.ok(flavor.diskGib / flavor.vcpus === host.diskGib / host.vcpus);
  }
  t.end();
});
