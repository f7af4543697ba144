/**
 * A group of nodes in one process, whose network, disks and clocks are whatever the schedule says, and an observer that
 * knows everything and checks what Raft promises (Raft paper, figure 3) after each step.
 *
 * Faults: messages are lost, repeated, delivered in any order; the network splits in two; nodes lose power at any moment, also between the storing
 * and the sending of one `Ready`; what was not synced may be lost with it (the commit index, the last of the state machine).
 */
import { assert, must } from '../../../../node/base/assert.ts';
import type { Prng } from '../../../../node/base/prng.ts';
import type { ConfChangeV2 } from '../../../../node/raft/conf-change.ts';
import { asV2 } from '../../../../node/raft/conf-change.ts';
import { decodeConfChangeV1, decodeConfChangeV2 } from '../../../../node/raft/conf-change-codec.ts';
import type { RaftConfig } from '../../../../node/raft/config.ts';
import {
  type ConfState,
  type Entry,
  emptyConfState,
  emptyHardState,
  type HardState,
  isEmptyHardState,
  type LogIndex,
  type Message,
  noBytes,
  type Snapshot,
  type Term,
} from '../../../../node/raft/messages/messages.ts';
import { RawNode } from '../../../../node/raft/raw-node.ts';
import type { ReadState } from '../../../../node/raft/read-index.ts';
import { MemoryStorage } from '../../../../node/raft/storage/memory-storage.ts';
import type { LogRefusal } from '../../../../node/raft/storage/storage.ts';

/** What a run draws once. */
export interface ClusterOptions {
  readonly nodes: number;
  readonly asyncStorageWrites: boolean;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly leaseReads: boolean;
  readonly maxBytesPerMessage: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  readonly maxCommittedBytesPerReady: number;
  readonly membershipChanges: boolean;
}

const electionTicks = 10;
/** Where the log of a new group begins. */
const firstIndex = 1;
/** Messages on the network at once; the oldest are lost beyond it. */
const networkMax = 400;
/** Rounds in which a healed group must have converged: some dozens of election timeouts. */
const healRoundsMax = 600;

/** A disk: what is synced stays, what is not may be lost. Old entries and snapshots are sometimes not at hand. */
class Disk extends MemoryStorage {
  confState: ConfState = emptyConfState;
  applied: LogIndex = 0;
  /** A running checksum of all that is applied: equal states have equal sums. */
  sum = 0;
  /** The newest hard state that was written without a sync. */
  unsynced: HardState | undefined;
  #stored: HardState = emptyHardState;
  readonly #random: Prng;
  slow = true;

  constructor(random: Prng) {
    super();
    this.#random = random;
  }

  override initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#stored, confState: this.confState };
  }

  override setHardState(state: HardState): void {
    this.#stored = state;
    this.unsynced = undefined;
  }

  override entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal {
    if (this.slow && low <= this.applied && this.#random.chance(0.1)) return 'temporarily-unavailable';
    return super.entries(low, high, bytesMax);
  }

  override snapshot(atLeast: LogIndex = 0): Snapshot | 'temporarily-unavailable' {
    if (this.slow && this.#random.chance(0.1)) return 'temporarily-unavailable';
    const newest = super.snapshot();
    if (newest !== 'temporarily-unavailable' && newest.index >= atLeast) return newest;
    return this.createSnapshot(this.applied, this.confState, sumToBytes(this.sum));
  }

  /** Power off: an unsynced write has made it to the platter, or has not. */
  cut(): void {
    if (this.unsynced !== undefined && this.#random.chance(0.5)) this.setHardState(this.unsynced);
    this.unsynced = undefined;
  }
}

export interface Member {
  readonly id: number;
  readonly disk: Disk;
  /** Undefined while the power is off. */
  node: RawNode | undefined;
  appendWork: Message[];
  applyWork: Message[];
  /** The highest commit index seen since the power came on. */
  commitSeen: LogIndex;
  /** By context: the highest index that was committed anywhere when the read was asked for. */
  readonly readsWaiting: Map<string, LogIndex>;
}

export class Cluster {
  readonly members: Member[] = [];
  readonly #options: ClusterOptions;
  readonly #random: Prng;
  #network: Message[] = [];
  /** Those on the one side of a split; empty when there is none. */
  #island: ReadonlySet<number> = new Set();
  #proposals = 0;
  #reads = 0;

  /** What the observer has seen committed: the term of each index, from 1 on. */
  readonly #committedTerms: Term[] = [0, 1];
  /** The state machine's sum after each index. */
  readonly #sums: number[] = [0, 0];
  readonly #leaders = new Map<Term, number>();

  /** Counted for the tests: a run in which nothing happened proves nothing. */
  elections = 0;
  readsAnswered = 0;

  constructor(options: ClusterOptions, random: Prng) {
    this.#options = options;
    this.#random = random;
    const voters = Array.from({ length: options.nodes }, (_, i) => i + 1);
    const spares = options.membershipChanges ? 2 : 0;
    for (let id = 1; id <= options.nodes + spares; id++) {
      const disk = new Disk(random.fork());
      if (id <= options.nodes) {
        // A group begins with the same snapshot on its first voters; others get their membership from a leader.
        disk.confState = { ...emptyConfState, voters };
        disk.applied = firstIndex;
        disk.applySnapshot({ index: firstIndex, term: 1, confState: disk.confState, data: sumToBytes(0) });
      }
      const member: Member = {
        id,
        disk,
        node: undefined,
        appendWork: [],
        applyWork: [],
        commitSeen: 0,
        readsWaiting: new Map(),
      };
      this.members.push(member);
      this.powerOn(member);
    }
  }

  get committed(): LogIndex {
    return this.#committedTerms.length - 1;
  }

  // --- What a schedule can do --------------------------------------------------------------------------------------

  powerOn(member: Member): void {
    if (member.node !== undefined) return;
    const { nodes: _, membershipChanges: __, leaseReads, checkQuorum, ...limits } = this.#options;
    const config: RaftConfig = {
      ...limits,
      id: member.id,
      storage: member.disk,
      random: this.#random.fork(),
      electionTicks,
      heartbeatTicks: 2,
      applied: member.disk.applied,
      checkQuorum: checkQuorum || leaseReads,
      readMode: leaseReads ? 'lease-based' : 'safe',
      stepDownOnRemoval: true,
    };
    member.node = new RawNode(config);
    member.commitSeen = member.node.raft.log.committed;
  }

  powerOff(member: Member): void {
    member.node = undefined;
    member.appendWork = [];
    member.applyWork = [];
    member.readsWaiting.clear();
    member.disk.cut();
  }

  tick(member: Member): void {
    member.node?.tick();
    this.#observe(member);
  }

  propose(member: Member): void {
    const text = `p${this.#proposals++}`;
    member.node?.propose(new TextEncoder().encode(text));
    this.#observe(member);
  }

  changeMembership(member: Member): void {
    const ids = this.members.map(({ id }) => id);
    const types = ['addNode', 'addLearner', 'removeNode'] as const;
    const changes = Array.from({ length: this.#random.below(4) }, () => ({
      type: this.#random.pick(types),
      nodeId: this.#random.pick(ids),
    }));
    const transition = this.#random.pick(['auto', 'implicit', 'explicit'] as const);
    member.node?.proposeConfChange({ transition, changes, context: noBytes });
    this.#observe(member);
  }

  transfer(member: Member): void {
    member.node?.transferLeadership(this.#random.pick(this.members).id);
    this.#observe(member);
  }

  read(member: Member): void {
    if (member.node === undefined) return;
    const name = `r${this.#reads++}`;
    if (member.node.readIndex(new TextEncoder().encode(name)) !== undefined) return;
    member.readsWaiting.set(name, this.committed);
    this.#observe(member);
  }

  /** Does the next `Ready`, or loses power somewhere in the middle of it. */
  work(member: Member, crash: boolean): void {
    const { node, disk } = member;
    if (!node?.hasReady()) return;
    const ready = node.ready();
    this.#checkReads(member, ready.readStates);
    if (this.#options.asyncStorageWrites) {
      if (crash) {
        this.powerOff(member);
        return;
      }
      for (const message of ready.messages) {
        if (message.type === 'MsgStorageAppend') member.appendWork.push(message);
        else if (message.type === 'MsgStorageApply') member.applyWork.push(message);
        else this.#send(message);
      }
      return;
    }
    const point = crash ? this.#random.below(3) : 3;
    if (point >= 1) this.#store(disk, ready.hardState, ready.entries, ready.snapshot, ready.mustSync);
    if (point >= 2) for (const message of ready.messages) this.#send(message);
    if (point < 3) {
      this.powerOff(member);
      return;
    }
    this.#apply(member, ready.committedEntries);
    node.advance();
    this.#observe(member);
  }

  workAppend(member: Member): void {
    const message = member.appendWork.shift();
    if (message === undefined) return;
    const { term, vote, commit, entries, snapshot } = message;
    this.#store(member.disk, { term, vote, commit }, entries, snapshot ?? undefined, true);
    this.#respond(member, message.responses);
  }

  workApply(member: Member): void {
    const message = member.applyWork.shift();
    if (message === undefined) return;
    this.#apply(member, message.entries);
    this.#respond(member, message.responses);
  }

  /** Notes a snapshot and forgets entries before it, some of them. */
  compact(member: Member): void {
    const { disk } = member;
    if (disk.applied < disk.firstIndex()) return;
    disk.createSnapshot(disk.applied, disk.confState, sumToBytes(disk.sum));
    disk.compact(disk.applied - this.#random.below(4));
  }

  /** Delivers a message; the oldest, or any. */
  deliver(inOrder: boolean): void {
    const message = this.#take(inOrder ? 0 : this.#random.below(Math.max(1, this.#network.length)));
    if (message !== undefined) this.#deliver(message);
  }

  repeat(): void {
    if (this.#network.length > 0) this.#network.push(this.#random.pick(this.#network));
  }

  lose(): void {
    const message = this.#take(this.#random.below(Math.max(1, this.#network.length)));
    if (message !== undefined) this.#reportLoss(message);
  }

  /** Splits the network in two, or makes it whole. Leaders are cut off more often than chance would have it. */
  split(): void {
    const leader = this.members.find(({ node }) => node?.raft.role === 'leader');
    const island = new Set(this.members.map(({ id }) => id).filter(() => this.#random.chance(0.3)));
    if (leader !== undefined && this.#random.chance(0.5)) island.add(leader.id);
    this.#island = island;
  }

  join(): void {
    this.#island = new Set();
  }

  // --- The world ---------------------------------------------------------------------------------------------------

  #send(message: Message): void {
    this.#network.push(message);
    if (this.#network.length > networkMax) this.#reportLoss(must(this.#network.shift(), 'a message'));
  }

  #take(at: number): Message | undefined {
    return this.#network.splice(at, 1)[0];
  }

  #deliver(message: Message): void {
    const target = must(this.members[message.to - 1], `node ${message.to}`);
    if (target.node === undefined || this.#island.has(message.from) !== this.#island.has(message.to)) {
      this.#reportLoss(message);
      return;
    }
    target.node.step(message);
    if (message.type === 'MsgSnap') this.members[message.from - 1]?.node?.reportSnapshot(message.to, true);
    this.#observe(target);
  }

  #reportLoss(message: Message): void {
    const sender = this.members[message.from - 1]?.node;
    if (message.type === 'MsgSnap') sender?.reportSnapshot(message.to, false);
    else if (this.#random.chance(0.3)) sender?.reportUnreachable(message.to);
  }

  #respond(member: Member, responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to === member.id) member.node?.step(response);
      else this.#send(response);
    }
    this.#observe(member);
  }

  #store(
    disk: Disk,
    hardState: HardState | undefined,
    entries: readonly Entry[],
    snapshot: Snapshot | undefined,
    sync: boolean,
  ): void {
    if (hardState !== undefined && !isEmptyHardState(hardState)) {
      if (sync || snapshot !== undefined) disk.setHardState(hardState);
      else disk.unsynced = hardState;
    }
    if (snapshot !== undefined && snapshot.index > disk.applied) {
      disk.applySnapshot(snapshot);
      disk.confState = snapshot.confState;
      disk.applied = snapshot.index;
      disk.sum = bytesToSum(snapshot.data);
      assert(disk.sum === this.#sums[snapshot.index], () => `a snapshot at ${snapshot.index} has another state`);
    }
    disk.append(entries);
  }

  #apply(member: Member, entries: readonly Entry[]): void {
    const { disk } = member;
    for (const entry of entries) {
      assert(entry.index === disk.applied + 1, () => `${entry.index} is applied after ${disk.applied}`);
      if (entry.type !== 'normal') {
        const decode = entry.type === 'confChange' ? decodeConfChangeV1 : decodeConfChangeV2;
        const change: ConfChangeV2 = asV2(must(decode(entry.data), 'the conf change'));
        disk.confState = must(member.node, 'a running node').applyConfChange(change);
      }
      disk.applied = entry.index;
      disk.sum = nextSum(disk.sum, entry);
      // State Machine Safety: no other entry is ever applied at an index.
      const known = this.#sums[entry.index];
      assert(
        known === undefined || known === disk.sum,
        () => `node ${member.id} applied something else at ${entry.index}`,
      );
      this.#sums[entry.index] = disk.sum;
    }
  }

  // --- The observer ------------------------------------------------------------------------------------------------

  #observe(member: Member): void {
    if (member.node === undefined) return;
    const { raft } = member.node;
    const { log } = raft;
    // Commit indexes never shrink while the power is on.
    assert(log.committed >= member.commitSeen, () => `the commit index of ${member.id} shrank`);
    for (let index = member.commitSeen + 1; index <= log.committed; index++) {
      const term = log.term(index);
      if (typeof term !== 'number') continue; // Part of a snapshot; its state is compared when it is stored.
      const known = this.#committedTerms[index];
      assert(known === undefined || known === term, () => `two entries are committed at ${index}`);
      // The first to commit an index has all before it.
      assert(index <= this.#committedTerms.length, () => `index ${index} is committed after a gap`);
      this.#committedTerms[index] = term;
    }
    member.commitSeen = log.committed;
    if (raft.role === 'leader') this.#observeLeader(member.id, raft.term, (index) => log.term(index));
  }

  #observeLeader(id: number, term: Term, termOf: (index: LogIndex) => Term | LogRefusal): void {
    const known = this.#leaders.get(term);
    // Election Safety: one leader a term.
    assert(known === undefined || known === id, () => `${id} and ${known} both lead term ${term}`);
    if (known !== undefined) return;
    this.#leaders.set(term, id);
    this.elections++;
    // Leader Completeness: a leader has all that was committed in earlier terms.
    for (const [index, committedIn] of this.#committedTerms.entries()) {
      if (index === 0 || committedIn >= term) continue;
      const own = termOf(index);
      assert(own === committedIn || own === 'compacted', () => `leader ${id} of term ${term} lacks entry ${index}`);
    }
  }

  #checkReads(member: Member, reads: readonly ReadState[]): void {
    for (const { index, context } of reads) {
      const name = new TextDecoder().decode(context);
      const atLeast = member.readsWaiting.get(name);
      if (atLeast === undefined) continue; // Asked for before a restart.
      member.readsWaiting.delete(name);
      this.readsAnswered++;
      assert(index >= atLeast, () => `read ${name} at ${index} misses what was committed up to ${atLeast}`);
    }
  }

  /** Log Matching: two logs with the same entry at an index are the same up to there. */
  checkLogs(): void {
    for (const a of this.members) {
      for (const b of this.members) if (a.id < b.id) this.#checkPair(a.disk, b.disk);
    }
  }

  #checkPair(a: Disk, b: Disk): void {
    let agree = false;
    const low = Math.max(a.firstIndex(), b.firstIndex());
    for (let index = Math.min(a.lastIndex(), b.lastIndex()); index >= low; index--) {
      const same = a.term(index) === b.term(index);
      assert(same || !agree, () => `two logs agree after ${index} but not there`);
      agree ||= same;
    }
  }

  // --- Healing -----------------------------------------------------------------------------------------------------

  /** Everything works from now on: the members must agree on a leader, commit something new, and have the same state. */
  heal(): void {
    for (const member of this.members) {
      member.disk.slow = false;
      this.powerOn(member);
    }
    this.join();
    for (const message of this.#network.splice(0)) this.#reportLoss(message);
    for (let round = 0; round < healRoundsMax; round++) {
      const members = this.#currentMembers();
      for (const member of members) this.tick(member);
      const leader = members.find(({ node }) => node?.raft.role === 'leader');
      if (leader?.node !== undefined && round % 5 === 0) {
        // A joint configuration that nobody leaves by itself would wait for ever.
        if (leader.disk.confState.votersOutgoing.length > 0) {
          leader.node.proposeConfChange({ transition: 'auto', changes: [], context: noBytes });
        }
        this.propose(leader);
      }
      this.#converge();
      if (round > 60 && this.#isConverged()) return;
    }
    const states = this.members.map(({ id, disk, node }) => {
      const { confState, applied } = disk;
      const { role, term, leader } = must(node, 'a node').raft;
      return JSON.stringify({ id, role, term, leader, applied, ...confState });
    });
    assert(false, () => `the healed group does not converge:\n${states.join('\n')}`);
  }

  /** Those that the furthest state machine says are members; machines that were removed are switched off in real life. */
  #currentMembers(): Member[] {
    const furthest = this.members.reduce((a, b) => (b.disk.applied > a.disk.applied ? b : a));
    const { voters, votersOutgoing, learners } = furthest.disk.confState;
    const ids = new Set([...voters, ...votersOutgoing, ...learners]);
    return this.members.filter(({ id }) => ids.has(id));
  }

  #converge(): void {
    for (let i = 0; i < 10_000; i++) {
      let busy = false;
      for (const member of this.members) {
        busy ||= member.node?.hasReady() === true || member.appendWork.length > 0 || member.applyWork.length > 0;
        this.work(member, false);
        this.workAppend(member);
        this.workApply(member);
      }
      for (const message of this.#network.splice(0)) {
        busy = true;
        this.#deliver(message);
      }
      if (!busy) return;
    }
    const talk = this.#network.map(({ from, to, type }) => `${from}->${to} ${type}`);
    assert(false, () => `the group talks without end: ${talk.join(', ')}`);
  }

  #isConverged(): boolean {
    const members = this.#currentMembers();
    const leaders = members.filter(({ node }) => node?.raft.role === 'leader');
    const [first] = members;
    return (
      leaders.length === 1 &&
      first !== undefined &&
      members.every(({ disk }) => disk.applied === first.disk.applied && disk.sum === first.disk.sum)
    );
  }
}

function nextSum(sum: number, entry: Entry): number {
  let next = Math.imul(sum ^ entry.term, 0x01000193) ^ entry.index;
  for (const byte of entry.data) next = Math.imul(next ^ byte, 0x01000193);
  return next >>> 0;
}

function sumToBytes(sum: number): Uint8Array {
  return Uint8Array.of(sum & 0xff, (sum >>> 8) & 0xff, (sum >>> 16) & 0xff, sum >>> 24);
}

function bytesToSum(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
