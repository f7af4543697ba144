/**
 * The agent's own door for its operator: the native API on a Unix socket that only the agent's user may open, so that
 * `shoal status` and the like need no password and work without quorum.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Longest path of a Unix socket on Linux is 107 bytes; some room for who appends to it. */
const pathBytesMax = 100;

/** Where the agent of this data folder listens. */
export function localSocketPath(dataDir: string): string {
  const path = join(dataDir, 'agent.sock');
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  return `/run/shoal-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`;
}
