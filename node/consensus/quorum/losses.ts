/**
 * Which members are known to be lost. Silence alone is no knowledge: a member that is starved of CPU, or whose disk takes
 * seconds, is silent and lives, and what is asked of it will be answered. A member is lost when its host refuses
 * connections for it (its process has ended) or when nothing answers at its address (its host or the way to it is gone),
 * and nothing was heard of it since. Connections are answered by the other host's kernel, so a starved member still takes
 * them.
 *
 * Without this a stall of a second, which any busy machine has, would refuse writes while every voter lives.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import type { Clock } from '../../base/clock.ts';
import type { RaftId } from '../../base/ids.ts';
import type { RaftLoopOptions } from '../replica/options.ts';
import type { Presence, RaftTransport } from '../transport/transport.ts';

const markSilentMemberLives = coverageMark(
  'silent-member-lives',
  'a silent member is asked for and takes the connection',
);
const markMemberKnownLost = coverageMark('member-known-lost', 'a silent member is asked for and is not there');

/** Time between two questions for one silent member. Unit: milliseconds. */
const askEveryMs = 500;

/** How a member is known to be lost. */
export type Loss = 'refuses-connections' | 'no-answer';

interface LossesDeps {
  readonly clock: Clock;
  readonly transport: Pick<RaftTransport, 'presence'>;
  readonly options: Pick<RaftLoopOptions, 'askAfterMs' | 'askMs'>;
  /** Since a member was heard of (`Heard`). Unit: milliseconds. */
  readonly silentMs: (member: RaftId) => number;
  /** Something is known now that was not. */
  readonly changed: () => void;
  /** An answer that cannot be had is a fault of this agent's own code. */
  readonly failed: (error: unknown) => void;
}

/** What this node knows of lost members: by connections that were refused, and by asking the ports of silent ones. */
export class Losses {
  readonly #deps: LossesDeps;
  readonly #lost = new Map<RaftId, Loss>();
  /** When each was asked for last; Infinity while an answer is awaited. */
  readonly #askedMs = new Map<RaftId, number>();

  constructor(deps: LossesDeps) {
    this.#deps = deps;
  }

  /** Something has come from a member. */
  heard(member: RaftId): void {
    this.#lost.delete(member);
  }

  /** A member's host has refused a connection. */
  refused(member: RaftId): void {
    this.#know(member, 'refuses-connections');
  }

  /** How `member` is known to be lost; undefined: it is not. */
  of(member: RaftId): Loss | undefined {
    // What was heard lately weighs more: a refusal may come from something on the way.
    return this.#deps.silentMs(member) >= this.#deps.options.askAfterMs ? this.#lost.get(member) : undefined;
  }

  /** Asks for those of `members` that are silent. Call once a tick while their answers matter. */
  ask(members: readonly RaftId[]): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const member of members) {
      if (this.#deps.silentMs(member) < this.#deps.options.askAfterMs) continue;
      if (nowMs - (this.#askedMs.get(member) ?? Number.NEGATIVE_INFINITY) < askEveryMs) continue;
      this.#askedMs.set(member, Number.POSITIVE_INFINITY);
      this.#deps.transport.presence(member, this.#deps.options.askMs).then(
        (presence) => {
          this.#askedMs.set(member, nowMs);
          this.#answered(member, presence);
        },
        (error: unknown) => this.#deps.failed(error),
      );
    }
  }

  #answered(member: RaftId, presence: Presence): void {
    if (this.#deps.silentMs(member) < this.#deps.options.askAfterMs) return;
    switch (presence) {
      case 'listening':
        if (this.#lost.delete(member)) this.#deps.changed();
        markSilentMemberLives();
        return;
      case 'closed':
        this.#know(member, 'refuses-connections');
        return;
      case 'silent':
        this.#know(member, 'no-answer');
        return;
      case 'unknown':
        return;
    }
  }

  #know(member: RaftId, loss: Loss): void {
    if (this.#lost.get(member) === loss) return;
    this.#lost.set(member, loss);
    markMemberKnownLost();
    this.#deps.changed();
  }
}
