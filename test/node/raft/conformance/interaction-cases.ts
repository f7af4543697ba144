/**
 * Runs whole groups of nodes through scenario files: the commands of etcd-io/raft's interaction tests, and a few of our
 * own (`read-index`, `restart`, `report-snapshot`, `deliver-msgs dup=`). The state machine appends what it applies, and
 * notes a snapshot after each entry.
 */
import { must } from '../../../../node/base/assert.ts';
import type { ConfChange } from '../../../../node/raft/conf-change.ts';
import { asV2 } from '../../../../node/raft/conf-change.ts';
import { decodeConfChangeV1, decodeConfChangeV2 } from '../../../../node/raft/conf-change-codec.ts';
import type { RaftConfig } from '../../../../node/raft/config.ts';
import {
  type ConfState,
  type Entry,
  emptyConfState,
  type HardState,
  isEmptyHardState,
  isLocalThread,
  type Message,
  newMessage,
  noBytes,
  type Snapshot,
} from '../../../../node/raft/messages/messages.ts';
import { RawNode } from '../../../../node/raft/raw-node.ts';
import type { Refusal } from '../../../../node/raft/refusal.ts';
import { MemoryStorage } from '../../../../node/raft/storage/memory-storage.ts';
import { type CaseRunner, firstId, idsOf, optionOf, ScenarioError, toBoolean, toInteger } from './command.ts';
import { describeEntries, describeMember, describeMessage, describeReady, describeRole } from './describe.ts';
import { parseChanges } from './membership-cases.ts';
import type { Case } from './scenario-file.ts';

const electionTicks = 3;
const heartbeatTicks = 1;
/** More rounds than any honest scenario needs before nothing moves. */
const stabilizeRoundsMax = 1000;

const refusalTexts: Readonly<Record<Refusal, string>> = {
  'proposal-dropped': 'raft proposal dropped',
  'read-dropped': 'raft read dropped',
  'peer-not-found': 'raft: cannot step as peer not found',
  'local-message': 'raft: cannot step raft local message',
  'malformed-message': 'raft: malformed message',
};

/** Storage whose snapshot is always the newest state of the node's state machine, which survives a restart. */
class SnapshottingStorage extends MemoryStorage {
  readonly history: Snapshot[] = [];

  override initialState(): { hardState: HardState; confState: ConfState } {
    const { hardState, confState } = super.initialState();
    return { hardState, confState: this.history.at(-1)?.confState ?? confState };
  }

  override snapshot(): Snapshot {
    return must(this.history.at(-1), 'the state machine');
  }
}

interface Member {
  readonly id: number;
  readonly config: RaftConfig;
  readonly storage: SnapshottingStorage;
  node: RawNode;
  appendWork: Message[];
  applyWork: Message[];
}

interface Recipient {
  readonly id: number;
  readonly drop: boolean;
  /** How often each message is delivered. */
  readonly times: number;
}

export function interactionRunner(): CaseRunner {
  const world = new World();
  return (one) => world.run(one);
}

class World {
  readonly #members: Member[] = [];
  #network: Message[] = [];
  #output = '';
  #indent = '';
  #quiet = false;

  run(one: Case): string {
    this.#output = '';
    if (one.command === 'log-level') {
      this.#quiet = one.args[0]?.key === 'none';
      return '';
    }
    const quiet = this.#quiet || optionOf(one, 'log-level') === 'none';
    this.#dispatch(one);
    return quiet ? '' : this.#output;
  }

  #dispatch(one: Case): void {
    switch (one.command) {
      case 'add-nodes':
        this.#addNodes(one);
        return;
      case 'campaign':
        this.#member(firstId(one)).node.campaign();
        return;
      case 'tick-election':
        this.#tick(firstId(one), electionTicks);
        return;
      case 'tick-heartbeat':
        this.#tick(firstId(one), heartbeatTicks);
        return;
      case 'set-randomized-election-timeout':
        this.#member(firstId(one)).node.raft.randomizedElectionTicks = toInteger(optionOf(one, 'timeout') ?? '');
        return;
      case 'propose':
        this.#report(this.#member(firstId(one)).node.propose(bytesOf(one.args[1]?.key ?? '')));
        return;
      case 'propose-conf-change':
        this.#report(this.#member(firstId(one)).node.proposeConfChange(confChangeOf(one)));
        return;
      case 'process-ready':
        this.#each(one, 'handling Ready', (member) => this.#processReady(member));
        return;
      case 'process-append-thread':
        this.#each(one, 'processing append thread', (member) => this.#processAppend(member));
        return;
      case 'process-apply-thread':
        this.#each(one, 'processing apply thread', (member) => this.#processApply(member));
        return;
      case 'deliver-msgs':
        this.#deliverCommand(one);
        return;
      case 'stabilize':
        this.#stabilize(idsOf(one));
        return;
      case 'compact':
        this.#member(firstId(one)).storage.compact(toInteger(one.args[1]?.key ?? ''));
        this.#printLog(this.#member(firstId(one)));
        return;
      case 'send-snapshot':
        this.#sendSnapshot(one);
        return;
      case 'report-unreachable':
        this.#member(firstId(one)).node.reportUnreachable(must(idsOf(one)[1], 'the peer'));
        return;
      case 'report-snapshot':
        this.#member(firstId(one)).node.reportSnapshot(
          toInteger(optionOf(one, 'from') ?? ''),
          toBoolean(optionOf(one, 'arrived') ?? ''),
        );
        return;
      case 'transfer-leadership':
        this.#member(toInteger(optionOf(one, 'from') ?? '')).node.transferLeadership(
          toInteger(optionOf(one, 'to') ?? ''),
        );
        return;
      case 'forget-leader':
        this.#member(firstId(one)).node.forgetLeader();
        return;
      case 'read-index':
        this.#report(this.#member(firstId(one)).node.readIndex(bytesOf(one.args[1]?.key ?? '')));
        return;
      case 'restart':
        this.#restart(this.#member(firstId(one)));
        return;
      case 'status':
        this.#printStatus(this.#member(firstId(one)));
        return;
      case 'raft-state':
        this.#printRoles();
        return;
      case 'raft-log':
        this.#printLog(this.#member(firstId(one)));
        return;
      default:
        throw new ScenarioError(`line ${one.line}: unknown command ${one.command}`);
    }
  }

  // --- Commands ----------------------------------------------------------------------------------------------------

  #addNodes(one: Case): void {
    const lists = (key: string): number[] => (one.args.find((arg) => arg.key === key)?.values ?? []).map(toInteger);
    const voters = lists('voters');
    const learners = lists('learners');
    const index = toInteger(optionOf(one, 'index') ?? '0');
    for (let i = 0; i < firstId(one); i++) {
      const storage = new SnapshottingStorage();
      const confState: ConfState = { ...emptyConfState, voters, learners };
      const snapshot: Snapshot = { index, term: index === 0 ? 0 : 1, confState, data: noBytes };
      if (index > 0) storage.applySnapshot(snapshot);
      storage.history.push(snapshot);
      const id = this.#members.length + 1;
      const config: RaftConfig = { ...optionsOf(one), id, storage, applied: index };
      this.#members.push({ id, config, storage, node: new RawNode(config), appendWork: [], applyWork: [] });
    }
  }

  #tick(id: number, times: number): void {
    for (let i = 0; i < times; i++) this.#member(id).node.tick();
  }

  /** Power off and on: what was not stored is gone, the state machine is where it was. */
  #restart(member: Member): void {
    member.appendWork = [];
    member.applyWork = [];
    this.#network = this.#network.filter(({ from, to }) => to !== member.id || !(from === to || isLocalThread(from)));
    const applied = must(member.storage.history.at(-1), 'the state machine').index;
    member.node = new RawNode({ ...member.config, applied });
  }

  #sendSnapshot(one: Case): void {
    const [from, to] = idsOf(one);
    const sender = this.#member(must(from, 'the sender'));
    const message = newMessage({
      type: 'MsgSnap',
      from: sender.id,
      to: must(to, 'the recipient'),
      term: sender.node.raft.term,
      snapshot: sender.storage.snapshot(),
    });
    this.#network.push(message);
    this.#print(describeMessage(message));
  }

  #deliverCommand(one: Case): void {
    const recipients: Recipient[] = [];
    let type: string | undefined;
    for (const arg of one.args) {
      if (arg.values.length === 0) recipients.push({ id: toInteger(arg.key), drop: false, times: 1 });
      else if (arg.key === 'type') type = arg.values[0];
      else if (arg.key === 'drop') {
        for (const value of arg.values) recipients.push({ id: toInteger(value), drop: true, times: 1 });
      } else if (arg.key === 'dup') {
        for (const value of arg.values) recipients.push({ id: toInteger(value), drop: false, times: 2 });
      } else throw new ScenarioError(`line ${one.line}: unknown argument ${arg.key}`);
    }
    let delivered = 0;
    for (const recipient of recipients) delivered += this.#deliver(recipient, type);
    if (delivered === 0) this.#print('no messages');
  }

  /** All nodes' work in rounds, each kind for all nodes before the next kind, until a round does nothing. */
  #stabilize(ids: readonly number[]): void {
    const members = ids.length === 0 ? this.#members : ids.map((id) => this.#member(id));
    for (let round = 0; round < stabilizeRoundsMax; round++) {
      let idle = true;
      const section = (member: Member, title: string, work: () => void): void => {
        idle = false;
        this.#print(`> ${member.id} ${title}`);
        this.#indented(work);
      };
      for (const member of members) {
        if (member.node.hasReady()) section(member, 'handling Ready', () => this.#processReady(member));
      }
      for (const member of members) {
        const recipient = { id: member.id, drop: false, times: 1 };
        if (this.#network.some((message) => message.to === member.id)) {
          section(member, 'receiving messages', () => this.#deliver(recipient, undefined));
        }
      }
      for (const member of members) {
        if (member.appendWork.length > 0) {
          section(member, 'processing append thread', () => {
            while (member.appendWork.length > 0) this.#processAppend(member);
          });
        }
      }
      for (const member of members) {
        if (member.applyWork.length > 0) {
          section(member, 'processing apply thread', () => {
            while (member.applyWork.length > 0) this.#processApply(member);
          });
        }
      }
      if (idle) return;
    }
    throw new ScenarioError(`nothing is stable after ${stabilizeRoundsMax} rounds`);
  }

  // --- Work --------------------------------------------------------------------------------------------------------

  #processReady(member: Member): void {
    const ready = member.node.ready();
    this.#write(describeReady(ready));
    const isAsync = member.config.asyncStorageWrites === true;
    if (!isAsync) {
      this.#store(member, ready.hardState, ready.entries, ready.snapshot);
      this.#apply(member, ready.committedEntries);
    }
    for (const message of ready.messages) {
      if (message.type === 'MsgStorageAppend') member.appendWork.push(message);
      else if (message.type === 'MsgStorageApply') member.applyWork.push(message);
      else this.#network.push(message);
    }
    if (!isAsync) member.node.advance();
  }

  #processAppend(member: Member): void {
    const message = member.appendWork.shift();
    if (message === undefined) {
      this.#print('no append work to perform');
      return;
    }
    this.#printWork(message);
    const { term, vote, commit } = message;
    this.#store(member, { term, vote, commit }, message.entries, message.snapshot ?? undefined);
    this.#network.push(...message.responses);
  }

  #processApply(member: Member): void {
    const message = member.applyWork.shift();
    if (message === undefined) {
      this.#print('no apply work to perform');
      return;
    }
    this.#printWork(message);
    this.#apply(member, message.entries);
    this.#network.push(...message.responses);
  }

  #printWork(message: Message): void {
    this.#print('Processing:');
    this.#print(describeMessage({ ...message, responses: [] }));
    this.#print('Responses:');
    for (const response of message.responses) this.#print(describeMessage(response));
  }

  #store(
    member: Member,
    hardState: HardState | undefined,
    entries: readonly Entry[],
    snapshot: Snapshot | undefined,
  ): void {
    if (hardState !== undefined && !isEmptyHardState(hardState)) member.storage.setHardState(hardState);
    if (snapshot !== undefined) {
      member.storage.applySnapshot(snapshot);
      member.storage.history.push(snapshot);
    }
    member.storage.append(entries);
  }

  #apply(member: Member, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const before = must(member.storage.history.at(-1), 'the state before an entry');
      let update = entry.data;
      let confState = before.confState;
      if (entry.type !== 'normal') {
        const decode = entry.type === 'confChange' ? decodeConfChangeV1 : decodeConfChangeV2;
        const change: ConfChange = must(decode(entry.data), 'the conf change');
        update = asV2(change).context;
        confState = member.node.applyConfChange(change);
      }
      const data = new Uint8Array([...before.data, ...update]);
      member.storage.history.push({ index: entry.index, term: entry.term, confState, data });
    }
  }

  #deliver(recipient: Recipient, type: string | undefined): number {
    const taken: Message[] = [];
    const left: Message[] = [];
    for (const message of this.#network) {
      const fits = message.to === recipient.id && (type === undefined || message.type === type);
      const isLocal = message.from === message.to || isLocalThread(message.from);
      if (fits && !(recipient.drop && isLocal)) taken.push(message);
      else left.push(message);
    }
    this.#network = left;
    for (const message of taken) {
      this.#print(`${recipient.drop ? 'dropped: ' : ''}${describeMessage(message)}`);
      if (recipient.drop) continue;
      for (let i = 0; i < recipient.times; i++) this.#report(this.#member(message.to).node.step(message));
    }
    return taken.length;
  }

  // --- Output ------------------------------------------------------------------------------------------------------

  #printStatus(member: Member): void {
    for (const one of member.node.status().members) this.#print(`${one.id}: ${describeMember(one)}`);
  }

  #printRoles(): void {
    for (const member of this.#members) {
      const { role, term, leader, confState } = member.node.status();
      const votes = confState.voters.includes(member.id) || confState.votersOutgoing.includes(member.id);
      const kind = votes ? 'Voter' : 'Non-Voter';
      this.#print(`${member.id}: ${describeRole(role)} (${kind}) Term:${term} Lead:${leader}`);
    }
  }

  #printLog(member: Member): void {
    const first = member.storage.firstIndex();
    const last = member.storage.lastIndex();
    if (last < first) {
      this.#print(`log is empty: first index=${first}, last index=${last}`);
      return;
    }
    const entries = member.storage.entries(first, last + 1, Number.POSITIVE_INFINITY);
    this.#write(typeof entries === 'string' ? `${entries}\n` : describeEntries(entries));
  }

  #report(refusal: Refusal | undefined): void {
    if (refusal !== undefined) this.#print(refusalTexts[refusal]);
  }

  /** One member directly, several each under its own heading. */
  #each(one: Case, title: string, work: (member: Member) => void): void {
    const ids = idsOf(one);
    for (const id of ids) {
      const member = this.#member(id);
      if (ids.length === 1) {
        work(member);
      } else {
        this.#print(`> ${id} ${title}`);
        this.#indented(() => work(member));
      }
    }
  }

  #indented(work: () => void): void {
    this.#indent = '  ';
    work();
    this.#indent = '';
  }

  #print(line: string): void {
    this.#write(`${line}\n`);
  }

  #write(text: string): void {
    for (const line of text.split('\n').slice(0, -1)) this.#output += `${this.#indent}${line}\n`;
  }

  #member(id: number): Member {
    return must(this.#members[id - 1], `node ${id}`);
  }
}

function optionsOf(one: Case): Omit<RaftConfig, 'id' | 'storage'> {
  const number = (key: string): number => toInteger(optionOf(one, key) ?? '');
  const has = (key: string): boolean => optionOf(one, key) !== undefined;
  const flag = (key: string): boolean => toBoolean(optionOf(one, key) ?? 'false');
  return {
    electionTicks,
    heartbeatTicks,
    random: { below: () => 0 },
    maxBytesPerMessage: has('max-size-per-msg') ? number('max-size-per-msg') : Number.POSITIVE_INFINITY,
    maxCommittedBytesPerReady: has('max-committed-size-per-ready')
      ? number('max-committed-size-per-ready')
      : Number.POSITIVE_INFINITY,
    maxUncommittedBytes: has('max-uncommitted-size') ? number('max-uncommitted-size') : Number.POSITIVE_INFINITY,
    maxInflightMessages: has('inflight') ? number('inflight') : Number.POSITIVE_INFINITY,
    maxInflightBytes: Number.POSITIVE_INFINITY,
    asyncStorageWrites: flag('async-storage-writes'),
    preVote: flag('prevote'),
    checkQuorum: flag('checkquorum'),
    readMode: optionOf(one, 'read-only') === 'lease-based' ? 'lease-based' : 'safe',
    leaseDriftTicks: 0,
    disableConfChangeValidation: flag('disable-conf-change-validation'),
    stepDownOnRemoval: flag('step-down-on-removal'),
  };
}

function confChangeOf(one: Case): ConfChange {
  const changes = parseChanges(one.input);
  const [first] = changes;
  if (toBoolean(optionOf(one, 'v1') ?? 'false')) {
    if (first === undefined || changes.length > 1) throw new ScenarioError('a v1 change is exactly one');
    return { ...first, context: noBytes };
  }
  const transition = optionOf(one, 'transition') ?? 'auto';
  if (transition !== 'auto' && transition !== 'implicit' && transition !== 'explicit') {
    throw new ScenarioError(`unknown transition ${transition}`);
  }
  return { transition, changes, context: noBytes };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
