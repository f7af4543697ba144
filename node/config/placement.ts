/** The placement settings as placement reads them. Lists are text, so that environment and flags can set them, too. */
import { configurationFaults, defaultConfiguration, type PlacementConfiguration } from '../../placement/index.ts';
import { listOf } from './list-of.ts';
import type { Config } from './options.ts';

/**
 * Among how many near-equals to draw, where the settings leave it open. Packing hosts differ more in score: with 5 s old
 * views on the Azure trace, 64 within 0.3 cut first refusals from 42 % to 10 % and cost half a percent of hosts.
 */
const drawByStrategy = {
  spread: { drawWidth: defaultConfiguration.drawWidth, drawTolerance: defaultConfiguration.drawTolerance },
  pack: { drawWidth: 64, drawTolerance: 0.3 },
} as const;

/** What is wrong with the settings, for people; empty when nothing is. */
export function placementMistakes(config: Config): readonly string[] {
  const mistakes: string[] = [];
  const configuration = build(config, mistakes);
  return [...mistakes, ...configurationFaults(configuration).map((fault) => `placement: ${fault}`)];
}

/** Of settings that have no mistakes. */
export function placementConfiguration(config: Config): PlacementConfiguration {
  return build(config, []);
}

function build({ placement }: Config, mistakes: string[]): PlacementConfiguration {
  const { strategy, drawWidth, drawTolerance } = placement;
  const draw = drawByStrategy[strategy];
  return {
    ...defaultConfiguration,
    strategy,
    // Names are checked by `configurationFaults`, which says which there are.
    enabledFilters: filtersOf(placement.filters, mistakes) as PlacementConfiguration['enabledFilters'],
    weightMultipliers: factorsOf('placement.weights', placement.weights, mistakes),
    metrics: { weights: factorsOf('placement.metricWeights', placement.metricWeights, mistakes) },
    maxIoOpsPerHost: placement.maxIoOpsPerHost,
    maxInstancesPerHost: placement.maxInstancesPerHost,
    isolated: {
      imageIds: listOf(placement.isolatedImages),
      hostNames: listOf(placement.isolatedHosts),
      restrictHostsToImages: placement.restrictIsolatedHosts === 'yes',
    },
    drawWidth: drawWidth === 0 ? draw.drawWidth : drawWidth,
    drawTolerance: drawWidth === 0 ? draw.drawTolerance : drawTolerance,
  };
}

/** Names alone replace the default list; `+Name` and `-Name` change it. */
function filtersOf(text: string, mistakes: string[]): readonly string[] {
  const words = listOf(text);
  if (words.length === 0) return defaultConfiguration.enabledFilters;
  const isChange = (word: string): boolean => word.startsWith('+') || word.startsWith('-');
  if (!words.some(isChange)) return words;
  if (!words.every(isChange)) {
    mistakes.push('placement.filters: either names alone, or each with + or - before it');
    return defaultConfiguration.enabledFilters;
  }
  const names = new Set<string>(defaultConfiguration.enabledFilters);
  for (const word of words) {
    const name = word.slice(1);
    if (word.startsWith('+')) names.add(name);
    else if (!names.delete(name)) mistakes.push(`placement.filters: ${name} is not on by default`);
  }
  return [...names];
}

/** `RAMWeigher=2,CPUWeigher=0.5`. */
function factorsOf(path: string, text: string, mistakes: string[]): Readonly<Record<string, number>> {
  const factors: Record<string, number> = {};
  for (const word of listOf(text)) {
    const at = word.indexOf('=');
    const factor = Number(word.slice(at + 1));
    if (at < 1 || word.slice(at + 1) === '' || !Number.isFinite(factor)) {
      mistakes.push(`${path}: ${JSON.stringify(word.slice(0, 64))} is not NAME=NUMBER`);
    } else factors[word.slice(0, at)] = factor;
  }
  return factors;
}
