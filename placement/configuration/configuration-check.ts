import { type PlacementConfiguration, shapesMax } from './configuration.ts';
import { listWidthMax } from './draw.ts';
import { filterNames } from './filter-names.ts';
import { weigherNames } from './weigher-names.ts';

/**
 * Everything that is wrong with a configuration, each with the field, the value and the range; empty when nothing is. The
 * agent calls it once at start and refuses to run with mistakes.
 */
export function configurationFaults(configuration: PlacementConfiguration): readonly string[] {
  const faults: string[] = [];
  const known = (name: string, value: string, names: readonly string[]): void => {
    if (!names.includes(value)) faults.push(`${name}: there is no ${value}; there are ${names.join(', ')}`);
  };
  const within = (name: string, value: number, least: number, most: number, whole: boolean): void => {
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      faults.push(`${name} is ${value}; ${least} to ${most} can be had`);
    }
  };
  for (const name of configuration.enabledFilters) known('enabledFilters', name, filterNames);
  if (new Set(configuration.enabledFilters).size < configuration.enabledFilters.length) {
    faults.push('enabledFilters names a filter twice');
  }
  known('strategy', configuration.strategy, ['spread', 'pack']);
  for (const [name, multiplier] of Object.entries(configuration.weightMultipliers)) {
    known('weightMultipliers', name, weigherNames);
    within(`weightMultipliers.${name}`, multiplier, -1e9, 1e9, false);
  }
  within('maxIoOpsPerHost', configuration.maxIoOpsPerHost, 1, 1e6, true);
  within('maxInstancesPerHost', configuration.maxInstancesPerHost, 1, 1e6, true);
  for (const [name, factor] of Object.entries(configuration.metrics.weights)) {
    within(`metrics.weights.${name}`, factor, -1e9, 1e9, false);
  }
  if (configuration.shapes.length > shapesMax)
    faults.push(`shapes has ${configuration.shapes.length} entries; at most ${shapesMax}`);
  for (const shape of configuration.shapes) {
    if (!(shape.vcpus > 0 && shape.memoryMib > 0 && shape.weight > 0))
      faults.push('shapes: an amount or a weight is not above 0');
  }
  within('drawWidth', configuration.drawWidth, 1, listWidthMax, true);
  within('drawTolerance', configuration.drawTolerance, 0, 1e9, false);
  within('alternatesMax', configuration.alternatesMax, 0, listWidthMax - 1, true);
  within('indexBytesMax', configuration.indexBytesMax, 2 ** 20, 2 ** 40, true);
  return faults;
}
