import { lowestNumber } from './aggregate-limit.ts';
import type { PlacementConfiguration } from './configuration.ts';
import type { ColumnsFilter, ColumnsTest, ProfileFilter, ProfileTest } from './filter.ts';
import { filters } from './filters/index.ts';
import type { HostColumns } from './host-columns.ts';
import type { HostProfile } from './host-profile.ts';
import type { PlacementRequest } from './request.ts';
import { type HostWeight, multiplierOf, type Weigher } from './weigher.ts';
import { weighers } from './weighers/index.ts';
import { weigherNames } from './weighers/names.ts';

/**
 * A request class, compiled: the predicate and the score that all requests of one class share. Both depend on the host's
 * row and the class alone.
 *
 * Profile tests are asked once a profile and the verdict is kept. The rest are plain loops over closures: a handful of
 * them a host, about 50 ns in all.
 */
export class RequestClass {
  readonly key: string;
  readonly #columns: HostColumns;
  readonly #profileTests: readonly ProfileTest[];
  readonly #tests: readonly ColumnsTest['passes'][];
  readonly #weights: readonly HostWeight[];
  readonly #weighers: readonly Weigher[];
  readonly #multipliers: readonly number[];
  /** By profile id: 0 not judged yet, 1 passes, 2 does not. */
  #verdicts = new Uint8Array(64);
  /** By profile id: this profile's multipliers, where an aggregate overrides some. */
  #overrides: (readonly number[] | undefined)[] = [];
  #layoutVersion: number;

  constructor(columns: HostColumns, configuration: PlacementConfiguration, asker: PlacementRequest) {
    this.key = requestClassKey(columns, configuration, asker);
    // A class for projects that no aggregate names must not remember who asked first: an aggregate may name it later.
    const request = columns.profiles.namesProject(asker.projectId) ? asker : { ...asker, projectId: '' };
    this.#columns = columns;
    this.#layoutVersion = columns.layoutVersion;
    const compiled = compileClassTests(configuration, request);
    this.#profileTests = compiled.profileTests.map((t) => t.test);
    this.#tests = compiled.columnsTests.map((t) => t.test.passes);
    const weights: HostWeight[] = [];
    const asked: Weigher[] = [];
    for (const { weigher, weight } of compileWeights(configuration, request)) {
      asked.push(weigher);
      weights.push(weight);
    }
    this.#weights = weights;
    this.#weighers = asked;
    this.#multipliers = asked.map((weigher) => multiplierOf(weigher, configuration));
  }

  /** The host's score, or -Infinity when it does not pass the class's filters (or the slot is vacant). */
  scoreOf(slot: number): number {
    const columns = this.#columns;
    if (columns.present[slot] !== 1) return Number.NEGATIVE_INFINITY;
    const profileId = columns.profileIds[slot] ?? 0;
    let verdict = this.#verdicts[profileId];
    if (verdict === undefined || verdict === 0) verdict = this.#judge(profileId);
    if (verdict === 2) return Number.NEGATIVE_INFINITY;
    const tests = this.#tests;
    for (let i = 0; i < tests.length; i++) {
      if (tests[i]?.(columns, slot) === false) return Number.NEGATIVE_INFINITY;
    }
    return this.weigh(slot);
  }

  /** The host's score though it may not pass: for a forced host. */
  weigh(slot: number): number {
    const columns = this.#columns;
    const weights = this.#weights;
    const multipliers = this.#overrides[columns.profileIds[slot] ?? 0] ?? this.#multipliers;
    let score = 0;
    for (let i = 0; i < weights.length; i++) {
      score += (multipliers[i] ?? 0) * (weights[i]?.(columns, slot) ?? 0);
    }
    return score;
  }

  /** Forgets verdicts by profile id when ids were given anew. Indexes call it before they build. */
  relayout(): void {
    if (this.#layoutVersion === this.#columns.layoutVersion) return;
    this.#layoutVersion = this.#columns.layoutVersion;
    this.#verdicts.fill(0);
    this.#overrides = [];
  }

  #judge(profileId: number): number {
    if (profileId >= this.#verdicts.length) {
      const grown = new Uint8Array(Math.max(profileId + 1, this.#verdicts.length * 2));
      grown.set(this.#verdicts);
      this.#verdicts = grown;
    }
    const profile = this.#columns.profiles.byId[profileId];
    if (profile === undefined) return 2;
    let verdict = 1;
    for (const test of this.#profileTests) {
      if (!test.passes(profile)) {
        verdict = 2;
        break;
      }
    }
    this.#verdicts[profileId] = verdict;
    this.#overrides[profileId] = overriddenMultipliers(profile, this.#weighers, this.#multipliers);
    return verdict;
  }
}

/** The profile's multipliers, or undefined when no aggregate overrides any. */
function overriddenMultipliers(
  profile: HostProfile,
  asked: readonly Weigher[],
  multipliers: readonly number[],
): readonly number[] | undefined {
  let overridden = false;
  const own = asked.map((weigher, i) => {
    const override = lowestNumber(profile.metadata.get(weigher.multiplierKey));
    if (override !== undefined) overridden = true;
    return override ?? multipliers[i] ?? 0;
  });
  return overridden ? own : undefined;
}

/** The multiplier of `weigher` on a host of `profile`. */
export function multiplierOn(profile: HostProfile, weigher: Weigher, configuration: PlacementConfiguration): number {
  return lowestNumber(profile.metadata.get(weigher.multiplierKey)) ?? multiplierOf(weigher, configuration);
}

/** Enabled filters of the class kinds that have something to say about the request, in configured order by kind. */
export function compileClassTests(
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): {
  readonly profileTests: readonly { readonly filter: ProfileFilter; readonly test: ProfileTest }[];
  readonly columnsTests: readonly { readonly filter: ColumnsFilter; readonly test: ColumnsTest }[];
} {
  const profileTests: { filter: ProfileFilter; test: ProfileTest }[] = [];
  const columnsTests: { filter: ColumnsFilter; test: ColumnsTest }[] = [];
  for (const name of configuration.enabledFilters) {
    const filter = filters[name];
    if (request.purpose === 'rebuild' && !filter.onRebuild) continue;
    if (filter.scope === 'profile') {
      const test = filter.compile(request, configuration);
      if (test !== undefined) profileTests.push({ filter, test });
    } else if (filter.scope === 'columns') {
      const test = filter.compile(request, configuration);
      if (test !== undefined) columnsTests.push({ filter, test });
    }
  }
  return { profileTests, columnsTests };
}

/** Weighers of the class kind that tell hosts apart for this request, in the order in which their weights are summed. */
export function compileWeights(
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): readonly { readonly weigher: Weigher; readonly weight: HostWeight }[] {
  const compiled: { weigher: Weigher; weight: HostWeight }[] = [];
  for (const name of weigherNames) {
    const weigher = weighers[name];
    if (weigher.scope !== 'columns') continue;
    const weight = weigher.compile(request, configuration);
    if (weight !== undefined) compiled.push({ weigher, weight });
  }
  return compiled;
}

/**
 * Text that is equal for requests of one class. It holds all of the request that class filters and weighers read, so that
 * two requests with one key are judged alike; what only request-scope filters read is left out, or every group and project
 * would make a class of its own.
 */
export function requestClassKey(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): string {
  const { needs, hints } = request;
  let key = `${request.purpose[0]}${needs.vcpus},${needs.memoryMib},${needs.diskGib}`;
  key += mapText(request.extraSpecs);
  key += mapText(request.imageProperties);
  if (request.zone !== '') key += `|z${JSON.stringify(request.zone)}`;
  if (request.minFeatureLevel > 0) key += `|l${request.minFeatureLevel}`;
  if (request.sourceCell !== '') key += `|c${JSON.stringify(request.sourceCell)}`;
  if (needs.pci.length > 0) {
    key += `|d${JSON.stringify(needs.pci.map((p) => [p.count, p.vendorId, p.productId, p.physicalNetwork]))}`;
  }
  if (needs.numa !== undefined) {
    const { cells, dedicated, pageSizeKib } = needs.numa;
    key += `|u${JSON.stringify([cells.map((c) => [c.vcpus, c.memoryMib]), dedicated, pageSizeKib])}`;
  }
  if (request.requiredTraits.length > 0) key += `|t${JSON.stringify(request.requiredTraits)}`;
  if (request.forbiddenTraits.length > 0) key += `|f${JSON.stringify(request.forbiddenTraits)}`;
  if (request.physicalNetworks.length > 0) key += `|n${JSON.stringify(request.physicalNetworks)}`;
  if (request.storagePools.length > 0) key += `|s${JSON.stringify(request.storagePools.map((p) => [p.name, p.gib]))}`;
  if (hints.query !== undefined) key += `|q${JSON.stringify(hints.query)}`;
  if (hints.nearAddress !== undefined) {
    key += `|a${JSON.stringify([hints.nearAddress.address, hints.nearAddress.prefixLength])}`;
  }
  if (columns.profiles.namesProject(request.projectId)) key += `|p${JSON.stringify(request.projectId)}`;
  if (configuration.enabledFilters.includes('AggregateTypeAffinityFilter')) {
    key += `|y${JSON.stringify(request.flavorName)}`;
  }
  const { imageIds } = configuration.isolated;
  if (imageIds.length > 0 && imageIds.includes(request.imageId)) key += '|i';
  return key;
}

const mapTexts = new WeakMap<Readonly<Record<string, string>>, string>();

/** A map as text, independent of the order of its keys; remembered by identity, since records are immutable. */
function mapText(map: Readonly<Record<string, string>>): string {
  const known = mapTexts.get(map);
  if (known !== undefined) return known;
  const entries = Object.entries(map).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const text = entries.length === 0 ? ';' : JSON.stringify(entries);
  mapTexts.set(map, text);
  return text;
}
