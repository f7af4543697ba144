/**
 * Proposals of this node from when it takes them to when their fate is known.
 *
 * A leader knows index and term of what it appends. The entry that is later applied at that index tells: the same term,
 * and the proposal is committed; another, and it never will be. Nothing needs to be written into the entry for that.
 */

import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ConfChangeV2, RawNode } from '../../raft/index.ts';
import type { TransactionOutcome } from '../../state/types.ts';
import { notLeader, stopping } from './refusals.ts';

const markProposalAtAFormerLeader = coverageMark(
  'proposal-at-a-former-leader',
  'a queued proposal finds that its node leads no more',
);
const buggifyProposeApart = buggify(
  'raft-loop.propose-apart',
  'proposals that came together go to the core one by one',
);
const markProposalRefusedByCore = coverageMark('proposal-refused-by-core', 'the core takes no more proposals');
const markProposalReplaced = coverageMark('proposal-replaced', 'another entry stands where a proposal was');
const markProposalSkippedBySnapshot = coverageMark(
  'proposal-skipped-by-snapshot',
  'a snapshot hides what became of a proposal',
);
const markProposalGivenUp = coverageMark('proposal-given-up', 'nobody knows what became of a proposal');

/** Proposals without an outcome, at most: what a leader can commit in about a second. */
const proposalsMax = 8192;
/** Their bytes, at most. The core has the same bound for what is appended and not committed. */
const proposalBytesMax = 64 * 1024 * 1024;

/** A write or a change of the members. */
interface Proposal {
  /** Of a write: the encoded command. Empty for a change of members. */
  readonly data: Uint8Array;
  readonly members: ConfChangeV2 | undefined;
  readonly startedMs: number;
  readonly resolve: (outcome: TransactionOutcome) => void;
  readonly reject: (error: ShoalError) => void;
  readonly detach: () => void;
}

/** Proposals that go to the core in one call. */
interface ProposalGroup {
  readonly proposals: Proposal[];
  /** A change of members, which goes alone. */
  readonly members: ConfChangeV2 | undefined;
}

/** Payload that goes to the core in one call. A larger one goes alone. */
const groupBytesMax = 1024 * 1024;

interface Appended {
  readonly proposal: Proposal;
  readonly term: number;
}

/** At most 8192 at a time and 64 MiB of commands; each promise that is handed out settles exactly once. */
export class Proposals {
  /** Taken, not yet given to the core. */
  #queued: Proposal[] = [];
  /** Given to the core, by index. Several when a leader lost its office and regained it. */
  readonly #appended = new Map<number, Appended[]>();
  #count = 0;
  #bytes = 0;

  /** Without an outcome, queued or appended. */
  get count(): number {
    return this.#count;
  }

  /** Taken and not yet given to the core. */
  get queued(): number {
    return this.#queued.length;
  }

  /** Takes a write. The promise rejects with `PROPOSAL_DROPPED` when there are too many, `CANCELLED` on abort. */
  addCommand(data: Uint8Array, nowMs: number, signal: AbortSignal | undefined): Promise<TransactionOutcome> {
    return this.#add(data, undefined, nowMs, signal);
  }

  /** Takes a change of members; otherwise as `addCommand`. */
  addMembers(members: ConfChangeV2, nowMs: number, signal: AbortSignal | undefined): Promise<TransactionOutcome> {
    return this.#add(new Uint8Array(0), members, nowMs, signal);
  }

  /** Gives what is queued to the core, in order. What it does not take is refused, all of it when it does not lead. */
  giveTo(core: RawNode): void {
    const queued = this.#takeQueued();
    if (queued.length === 0) return;
    const { raft } = core;
    if (raft.role !== 'leader') {
      markProposalAtAFormerLeader();
      for (const proposal of queued) refuse(proposal, notLeader(raft.leader));
      return;
    }
    // Neighbours of one kind go together; a change of members goes alone.
    const isApart = buggifyProposeApart();
    const groups = isApart ? queued.flatMap((proposal) => grouped([proposal])) : grouped(queued);
    for (const group of groups) {
      const refusal =
        group.members === undefined
          ? core.proposeBatch(group.proposals.map((proposal) => proposal.data))
          : core.proposeConfChange(group.members);
      if (refusal !== undefined) {
        markProposalRefusedByCore();
        const error = new ShoalError('PROPOSAL_DROPPED', 'The leader takes no more writes for now.', {
          facts: { refusal },
        });
        for (const proposal of group.proposals) refuse(proposal, error);
        continue;
      }
      let index = raft.log.lastIndex() - group.proposals.length;
      for (const proposal of group.proposals) {
        index += 1;
        this.#noteAppended(proposal, index, raft.term);
      }
    }
  }

  /** The entry at `index` is applied: the fate of all proposals there is known. */
  applied(index: number, term: number, outcome: TransactionOutcome | 'replaced'): void {
    const at = this.#appended.get(index);
    if (at === undefined) return;
    this.#appended.delete(index);
    for (const { proposal, term: appendedIn } of at) {
      proposal.detach();
      if (appendedIn !== term) {
        markProposalReplaced();
        proposal.reject(dropped('A new leader has replaced it.'));
      } else if (outcome === 'replaced') proposal.reject(conflict());
      else proposal.resolve(outcome);
    }
  }

  /** A snapshot has replaced everything up to `index`: what became of proposals there is not known. */
  skippedTo(index: number): void {
    for (const [at, proposals] of this.#appended) {
      if (at > index) continue;
      markProposalSkippedBySnapshot();
      this.#appended.delete(at);
      for (const { proposal } of proposals) this.#giveUp(proposal, 'A snapshot has replaced the log.');
    }
  }

  /** Gives up on what was started at or before `startedMs`. */
  expire(startedMs: number, why: string): void {
    for (const [at, proposals] of this.#appended) {
      const kept = proposals.filter(({ proposal }) => proposal.startedMs > startedMs);
      if (kept.length === proposals.length) continue;
      if (kept.length === 0) this.#appended.delete(at);
      else this.#appended.set(at, kept);
      for (const { proposal } of proposals) if (proposal.startedMs <= startedMs) this.#giveUp(proposal, why);
    }
  }

  /** Gives up on everything: the agent stops. */
  close(): void {
    for (const proposal of this.#takeQueued()) refuse(proposal, stopping());
    this.expire(Number.POSITIVE_INFINITY, 'The agent is stopping.');
  }

  #add(
    data: Uint8Array,
    members: ConfChangeV2 | undefined,
    nowMs: number,
    signal: AbortSignal | undefined,
  ): Promise<TransactionOutcome> {
    if (signal?.aborted) return Promise.reject(cancelled(signal));
    if (this.#count >= proposalsMax || this.#bytes + data.length > proposalBytesMax) {
      const facts = { waiting: this.#count };
      return Promise.reject(new ShoalError('PROPOSAL_DROPPED', 'Too many writes wait already.', { facts }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<TransactionOutcome>();
    const onAbort = (): void => reject(cancelled(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#count += 1;
    this.#bytes += data.length;
    const detach = (): void => {
      signal?.removeEventListener('abort', onAbort);
      this.#count -= 1;
      this.#bytes -= data.length;
    };
    this.#queued.push({ data, members, startedMs: nowMs, resolve, reject, detach });
    return promise;
  }

  #takeQueued(): readonly Proposal[] {
    const queued = this.#queued;
    this.#queued = [];
    return queued;
  }

  #noteAppended(proposal: Proposal, index: number, term: number): void {
    const at = this.#appended.get(index);
    if (at === undefined) this.#appended.set(index, [{ proposal, term }]);
    else at.push({ proposal, term });
  }

  #giveUp(proposal: Proposal, why: string): void {
    markProposalGivenUp();
    proposal.detach();
    proposal.reject(new ShoalError('OUTCOME_UNKNOWN', `The write was sent and its fate is not known. ${why}`));
  }
}

/** Puts neighbours of one kind together: one call to the core, one message to each follower. */
function grouped(proposals: readonly Proposal[]): readonly ProposalGroup[] {
  const groups: ProposalGroup[] = [];
  let bytes = 0;
  for (const proposal of proposals) {
    const last = groups.at(-1);
    bytes += proposal.data.length;
    if (last !== undefined && last.members === undefined && proposal.members === undefined && bytes <= groupBytesMax) {
      last.proposals.push(proposal);
      continue;
    }
    bytes = proposal.data.length;
    groups.push({ proposals: [proposal], members: proposal.members });
  }
  return groups;
}

/** The core has not appended it. */
function refuse(proposal: Proposal, error: ShoalError): void {
  proposal.detach();
  proposal.reject(error);
}

function dropped(why: string): ShoalError {
  return new ShoalError('PROPOSAL_DROPPED', `The write was not committed. ${why}`);
}

function conflict(): ShoalError {
  return new ShoalError('CONFLICT', 'Another change of the members is pending, or this one does not fit them.');
}

function cancelled(signal: AbortSignal | undefined): ShoalError {
  return new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal?.reason });
}
