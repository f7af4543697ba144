import fc from 'fast-check';
import t from 'tap';
import { ShapeTracker } from '../../placement/configuration/shape-tracker.ts';
import { fitPci } from '../../placement/devices/pci.ts';
import { numaNeedsOf, pciRequestsOf } from '../../placement/index.ts';
import { satisfiesOperator } from '../../placement/matching/extra-spec-operators.ts';
import { networkTest } from '../../placement/matching/ip-network.ts';

void t.test('devices are found whenever some way to hand them out exists', (t) => {
  const kind = fc.constantFrom('', 'a', 'b');
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          vendorId: fc.constantFrom('a', 'b'),
          productId: fc.constantFrom('a', 'b'),
          free: fc.integer({ min: 0, max: 2 }),
        }),
        { maxLength: 4 },
      ),
      fc.array(fc.record({ vendorId: kind, productId: kind, count: fc.integer({ min: 0, max: 2 }) }), { maxLength: 3 }),
      (pools, wanted) => {
        const full = pools.map((p) => ({ ...p, total: 2, numaNode: 0, physicalNetwork: '' }));
        const requests = wanted.map((w) => ({ ...w, physicalNetwork: '' }));
        // Try every assignment of single devices.
        const units = requests.flatMap((r) => Array.from({ length: r.count }, () => r));
        const search = (i: number, free: number[]): boolean => {
          const unit = units[i];
          if (unit === undefined) return true;
          return full.some((p, at) => {
            const matches =
              (unit.vendorId === '' || unit.vendorId === p.vendorId) &&
              (unit.productId === '' || unit.productId === p.productId);
            if (!matches || (free[at] ?? 0) === 0) return false;
            return search(
              i + 1,
              free.map((f, j) => (j === at ? f - 1 : f)),
            );
          });
        };
        const possible = search(
          0,
          full.map((p) => p.free),
        );
        const found = fitPci(full, [], requests);
        if (found === undefined) return !possible;
        return (
          possible &&
          found.every((a) => a.count <= (full[a.pool]?.free ?? 0)) &&
          found.reduce((n, a) => n + a.count, 0) === units.length
        );
      },
    ),
    { seed: 11, numRuns: 2_000 },
  );
  t.end();
});

void t.test('NUMA attributes of flavors and images', (t) => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, object])[] = [
    [{}, { outcome: 'none' }],
    [
      { 'hw:numa_nodes': '2' },
      {
        outcome: 'needs',
        needs: {
          cells: [
            { vcpus: 2, memoryMib: 2048 },
            { vcpus: 2, memoryMib: 2048 },
          ],
          dedicated: false,
        },
      },
    ],
    [
      { 'hw:cpu_policy': 'dedicated' },
      { outcome: 'needs', needs: { cells: [{ vcpus: 4, memoryMib: 4096 }], dedicated: true } },
    ],
    [
      {
        'hw:numa_nodes': '2',
        'hw:numa_cpus.0': '0-2',
        'hw:numa_mem.0': '1024',
        'hw:numa_cpus.1': '3',
        'hw:numa_mem.1': '3072',
      },
      {
        outcome: 'needs',
        needs: {
          cells: [
            { vcpus: 3, memoryMib: 1024 },
            { vcpus: 1, memoryMib: 3072 },
          ],
        },
      },
    ],
    [{ 'hw:mem_page_size': '1GB' }, { outcome: 'needs', needs: { pageSizeKib: 1_048_576 } }],
    [{ 'hw:numa_nodes': '3' }, { outcome: 'invalid' }],
    [{ 'hw:numa_nodes': '0' }, { outcome: 'invalid' }],
    [{ 'hw:mem_page_size': 'toString' }, { outcome: 'invalid' }],
    [
      {
        'hw:numa_nodes': '2',
        'hw:numa_cpus.0': '0',
        'hw:numa_mem.0': '1',
        'hw:numa_cpus.1': '1',
        'hw:numa_mem.1': '1',
      },
      { outcome: 'invalid' },
    ],
  ];
  for (const [extraSpecs, want] of cases)
    t.match(numaNeedsOf(4, 4096, extraSpecs, {}), want, JSON.stringify(extraSpecs));
  t.end();
});

void t.test('device aliases of flavors', (t) => {
  const aliases = { gpu: { vendorId: '10de', productId: '1eb8' } };
  t.same(pciRequestsOf({}, aliases), []);
  t.match(pciRequestsOf({ 'pci_passthrough:alias': 'gpu:2' }, aliases), [{ count: 2, vendorId: '10de' }]);
  for (const wrong of ['gpu:0', 'nic:1', 'gpu:x', 'gpu:1:2', 'constructor:1']) {
    t.equal(pciRequestsOf({ 'pci_passthrough:alias': wrong }, aliases), undefined, wrong);
  }
  t.end();
});

void t.test("Nova's operators in extra specs", (t) => {
  const cases = [
    ['10', '>= 9', true],
    ['10', '= 11', false],
    ['10', '== 10.0', true],
    ['a', '>= 9', false],
    ['abc', '<in> b', true],
    ['avx sse', '<all-in> avx sse', true],
    ['avx', '<all-in> avx sse', false],
    ['b', '<or> a <or> b', true],
    ['c', '<or> a <or> b', false],
    ['b', 's> a', true],
    ['b', 's!= b', false],
    ['>=', '>=', true],
    ['x', 'x', true],
  ] as const;
  for (const [value, wanted, holds] of cases)
    t.equal(satisfiesOperator(value, wanted), holds, `${value} against ${wanted}`);
  t.end();
});

void t.test('addresses in networks', (t) => {
  const cases = [
    ['192.168.7.1', 23, '192.168.6.255', true],
    ['192.168.7.1', 24, '192.168.6.255', false],
    ['0.0.0.0', 0, '255.255.255.255', true],
    ['10.0.0.1', 33, '10.0.0.1', false],
    ['10.0.0.1', 32, '10.0.0.1', true],
    ['10.0.0.1', 0, '::1', false],
    ['fe80::', 10, 'febf::1', true],
    ['fe80::', 10, 'fec0::1', false],
    ['::ffff:10.0.0.0', 120, '::ffff:10.0.0.9', true],
    ['1::2::3', 8, '1::1', false],
  ] as const;
  for (const [network, prefix, candidate, inside] of cases) {
    t.equal(networkTest(network, prefix)(candidate), inside, `${candidate} in ${network}/${prefix}`);
  }
  t.end();
});

void t.test('the tracker finds the common shapes and forgets those of the past', (t) => {
  const tracker = new ShapeTracker(1_000);
  for (let i = 0; i < 5_000; i++) tracker.note({ vcpus: 1, memoryMib: i % 3 === 0 ? 1024 : 2048 });
  t.match(tracker.shapes(), [{ memoryMib: 2048 }, { memoryMib: 1024 }]);
  for (let i = 0; i < 20_000; i++) tracker.note({ vcpus: 8, memoryMib: 8192 });
  t.equal(tracker.shapes().length, 1);
  t.match(tracker.shapes(), [{ vcpus: 8, weight: 1 }]);
  t.end();
});
