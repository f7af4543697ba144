import t from 'tap';
import {
  configurationFaults,
  defaultConfiguration,
  type FilterName,
  type PlacementConfiguration,
} from '../../../placement/index.ts';

void t.test('the defaults have no faults', (t) => {
  t.same(configurationFaults(defaultConfiguration), []);
  t.end();
});

void t.test('every mistake is named with its value', (t) => {
  const cases: readonly (readonly [Partial<PlacementConfiguration>, RegExp])[] = [
    [{ enabledFilters: ['NoFilter' as FilterName] }, /enabledFilters: there is no NoFilter/],
    [{ enabledFilters: ['RamFilter', 'RamFilter'] }, /twice/],
    [{ strategy: 'random' as 'pack' }, /there is no random/],
    [{ weightMultipliers: { RAMWeigher: Number.NaN } }, /RAMWeigher is NaN/],
    [{ maxIoOpsPerHost: 0 }, /maxIoOpsPerHost is 0/],
    [{ shapes: [{ vcpus: 0, memoryMib: 1, weight: 1 }] }, /not above 0/],
    [{ drawWidth: 1000 }, /drawWidth is 1000; 1 to 256/],
    [{ indexBytesMax: 1 }, /indexBytesMax/],
  ];
  for (const [parts, want] of cases) {
    const faults = configurationFaults({ ...defaultConfiguration, ...parts });
    t.equal(faults.length, 1, JSON.stringify(parts));
    t.match(faults[0], want);
  }
  t.end();
});
