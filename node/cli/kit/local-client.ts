/** Calls the agent of this machine through its own socket. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import { localSocketPath } from '../../agent/local-socket.ts';
import { ShoalError } from '../../base/errors.ts';
import { peerClientLimits } from '../../mesh/peers/peer-limits.ts';
import type { GrpcClient, UnaryOptions } from '../../rpc/client.ts';
import { LocalAgentClient } from './local-agent-client.ts';

/** An operator waits so long for an answer. */
export const callOptions: UnaryOptions = { timeoutMs: 10_000 };

/** Opens a connection for the time of `use`. Throws `UNAVAILABLE` with what to do when no agent runs here. */
export async function withLocalAgent<T>(dataDir: string, use: (client: GrpcClient) => Promise<T>): Promise<T> {
  const path = localSocketPath(dataDir);
  if (!existsSync(path)) throw new ShoalError('UNAVAILABLE', noAgentText(dataDir));
  const client = new LocalAgentClient(`unix:${path}`, ChannelCredentials.createInsecure(), peerClientLimits);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Says that no agent runs on a data folder, and what to type; names the development cloud's agents where there is one. */
export function noAgentText(dataDir: string): string {
  const start = existsSync(join(dataDir, 'membership.json'))
    ? `start it with: shoal agent --data-dir ${dataDir}`
    : 'make a mesh with: shoal init   or join one with: shoal agent --join TICKET   or name its folder: --data-dir FOLDER';
  const config = '.shoal/h1/config.yaml';
  const development = existsSync(config) ? `\nfor the development cloud of this folder say: --config ${config}` : '';
  return `no agent runs here on ${dataDir}; ${start}${development}`;
}
