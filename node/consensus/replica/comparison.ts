/**
 * Whether the replicas hold the same state. Consensus makes the logs agree; that each replica made the same of its log, and
 * still has it, is compared here.
 *
 * The leader asks every member, voters and learners, for the digest of its state at one revision (state/digest.ts): every
 * few seconds, and soon after it has come to lead or a member has started. A member answers once it has applied that
 * revision; until then it says which revision it has, with the digest of that. Digests of different revisions are never
 * compared. A member of a version without digests does not answer and is not compared.
 *
 * What the leader makes of the answers:
 *
 * | answers | done |
 * |---|---|
 * | all the same | nothing |
 * | more than half of the electors have one digest, and so have more than half of the voters | each member that has another is told; it gives its state up and gets that of the others |
 * | some differ, and no digest has such a majority | writes and fresh reads are refused with `STATE_DIVERGED` until a later round finds one; each that answered reads its rows from disk once more, unless it has read that revision from there |
 * | after that: all others fetch a snapshot, and at the revision at which states differed a majority had the leader's | the leader's is right, and writes go on |
 * | after that: nobody who answers differs, and all others fetch a snapshot: they have lost their state, had not come to the revision at which states differed, or hold what the leader held at the one that they have | each one that differed has lost its state since: no other than the leader's is left, and writes go on |
 *
 * Nobody gets a copy of a state that was not compared: a snapshot is given away only once a round that began after it was
 * taken has found nobody who differs from the leader, or a majority that does not (`vouches`). Otherwise an odd leader
 * could make its state the majority's by giving it to a member that lags.
 *
 * Electors are the voters where there are three or more. With fewer, learners count too: one voter alone would always be
 * right. So with two replicas that differ nobody can tell which is right, and people must; one replica alone has nothing to
 * be compared with, but with its own rows (scrub.ts, and store/log/recovery.ts at a start). A majority is asked of the voters
 * as well, because only a voter among them can lead while the odd one is repaired: what is odd is never repaired from, and
 * nothing is given up unless a majority that can go on has been heard.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { ConfState } from '../../raft/index.ts';
import { type DigestValue, digestText, isSameDigest } from '../../state/digest.ts';
import type { DigestMessage } from '../transport/transport.ts';

const markReplicaFoundOdd = coverageMark('replica-found-odd', 'a replica holds another state than the majority');
const markNoStateHasAMajority = coverageMark(
  'no-state-has-a-majority',
  'the replicas hold different states, and no majority holds one',
);
const markLastStateLeft = coverageMark(
  'last-state-left',
  'states differed, and all but the leader have lost theirs or had not come so far',
);

/** From one round to the next where one is due soon: members that start greet for a while. Unit: ticks. */
const soonTicks = 10;
/** How long a round waits for answers; who is silent longer is left out. Unit: ticks. */
const answerTicksMax = 20;

interface ComparisonDeps {
  readonly raftId: RaftId;
  readonly logger: Logger;
  readonly nameOf: (member: RaftId) => string;
  readonly send: (message: DigestMessage) => void;
  readonly term: () => number;
  /** The members, as of what is applied here. */
  readonly confState: () => ConfState;
  readonly appliedIndex: () => number;
  /** Of the own state at a recent revision; undefined: not known any more. */
  readonly digestAt: (revision: number) => DigestValue | undefined;
  /** Whether a member has no state to speak of, for it fetches a snapshot from this node. */
  readonly isFetching: (member: RaftId) => boolean;
  /** A majority has another state than this replica. */
  readonly diverged: (detail: string) => void;
  /** No majority has one state at `revision`, and this replica's is one of those that differ. `isNews`: it was not so before. */
  readonly undecided: (revision: number, isNews: boolean) => void;
  /** `vouches` may answer otherwise now. */
  readonly judged: () => void;
}

/** Whether a copy of this replica's state may be given away. */
export type Vouching = 'yes' | 'not-yet' | 'no';

interface Round {
  readonly revision: number;
  /** The digest of this replica. */
  readonly own: DigestValue;
  readonly answers: Map<RaftId, DigestValue | undefined>;
  /** Members that have not come to `revision`: the one that they have, 0: none. */
  readonly behind: Map<RaftId, DigestMessage>;
  readonly asked: readonly RaftId[];
  ticks: number;
}

/** Both sides of the comparison: of a leader that asks and judges, and of a member that answers. `tick` drives it. */
export class Comparison {
  readonly #deps: ComparisonDeps;
  readonly #everyTicks: number;
  #sinceTicks = 0;
  #isDue = true;
  #round: Round | undefined;
  /** The last question that could not be answered yet. */
  #asked: DigestMessage | undefined;
  #disagreement: string | undefined;
  /** The revision at which states differed, while there is a disagreement. */
  #disputed = 0;
  /** Of this replica at that revision: it is asked for when others have come no further. */
  #disputedOwn: DigestValue | undefined;
  /** The last revision at which this replica was found right, or differing from nobody, since this node has led. */
  #vouched = 0;
  #leads = false;
  /** Somebody waits for a round that begins from now on. */
  #isWanted = false;
  #rounds = 0;
  #divergences = 0;

  /** @param everyTicks from one round to the next. */
  constructor(deps: ComparisonDeps, everyTicks: number) {
    this.#deps = deps;
    this.#everyTicks = everyTicks;
  }

  /** Rounds that this node has judged since it started. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Replicas that were found to differ from the majority since this node started: by this node, or its own. */
  get divergences(): number {
    return this.#divergences;
  }

  /** Why no state can be told to be right; undefined: as far as is known the replicas agree. */
  get disagreement(): string | undefined {
    return this.#disagreement;
  }

  /** A member has started: a round is due. */
  soon(): void {
    this.#isDue = true;
  }

  /** Whether the state of this replica at `revision` may be copied to others; begins a round where one is needed to tell. */
  vouches(revision: number): Vouching {
    const known = this.#known(revision);
    // Nothing may be committed before those that wait have a state: then only a round ends the dispute.
    if (known === 'no' && this.#leads && this.#round === undefined && this.#sinceTicks >= soonTicks) this.#begin();
    if (known !== 'not-yet') return known;
    if (this.#leads && this.#round === undefined) this.#begin();
    else if (this.#round === undefined || this.#round.revision < revision) this.#isWanted = true;
    return this.#known(revision);
  }

  #known(revision: number): Vouching {
    if (this.#disagreement !== undefined) return 'no';
    return this.#vouched >= revision ? 'yes' : 'not-yet';
  }

  /**
   * Call once a tick.
   * @param leads this node leads.
   * @param isCaughtUp it has applied everything that was committed before it led. Without that it compares only where a
   * snapshot waits for it: it may be that nothing can be committed before that snapshot has arrived.
   */
  tick(leads: boolean, isCaughtUp: boolean): void {
    this.#leads = leads;
    if (!leads) {
      this.#round = undefined;
      this.#vouched = 0;
      // A node that comes to lead compares at once.
      this.#isDue = true;
      return;
    }
    this.#sinceTicks += 1;
    if (this.#round !== undefined) {
      this.#round.ticks += 1;
      if (this.#round.ticks >= answerTicksMax) this.#judge(this.#round);
    } else if (this.#isWanted || (isCaughtUp && this.#sinceTicks >= this.#waitTicks)) this.#begin();
  }

  /** The state has advanced: a question that waits may have its answer. */
  applied(): void {
    if (this.#asked !== undefined && this.#asked.revision <= this.#deps.appliedIndex()) this.#answer(this.#asked);
  }

  onMessage(message: DigestMessage): void {
    switch (message.type) {
      case 'DigestAsk':
        if (message.revision <= this.#deps.appliedIndex()) {
          this.#answer(message);
          return;
        }
        this.#asked = message;
        this.#tellDigest(message.from, this.#deps.appliedIndex(), message.revision);
        return;
      case 'DigestTell': {
        const round = this.#round;
        if (round === undefined || !round.asked.includes(message.from)) return;
        if ((message.asked ?? message.revision) !== round.revision || message.term !== this.#deps.term()) return;
        if (message.asked === undefined) round.answers.set(message.from, message.digest);
        else round.behind.set(message.from, message);
        if (round.asked.every((member) => round.answers.has(member) || this.#isLeftBehind(round, member)))
          this.#judge(round);
        else if (this.#isRight(round)) this.#vouch(round.revision);
        return;
      }
      case 'DigestVerdict':
        this.#heed(message);
    }
  }

  get #waitTicks(): number {
    return this.#isDue ? Math.min(soonTicks, this.#everyTicks) : this.#everyTicks;
  }

  #begin(): void {
    const { raftId, appliedIndex, digestAt, send, term } = this.#deps;
    const asked = this.#members().filter((member) => member !== raftId);
    this.#isDue = false;
    this.#isWanted = false;
    this.#sinceTicks = 0;
    const revision = appliedIndex();
    const own = digestAt(revision);
    if (asked.length === 0 || own === undefined) {
      // The members that differed have gone.
      if (asked.length === 0) this.#disagreement = undefined;
      this.#vouch(revision);
      return;
    }
    this.#round = { revision, own, answers: new Map(), behind: new Map(), asked, ticks: 0 };
    for (const to of asked) send({ type: 'DigestAsk', to, from: raftId, term: term(), revision, digest: undefined });
  }

  #answer({ from, revision }: DigestMessage): void {
    this.#asked = undefined;
    this.#tellDigest(from, revision);
  }

  #tellDigest(to: RaftId, revision: number, asked?: number): void {
    const { raftId, term, digestAt, send } = this.#deps;
    const told = { to, from: raftId, term: term(), revision, digest: digestAt(revision) };
    send({ type: 'DigestTell', ...told, ...(asked === undefined ? {} : { asked }) });
  }

  /** Whether a member has not come to the revision of the round, and comes there by a snapshot of this node only. */
  #isLeftBehind(round: Round, member: RaftId): boolean {
    return round.behind.has(member) && !round.answers.has(member) && this.#deps.isFetching(member);
  }

  #judge(round: Round): void {
    this.#round = undefined;
    this.#rounds += 1;
    const { revision, own } = round;
    const told = this.#told(round);
    const right = this.#majority(told);
    const odd = [...told].filter(([, digest]) => !isSameDigest(digest, right ?? own)).map(([member]) => member);
    const earlier = this.#differsEarlier(round);
    if (odd.length === 0 && right === undefined && earlier !== undefined)
      this.#disagree(earlier.revision, earlier.told);
    else if (odd.length === 0) {
      if (right !== undefined) this.#agreed(revision, right);
      else if (this.#disagreement !== undefined && this.#wasRight(round)) this.#agreed(revision, own);
      else if (this.#disagreement !== undefined && this.#areOthersLost(round)) {
        markLastStateLeft();
        this.#agreed(revision, own);
      }
      this.#vouch(revision);
    } else if (right === undefined) this.#disagree(revision, told);
    else this.#name(revision, right, odd);
  }

  /** A member left behind that held another state than this replica at the revision that it has. */
  #differsEarlier(
    round: Round,
  ): { readonly revision: number; readonly told: ReadonlyMap<RaftId, DigestValue> } | undefined {
    const { raftId, digestAt } = this.#deps;
    for (const [member, { revision, digest }] of round.behind) {
      const own = digestAt(revision);
      if (!this.#isLeftBehind(round, member) || digest === undefined || own === undefined) continue;
      if (isSameDigest(own, digest)) continue;
      return {
        revision,
        told: new Map([
          [raftId, own],
          [member, digest],
        ]),
      };
    }
    return undefined;
  }

  /**
   * Whether nobody is left of those whose states differed but this node: a member that had come to that revision has it
   * still, unless it has lost its state; and one that has it and holds what this node held there does not differ.
   */
  #areOthersLost(round: Round): boolean {
    return round.asked.every((member) => {
      // Nobody who answered differs, or this would not be asked.
      if (round.answers.get(member) !== undefined) return true;
      const told = round.behind.get(member);
      if (told === undefined || !this.#isLeftBehind(round, member)) return false;
      if (told.revision < this.#disputed) return true;
      const own = this.#deps.digestAt(told.revision);
      return own !== undefined && told.digest !== undefined && isSameDigest(own, told.digest);
    });
  }

  /** Whether a majority had the state of this replica at the revision at which states differed, and has come no further. */
  #wasRight(round: Round): boolean {
    const own = this.#disputedOwn;
    if (own === undefined) return false;
    const told = new Map<RaftId, DigestValue>([[this.#deps.raftId, own]]);
    for (const [member, { revision, digest }] of round.behind) {
      if (revision === this.#disputed && digest !== undefined) told.set(member, digest);
    }
    const right = this.#majority(told);
    return right !== undefined && isSameDigest(right, own);
  }

  /** States differed at `revision`. */
  #dispute(revision: number): void {
    if (revision === this.#disputed && this.#disputedOwn !== undefined) return;
    this.#disputed = revision;
    this.#disputedOwn = this.#deps.digestAt(revision);
  }

  /** What each member has told so far, this node among them. */
  #told(round: Round): ReadonlyMap<RaftId, DigestValue> {
    const told = new Map<RaftId, DigestValue>([[this.#deps.raftId, round.own]]);
    for (const [member, digest] of round.answers) if (digest !== undefined) told.set(member, digest);
    return told;
  }

  /** Whether a majority has the state of this replica already, whatever the members say that have not answered yet. */
  #isRight(round: Round): boolean {
    const right = this.#majority(this.#told(round));
    return right !== undefined && isSameDigest(right, round.own);
  }

  #vouch(revision: number): void {
    if (revision <= this.#vouched) return;
    this.#vouched = revision;
    this.#deps.judged();
  }

  /** The digest that more than half of the electors have and more than half of the voters. */
  #majority(told: ReadonlyMap<RaftId, DigestValue>): DigestValue | undefined {
    const { voters, votersOutgoing } = this.#deps.confState();
    const electorates = [voters, votersOutgoing, voters.length >= 3 ? voters : this.#members()];
    for (const digest of told.values()) {
      const isMost = electorates.every((members) => {
        const same = members.filter((member) => {
          const other = told.get(member);
          return other !== undefined && isSameDigest(other, digest);
        });
        return members.length === 0 || same.length > members.length / 2;
      });
      if (isMost) return digest;
    }
    return undefined;
  }

  /** Tells the odd ones; this node may be one of them. */
  #name(revision: number, right: DigestValue, odd: readonly RaftId[]): void {
    const { raftId, logger, nameOf } = this.#deps;
    markReplicaFoundOdd();
    this.#divergences += odd.length;
    this.#agreed(revision, right);
    for (const member of odd) {
      logger.error({ member, name: nameOf(member), revision }, 'a replica holds another state than the majority');
      if (member !== raftId) this.#tell(member, revision, right);
    }
    this.#isDue = true;
    if (odd.includes(raftId)) this.#giveUp(revision, right);
    else this.#vouch(revision);
  }

  #agreed(revision: number, right: DigestValue): void {
    if (this.#disagreement === undefined) return;
    this.#disagreement = undefined;
    this.#deps.logger.info({ revision }, 'a majority holds one state again; writes are accepted');
    for (const member of this.#members()) if (member !== this.#deps.raftId) this.#tell(member, revision, right);
  }

  #disagree(revision: number, told: ReadonlyMap<RaftId, DigestValue>): void {
    const { raftId, logger, nameOf } = this.#deps;
    markNoStateHasAMajority();
    const held = [...told].map(([member, digest]) => `${nameOf(member)} ${digestText(digest)}`).join(', ');
    const isNews = this.#disagreement === undefined;
    this.#dispute(revision);
    this.#disagreement =
      `The replicas hold different states at revision ${revision}, and no majority holds one: ${held}. Nothing is ` +
      'written until one does. Let the missing hosts come back; or decide which host is right, stop all agents, say ' +
      '"shoal recover --yes" there and start it, and on each other host "shoal reset-membership --yes" and join again.';
    for (const member of this.#members()) if (member !== raftId) this.#tell(member, revision, undefined);
    if (isNews) {
      logger.error({ revision, held }, 'no state is held by a majority: writes are refused');
      this.#deps.judged();
    }
    this.#deps.undecided(revision, isNews);
  }

  #tell(to: RaftId, revision: number, digest: DigestValue | undefined): void {
    const { raftId, send, term } = this.#deps;
    send({ type: 'DigestVerdict', to, from: raftId, term: term(), revision, digest });
  }

  /** What a leader has found. */
  #heed({ term, from, revision, digest }: DigestMessage): void {
    if (term < this.#deps.term()) return;
    if (digest === undefined) {
      const isNews = this.#disagreement === undefined;
      this.#dispute(revision);
      this.#disagreement = `Member ${from}, who leads, finds that no majority of the replicas holds one state at revision ${revision}.`;
      if (this.#deps.digestAt(revision) !== undefined) this.#deps.undecided(revision, isNews);
      return;
    }
    this.#disagreement = undefined;
    const own = this.#deps.digestAt(revision);
    // Not known: applied too long ago, or this replica has become another since.
    if (own === undefined || isSameDigest(own, digest)) return;
    this.#divergences += 1;
    this.#giveUp(revision, digest);
  }

  #giveUp(revision: number, right: DigestValue): void {
    const own = this.#deps.digestAt(revision);
    this.#deps.diverged(
      `At revision ${revision} the state of this replica has the digest ${own === undefined ? 'unknown' : digestText(own)}; ` +
        `a majority has ${digestText(right)}.`,
    );
  }

  #members(): readonly RaftId[] {
    const { voters, votersOutgoing, learners, learnersNext } = this.#deps.confState();
    return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])];
  }
}
