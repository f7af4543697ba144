import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { weigherNames } from '../configuration/weigher-names.ts';
import type { ColumnBound, ColumnsFilter, ColumnsTest, ProfileFilter, ProfileTest } from '../filters/filter.ts';
import { filters } from '../filters/index.ts';
import type { PlacementRequest } from '../model/request.ts';
import { extraResources, isExtra } from '../model/resource-classes.ts';
import { weighers } from '../weighers/index.ts';
import { multiplierOf } from '../weighers/weigher.ts';
import { type CompiledWeight, WeightSum } from '../weighers/weight-sum.ts';
import { HostScores } from './host-scores.ts';

/** How much room one guest needs of the basic resources: the bounds that `SharedIndex` checks while it looks. */
export interface RoomNeeds {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

/**
 * A request class, compiled: the predicate and the score that all requests of one class share. Both depend on the host's
 * row and the class alone.
 *
 * Profile tests are asked once a profile and the verdict is kept. Tests that are lower bounds on columns are checked inline;
 * what is left are calls. The score is the host's own (shared by all classes) plus what weighers make of the class.
 */
export class RequestClass {
  /** What the enabled filters ask of the room columns of the basic resources; -Infinity where nothing. */
  readonly roomNeeds: RoomNeeds;
  readonly #columns: HostColumns;
  readonly #hostScores: HostScores;
  readonly #profileTests: readonly ProfileTest[];
  readonly #tests: readonly ColumnsTest['passes'][];
  readonly #bounds: readonly ColumnBound[];
  /** The bounds' columns and least values, in step. */
  #boundColumns: Float64Array[] = [];
  readonly #boundLeasts: readonly number[];
  readonly #classSum: WeightSum | undefined;
  /** By profile id: 0 not judged yet, 1 passes, 2 does not. */
  #verdicts = new Uint8Array(64);
  #layoutVersion: number;

  constructor(
    columns: HostColumns,
    configuration: PlacementConfiguration,
    asker: PlacementRequest,
    options: { readonly hostScores?: HostScores; readonly withoutRoom?: boolean } = {},
  ) {
    // A class for projects that no aggregate names must not remember who asked first: an aggregate may name it later.
    const request = columns.profiles.namesProject(asker.projectId) ? asker : { ...asker, projectId: '' };
    this.#columns = columns;
    const hostScores = options.hostScores ?? new HostScores(columns, configuration);
    this.#hostScores = hostScores;
    this.#layoutVersion = columns.layoutVersion;
    hostScores.relayout();
    const compiled = compileClassTests(configuration, request);
    this.#profileTests = compiled.profileTests.map((t) => t.test);
    const bounds: ColumnBound[] = [];
    const tests: ColumnsTest['passes'][] = [];
    for (const { test } of compiled.columnsTests) {
      if (test.bounds === undefined) tests.push(test.passes);
      else bounds.push(...test.bounds);
    }
    this.#tests = tests;
    this.roomNeeds = {
      vcpus: leastOf(bounds, 'vcpus'),
      memoryMib: leastOf(bounds, 'memoryMib'),
      diskGib: leastOf(bounds, 'diskGib'),
    };
    this.#bounds =
      options.withoutRoom === true
        ? bounds.filter(({ column }) => column === 'takesGuests' || isExtra(column))
        : bounds;
    this.#boundLeasts = this.#bounds.map((bound) => bound.least);
    this.#findColumns();
    const classWeights = compileClassWeights(configuration, request);
    this.#classSum = classWeights.length === 0 ? undefined : new WeightSum(columns, configuration, classWeights);
  }

  /** Whether the host passes the class's filters. False for a vacant slot. */
  passes(slot: number): boolean {
    const columns = this.#columns;
    if (columns.present[slot] !== 1) return false;
    const boundColumns = this.#boundColumns;
    const boundLeasts = this.#boundLeasts;
    for (let i = 0; i < boundLeasts.length; i++) {
      if ((boundColumns[i]?.[slot] ?? 0) < (boundLeasts[i] ?? 0)) return false;
    }
    const profileId = columns.profileIds[slot] ?? 0;
    let verdict = this.#verdicts[profileId];
    if (verdict === undefined || verdict === 0) verdict = this.#judge(profileId);
    if (verdict === 2) return false;
    const tests = this.#tests;
    for (let i = 0; i < tests.length; i++) {
      if (tests[i]?.(columns, slot) === false) return false;
    }
    return true;
  }

  /** The host's score, or -Infinity when it does not pass. */
  scoreOf(slot: number): number {
    return this.passes(slot) ? this.weigh(slot) : Number.NEGATIVE_INFINITY;
  }

  /** The host's score though it may not pass: for a forced host. */
  weigh(slot: number): number {
    const score = this.#hostScores.scoreOf(slot);
    return this.#classSum === undefined ? score : this.#classSum.addTo(score, slot);
  }

  /** Forgets what hangs on profile ids and column arrays when they moved. Indexes call it before they build. */
  relayout(): void {
    this.#hostScores.relayout();
    if (this.#layoutVersion === this.#columns.layoutVersion) return;
    this.#layoutVersion = this.#columns.layoutVersion;
    this.#verdicts.fill(0);
    this.#classSum?.relayout();
    this.#findColumns();
  }

  #findColumns(): void {
    const { takesGuests, resources } = this.#columns;
    this.#boundColumns = this.#bounds.map(({ column }) =>
      column === 'takesGuests' ? takesGuests : resources[column].room,
    );
  }

  #judge(profileId: number): number {
    if (profileId >= this.#verdicts.length) {
      const grown = new Uint8Array(Math.max(profileId + 1, this.#verdicts.length * 2));
      grown.set(this.#verdicts);
      this.#verdicts = grown;
    }
    const profile = this.#columns.profiles.byId[profileId];
    if (profile === undefined) return 2;
    const verdict = this.#profileTests.every((test) => test.passes(profile)) ? 1 : 2;
    this.#verdicts[profileId] = verdict;
    return verdict;
  }
}

function leastOf(bounds: readonly ColumnBound[], column: ColumnBound['column']): number {
  let least = Number.NEGATIVE_INFINITY;
  for (const bound of bounds) if (bound.column === column) least = Math.max(least, bound.least);
  return least;
}

/**
 * Whether scores read the guest's size under this configuration and these aggregates: then classes of different sizes
 * cannot share an index.
 */
export function scoresReadSize(columns: HostColumns, configuration: PlacementConfiguration): boolean {
  for (const name of weigherNames) {
    const weigher = weighers[name];
    if (weigher.scope !== 'class' || !weigher.readsSize) continue;
    if (multiplierOf(weigher, configuration) !== 0 || columns.profiles.hasMetadata(weigher.multiplierKey)) return true;
  }
  return false;
}

/** Enabled filters of the class kinds that have something to say about the request, in configured order by kind. */
function compileClassTests(
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

/** Weighers that read the class and tell hosts apart for this request, in the order in which their weights are summed. */
function compileClassWeights(
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): readonly CompiledWeight[] {
  const compiled: CompiledWeight[] = [];
  for (const name of weigherNames) {
    const weigher = weighers[name];
    if (weigher.scope !== 'class') continue;
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
  const { needs } = request;
  return `${needs.vcpus},${needs.memoryMib},${needs.diskGib}${familyKey(columns, configuration, request)}`;
}

/** The class's key without how much room the guest needs of the basic resources. */
export function familyKey(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): string {
  const { needs, hints } = request;
  let key: string = request.purpose;
  key += mapText(request.extraSpecs);
  key += mapText(request.imageProperties);
  if (request.zone !== '') key += `|z${JSON.stringify(request.zone)}`;
  if (request.minFeatureLevel > 0) key += `|l${request.minFeatureLevel}`;
  if (request.sourceCell !== '') key += `|c${JSON.stringify(request.sourceCell)}`;
  for (const name of extraResources) {
    const amount = needs[name] ?? 0;
    if (amount > 0) key += `|r${name}=${amount}`;
  }
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
