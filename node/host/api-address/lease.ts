/**
 * Who holds the API's virtual address, by one record: pure. Two clocks are compared, and never by what they show:
 *
 *     holder   counts from before it sends a renewal. What it has said to the kernel ends by then + lease
 *     others   count from when they see the renewal, which is later; and wait for the lease and what two clocks may drift apart
 *
 * So no two hosts have the address at once, cut off or not; an agent that restarts counts from its start.
 */
import type { shoal } from '../../../proto/messages.ts';

/** How long a renewal is good, ms: with all else below five seconds until another host has the address. */
export const leaseMs = 4_000;
/** How often the holder renews it, ms. */
export const renewMs = 500;
/** Beyond the lease, for clocks that run apart: 2 %, where oscillators are held to 0.01 %. */
const driftMs = leaseMs * 0.02;
/**
 * The kernel counts whole seconds, looks on whole seconds of its own clock, and takes a quarter of one for nothing: an address goes
 * up to this much later than its lifetime says (net/ipv4/devinet.c, check_lifetime). Unit: ms.
 */
const kernelLateMs = 1_250;

/** What this host knows. All times are of its monotonic clock, ms. */
interface LeaseView {
  /** Undefined: nobody has ever held it. */
  readonly record: Pick<shoal.v1.ApiAddress, 'holderHostId'> | undefined;
  readonly ownHostId: string;
  /** When the record as it is was first seen here. */
  readonly seenMs: number;
  /** When this process sent the renewal that was last confirmed to it; undefined: none, also where an earlier process did. */
  readonly renewedMs: number | undefined;
  /** Whether this host may hold it: it has a replica, and is to have the address. */
  readonly isCandidate: boolean;
  readonly nowMs: number;
}

/** What is to be done. */
type LeaseStep = 'renew' | 'take' | 'wait';

/** Decides the next step. */
export function nextLeaseStep(view: LeaseView): LeaseStep {
  const { record, ownHostId, seenMs, renewedMs, isCandidate, nowMs } = view;
  if (!isCandidate) return 'wait';
  if (record === undefined || record.holderHostId === '') return 'take';
  const isOwn = record.holderHostId === ownHostId && renewedMs !== undefined;
  if (isOwn && nowMs < renewedMs + leaseMs) return nowMs >= renewedMs + renewMs ? 'renew' : 'wait';
  return nowMs >= seenMs + leaseMs + driftMs ? 'take' : 'wait';
}

/** Least time that the command which tells the kernel is given, ms. */
const tellMsMin = 300;

/** What the kernel may be told. */
interface KernelHold {
  /** For so many whole seconds from when it hears it. */
  readonly seconds: number;
  /** It must have heard it by then, monotonic, ms: later it would keep the address beyond the lease. */
  readonly untilMs: number;
}

/** What the kernel may be told now; undefined: nothing, what it has must run out. */
export function kernelHold(renewedMs: number, nowMs: number): KernelHold | undefined {
  const leftMs = renewedMs + leaseMs - kernelLateMs - nowMs;
  const seconds = Math.floor((leftMs - tellMsMin) / 1_000);
  return seconds < 1 ? undefined : { seconds, untilMs: nowMs + leftMs - seconds * 1_000 };
}
