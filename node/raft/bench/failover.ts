/** The leader is killed with kill -9: how long until a write succeeds again, as clients of the others see it. */
import type { BenchCluster } from './cluster.ts';
import { KvClient } from './kv-client.ts';
import { keyFor, valueFor } from './load.ts';

/** A client gives a write up after so long and sends the next. Unit: milliseconds. */
const attemptMs = 250;
/** A member that refuses at once is asked again after so long. Unit: milliseconds. */
const pauseMs = 5;
/** Longest that a round may take before the bench fails. Unit: milliseconds. */
const roundMsMax = 60_000;

/**
 * Kills the leader and restarts it, `rounds` times or until `endMs`. Each survivor has a client that writes until it
 * succeeds; the first success counts. Returns the times. Unit: milliseconds.
 */
export async function killLeaders(cluster: BenchCluster, rounds: number, endMs: number): Promise<readonly number[]> {
  const clients = Array.from({ length: cluster.size }, (_, at) => new KvClient(cluster.addressOf(at), 1));
  const gapsMs: number[] = [];
  try {
    for (let round = 0; round < rounds && performance.now() < endMs; round += 1) {
      const leader = await cluster.leader();
      // Connections are up and the leader commits: what follows is the failure alone.
      for (const client of clients) await client.put(0, { key: keyFor(0, round), value: valueFor(0, round) });
      const survivors = clients.filter((_, at) => at !== leader);
      const startedMs = performance.now();
      await cluster.kill(leader);
      await firstWrite(survivors, startedMs + roundMsMax, round);
      gapsMs.push(performance.now() - startedMs);
      await cluster.restart(leader);
    }
  } finally {
    for (const client of clients) client.close();
  }
  return gapsMs;
}

async function firstWrite(clients: readonly KvClient[], endMs: number, round: number): Promise<void> {
  let isDone = false;
  const writeUntilDone = async (client: KvClient): Promise<void> => {
    for (let count = 0; !isDone; count += 1) {
      if (performance.now() > endMs) throw new Error('no write succeeded after the leader was killed');
      try {
        await client.put(0, { key: keyFor(1, round), value: valueFor(round, count) }, attemptMs);
        isDone = true;
      } catch {
        // What fails here is what is measured.
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
  await Promise.race(clients.map(writeUntilDone));
}
