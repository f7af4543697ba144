/** Nodes in memory whose messages a test delivers by hand, for unit tests. Scenario files tell longer stories. */
import { must } from '../../../node/base/assert.ts';
import type { RaftConfig } from '../../../node/raft/config.ts';
import {
  type Entry,
  emptyConfState,
  type HardState,
  isEmptyHardState,
  type LogIndex,
  type Message,
  type MessageFields,
  newMessage,
  noBytes,
  type Term,
} from '../../../node/raft/messages/messages.ts';
import { RawNode } from '../../../node/raft/raw-node.ts';
import type { Ready } from '../../../node/raft/ready.ts';
import { MemoryStorage } from '../../../node/raft/storage/memory-storage.ts';

/** Where the log of a test node begins: a snapshot of term 1 at index 1. */
export const base = 1;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function entry(term: Term, index: LogIndex, text = ''): Entry {
  return { term, index, type: 'normal', data: bytes(text) };
}

export interface NodeOptions extends Partial<RaftConfig> {
  readonly voters?: readonly number[];
  readonly learners?: readonly number[];
  readonly hardState?: HardState;
  /** Entries from index 2 on. */
  readonly entries?: readonly Entry[];
}

export interface TestNode {
  readonly node: RawNode;
  readonly storage: MemoryStorage;
  readonly applied: string[];
}

export function newNode(options: NodeOptions = {}): TestNode {
  const { voters = [1, 2, 3], learners = [], hardState, entries = [], ...config } = options;
  const storage = new MemoryStorage();
  storage.applySnapshot({
    index: base,
    term: 1,
    confState: { ...emptyConfState, voters, learners },
    data: noBytes,
  });
  storage.append(entries);
  if (hardState !== undefined) storage.setHardState(hardState);
  const node = new RawNode({
    id: 1,
    storage,
    random: { below: () => 0 },
    electionTicks: 10,
    heartbeatTicks: 1,
    applied: base,
    ...config,
  });
  return { node, storage, applied: [] };
}

/** Takes the next `Ready` of a node without asynchronous writes, does what it says, and returns it. */
export function work({ node, storage, applied }: TestNode): Ready {
  const ready = node.ready();
  if (ready.hardState !== undefined && !isEmptyHardState(ready.hardState)) storage.setHardState(ready.hardState);
  if (ready.snapshot !== undefined) storage.applySnapshot(ready.snapshot);
  storage.append(ready.entries);
  for (const one of ready.committedEntries) applied.push(new TextDecoder().decode(one.data));
  node.advance();
  return ready;
}

/** All messages that a node has to send until it is idle. */
export function drain(one: TestNode): Message[] {
  const messages: Message[] = [];
  for (let i = 0; i < 100 && one.node.hasReady(); i++) messages.push(...work(one).messages);
  return messages;
}

/** Makes node 1 leader with the votes of `voters`, and returns what it sends as such. */
export function elect(one: TestNode, voters: readonly number[] = [2]): Message[] {
  one.node.campaign();
  drain(one);
  for (const from of voters) send(one, { type: 'MsgVoteResp', from });
  return drain(one);
}

/** A message to node 1 in its present term, unless `fields` say otherwise. */
export function send(one: TestNode, fields: MessageFields): ReturnType<RawNode['step']> {
  return one.node.step(newMessage({ to: 1, term: one.node.raft.term, ...fields }));
}

/** A group that talks without loss. Returns its members by id. */
export function newGroup(size: number, options: NodeOptions = {}): Map<number, TestNode> {
  const voters = Array.from({ length: size }, (_, i) => i + 1);
  return new Map(voters.map((id) => [id, newNode({ voters, ...options, id })]));
}

/** Delivers everything until nothing moves. */
export function converge(group: ReadonlyMap<number, TestNode>): void {
  for (let round = 0; round < 1000; round++) {
    const messages = [...group.values()].flatMap(drain);
    if (messages.length === 0) return;
    for (const message of messages) group.get(message.to)?.node.step(message);
  }
}

export function member(group: ReadonlyMap<number, TestNode>, id: number): TestNode {
  return must(group.get(id), `node ${id}`);
}
