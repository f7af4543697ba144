/** A Raft group in one process: loops over transports that call one another, with links that can be cut. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { Prng } from '../../../node/base/prng.ts';
import { type Logger, silentLogger } from '../../../node/base/telemetry/logger.ts';
import { RaftStateClient } from '../../../node/consensus/client/state-client.ts';
import { RaftLoop } from '../../../node/consensus/loop/loop.ts';
import type { RaftObserver } from '../../../node/consensus/replica/observer.ts';
import type { RaftLoopOptions } from '../../../node/consensus/replica/options.ts';
import type {
  PeerMessage,
  RaftHandlers,
  RaftTransport,
  SnapshotPart,
} from '../../../node/consensus/transport/transport.ts';
import { decodeCommand } from '../../../node/state/command.ts';
import type { Transaction } from '../../../node/state/types.ts';
import type { OpenedLog } from '../../../node/store/index.ts';

/** Opens a member's log; called again for each start. */
export type OpenLog = (raftId: number, bootstrap: boolean) => Promise<OpenedLog>;

export interface Member {
  readonly loop: RaftLoop;
  readonly state: RaftStateClient;
}

export class RaftGroup {
  readonly members = new Map<number, Member>();
  readonly fatal: unknown[] = [];
  readonly #handlers = new Map<number, RaftHandlers>();
  /** `a>b`: what `a` says does not reach `b`. */
  readonly #cuts = new Set<string>();
  /** Members that get no CPU: what is sent to them waits, and their hosts' kernels go on. */
  readonly #starved = new Map<number, (() => void)[]>();
  readonly #open: OpenLog;
  readonly #options: Partial<RaftLoopOptions>;
  readonly #logger: Logger;
  readonly #observer: ((raftId: number) => RaftObserver) | undefined;
  /** Fails a snapshot transfer after so many parts, once. */
  breakSnapshotAfterParts: number | undefined;
  snapshotParts = 0;

  constructor(
    open: OpenLog,
    options: Partial<RaftLoopOptions> = {},
    logger: Logger = silentLogger,
    observer?: (raftId: number) => RaftObserver,
  ) {
    this.#observer = observer;
    this.#open = open;
    this.#options = options;
    this.#logger = logger;
  }

  async start(raftId: number, bootstrap = false): Promise<Member> {
    const transport = this.#transport(raftId);
    const log = await this.#open(raftId, bootstrap);
    const loop = new RaftLoop(
      {
        clock: systemClock,
        logger: this.#logger.child({ member: raftId }),
        random: new Prng(raftId * 7919),
        nameOf: (member) => `host-${member}`,
        transport,
        log,
        onFatal: (error) => this.fatal.push(error),
        ...(this.#observer === undefined ? {} : { observer: this.#observer(raftId) }),
      },
      this.#options,
    );
    await loop.start();
    const state = new RaftStateClient({ loop, transport, clock: systemClock, uniqueName: randomUUID() });
    const member = { loop, state };
    this.members.set(raftId, member);
    return member;
  }

  /** Starts members 1 to `count`, all of them voters. */
  async startVoters(count: number): Promise<Member[]> {
    const first = await this.start(1, true);
    await until(() => first.loop.isLeader, 'the first member leads');
    for (let id = 2; id <= count; id += 1) await this.add(id);
    return [...this.members.values()];
  }

  /** Starts a member and makes it a voter. */
  async add(raftId: number): Promise<Member> {
    const member = await this.start(raftId);
    await this.leader().loop.changeMembers([{ type: 'addLearner', nodeId: raftId }]);
    await until(() => member.loop.status().learners.includes(raftId), `member ${raftId} is a learner`);
    await this.leader().loop.changeMembers([{ type: 'addNode', nodeId: raftId }]);
    await until(() => member.loop.status().voters.includes(raftId), `member ${raftId} votes`);
    return member;
  }

  leader(): Member {
    const leader = [...this.members.values()].find((m) => m.loop.isLeader && m.loop.route()?.kind === 'here');
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  async waitLeader(not?: number): Promise<Member> {
    await until(
      () =>
        [...this.members.values()].some(
          (m) => m.loop.raftId !== not && m.loop.isLeader && m.loop.route()?.kind === 'here',
        ),
      'somebody leads',
    );
    return this.leader();
  }

  member(raftId: number): Member {
    const member = this.members.get(raftId);
    if (member === undefined) throw new Error(`no member ${raftId}`);
    return member;
  }

  /** As kill -9. */
  async kill(raftId: number): Promise<void> {
    await this.member(raftId).loop.halt();
    this.members.delete(raftId);
  }

  async stopAll(): Promise<void> {
    for (const { loop } of this.members.values()) await loop.halt();
    this.members.clear();
  }

  /** Cuts all links between the two sides. */
  partition(left: readonly number[], right: readonly number[]): void {
    for (const a of left) {
      for (const b of right) {
        this.#cuts.add(`${a}>${b}`);
        this.#cuts.add(`${b}>${a}`);
      }
    }
  }

  /** What is said to or by these waits until `feed`, as for processes that get no CPU. */
  starve(...members: readonly number[]): void {
    for (const member of members) this.#starved.set(member, []);
  }

  feed(): void {
    const waiting = [...this.#starved.values()];
    this.#starved.clear();
    for (const later of waiting.flat()) later();
  }

  /** Does `run` once both ends have CPU. */
  #whenFed(a: number, b: number, run: () => void): void {
    const waiting = this.#starved.get(a) ?? this.#starved.get(b);
    if (waiting === undefined) run();
    else waiting.push(() => this.#whenFed(a, b, run));
  }

  #fed(a: number, b: number): Promise<void> {
    return new Promise((resolve) => this.#whenFed(a, b, resolve));
  }

  heal(): void {
    this.#cuts.clear();
  }

  #reach(from: number, to: number): RaftHandlers | undefined {
    return this.#cuts.has(`${from}>${to}`) ? undefined : this.#handlers.get(to);
  }

  #transport(self: number): RaftTransport {
    const unreachable = (to: number): ShoalError => new ShoalError('UNAVAILABLE', `member ${to} cannot be reached`);
    return {
      attach: (handlers) => {
        if (handlers === undefined) this.#handlers.delete(self);
        else this.#handlers.set(self, handlers);
      },
      send: (message: PeerMessage) => {
        setImmediate(() => {
          if (this.#cuts.has(`${self}>${message.to}`)) return;
          this.#whenFed(self, message.to, () => this.#handlers.get(message.to)?.onMessage(message));
        });
      },
      presence: async (peer, timeoutMs) => {
        if (this.#cuts.has(`${self}>${peer}`) || this.#cuts.has(`${peer}>${self}`)) {
          await new Promise((resolve) => setTimeout(resolve, timeoutMs));
          return 'silent';
        }
        return this.#handlers.has(peer) ? 'listening' : 'closed';
      },
      forwardPropose: async (leader, command, signal) => {
        const there = this.#reach(self, leader);
        if (there === undefined) throw unreachable(leader);
        await this.#fed(self, leader);
        const outcome = await there.propose(decodeCommand(command), signal, self);
        await this.#fed(self, leader);
        if (this.#reach(leader, self) === undefined) throw new ShoalError('OUTCOME_UNKNOWN', 'the answer was lost');
        return outcome;
      },
      forwardReadIndex: async (leader, signal) => {
        const there = this.#reach(self, leader);
        if (there === undefined) throw unreachable(leader);
        await this.#fed(self, leader);
        const index = await there.readIndex(signal, self);
        await this.#fed(self, leader);
        return index;
      },
      fetchSnapshot: (from, request, signal) => this.#snapshot(self, from, request, signal),
    };
  }

  async *#snapshot(
    self: number,
    from: number,
    request: Parameters<RaftTransport['fetchSnapshot']>[1],
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotPart> {
    const there = this.#reach(self, from);
    if (there === undefined) throw new ShoalError('UNAVAILABLE', `member ${from} cannot be reached`);
    let parts = 0;
    for await (const part of there.snapshot(self, request, signal)) {
      if (this.breakSnapshotAfterParts === parts) {
        this.breakSnapshotAfterParts = undefined;
        throw new ShoalError('UNAVAILABLE', 'the transfer broke');
      }
      parts += 1;
      this.snapshotParts += 1;
      yield part;
    }
  }
}

export function put(key: string, value: string | Uint8Array = key): Transaction {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return { compares: [], thenOps: [{ kind: 'put', key, value: bytes }], elseOps: [] };
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
