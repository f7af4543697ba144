/**
 * What a host's port answers to somebody who connects. The kernel answers, not the process: it takes connections for a
 * process that is starved of CPU or stopped, refuses them for one that has ended, and says nothing when the host or the
 * way to it is gone. So a slow agent and a lost one can be told apart within a fraction of a second.
 */
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { parseAddress } from '../../base/address.ts';
import type { Clock, Timer } from '../../base/clock.ts';

/**
 * `listening`: a process holds the port, however slow it is. `closed`: the host says that nobody listens there.
 * `silent`: nothing came back in time, or the network knows no way there. `unknown`: nothing can be told, for the address
 * has no meaning here, or this process itself stood still while it waited.
 */
type PortState = 'listening' | 'closed' | 'silent' | 'unknown';

/** The first packet of a connection may get lost, and the kernel waits a second before the next: ask twice. */
const secondTryAfter = 0.4;
/** A timer that is later than this shows that this process got no CPU, and what it did not hear means nothing. Unit: ms. */
const ownDelayMsMax = 100;

/** Asks the port at `address` (`host:port`). Rejects with `INVALID_ARGUMENT` for what is no address, and otherwise never. */
export async function askPort(clock: Clock, address: string, timeoutMs: number): Promise<PortState> {
  const { host, port } = parseAddress(address);
  const stop = new AbortController();
  const timers: Timer[] = [];
  try {
    return await Promise.race([
      tryPort(host, port, stop.signal),
      after(clock, timeoutMs * secondTryAfter, timers).then(() => tryPort(host, port, stop.signal)),
      deadline(clock, timeoutMs, timers),
    ]);
  } finally {
    stop.abort();
    for (const timer of timers) timer.cancel();
  }
}

/** Settles only with an answer; the deadline is somebody else's. */
function tryPort(host: string, port: number, signal: AbortSignal): Promise<PortState> {
  return new Promise((resolve) => {
    if (signal.aborted) return;
    const socket = connect({ host, port });
    const end = (state: PortState): void => {
      socket.destroy();
      resolve(state);
    };
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.on('connect', () => end('listening'));
    socket.on('error', (error) => end(stateOf('code' in error ? error.code : undefined)));
  });
}

function stateOf(code: unknown): PortState {
  if (code === 'ECONNREFUSED') return 'closed';
  // A host that resets what it has accepted is there; so is a firewall that forbids it, for all one can tell.
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT' || code === 'EHOSTDOWN'
    ? 'silent'
    : 'unknown';
}

async function deadline(clock: Clock, timeoutMs: number, timers: Timer[]): Promise<PortState> {
  const dueMs = clock.monotonicMs() + timeoutMs;
  await after(clock, timeoutMs, timers);
  if (clock.monotonicMs() - dueMs > ownDelayMsMax) return 'unknown';
  // Timers run before what has come from the network: what lies there already is an answer in time.
  await setImmediate();
  await setImmediate();
  return 'silent';
}

function after(clock: Clock, ms: number, timers: Timer[]): Promise<void> {
  return new Promise((resolve) => {
    timers.push(clock.setTimeout(resolve, ms));
  });
}
