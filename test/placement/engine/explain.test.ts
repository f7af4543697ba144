import t from 'tap';
import { hostIdOf, syntheticHost } from '../../../placement/bench/synthetic.ts';
import { scanForBest } from '../../../placement/engine/oracle.ts';
import { defaultConfiguration, explain, HostColumns, placementRequest } from '../../../placement/index.ts';
import { RandomWorld } from '../random-world.ts';

void t.test('hosts are counted once, by the first filter that refuses them, and the rest pass', (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = new RandomWorld(seed, 40);
    for (let i = 0; i < 50; i++) {
      for (let k = 0; k < 3; k++) world.change();
      const request = world.request();
      const explained = explain(world.columns, world.configuration, request);
      const removed = explained.filters.reduce((sum, filter) => sum + filter.removed, 0);
      t.ok(
        explained.hosts === world.columns.hostCount && removed + explained.passed === explained.hosts,
        `seed ${seed}`,
      );
      let left = explained.hosts;
      for (const filter of explained.filters) {
        const reasons = filter.reasons.reduce((sum, reason) => sum + reason.hosts, 0);
        const right = filter.considered === left && reasons === filter.removed && filter.removedAlone >= filter.removed;
        if (!right) t.fail(`seed ${seed}: ${JSON.stringify(filter)}`);
        left -= filter.removed;
      }
      const passing = scanForBest(world.columns, world.configuration, request, 1_000).length;
      t.equal(explained.passed, passing, `seed ${seed}: explain and the scheduler agree`);
    }
  }
  t.end();
});

void t.test('the summary says in one sentence why there is no host, and names none', (t) => {
  const columns = new HostColumns({ seed: 1 });
  for (let i = 0; i < 5; i++) {
    columns.upsert(
      syntheticHost(i, {
        state: { enabled: i !== 0, up: true, disabledReason: 'secret of the operators' },
        memoryMib: { total: 2048, reserved: 0, allocationRatio: 1, used: 1024 },
      }),
    );
  }
  const request = placementRequest({ needs: { vcpus: 1, memoryMib: 1500, diskGib: 0, pci: [] } });
  const { summary, passed } = explain(columns, defaultConfiguration, request);
  t.equal(passed, 0);
  t.equal(
    summary,
    'No valid host among 5; removed by ComputeFilter 1 (the host is disabled), RamFilter 4 (less than 1500 MiB of memory is free).',
  );
  t.end();
});

void t.test('a forced host explains itself by being forced', (t) => {
  const columns = new HostColumns({ seed: 1 });
  for (let i = 0; i < 3; i++) columns.upsert(syntheticHost(i));
  const forced = explain(
    columns,
    defaultConfiguration,
    placementRequest({ host: { hostId: hostIdOf(1), force: true } }),
  );
  t.match(forced, { hosts: 3, passed: 1 });
  t.equal(explain(new HostColumns({ seed: 1 }), defaultConfiguration, placementRequest()).summary, 'No host is known.');
  t.end();
});
