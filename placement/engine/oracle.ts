import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { weigherNames } from '../configuration/weigher-names.ts';
import { passesRequestTest } from '../filters/filter.ts';
import { filters } from '../filters/index.ts';
import { compileRequestTests } from '../index/request-overlay.ts';
import type { PlacementRequest } from '../model/request.ts';
import { weighers } from '../weighers/index.ts';
import { multiplierOn } from '../weighers/weight-sum.ts';

/**
 * The naive scheduler: every enabled filter on every host, every weigher on those that pass, sort. Nothing is remembered
 * between requests. It is the definition of what the engine must answer, and the baseline of the benches.
 *
 * Returns the best `width` slots with their scores, best first.
 */
export function scanForBest(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
  width: number,
): readonly { readonly slot: number; readonly score: number }[] {
  const score = naiveScorer(columns, configuration, request);
  const passed: { slot: number; score: number }[] = [];
  for (const slot of columns.slots()) {
    const value = score(slot);
    if (value !== undefined) passed.push({ slot, score: value });
  }
  passed.sort((a, b) => b.score - a.score || (columns.rank[a.slot] ?? 0) - (columns.rank[b.slot] ?? 0));
  return passed.slice(0, width);
}

/** Judges one slot at a time: its score, or undefined when a filter refuses it. */
export function naiveScorer(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): (slot: number) => number | undefined {
  const forced = request.host?.force === true ? request.host.hostId : undefined;
  const tests: ((slot: number) => boolean)[] = [];
  if (forced !== undefined) {
    tests.push((slot) => columns.hostIds[slot] === forced && !request.excludedHosts.includes(forced));
  } else {
    for (const { test } of compileRequestTests(configuration, request)) {
      tests.push((slot) => {
        const hostId = columns.hostIds[slot];
        return hostId !== undefined && passesRequestTest(test, hostId);
      });
    }
    for (const name of configuration.enabledFilters) {
      const filter = filters[name];
      if (request.purpose === 'rebuild' && !filter.onRebuild) continue;
      if (filter.scope === 'profile') {
        const test = filter.compile(request, configuration);
        if (test === undefined) continue;
        tests.push((slot) => {
          const profile = columns.profileOf[slot];
          return profile !== undefined && test.passes(profile);
        });
      } else if (filter.scope === 'columns') {
        const test = filter.compile(request, configuration);
        if (test !== undefined) tests.push((slot) => test.passes(columns, slot));
      }
    }
  }
  // Class weighers are summed first and request weighers added after, as the engine does: sums of floats keep their order.
  const weights: ((slot: number) => number)[] = [];
  const bonuses: ((slot: number) => number)[] = [];
  for (const name of weigherNames) {
    const weigher = weighers[name];
    const multiplier = (slot: number): number => {
      const profile = columns.profileOf[slot];
      return profile === undefined ? 0 : multiplierOn(profile, weigher, configuration);
    };
    if (weigher.scope !== 'request') {
      const weight =
        weigher.scope === 'host' ? weigher.compile(configuration) : weigher.compile(request, configuration);
      if (weight !== undefined) weights.push((slot) => multiplier(slot) * weight(columns, slot));
    } else if (forced === undefined) {
      const byHost = weigher.compile(request);
      if (byHost === undefined) continue;
      bonuses.push((slot) => {
        const hostId = columns.hostIds[slot];
        const weight = hostId === undefined ? undefined : byHost.get(hostId);
        return weight === undefined ? 0 : multiplier(slot) * weight;
      });
    }
  }
  return (slot) => {
    for (const passes of tests) if (!passes(slot)) return undefined;
    let score = 0;
    for (const weigh of weights) score += weigh(slot);
    let bonus = 0;
    for (const weigh of bonuses) bonus += weigh(slot);
    return score + bonus;
  };
}
