/**
 * One probe of another host, and what is to be made of it when no answer comes: the host's kernel is asked whether the
 * agent's port is open. It answers for an agent that is starved of CPU, and not for a host that is gone.
 */
import type { shoal } from '../../../proto/messages.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { type ErrorCode, isUnanswered, mayHaveHappened, ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { ProbeOutcome } from '../rules/detector-options.ts';

/** The wire: the seam that a simulator or a test replaces. */
export interface ProbeWire {
  /** Rejects when the host does not answer in time. */
  probe(
    hostId: HostId,
    request: shoal.v1.IProbeRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<shoal.v1.ProbeResponse>;
  /** What the kernel at the host's address says of its agent's port (peers/port-probe.ts). */
  port(hostId: HostId, timeoutMs: number): Promise<'listening' | 'closed' | 'silent' | 'unknown'>;
}

type ProbeResult =
  | { readonly outcome: 'reached'; readonly answer: shoal.v1.ProbeResponse }
  /** It answered, and refused: it is there, but says nothing. */
  | { readonly outcome: 'reached'; readonly answer: undefined }
  | { readonly outcome: Exclude<ProbeOutcome, 'reached'> };

/** The port is looked at when this part of the time has passed without an answer: at rest, never. */
const portAfter = 0.5;

/** Probes, and never rejects but with what is no `ShoalError`, or when `signal` has aborted: with its reason. */
export async function probeHost(
  deps: { readonly clock: Clock; readonly wire: ProbeWire },
  target: HostId,
  request: shoal.v1.IProbeRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const { clock, wire } = deps;
  const answered = new AbortController();
  const call = wire.probe(target, request, { timeoutMs, signal });
  const lookMs = timeoutMs * portAfter;
  const failed = call.then(
    () => answered.abort(),
    // Somebody refused the connection, or it broke: there is no need to wait.
    () => undefined,
  );
  const waited = sleep(clock, lookMs, answered.signal).catch(() => undefined);
  const look = Promise.race([failed, waited]).then(() =>
    answered.signal.aborted ? undefined : wire.port(target, timeoutMs - lookMs),
  );
  // Awaited below unless an answer came: then it does not matter any more.
  look.catch(() => undefined);
  try {
    return { outcome: 'reached', answer: await call };
  } catch (caught) {
    signal.throwIfAborted();
    if (!(caught instanceof ShoalError)) throw caught;
    if (caught.code === 'IDENTITY_MISMATCH') return { outcome: 'unreachable' }; // Somebody else has its address.
    if (!isNobody(caught.code)) return { outcome: 'reached', answer: undefined };
  }
  switch (await look) {
    case 'closed':
    case 'silent':
      return { outcome: 'unreachable' };
    case 'listening':
      return { outcome: 'stalled' };
    default:
      return { outcome: 'unknown' };
  }
}

/** Whether a call failed since nobody answered who is the host that was called. All other failures are an answer. */
function isNobody(code: ErrorCode): boolean {
  return isUnanswered(code) || mayHaveHappened(code) || code === 'IDENTITY_MISMATCH';
}
