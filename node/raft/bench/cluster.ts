/** What the bench needs of a group of members, ours or etcd's. */
export interface BenchCluster {
  readonly name: 'shoal' | 'etcd';
  /** Members, by number from 0. */
  readonly size: number;
  /** Starts all and waits until every one of them can serve. */
  start(): Promise<void>;
  /** host:port of a member's key-value API. */
  addressOf(member: number): string;
  /** Who leads; waits until somebody does. */
  leader(): Promise<number>;
  /** kill -9. Resolves once the process has ended. */
  kill(member: number): Promise<void>;
  /** Starts a member that was killed, and waits until it has caught up. */
  restart(member: number): Promise<void>;
  /** Processor time of all members so far. Unit: seconds. */
  cpuSeconds(): number;
  /** Ends all. Safe to call twice. */
  stop(): Promise<void>;
}

/** Longest that starting, electing or catching up may take. Unit: milliseconds. */
const patienceMs = 60_000;
const pollMs = 20;

/** Asks until the answer is not undefined. A question that fails is asked again. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + patienceMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (caught) {
      last = caught;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${what}: not within ${patienceMs / 1000} s`, { cause: last });
}
