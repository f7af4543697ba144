import type { HostId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { weigherNames } from '../configuration/weigher-names.ts';
import type { RequestFilter, RequestTest } from '../filters/filter.ts';
import { filters } from '../filters/index.ts';
import type { PlacementRequest } from '../model/request.ts';
import { weighers } from '../weighers/index.ts';
import type { RequestWeigher } from '../weighers/weigher.ts';
import { multiplierOn } from '../weighers/weight-sum.ts';

/**
 * What one request adds to its class: hosts that it may not use, the only ones that it may, and hosts that it likes more or
 * less. All are small sets, so the class's index still answers: it skips the few, or the few are judged one by one.
 */
interface RequestOverlay {
  /** When given, no other slot passes. */
  readonly only: ReadonlySet<number> | undefined;
  /** None of these passes. */
  readonly except: ReadonlySet<number> | undefined;
  /** Added to the class's score of these slots. */
  readonly bonuses: ReadonlyMap<number, number> | undefined;
}

/** The overlay, or undefined when the request adds nothing: the common case. */
export function compileOverlay(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): RequestOverlay | undefined {
  const { hints, group, excludedHosts, host } = request;
  if (
    group === undefined &&
    host === undefined &&
    excludedHosts.length === 0 &&
    hints.differentHosts === undefined &&
    hints.sameHosts === undefined
  ) {
    return undefined;
  }
  let only: Set<number> | undefined;
  let except: Set<number> | undefined;
  for (const { test } of compileRequestTests(configuration, request)) {
    if (test.only !== undefined) {
      const slots = slotsOf(columns, test.only);
      const before = only;
      only = before === undefined ? slots : new Set([...slots].filter((slot) => before.has(slot)));
    }
    if (test.except !== undefined) {
      const slots = slotsOf(columns, test.except);
      if (except === undefined) except = slots;
      else for (const slot of slots) except.add(slot);
    }
  }
  return { only, except, bonuses: compileBonuses(columns, configuration, request) };
}

/** Why an excluded host is not chosen. */
export const excludedReason = 'the host refused before, or the guest is to leave it';

/** Enabled request filters that have something to say, and the request's own constraints on hosts. */
export function compileRequestTests(
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): readonly { readonly name: string; readonly filter: RequestFilter | undefined; readonly test: RequestTest }[] {
  const tests: { name: string; filter: RequestFilter | undefined; test: RequestTest }[] = [];
  if (request.host !== undefined && !request.host.force) {
    tests.push({
      name: 'RequestedHost',
      filter: undefined,
      test: { only: new Set([request.host.hostId]), reason: 'another host was asked for' },
    });
  }
  if (request.excludedHosts.length > 0) {
    tests.push({
      name: 'ExcludedHosts',
      filter: undefined,
      test: { except: new Set(request.excludedHosts), reason: excludedReason },
    });
  }
  for (const name of configuration.enabledFilters) {
    const filter = filters[name];
    if (filter.scope !== 'request' || (request.purpose === 'rebuild' && !filter.onRebuild)) continue;
    const test = filter.compile(request, configuration);
    if (test !== undefined) tests.push({ name, filter, test });
  }
  return tests;
}

/** Enabled request weighers with what they give to which host. */
function compileRequestWeights(
  request: PlacementRequest,
): readonly { readonly weigher: RequestWeigher; readonly weights: ReadonlyMap<HostId, number> }[] {
  const compiled: { weigher: RequestWeigher; weights: ReadonlyMap<HostId, number> }[] = [];
  for (const name of weigherNames) {
    const weigher = weighers[name];
    if (weigher.scope !== 'request') continue;
    const weights = weigher.compile(request);
    if (weights !== undefined) compiled.push({ weigher, weights });
  }
  return compiled;
}

function compileBonuses(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): ReadonlyMap<number, number> | undefined {
  if (request.group === undefined) return undefined;
  let bonuses: Map<number, number> | undefined;
  for (const { weigher, weights } of compileRequestWeights(request)) {
    bonuses ??= new Map();
    for (const [hostId, weight] of weights) {
      const slot = columns.slotOf(hostId);
      const profile = slot === undefined ? undefined : columns.profileOf[slot];
      if (slot === undefined || profile === undefined) continue;
      bonuses.set(slot, (bonuses.get(slot) ?? 0) + multiplierOn(profile, weigher, configuration) * weight);
    }
  }
  return bonuses;
}

function slotsOf(columns: HostColumns, hosts: ReadonlySet<HostId>): Set<number> {
  const slots = new Set<number>();
  for (const hostId of hosts) {
    const slot = columns.slotOf(hostId);
    if (slot !== undefined) slots.add(slot);
  }
  return slots;
}
