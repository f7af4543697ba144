import type { Prng } from '../../node/base/prng.ts';

/** What a baseline may look at: free room and guests by host, as one agent believes them to be. */
export interface BelievedHosts {
  readonly vcpusFree: Float64Array;
  readonly memoryFree: Float64Array;
  readonly guests: Int32Array;
  /** Hosts below this were in use at some time. */
  used: number;
}

/** The host to try first for a guest, leaving out `refused`; -1 for none. An empty host is taken only when no used one fits. */
export type Baseline = (hosts: BelievedHosts, vcpus: number, memory: number, refused: ReadonlySet<number>) => number;

export const baselineNames = ['first-fit', 'best-fit', 'min-residual', 'worst-fit', 'random', 'two-choices'] as const;
export type BaselineName = (typeof baselineNames)[number];

/** The scheduler of that name for hosts of one size. */
export function makeBaseline(name: BaselineName, size: { vcpus: number; memory: number }, prng: Prng): Baseline {
  switch (name) {
    case 'first-fit':
      return firstFit;
    case 'best-fit':
      return byScore((vcpus, memory) => -(vcpus / size.vcpus + memory / size.memory));
    case 'min-residual':
      return byScore((vcpus, memory) => -Math.min(vcpus / size.vcpus, memory / size.memory));
    case 'worst-fit':
      return byScore((vcpus, memory) => vcpus / size.vcpus + memory / size.memory);
    case 'random':
      return drawn(1, size, prng);
    case 'two-choices':
      return drawn(2, size, prng);
  }
}

const firstFit: Baseline = (hosts, vcpus, memory, refused) => {
  for (let h = 0; h < hosts.used; h++) if (fits(hosts, h, vcpus, memory) && !refused.has(h)) return h;
  return emptyHost(hosts, refused);
};

function byScore(score: (vcpusLeft: number, memoryLeft: number) => number): Baseline {
  return (hosts, vcpus, memory, refused) => {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let h = 0; h < hosts.used; h++) {
      if (!fits(hosts, h, vcpus, memory)) continue;
      const value = score((hosts.vcpusFree[h] ?? 0) - vcpus, (hosts.memoryFree[h] ?? 0) - memory);
      if (value > bestScore && !refused.has(h)) {
        best = h;
        bestScore = value;
      }
    }
    return best >= 0 ? best : emptyHost(hosts, refused);
  };
}

/** The fuller of `choices` used hosts that fit, drawn by reservoir: exact and uniform. */
function drawn(choices: number, size: { vcpus: number; memory: number }, prng: Prng): Baseline {
  return (hosts, vcpus, memory, refused) => {
    const found: number[] = [];
    for (let h = 0; h < hosts.used; h++) if (fits(hosts, h, vcpus, memory) && !refused.has(h)) found.push(h);
    if (found.length === 0) return emptyHost(hosts, refused);
    let best = prng.pick(found);
    for (let i = 1; i < choices; i++) {
      const other = prng.pick(found);
      if (freeShare(hosts, other, size) < freeShare(hosts, best, size)) best = other;
    }
    return best;
  };
}

function fits(hosts: BelievedHosts, h: number, vcpus: number, memory: number): boolean {
  return (hosts.guests[h] ?? 0) > 0 && (hosts.vcpusFree[h] ?? 0) >= vcpus && (hosts.memoryFree[h] ?? 0) >= memory;
}

function emptyHost(hosts: BelievedHosts, refused: ReadonlySet<number>): number {
  for (let h = 0; h < hosts.guests.length; h++) if (hosts.guests[h] === 0 && !refused.has(h)) return h;
  return -1;
}

function freeShare(hosts: BelievedHosts, h: number, size: { vcpus: number; memory: number }): number {
  return (hosts.vcpusFree[h] ?? 0) / size.vcpus + (hosts.memoryFree[h] ?? 0) / size.memory;
}
