/**
 * Who votes: a pure decision, made by the leader again and again, one step at a time.
 *
 * The aim: 1, 3 or 5 voters by the number of hosts, spread over failure domains, and a few learners that can take over. All
 * other hosts are no members: they hold slices (node/slices). A voter that stays away longer than a grace period swaps places
 * with a live learner. No step ever waits for an absent member: each is committed by the voters that are there.
 *
 * Numbers of voters stay odd where they can: a second voter makes nothing safer, it only adds one that must answer. So a
 * lone voter is joined by two at once or by none. Changes of several members at once go through a joint configuration.
 */
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import type { ConfChangeSingle, ConfState } from '../../raft/index.ts';

/** A host that belongs to the mesh, by its record. */
interface AutopilotHost {
  readonly raftId: RaftId;
  /** Hosts with one name are expected to fail together. Empty: the host is a domain of its own. */
  readonly failureDomain: string;
  /** It can do with a slice of the state. One of an older version cannot, and is always a member. */
  readonly holdsSlices?: boolean;
}

/** What the leader knows of a member. */
interface AutopilotMember {
  readonly raftId: RaftId;
  /** Since it was heard of. Unit: milliseconds. */
  readonly silentMs: number;
  /** Entries that it is not known to have; Infinity: it is not known to have any state yet. */
  readonly lagEntries: number;
}

/** What a decision is made from: the hosts by their records, the membership in force, and what the leader measured. */
export interface AutopilotView {
  readonly leader: RaftId;
  readonly hosts: readonly AutopilotHost[];
  readonly confState: ConfState;
  readonly members: readonly AutopilotMember[];
  /** Hosts that nobody can reach now, as far as is known: none of them is made a learner. */
  readonly unreachable?: ReadonlySet<RaftId>;
  /** How long this leader has led: silence cannot be told to be longer than that. Unit: milliseconds. */
  readonly ledMs: number;
}

/** When a member counts as dead, live, or too far behind to vote. */
export interface AutopilotOptions {
  /** A voter silent for longer is replaced. Default 60 s: longer than a reboot of an agent. Unit: milliseconds. */
  readonly graceMs: number;
  /** Only what was heard within this is promoted. Default 2 s. Unit: milliseconds. */
  readonly liveMs: number;
  /** Only what lacks no more entries is promoted: it must not hold up commits. Default 1000. */
  readonly lagEntriesMax: number;
  /** Learners beside the voters, of the hosts that could hold slices. Default 2, at most 4. */
  readonly standbys: number;
}

/** What the agent runs with; each number's reason stands at its field in `AutopilotOptions`. */
export const defaultAutopilotOptions: AutopilotOptions = {
  graceMs: 60_000,
  liveMs: 2000,
  lagEntriesMax: 1000,
  standbys: 2,
};

/** The next step. */
export type AutopilotStep =
  | { readonly kind: 'change'; readonly changes: readonly ConfChangeSingle[]; readonly reason: string }
  | { readonly kind: 'transfer'; readonly to: RaftId; readonly reason: string };

/** Learners that cease to be members in one step. */
const dismissedAtOnce = 8;

/** How many voters so many hosts are to have. */
export function voterTarget(hostCount: number): number {
  if (hostCount >= 5) return 5;
  return hostCount >= 3 ? 3 : 1;
}

/** The next step towards the aim, or undefined when nothing is to be done (or nothing can be). */
export function nextAutopilotStep(view: AutopilotView, options = defaultAutopilotOptions): AutopilotStep | undefined {
  const { confState } = view;
  // A change is under way; the leader ends it by itself.
  if (confState.votersOutgoing.length > 0 || confState.learnersNext.length > 0) return undefined;
  const group = new Group(view, options);
  return (
    group.admit() ??
    group.dismiss() ??
    group.replaceDead() ??
    group.grow() ??
    group.shrink() ??
    group.shedDead() ??
    group.spread() ??
    group.dismissSurplus()
  );
}

/**
 * Whether a host may be removed from the mesh. Throws `CONFLICT` when it is a live voter (stop its agent first, or force),
 * or when those left would have no quorum.
 */
export function mustBeRemovable(
  view: AutopilotView,
  raftId: RaftId,
  force: boolean,
  options = defaultAutopilotOptions,
): void {
  const { voters } = view.confState;
  if (!voters.includes(raftId)) return;
  const group = new Group(view, options);
  if (voters.length === 1) {
    throw new ShoalError('CONFLICT', 'The only voter cannot be removed; let another host join first.', {
      facts: { raftId },
    });
  }
  const left = voters.filter((id) => id !== raftId);
  const live = left.filter((id) => group.isLive(id));
  if (live.length <= left.length / 2) {
    throw new ShoalError('CONFLICT', 'Without this host too few voters would be left to commit anything.', {
      facts: { raftId, left, live },
    });
  }
  if (group.isLive(raftId) && !force) {
    throw new ShoalError('CONFLICT', 'The host is alive and votes. Stop its agent first, or force the removal.', {
      facts: { raftId },
    });
  }
}

class Group {
  readonly #view: AutopilotView;
  readonly #options: AutopilotOptions;
  readonly #domains: ReadonlyMap<RaftId, string>;
  readonly #members: ReadonlyMap<RaftId, AutopilotMember>;
  readonly #voters: readonly RaftId[];
  readonly #target: number;

  constructor(view: AutopilotView, options: AutopilotOptions) {
    this.#view = view;
    this.#options = options;
    this.#domains = new Map(
      view.hosts.map((host) => [host.raftId, host.failureDomain === '' ? `host ${host.raftId}` : host.failureDomain]),
    );
    this.#members = new Map(view.members.map((member) => [member.raftId, member]));
    this.#voters = view.confState.voters;
    this.#target = voterTarget(view.hosts.length);
  }

  /** Heard of lately. */
  isLive(id: RaftId): boolean {
    return id === this.#view.leader || this.#silentMs(id) <= this.#options.liveMs;
  }

  /** A host that is no member becomes a learner: one that can hold no slice always, others while learners are wanted. */
  admit(): AutopilotStep | undefined {
    const { voters, learners } = this.#view.confState;
    const outside = this.#view.hosts.filter(({ raftId }) => !voters.includes(raftId) && !learners.includes(raftId));
    const old = outside.find(({ holdsSlices }) => holdsSlices !== true);
    if (old !== undefined) return change([learner(old.raftId)], `host ${old.raftId} can hold no slice`);
    const wanted = Math.max(0, this.#target - voters.length) + this.#options.standbys;
    const usable = learners.filter((id) => this.#domains.has(id) && this.#isUsable(id));
    if (usable.length >= wanted) return undefined;
    // A new learner of a domain that has fewest members: whether it lives is seen once it is one.
    const members = [...voters, ...learners];
    const crowd = (id: RaftId): number =>
      members.filter((other) => this.#domainOf(other) === this.#domainOf(id)).length;
    const [best] = outside
      .filter(({ raftId }) => this.#view.unreachable?.has(raftId) !== true)
      .sort((a, b) => crowd(a.raftId) - crowd(b.raftId) || a.raftId - b.raftId);
    return best === undefined ? undefined : change([learner(best.raftId)], `host ${best.raftId} stands by`);
  }

  /** More learners than are wanted: the dead go first, then the silent, then those from crowded domains. They hold slices from then on. */
  dismissSurplus(): AutopilotStep | undefined {
    const { learners } = this.#view.confState;
    const sliced = new Set(
      this.#view.hosts.filter(({ holdsSlices }) => holdsSlices === true).map(({ raftId }) => raftId),
    );
    const able = learners.filter((id) => sliced.has(id));
    const wanted = Math.max(0, this.#target - this.#voters.length) + this.#options.standbys;
    const members = [...this.#voters, ...learners];
    const surplus = [...able]
      .sort(
        (a, b) =>
          Number(this.#isUsable(a)) - Number(this.#isUsable(b)) ||
          this.#worth(a, members) - this.#worth(b, members) ||
          b - a,
      )
      .slice(0, Math.min(dismissedAtOnce, Math.max(0, able.length - wanted)));
    if (surplus.length === 0) return undefined;
    return change(surplus.map(remove), `${wanted} learners are enough`);
  }

  /** A member that is no host any more goes; a voter's place is taken by another in the same step where one can. */
  dismiss(): AutopilotStep | undefined {
    const { learners } = this.#view.confState;
    // The silent first: without a live one the rest might not be able to commit.
    const gone = [...learners, ...this.#silentFirst(this.#voters)].find((id) => !this.#domains.has(id));
    if (gone === undefined) return undefined;
    const reason = `member ${gone} is no host any more`;
    if (gone === this.#view.leader) {
      const heir = this.#voters.find((id) => id !== gone && this.#domains.has(id) && this.#isFit(id));
      return heir === undefined ? undefined : { kind: 'transfer', to: heir, reason };
    }
    if (!this.#voters.includes(gone)) return change([remove(gone)], reason);
    const left = this.#voters.filter((id) => id !== gone);
    const heir = this.#voters.length <= this.#target ? this.#bestCandidate(left) : undefined;
    if (!this.#canCommit(heir === undefined ? left : [...left, heir])) return undefined;
    return change([...(heir === undefined ? [] : [voter(heir)]), remove(gone)], reason);
  }

  /** A voter that stays away swaps places with a live learner. */
  replaceDead(): AutopilotStep | undefined {
    if (this.#voters.length > this.#target) return undefined;
    const dead = this.#voters.find((id) => this.#isDead(id));
    if (dead === undefined) return undefined;
    const heir = this.#bestCandidate(this.#voters.filter((id) => id !== dead));
    if (heir === undefined) return undefined;
    return change([voter(heir), learner(dead)], `voter ${dead} has been silent for too long`);
  }

  /** Too few voters: as many as make the number odd again, if they are there. */
  grow(): AutopilotStep | undefined {
    const count = this.#voters.length;
    if (count >= this.#target) return undefined;
    const wanted = count % 2 === 0 ? 1 : 2;
    const chosen: RaftId[] = [];
    for (let n = 0; n < wanted; n += 1) {
      const next = this.#bestCandidate([...this.#voters, ...chosen]);
      if (next === undefined) return undefined;
      chosen.push(next);
    }
    return change(chosen.map(voter), `${this.#view.hosts.length} hosts are to have ${this.#target} voters`);
  }

  /** Too many voters: the silent go first, then those from crowded domains. */
  shrink(): AutopilotStep | undefined {
    const surplus = this.#voters.length - this.#target;
    if (surplus <= 0) return undefined;
    const chosen: RaftId[] = [];
    for (let n = 0; n < surplus; n += 1) {
      const left = this.#voters.filter((id) => !chosen.includes(id));
      const worst = left
        .filter((id) => id !== this.#view.leader)
        .sort((a, b) => this.#worth(a, left) - this.#worth(b, left) || b - a)[0];
      if (worst !== undefined) chosen.push(worst);
    }
    // Never so that those left could not commit without the absent.
    if (!this.#canCommit(this.#voters.filter((id) => !chosen.includes(id)))) return undefined;
    return change(chosen.map(learner), `${this.#view.hosts.length} hosts are to have ${this.#target} voters`);
  }

  /** Nobody can take the place of dead voters, but without them the rest would bear one more loss. */
  shedDead(): AutopilotStep | undefined {
    const dead = this.#voters.filter((id) => this.#isDead(id));
    const left = this.#voters.length - dead.length;
    if (dead.length < 2 || left % 2 === 0 || left < 3) return undefined;
    return change(dead.map(learner), `voters ${dead.join(', ')} have been silent for too long`);
  }

  /** Two voters in one domain while another domain has none: one of them swaps places. */
  spread(): AutopilotStep | undefined {
    for (const id of [...this.#voters].sort((a, b) => b - a)) {
      if (id === this.#view.leader) continue;
      const others = this.#voters.filter((other) => other !== id);
      if (!others.some((other) => this.#domainOf(other) === this.#domainOf(id))) continue;
      const heir = this.#bestCandidate(others);
      if (heir === undefined || others.some((other) => this.#domainOf(other) === this.#domainOf(heir))) continue;
      return change([voter(heir), learner(id)], `failure domain ${this.#domainOf(heir)} has no voter`);
    }
    return undefined;
  }

  /** Not known to be dead: a learner that has just been made one was not heard yet. */
  #isUsable(id: RaftId): boolean {
    return Math.min(this.#silentMs(id), this.#view.ledMs) <= this.#options.graceMs;
  }

  #canCommit(voters: readonly RaftId[]): boolean {
    return voters.filter((id) => this.isLive(id)).length > voters.length / 2;
  }

  #silentFirst(ids: readonly RaftId[]): readonly RaftId[] {
    return [...ids].sort((a, b) => Number(this.isLive(a)) - Number(this.isLive(b)) || a - b);
  }

  /** The live, caught-up learner that spreads best beside `voters`; the lowest number among equals. */
  #bestCandidate(voters: readonly RaftId[]): RaftId | undefined {
    const crowd = (id: RaftId): number => voters.filter((other) => this.#domainOf(other) === this.#domainOf(id)).length;
    return this.#view.confState.learners
      .filter((id) => this.#domains.has(id) && this.#isFit(id) && !voters.includes(id))
      .sort((a, b) => crowd(a) - crowd(b) || a - b)[0];
  }

  /** The lower, the sooner a voter goes. */
  #worth(id: RaftId, voters: readonly RaftId[]): number {
    const crowd = voters.filter((other) => this.#domainOf(other) === this.#domainOf(id)).length;
    return (this.isLive(id) ? 1000 : 0) - crowd;
  }

  #domainOf(id: RaftId): string {
    return this.#domains.get(id) ?? `member ${id}`;
  }

  #silentMs(id: RaftId): number {
    return this.#members.get(id)?.silentMs ?? Number.POSITIVE_INFINITY;
  }

  /** Silent for longer than the grace period, as far as this leader can tell. */
  #isDead(id: RaftId): boolean {
    if (id === this.#view.leader) return false;
    return Math.min(this.#silentMs(id), this.#view.ledMs) > this.#options.graceMs;
  }

  #isFit(id: RaftId): boolean {
    const lag = this.#members.get(id)?.lagEntries ?? Number.POSITIVE_INFINITY;
    return this.isLive(id) && lag <= this.#options.lagEntriesMax;
  }
}

function change(changes: readonly ConfChangeSingle[], reason: string): AutopilotStep {
  return { kind: 'change', changes, reason };
}

function voter(nodeId: RaftId): ConfChangeSingle {
  return { type: 'addNode', nodeId };
}

function learner(nodeId: RaftId): ConfChangeSingle {
  return { type: 'addLearner', nodeId };
}

function remove(nodeId: RaftId): ConfChangeSingle {
  return { type: 'removeNode', nodeId };
}
