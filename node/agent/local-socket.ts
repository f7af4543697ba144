/**
 * The agent's own door for its operator: the native API on a Unix socket that only the agent's user may open, so that
 * `shoal status` and the like need no password and work without quorum.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Longest path of a Unix socket on Linux is 107 bytes; some room for who appends to it. */
const pathBytesMax = 100;

/**
 * Where the agent of this data folder listens. In a folder of its own that nobody else may enter: a socket is made with
 * the rights of its maker's umask, and only then can they be narrowed.
 */
export function localSocketPath(dataDir: string): string {
  const path = join(dataDir, 'run', 'agent.sock');
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  return `/run/shoal-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}/agent.sock`;
}

/** Makes the folder, and removes what an agent left that was killed. Only the holder of the log's lock may call it. */
export function prepareLocalSocket(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
}
