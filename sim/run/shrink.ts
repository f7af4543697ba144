/**
 * Makes a failure smaller while the same invariant stays violated: less time, fewer kinds of faults, fewer tenants, clients
 * and hosts, a calm network. Greedy, from what saves most; each step keeps what still fails. Another number of hosts is
 * another history, so a few seeds are tried for each step.
 */
import type { SimOptions, SimOverrides } from '../settings/options.ts';
import { calmNetwork } from '../world/network.ts';
import { type RunSpec, settingsOf, withFlags } from './run-spec.ts';
import { type SimResult, simulate } from './simulator.ts';

/** Seeds tried for a step: the one at hand and those after it. */
const seedsPerStep = 3;
/** Chaos this short is short enough. Unit: ms. */
const chaosMsLow = 1_000;

export interface Shrunk {
  readonly result: SimResult;
  readonly spec: RunSpec;
  /** Runs that it took. */
  readonly runs: number;
}

interface ShrinkOptions {
  /** Wall time after which no more is tried. Unit: ms. */
  readonly msMax: number;
  readonly nowMs: () => number;
  /** For people who wait. */
  readonly onStep?: (result: SimResult) => void;
}

/** The smallest failure found, which may be the one given. */
export async function shrink(failure: SimResult, given: RunSpec, options: ShrinkOptions): Promise<Shrunk> {
  const endMs = options.nowMs() + options.msMax;
  const isOver = (): boolean => options.nowMs() >= endMs;
  let result = failure;
  let spec = given;
  let runs = 0;

  /** Keeps `flags` if the same invariant is violated with them. */
  const attempt = async (flags: SimOverrides): Promise<boolean> => {
    const candidate = withFlags(spec, flags);
    for (let offset = 0; offset < seedsPerStep && !isOver(); offset += 1) {
      runs += 1;
      const found = await simulate(result.options.seed + offset, { ...settingsOf(candidate), isCancelled: isOver });
      if (!isSameFailure(found, failure)) continue;
      result = found;
      spec = candidate;
      options.onStep?.(result);
      return true;
    }
    return false;
  };

  for (let isSmaller = true; isSmaller && !isOver(); ) {
    isSmaller = false;
    for (const step of steps) {
      for (const flags of step(result.options, result.simulatedMs)) {
        if (isOver()) break;
        if (!(await attempt(flags))) continue;
        isSmaller = true;
        break;
      }
    }
  }
  return { result, spec, runs };
}

/** The same invariant; of failures without a name, the same words. */
function isSameFailure(a: SimResult, b: SimResult): boolean {
  const words = ({ detail }: SimResult): string => detail.split('\n', 1)[0] ?? '';
  return a.violated === b.violated && (a.verdict !== 'crash' || words(a) === words(b));
}

/** Each gives what to try on options, the greatest saving first. */
const steps: readonly ((options: SimOptions, failedMs: number) => readonly SimOverrides[])[] = [
  // What comes after the failure is not needed: with as much time as it took, the same seed fails the same way.
  ({ chaosMs }, failedMs) =>
    [chaosMs / 8, chaosMs / 4, chaosMs / 2, failedMs, chaosMs / 1.3]
      .map(Math.ceil)
      .filter((ms) => ms >= chaosMsLow && ms < chaosMs)
      .map((ms) => ({ chaosMs: ms })),
  ({ faults }) => withoutParts(faults).map((left) => ({ faults: left })),
  // No guests at all is another world; then one tenant, then one less.
  ({ tenants }) => below(tenants, 0, [0, 1, tenants - 1]).map((fewer) => ({ tenants: fewer, servers: 0 })),
  ({ clients }) => below(clients, 0, [0, 1, clients - 1]).map((fewer) => ({ clients: fewer })),
  ({ hosts }) => below(hosts, 1, [1, 2, 3, hosts - 1]).map((fewer) => ({ hosts: fewer })),
  ({ network }) => (network.loss + network.repeat + network.overtake > 0 ? [{ network: calmNetwork }] : []),
  ({ keys }) => below(keys, 1, [1]).map((fewer) => ({ keys: fewer })),
];

function below(value: number, least: number, candidates: readonly number[]): readonly number[] {
  return [...new Set(candidates)].filter((each) => each >= least && each < value).sort((a, b) => a - b);
}

/** The list without all, without one half or the other, without any one. */
export function withoutParts<T>(list: readonly T[]): readonly (readonly T[])[] {
  if (list.length === 0) return [];
  const middle = Math.ceil(list.length / 2);
  const halves = list.length < 2 ? [] : [list.slice(0, middle), list.slice(middle)];
  const singles = list.length < 3 ? [] : list.map((_, at) => list.filter((__, other) => other !== at));
  return [[], ...halves, ...singles];
}
