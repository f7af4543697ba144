/**
 * Slow is not lost: an agent gives up a write or a fresh read for want of a quorum early only when too many voters are gone.
 * Judged from outside, when a refusal was given: a majority of the voters had been alive for long enough, had been connected
 * with one another and with the agent, and had stood still, if at all, for so short a time that nobody may have waited for
 * them in vain. Nothing is judged while the way to any voter is in trouble: a voter that the agent does not hear may lead
 * the others, who then elect nobody that the agent could ask.
 */
import type { Report } from './invariants.ts';

/**
 * How far back a refusal may have its reason: a leader is there within 10 s of the end of all trouble. Virtual ms.
 */
export const reasonMsMax = 15_000;
/** How long no majority may have had CPU in that time; more, and it may have been waited for in vain. Virtual ms. */
export const stillMsMax = 6_000;

/** A write under a token is sent again when its fate is not known, so that is given up early for the same reason alone. */
const codes: readonly string[] = ['NO_QUORUM', 'OUTCOME_UNKNOWN'];

/** A voter, as it was when the refusal was given. */
interface VoterPicture {
  readonly member: number;
  /** When its process had started; Infinity: none runs, or its log is quarantined. */
  readonly upSinceMs: number;
  readonly pauses: readonly { readonly fromMs: number; readonly toMs: number }[];
}

interface Refusal {
  readonly member: number;
  readonly name: string;
  readonly code: string;
  readonly startedMs: number;
  readonly endedMs: number;
  /** How long the agent promises to wait for voters that may be slow. */
  readonly patienceMs: number;
}

/** The world when a refusal was given. */
interface VotersPicture {
  readonly voters: readonly VoterPicture[];
  /** When the voters last became others. */
  readonly votersSinceMs: number;
  /** When the agent that refused had started. */
  readonly upSinceMs: number;
  readonly isSoundSince: (a: number, b: number, sinceMs: number) => boolean;
}

export function checkRefusal(refusal: Refusal, world: VotersPicture, report: Report): void {
  const { member, name, code, startedMs, endedMs, patienceMs } = refusal;
  if (!codes.includes(code) || endedMs - startedMs > patienceMs / 2) return;
  const sinceMs = startedMs - reasonMsMax;
  if (world.votersSinceMs > sinceMs || world.upSinceMs > sinceMs || sinceMs < 0) return;
  const isReached = (voter: VoterPicture): boolean =>
    voter.member === member || world.isSoundSince(voter.member, member, sinceMs);
  if (!world.voters.every(isReached)) return;
  const there = world.voters.filter((voter) => voter.upSinceMs <= sinceMs);
  // All of them with one another: then any majority of them is one.
  const isWhole = there.every((a) => there.every((b) => a === b || world.isSoundSince(a.member, b.member, sinceMs)));
  if (!isWhole || there.length <= world.voters.length / 2) return;
  if (stillMs(there, sinceMs, endedMs) > stillMsMax) return;
  report(
    'slow-is-not-lost',
    `${name} says ${code} after ${Math.round(endedMs - startedMs)} ms, and ${there.length} of ${world.voters.length} voters ` +
      `are alive and connected: ${there.map((voter) => `n${voter.member}`).join(', ')}`,
  );
}

/** For how long at least one of `voters` stood still between two moments. */
function stillMs(voters: readonly VoterPicture[], fromMs: number, toMs: number): number {
  const pauses = voters.flatMap((voter) => voter.pauses).sort((a, b) => a.fromMs - b.fromMs);
  let total = 0;
  let coveredMs = fromMs;
  for (const pause of pauses) {
    const startMs = Math.max(coveredMs, pause.fromMs);
    const endMs = Math.min(toMs, pause.toMs);
    if (endMs <= startMs) continue;
    total += endMs - startMs;
    coveredMs = endMs;
  }
  return total;
}
