/**
 * A leader whose process has ended, known before its silence tells: the connection broke and its port answers that nobody
 * listens. Waiting for an election timeout would then only be time without writes.
 *
 * The follower forgets the leader, so that it may vote, and asks for votes after a short pause that chance makes differ
 * from the others'. Nothing rests on the news being true. If the leader lives, its next heartbeat is believed again, and a
 * pre-vote costs nobody an office while others hear a leader. If the others do not know yet, they refuse, and it is tried
 * again; after `triesMax` the usual timeout decides. Safe with reads that ask a quorum; under lease reads the core does not
 * forget a leader.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import { nobody, type RawNode } from '../../raft/index.ts';

/** First pause, at most: a few times what a vote takes, so that two survivors seldom stand at once. Unit: milliseconds. */
const firstPauseMsMax = 80;
/** Later pauses, from and to: long enough for the others to have noticed. Unit: milliseconds. */
const pauseMsMin = 60;
const pauseMsMax = 240;
const triesMax = 6;

interface SuccessionDeps {
  readonly clock: Clock;
  readonly random: Prng;
  /** The core, if this node may stand for election now. */
  readonly candidate: () => RawNode | undefined;
  /** Stands for election; called from a timer. */
  readonly campaign: () => void;
}

/** Campaigns early, up to six times, after the leader's process was found to have ended. */
export class Succession {
  readonly #deps: SuccessionDeps;
  #timer: Timer | undefined;

  constructor(deps: SuccessionDeps) {
    this.#deps = deps;
  }

  /** `leader` has ended. Without effect when it does not lead as far as this node knows. */
  begin(leader: RaftId): void {
    const core = this.#deps.candidate();
    if (core === undefined || core.raft.role !== 'follower' || core.raft.leader !== leader) return;
    core.forgetLeader();
    if (core.raft.leader !== nobody) return;
    this.#timer?.cancel();
    this.#stand(1, this.#deps.random.float() * firstPauseMsMax);
  }

  /** Safe to call twice. */
  stop(): void {
    this.#timer?.cancel();
  }

  #stand(tries: number, pauseMs: number): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      const core = this.#deps.candidate();
      // Somebody leads: the old one lives, or another was faster.
      if (core === undefined || core.raft.leader !== nobody) return;
      this.#deps.campaign();
      if (tries < triesMax) {
        this.#stand(tries + 1, pauseMsMin + this.#deps.random.float() * (pauseMsMax - pauseMsMin));
      }
    }, pauseMs);
  }
}
