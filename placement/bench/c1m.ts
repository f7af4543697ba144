import type { ServerId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { ClaimLedger, defaultConfiguration, HostColumns, PlacementEngine, placementRequest } from '../index.ts';
import type { BenchRow } from './report/report.ts';
import { syntheticHost } from './synthetic.ts';

/**
 * Figure 4. One million servers of container size on 5,000 hosts in one process: choose, admit in the host's own claim
 * ledger, bind, and take the host's fresh advert in. No disk, no network, no Raft: those are figure 2's.
 */
export function benchC1m(options: { readonly hosts: number; readonly servers: number }): BenchRow {
  const { hosts, servers } = options;
  const columns = new HostColumns({ seed: 1, slotsMax: hosts });
  const ledgers: ClaimLedger[] = [];
  const adverts = Array.from({ length: hosts }, (_, h) => syntheticHost(h));
  for (const advert of adverts) {
    columns.upsert(advert);
    ledgers.push(ClaimLedger.restore({ ...advert, pciPools: [], numaCells: [] }));
  }
  const engine = new PlacementEngine(columns, defaultConfiguration, new Prng(1));
  const numberOf = new Map(adverts.map((advert, h) => [advert.hostId, h]));
  const needs = { vcpus: 1, memoryMib: 256, diskGib: 1, pci: [] };
  const request = placementRequest({ flavorName: 'container', needs });
  const memoryBefore = process.memoryUsage().rss;
  const started = performance.now();
  let refused = 0;
  let placed = 0;
  for (let i = 0; i < servers; i++) {
    const selection = engine.select(request);
    if (selection.outcome === 'none') break;
    const h = numberOf.get(selection.candidate.hostId) ?? -1;
    const ledger = ledgers[h];
    const before = adverts[h];
    if (ledger === undefined || before === undefined) break;
    const key = { serverId: `server-${i}` as ServerId, generation: 1 };
    const admission = ledger.admit({ ...key, needs, expiresAtMs: 30_000 }, 0);
    if (admission.outcome === 'refused') {
      refused++;
      continue;
    }
    ledger.bind(key);
    placed++;
    const usage = ledger.usage();
    const advert = {
      ...before,
      sequence: before.sequence + 1,
      vcpus: { ...before.vcpus, used: usage.vcpus.used },
      memoryMib: { ...before.memoryMib, used: usage.memoryMib.used },
      diskGib: { ...before.diskGib, used: usage.diskGib.used },
      numInstances: usage.servers,
    };
    adverts[h] = advert;
    columns.upsert(advert);
  }
  const seconds = (performance.now() - started) / 1000;
  const overcommitted = ledgers.filter((ledger) => {
    const usage = ledger.usage();
    return usage.vcpus.free < 0 || usage.memoryMib.free < 0 || usage.diskGib.free < 0;
  }).length;
  return {
    bench: 'c1m',
    name: 'in-process',
    hosts,
    servers: placed,
    wall_s: Math.round(seconds * 100) / 100,
    ops_per_s: Math.round(placed / seconds),
    memory_mib: Math.round((process.memoryUsage().rss - memoryBefore) / 2 ** 20),
    refused,
    overcommitted_hosts: overcommitted,
  };
}
