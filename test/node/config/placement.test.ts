import t from 'tap';
import { loadConfig } from '../../../node/config/load.ts';
import { placementConfiguration } from '../../../node/config/placement.ts';
import { defaultConfiguration } from '../../../placement/index.ts';

const base = { advertiseAddress: '192.0.2.1' };
const configured = (settings: Record<string, string>) =>
  placementConfiguration(loadConfig({ settings: { ...base, ...settings } }));

void t.test('without settings it is the default', (t) => {
  t.same(configured({}), defaultConfiguration);
  t.end();
});

void t.test('pack draws among more hosts, unless told among how many', (t) => {
  t.match(configured({ 'placement.strategy': 'pack' }), { strategy: 'pack', drawWidth: 64, drawTolerance: 0.3 });
  t.match(configured({ 'placement.strategy': 'pack', 'placement.drawWidth': '1', 'placement.drawTolerance': '0' }), {
    drawWidth: 1,
    drawTolerance: 0,
  });
  t.end();
});

void t.test('filters are named, or changed by name', (t) => {
  t.same(configured({ 'placement.filters': 'ComputeFilter, RamFilter' }).enabledFilters, [
    'ComputeFilter',
    'RamFilter',
  ]);
  const changed = configured({ 'placement.filters': '+JsonFilter,-SameHostFilter' }).enabledFilters;
  t.ok(changed.includes('JsonFilter'));
  t.notOk(changed.includes('SameHostFilter'));
  t.equal(changed.length, defaultConfiguration.enabledFilters.length);
  t.end();
});

void t.test('multipliers, limits and isolation are set', (t) => {
  t.match(
    configured({
      'placement.weights': 'RAMWeigher=2, CPUWeigher=-0.5',
      'placement.metricWeights': 'cpu.percent=-0.01',
      'placement.maxIoOpsPerHost': '3',
      'placement.maxInstancesPerHost': '7',
      'placement.isolatedImages': 'a,b',
      'placement.isolatedHosts': 'h1',
      'placement.restrictIsolatedHosts': 'no',
    }),
    {
      weightMultipliers: { RAMWeigher: 2, CPUWeigher: -0.5 },
      metrics: { weights: { 'cpu.percent': -0.01 } },
      maxIoOpsPerHost: 3,
      maxInstancesPerHost: 7,
      isolated: { imageIds: ['a', 'b'], hostNames: ['h1'], restrictHostsToImages: false },
    },
  );
  t.end();
});

void t.test('mistakes are named, all at once', (t) => {
  const mistaken = (): unknown =>
    configured({
      'placement.filters': 'NoFilter',
      'placement.weights': 'RAMWeigher=much',
      'placement.metricWeights': 'load',
    });
  t.throws(mistaken, { code: 'CONFIG_INVALID' });
  for (const text of ['NoFilter', 'RAMWeigher=much', '"load"']) t.throws(mistaken, { message: new RegExp(text) });
  t.throws(() => configured({ 'placement.weights': 'NoWeigher=1' }), { message: /there is no NoWeigher/ });
  t.throws(() => configured({ 'placement.filters': 'RamFilter,-SameHostFilter' }), { message: /either names alone/ });
  t.throws(() => configured({ 'placement.filters': '-JsonFilter' }), { message: /JsonFilter is not on by default/ });
  t.throws(() => configured({ 'placement.strategy': 'scatter' }), { message: /placement.strategy/ });
  t.end();
});
