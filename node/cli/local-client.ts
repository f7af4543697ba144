/** Calls the agent of this machine through its own socket. */
import { existsSync } from 'node:fs';
import { ChannelCredentials } from '@grpc/grpc-js';
import { ShoalError } from '../base/errors.ts';
import type { Config } from '../config/options.ts';
import { localSocketPath } from '../local-socket.ts';
import { GrpcClient, type UnaryOptions } from '../mesh/grpc/client.ts';
import { peerClientLimits } from '../mesh/peer-limits.ts';

/** An operator waits so long for an answer. */
export const callOptions: UnaryOptions = { timeoutMs: 10_000 };

/** Opens a connection for the time of `use`. Throws `UNAVAILABLE` with what to do when no agent runs here. */
export async function withLocalAgent<T>(config: Config, use: (client: GrpcClient) => Promise<T>): Promise<T> {
  const path = localSocketPath(config.dataDir);
  if (!existsSync(path)) {
    throw new ShoalError(
      'UNAVAILABLE',
      `no agent runs on ${config.dataDir}; start it with: shoal agent --data-dir ${config.dataDir}`,
    );
  }
  const client = new GrpcClient(`unix:${path}`, ChannelCredentials.createInsecure(), peerClientLimits);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
