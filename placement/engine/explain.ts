import type { HostId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { weigherNames } from '../configuration/weigher-names.ts';
import { passesRequestTest } from '../filters/filter.ts';
import { filters } from '../filters/index.ts';
import { compileRequestTests, excludedReason } from '../index/request-overlay.ts';
import type { PlacementRequest } from '../model/request.ts';
import { weighers } from '../weighers/index.ts';
import { multiplierOn } from '../weighers/weight-sum.ts';

/** Why hosts are or are not there for a request. */
export interface Explanation {
  readonly hosts: number;
  /** Hosts that pass every filter. */
  readonly passed: number;
  /** In the order in which they run. `hosts` = `passed` + the sum of `removed`. */
  readonly filters: readonly FilterExplanation[];
  /** One sentence for the user, such as a failed server's fault. Names no host. */
  readonly summary: string;
}

/** What one filter did to the hosts of the view. Hosts are counted, never named: users see it as well. */
export interface FilterExplanation {
  readonly name: string;
  readonly purpose: string;
  /** Hosts that came to this filter. */
  readonly considered: number;
  /** Hosts that this filter refused, of those that came to it. */
  readonly removed: number;
  /** Hosts that this filter refuses when asked alone: large where `removed` is small means that others hide it. */
  readonly removedAlone: number;
  /** Reasons of what it removed, the commonest first, at most `reasonsMax`; the rest is under "other reasons". */
  readonly reasons: readonly { readonly text: string; readonly hosts: number }[];
}

/** One host's answer, for operators. */
export interface HostExplanation {
  readonly hostId: HostId;
  readonly hostName: string;
  readonly passes: boolean;
  /** Every filter that refuses it, with this host's numbers. */
  readonly refusals: readonly { readonly filter: string; readonly reason: string }[];
  /** Absent when it does not pass. */
  readonly score?: number;
  /** What makes up the score. */
  readonly weights: readonly { readonly weigher: string; readonly weight: number; readonly multiplier: number }[];
}

/** Reasons listed for one filter. A query over free memory could otherwise give one for each host. */
const reasonsMax = 16;

/** Asks every filter about every host. As slow as a naive scan: for people and for the fault of a failed server. */
export function explain(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): Explanation {
  const judges = compileJudges(columns, configuration, request);
  const tallies = judges.map(() => ({
    considered: 0,
    removed: 0,
    removedAlone: 0,
    reasons: new Map<string, number>(),
  }));
  let hosts = 0;
  let passed = 0;
  for (const slot of columns.slots()) {
    hosts++;
    let out = false;
    for (let i = 0; i < judges.length; i++) {
      const judge = judges[i];
      const tally = tallies[i];
      if (judge === undefined || tally === undefined) continue;
      if (!out) tally.considered++;
      if (judge.passes(slot)) continue;
      tally.removedAlone++;
      if (out) continue;
      out = true;
      tally.removed++;
      let reason = judge.reason(slot);
      if (!tally.reasons.has(reason) && tally.reasons.size >= reasonsMax) reason = otherReasons;
      tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
    }
    if (!out) passed++;
  }
  const explained = judges.map((judge, i): FilterExplanation => {
    const tally = tallies[i];
    return {
      name: judge.name,
      purpose: judge.purpose,
      considered: tally?.considered ?? 0,
      removed: tally?.removed ?? 0,
      removedAlone: tally?.removedAlone ?? 0,
      reasons: [...(tally?.reasons ?? [])]
        .map(([text, count]) => ({ text, hosts: count }))
        .sort((a, b) => b.hosts - a.hosts || (a.text < b.text ? -1 : 1)),
    };
  });
  return { hosts, passed, filters: explained, summary: summarise(hosts, passed, explained) };
}

/** What every filter and weigher says about one host. Undefined when the view does not have it. */
export function explainHost(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
  hostId: HostId,
): HostExplanation | undefined {
  const slot = columns.slotOf(hostId);
  const profile = slot === undefined ? undefined : columns.profileOf[slot];
  if (slot === undefined || profile === undefined) return undefined;
  const refusals: { filter: string; reason: string }[] = [];
  for (const judge of compileJudges(columns, configuration, request)) {
    if (!judge.passes(slot)) refusals.push({ filter: judge.name, reason: judge.detail(slot) });
  }
  const weights: { weigher: string; weight: number; multiplier: number }[] = [];
  let score = 0;
  let bonus = 0;
  for (const name of weigherNames) {
    const weigher = weighers[name];
    const multiplier = multiplierOn(profile, weigher, configuration);
    if (weigher.scope !== 'request') {
      const compiled =
        weigher.scope === 'host' ? weigher.compile(configuration) : weigher.compile(request, configuration);
      if (compiled === undefined) continue;
      const weight = compiled(columns, slot);
      weights.push({ weigher: name, weight, multiplier });
      score += multiplier * weight;
    } else {
      const weight = weigher.compile(request)?.get(hostId);
      if (weight === undefined) continue;
      weights.push({ weigher: name, weight, multiplier });
      bonus += multiplier * weight;
    }
  }
  const passes = refusals.length === 0;
  return {
    hostId,
    hostName: columns.hostNames[slot] ?? '',
    passes,
    refusals,
    ...(passes ? { score: score + bonus } : {}),
    weights,
  };
}

const otherReasons = 'other reasons';

interface Judge {
  readonly name: string;
  readonly purpose: string;
  passes(slot: number): boolean;
  reason(slot: number): string;
  detail(slot: number): string;
}

/** Every filter that has something to say, in configured order; the request's own constraints on hosts come first. */
function compileJudges(
  columns: HostColumns,
  configuration: PlacementConfiguration,
  request: PlacementRequest,
): readonly Judge[] {
  const judges: Judge[] = [];
  if (request.host?.force === true) {
    const { hostId } = request.host;
    const say = (): string => 'another host was forced';
    judges.push({
      name: 'ForcedHost',
      purpose: 'the host is the one that was forced',
      passes: (slot) => columns.hostIds[slot] === hostId,
      reason: say,
      detail: say,
    });
    if (request.excludedHosts.includes(hostId)) {
      judges.push({
        name: 'ExcludedHosts',
        purpose: 'the host is not one that the guest is to leave, or that refused it',
        passes: () => false,
        reason: () => excludedReason,
        detail: () => excludedReason,
      });
    }
    return judges;
  }
  const requestJudges = new Map<string, Judge>();
  for (const { name, filter, test } of compileRequestTests(configuration, request)) {
    const judge: Judge = {
      name,
      purpose: filter?.purpose ?? test.reason,
      passes(slot) {
        const hostId = columns.hostIds[slot];
        return hostId !== undefined && passesRequestTest(test, hostId);
      },
      reason: () => test.reason,
      detail: () => test.reason,
    };
    if (filter === undefined) judges.push(judge);
    else requestJudges.set(name, judge);
  }
  for (const name of configuration.enabledFilters) {
    const filter = filters[name];
    if (request.purpose === 'rebuild' && !filter.onRebuild) continue;
    if (filter.scope === 'request') {
      const judge = requestJudges.get(name);
      if (judge !== undefined) judges.push(judge);
    } else if (filter.scope === 'profile') {
      const test = filter.compile(request, configuration);
      if (test === undefined) continue;
      const reason = (slot: number): string => {
        const profile = columns.profileOf[slot];
        return profile === undefined ? '' : test.reason(profile);
      };
      judges.push({
        name,
        purpose: filter.purpose,
        passes(slot) {
          const profile = columns.profileOf[slot];
          return profile !== undefined && test.passes(profile);
        },
        reason,
        detail: reason,
      });
    } else {
      const test = filter.compile(request, configuration);
      if (test === undefined) continue;
      judges.push({
        name,
        purpose: filter.purpose,
        passes: (slot) => test.passes(columns, slot),
        reason: (slot) => test.reason(columns, slot),
        detail: (slot) => test.detail?.(columns, slot) ?? test.reason(columns, slot),
      });
    }
  }
  return judges;
}

function summarise(hosts: number, passed: number, explained: readonly FilterExplanation[]): string {
  if (hosts === 0) return 'No host is known.';
  const parts: string[] = [];
  for (const filter of explained) {
    for (const { text, hosts: count } of filter.reasons) parts.push(`${filter.name} ${count} (${text})`);
  }
  const head = passed === 0 ? `No valid host among ${hosts}` : `${passed} of ${hosts} hosts pass`;
  return parts.length === 0 ? `${head}.` : `${head}; removed by ${parts.join(', ')}.`;
}
