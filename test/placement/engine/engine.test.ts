import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { hostIdOf, syntheticHost } from '../../../placement/bench/synthetic.ts';
import { scanForBest } from '../../../placement/engine/oracle.ts';
import {
  defaultConfiguration,
  explain,
  HostColumns,
  PlacementEngine,
  placementRequest,
  whatIf,
} from '../../../placement/index.ts';
import { compareEngineWithOracle } from '../engine-against-oracle.ts';

void t.test(
  'engine and naive scan give the same hosts in the same order with the same scores, whatever changes',
  (t) => {
    const started = systemClock.monotonicMs();
    const result = compareEngineWithOracle(1, 1_000_000, () => systemClock.monotonicMs() - started < 9_000);
    t.equal(result.difference, undefined);
    t.comment(`${result.decisions} decisions compared, ${result.placed} found a host`);
    t.ok(result.decisions > 5_000, 'many decisions were compared');
    t.ok(result.placed > result.decisions / 4, 'many decisions found a host');
    t.end();
  },
);

void t.test('they agree over thousands of hosts too, where trees are deep', (t) => {
  const started = systemClock.monotonicMs();
  const result = compareEngineWithOracle(7, 3_000, () => systemClock.monotonicMs() - started < 4_000, [10_000]);
  t.equal(result.difference, undefined);
  t.ok(result.decisions > 0);
  t.end();
});

void t.test('a class whose searches are long gets an index of its own and still answers exactly', (t) => {
  // Neighbours lack different things, so that blocks of hosts look roomy and no host in them is; the few that are score low.
  const columns = new HostColumns({ seed: 1 });
  for (let i = 0; i < 5_000; i++) {
    const roomy = i % 500 === 0;
    columns.upsert(
      syntheticHost(i, {
        vcpus: { total: 64, reserved: 0, allocationRatio: 4, used: roomy ? 200 : i % 2 === 0 ? 256 : i % 50 },
        memoryMib: { total: 65_536, reserved: 0, allocationRatio: 1, used: roomy ? 30_000 : i % 2 === 0 ? 0 : 64_000 },
        diskGib: { total: 4096, reserved: 0, allocationRatio: 1, used: roomy ? 4000 : 0 },
      }),
    );
  }
  const configuration = { ...defaultConfiguration, drawWidth: 1 };
  const engine = new PlacementEngine(columns, configuration, new Prng(1));
  const request = placementRequest({ needs: { vcpus: 1, memoryMib: 8192, diskGib: 0, pci: [] } });
  for (let i = 0; i < 20; i++) {
    const want = scanForBest(columns, configuration, request, 1)[0];
    t.equal(engine.selectSlot(request), want?.slot);
    const hostId = want === undefined ? undefined : columns.hostIds[want.slot];
    if (hostId !== undefined) {
      columns.hold({ serverId: `s${i}` as ServerId, generation: 1 }, hostId, request.needs, 1_000);
    }
  }
  t.equal(engine.indexFor(request).hasOwn, true);
  t.end();
});

void t.test('the draw is among the best and no worse than the tolerance; alternates are the others', (t) => {
  const columns = new HostColumns({ seed: 1 });
  for (let i = 0; i < 50; i++) {
    columns.upsert(syntheticHost(i, { memoryMib: { total: 65_536, reserved: 0, allocationRatio: 1, used: i * 64 } }));
  }
  const engine = new PlacementEngine(
    columns,
    { ...defaultConfiguration, drawWidth: 8, drawTolerance: 0.0035, alternatesMax: 3 },
    new Prng(1),
  );
  const drawn = new Set<string>();
  for (let i = 0; i < 400; i++) {
    const selection = engine.select(placementRequest());
    if (selection.outcome !== 'selected') return t.fail('no host');
    drawn.add(selection.candidate.hostId);
    t.equal(selection.alternates.length, 3);
    t.notOk(selection.alternates.some((a) => a.hostId === selection.candidate.hostId));
  }
  // 64 MiB of a scale of 65,536 is about 0.001 of score: the best and the next three are within 0.0035.
  t.same(
    [...drawn].sort(),
    [0, 1, 2, 3].map((i) => hostIdOf(i)),
  );
  t.end();
  return undefined;
});

void t.test(
  'a host that is excluded is not chosen though it is forced: not by the engine, the scan or the preview',
  (t) => {
    const columns = new HostColumns({ seed: 1 });
    for (let i = 0; i < 3; i++) columns.upsert(syntheticHost(i));
    const engine = new PlacementEngine(columns, defaultConfiguration, new Prng(1));
    const forced = placementRequest({ host: { hostId: hostIdOf(1), force: true } });
    t.equal(engine.selectSlot(forced), columns.slotOf(hostIdOf(1)));
    const excluded = { ...forced, excludedHosts: [hostIdOf(1)] };
    t.equal(engine.selectSlot(excluded), -1);
    t.same(scanForBest(columns, defaultConfiguration, excluded, 3), []);
    t.equal(whatIf(engine, excluded, 5).fits, 0);
    t.match(explain(columns, defaultConfiguration, excluded), { passed: 0, summary: /is to leave it/ });
    t.end();
  },
);
