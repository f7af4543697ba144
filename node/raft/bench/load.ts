/** A closed loop: so many clients, each sending its next request when the last one is answered. */

/** Bytes of every value that is put. */
export const valueBytes = 200;
/** Keys that a client goes round, so that the state neither grows for ever nor is one hot key. */
const keysPerClient = 1000;
/** A failed request is followed by a pause, so that a member that is gone is not asked in a spin. Unit: milliseconds. */
const pauseMs = 10;
/** Requests without a wait between them, when there is nothing to wait for: then other events get their turn. */
const syncRequestsMax = 1000;

/** What one run gave. */
export interface LoadResult {
  readonly ops: number;
  readonly failed: number;
  readonly seconds: number;
  /** Sorted. Unit: milliseconds. Of a run with too many, every second, fourth, eighth and so on. */
  readonly latenciesMs: readonly number[];
}

/** Latencies kept of one run, at most: they cross a pipe between processes. */
const latenciesMax = 200_000;

/** Sends one request; `count` is how many this client has sent before. Undefined: it was done without waiting. */
export type Request = (client: number, count: number) => Promise<unknown> | undefined;

export async function runLoad(request: Request, clients: number, forMs: number): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let ops = 0;
  let failed = 0;
  let each = 1;
  const startedMs = performance.now();
  const endMs = startedMs + forMs;
  const client = async (number: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const sentMs = performance.now();
      if (sentMs >= endMs) return;
      try {
        const answer = request(number, count);
        if (answer !== undefined) await answer;
        else if (count % syncRequestsMax === 0) await new Promise(setImmediate);
      } catch {
        failed += 1;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        continue;
      }
      const doneMs = performance.now();
      if (doneMs >= endMs) return;
      ops += 1;
      if (ops % each !== 0) continue;
      latenciesMs.push(doneMs - sentMs);
      if (latenciesMs.length < latenciesMax) continue;
      // Keeps every second of what is there, and of what comes.
      each *= 2;
      for (let at = 0; at * 2 < latenciesMs.length; at += 1) latenciesMs[at] = latenciesMs[at * 2] ?? 0;
      latenciesMs.length = Math.ceil(latenciesMs.length / 2);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  latenciesMs.sort((a, b) => a - b);
  return { ops, failed, seconds: (performance.now() - startedMs) / 1000, latenciesMs };
}

/** The key of a client's request. */
export function keyFor(client: number, count: number): string {
  return `bench/${client}/${count % keysPerClient}`;
}

/** A value whose bytes differ from one request to the next. */
export function valueFor(client: number, count: number): Uint8Array {
  const value = Buffer.alloc(valueBytes, 'shoal');
  value.writeUInt32BE(client, 0);
  value.writeUInt32BE(count, 4);
  return value;
}

/** The value at quantile `q` (0..1) of sorted numbers; 0 when there are none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
