/** How a guest's CPUs look: sockets of cores of threads, as flavors and images ask for by Nova's names. Pure. */
import type { CpuTopology } from '../../../../drivers/types.ts';

/** What is asked for. Absent: any number will do. */
export interface TopologyRequest {
  readonly sockets?: number;
  readonly cores?: number;
  readonly threads?: number;
  readonly maxSockets?: number;
  readonly maxCores?: number;
  readonly maxThreads?: number;
}

/**
 * The topology with the most sockets, then the most cores, that has each number that is asked for and none above its bound. Undefined:
 * there is none, as the numbers do not multiply to `vcpus`.
 */
export function chosenTopology(vcpus: number, request: TopologyRequest): CpuTopology | undefined {
  const divisors = (number: number): readonly number[] =>
    [...Array(number).keys()].map((at) => number - at).filter((one) => number % one === 0);
  const allowed = (number: number, wanted: number | undefined, most: number | undefined): boolean =>
    number === (wanted ?? number) && number <= (most ?? number);
  for (const sockets of divisors(vcpus)) {
    if (!allowed(sockets, request.sockets, request.maxSockets)) continue;
    for (const cores of divisors(vcpus / sockets)) {
      const threads = vcpus / sockets / cores;
      if (!allowed(cores, request.cores, request.maxCores) || !allowed(threads, request.threads, request.maxThreads))
        continue;
      return { sockets, cores, threads };
    }
  }
  return undefined;
}
