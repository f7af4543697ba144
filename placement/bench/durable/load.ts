/** Callers of the native API: each asks for its next batch of servers when the last one is answered. */
import { ChannelCredentials } from '@grpc/grpc-js';
import { Prng } from '../../../node/base/prng.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { GrpcClient } from '../../../node/rpc/client.ts';
import { shoal } from '../../../proto/messages.ts';
import { benchFlavors, benchImageId } from './world.ts';

/** A call that is not answered by then has failed. Unit: milliseconds. */
const callMsMax = 60_000;

interface LoadOptions {
  readonly addresses: readonly string[];
  readonly token: string;
  /** Callers of each agent. */
  readonly callers: number;
  /** Servers of one call. */
  readonly batch: number;
  /** Servers in all. */
  readonly servers: number;
  readonly seed: number;
}

interface LoadResult {
  readonly seconds: number;
  readonly serverIds: readonly string[];
  /** Of each server: from the call that asked for it to the answer. Sorted. Unit: milliseconds. */
  readonly latenciesMs: Float64Array;
  readonly failures: readonly string[];
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { addresses, token, callers, batch, servers, seed } = options;
  const random = new Prng(seed);
  const serverIds: string[] = [];
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  const clients = addresses.map(
    (address) =>
      new GrpcClient(`dns:${address}`, ChannelCredentials.createInsecure(), {
        messageBytesMax: 4 * mibBytes,
        keepaliveMs: 30_000,
        keepaliveTimeoutMs: 10_000,
        reconnectMsMin: 100,
        reconnectMsMax: 1000,
      }),
  );
  let asked = 0;
  const caller = async (client: GrpcClient): Promise<void> => {
    const calls = client.calls(shoal.v1.ComputeService);
    while (asked < servers) {
      const count = Math.min(batch, servers - asked);
      asked += count;
      const flavor = benchFlavors[random.below(benchFlavors.length)];
      const startMs = performance.now();
      try {
        const answer = await calls.createServer(
          {
            name: 'bench',
            flavorId: flavor?.id ?? '',
            imageId: benchImageId,
            minCount: count,
            maxCount: count,
            idsOnly: true,
          },
          { timeoutMs: callMsMax, headers: { 'x-auth-token': token } },
        );
        const tookMs = performance.now() - startMs;
        for (const id of answer.serverIds) {
          serverIds.push(id);
          latenciesMs.push(tookMs);
        }
      } catch (caught) {
        failures.push(caught instanceof Error ? caught.message : String(caught));
      }
    }
  };
  const startMs = performance.now();
  await Promise.all(clients.flatMap((client) => Array.from({ length: callers }, () => caller(client))));
  const seconds = (performance.now() - startMs) / 1000;
  for (const client of clients) client.close();
  return { seconds, serverIds, latenciesMs: Float64Array.from(latenciesMs).sort(), failures };
}
