/** `PeerService.Console`: what a guest's screen or serial line says and takes, for one session that holds a grant. */
import type { Duplex } from 'node:stream';
import type { ComputeDriver } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { kibBytes } from '../../base/units.ts';
import type { PeerHandlers } from '../../mesh/peers/peer-server.ts';
import type { ConsoleGrants } from './console-grants.ts';

/** Bytes of one piece: what a socket gives at once. */
const pieceBytesMax = 64 * kibBytes;
/** A screen on which nothing moves says nothing; one before which nobody sits for so long is closed. Unit: ms. */
const idleMsMax = 3_600_000;
/** Sessions at once: of one host, each with some 200 KiB of buffers, and of one guest, whose QEMU draws for each. */
const sessionsMax = 128;
const sessionsPerServerMax = 8;

/** What it works with. */
interface ConsoleHandlerDeps {
  readonly compute: Pick<ComputeDriver, 'openConsole'>;
  readonly grants: ConsoleGrants;
  readonly clock: Clock;
}

/** The method, for peers and for this host's own gateway alike. */
export function consoleHandler({ compute, grants, clock }: ConsoleHandlerDeps): PeerHandlers['console'] {
  /** Servers with a session, once for each. */
  const sessions: string[] = [];
  return async function* console(inputs, call): AsyncGenerator<shoal.v1.IConsoleOutput> {
    const reader = inputs[Symbol.asyncIterator]();
    const first = await reader.next();
    if (first.done === true) throw new ShoalError('INVALID_ARGUMENT', 'A console is asked for by a secret.');
    const { secret, onlyLook } = first.value;
    const grant = grants.find(secret);
    if (grant === undefined) throw noGrant();
    const { serverId, kind, sessionToken } = grant;
    const granted = { serverId, kind, sessionToken };
    if (onlyLook) {
      yield { granted };
      return;
    }
    mustHaveRoom(sessions, serverId);
    sessions.push(serverId);
    let stream: Duplex | undefined;
    try {
      stream = await compute.openConsole(serverId, kind, call.signal);
      // Only now: who came while the guest had no process may come again.
      if (!grants.use(secret)) throw noGrant();
      yield { granted };
      yield* bothWays(stream, reader, clock, call.signal);
    } finally {
      stream?.destroy();
      sessions.splice(sessions.indexOf(serverId), 1);
    }
  };
}

async function* bothWays(
  stream: Duplex,
  inputs: AsyncIterator<shoal.v1.ConsoleInput>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<shoal.v1.IConsoleOutput> {
  let timer: Timer | undefined;
  const moved = (): void => {
    timer?.cancel();
    timer = clock.setTimeout(() => stream.destroy(), idleMsMax);
  };
  const cut = (): void => void stream.destroy();
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  moved();
  // What fails there ends the stream, of which the reader below hears.
  const typed = take(inputs, stream, moved).catch(
    (caught: unknown) => void stream.destroy(ShoalError.from(caught, 'CANCELLED')),
  );
  try {
    for await (const chunk of stream) {
      moved();
      const bytes: Buffer = chunk;
      for (let at = 0; at < bytes.length; at += pieceBytesMax) yield { data: bytes.subarray(at, at + pieceBytesMax) };
    }
  } catch (caught) {
    // Cut: by the guest's end, by the caller, by silence. None of it is a failure of the console.
    if (!stream.destroyed) throw ShoalError.from(caught, 'UNAVAILABLE', 'reading a console');
  } finally {
    timer?.cancel();
    signal.removeEventListener('abort', cut);
    stream.destroy();
  }
  // The caller's half is given up with the call.
  void typed;
}

/** Passes on what is typed, no faster than the guest's QEMU takes it. */
async function take(inputs: AsyncIterator<shoal.v1.ConsoleInput>, stream: Duplex, moved: () => void): Promise<void> {
  for (;;) {
    const next = await inputs.next();
    if (next.done === true || stream.destroyed) break;
    moved();
    if (!stream.write(next.value.data)) await roomIn(stream);
  }
  stream.end();
}

function roomIn(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
    if (stream.destroyed) done();
  });
}

function mustHaveRoom(sessions: readonly string[], serverId: string): void {
  const ofServer = sessions.filter((one) => one === serverId).length;
  if (sessions.length < sessionsMax && ofServer < sessionsPerServerMax) return;
  throw new ShoalError('RATE_LIMITED', 'There are as many console sessions as this host takes. Close one, or wait.', {
    facts: { retryAfterSeconds: 10 },
  });
}

function noGrant(): ShoalError {
  return new ShoalError('NOT_FOUND', 'The console token is unknown, was used, or has ended. Ask for another one.');
}
