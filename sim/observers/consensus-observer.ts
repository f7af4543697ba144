/**
 * What the members of the Raft group do, for the checkers of consensus: what each applies and tells its watchers (through
 * the observer that production has, too), what it has on disk, what it sends, and what it looks like from outside.
 */
import { createHash } from 'node:crypto';
import type { RaftObserver } from '../../node/consensus/replica/observer.ts';
import { isDigestMessage, isHello, type PeerMessage } from '../../node/consensus/transport/transport.ts';
import type { Command } from '../../node/state/command.ts';
import type { OpenedLog } from '../../node/store/index.ts';
import { AppliedChecker } from '../checkers/applied.ts';
import { ConsensusChecker, ProgressChecker } from '../checkers/consensus.ts';
import { DurabilityChecker } from '../checkers/durability.ts';
import type { Report } from '../checkers/invariants.ts';
import { checkGivenUp, checkQuarantined, checkQueues } from '../checkers/limits.ts';
import { SliceChecker } from '../checkers/slices.ts';
import { WatchChecker } from '../checkers/watch.ts';
import { commandOf } from '../world/commands.ts';
import type { DiskObserver } from '../world/disk.ts';
import type { Process, SimNode } from '../world/node.ts';
import type { Life } from '../world/schedule.ts';
import { Memberships } from './memberships.ts';

interface ConsensusObserverDeps {
  /** There are more hosts than replicas. */
  readonly hasSlices: boolean;
  readonly report: Report;
  /** Counts something that was reached. */
  readonly reached: (name: string) => void;
  /** An unexpected error, which has no code. */
  readonly onFailed: (error: unknown) => void;
  readonly nowMs: () => number;
  /** The member of that number; undefined: there is none. */
  readonly node: (raftId: number) => SimNode | undefined;
  /** A planted bug that every member has: what is applied instead of a command. */
  readonly command?: ((index: number, command: Command) => Command) | undefined;
}

/** Feeds the checkers of consensus. It has no part in what happens. */
export class ConsensusObserver {
  readonly applied: AppliedChecker;
  readonly memberships: Memberships;
  readonly slices: SliceChecker;
  readonly #deps: ConsensusObserverDeps;
  readonly #consensus: ConsensusChecker;
  readonly #progress: ProgressChecker;
  readonly #durability: DurabilityChecker;
  /** By life: what its watch has heard. */
  readonly #watches = new Map<string, WatchChecker>();
  /** Lives whose core was dropped, be the quarantine on disk yet or not: what is left says what the disk says. */
  readonly #dropped = new Set<string>();
  /** By life: how often it began or ended to let go of its log and state. */
  readonly #sheds = new Map<string, number>();
  /** The life that is taking over a snapshot right now. */
  #installing: string | undefined;

  constructor(deps: ConsensusObserverDeps) {
    const { report, nowMs, command } = deps;
    this.#deps = deps;
    this.slices = new SliceChecker(report);
    this.applied = new AppliedChecker(
      report,
      command,
      deps.hasSlices ? (revision, state) => this.slices.replayed(revision, state()) : undefined,
    );
    this.memberships = new Memberships(report, nowMs);
    this.#consensus = new ConsensusChecker(report);
    this.#progress = new ProgressChecker(report);
    this.#durability = new DurabilityChecker(report);
  }

  /** What one process of a member reports of itself. */
  of(node: SimNode, life: Life, { machine }: OpenedLog): RaftObserver {
    const { report, reached, onFailed } = this.#deps;
    return {
      applied: ({ entry, confState, plannedTerm, digest, ...rest }) => {
        const { index, term } = entry;
        const isNew = this.#consensus.committedTerm(index) === undefined;
        this.#consensus.committed(index, term, plannedTerm);
        if (isNew) this.#durability.applied(index, term, this.memberships.before(index));
        if (this.memberships.note(index, confState)) reached('membership changed');
        this.applied.apply(node.raftId, { index, command: commandOf(entry), ...rest });
        if (!node.isStateDamaged) this.applied.digest(node.raftId, index, digest);
      },
      installed: () => {
        reached('snapshot installed');
        this.applied.state(node.raftId, machine);
        // Watchers hear of it before anything else happens in that process.
        this.#installing = life.name;
        queueMicrotask(() => {
          this.#installing = undefined;
          this.#watches.get(life.name)?.skippedTo(machine.appliedIndex);
        });
      },
      role: ({ role, term }) => {
        if (role !== 'leader') return;
        reached('election');
        this.#consensus.leads(node.raftId, term);
      },
      damaged: () => reached('log quarantined'),
      quarantined: ({ reason }) => {
        this.#dropped.add(life.name);
        if (reason !== 'state-diverged') return reached('log quarantined');
        reached('state given up');
        checkGivenUp(node.raftId, node.isStateDamaged, report);
      },
      repaired: () => {
        this.#dropped.delete(life.name);
        reached('log repaired');
      },
      shedding: () => {
        const times = (this.#sheds.get(life.name) ?? 0) + 1;
        this.#sheds.set(life.name, times);
        if (times % 2 === 1) return;
        this.#watches.get(life.name)?.beginsAgain();
        reached('state shed');
      },
      compacting: () => reached('log compacted'),
      watcherThrew: onFailed,
    };
  }

  /** What a member's disk reports of itself. */
  disk(raftId: number): DiskObserver {
    return {
      onDurable: (ops) => this.#durability.durable(raftId, ops),
      onWiped: () => this.#durability.wiped(raftId),
      onRolledBack: (rows) => {
        this.#durability.wiped(raftId);
        this.#durability.rolledBack(raftId, rows);
      },
    };
  }

  /** Watches the state as everybody may, from when a process runs. */
  watch({ loop, life, replicaState }: Process): void {
    const watch = new WatchChecker(this.#deps.report, {
      name: life.name,
      afterRevision: loop.watches.revision,
      keysOf: (revision) => this.applied.keysOf(revision),
    });
    this.#watches.set(life.name, watch);
    // A slice is told of what it has come to, and not of each revision: there the replica beneath it is looked at.
    replicaState.watch({ prefix: '' }, (events) => {
      if (life.isAlive) watch.heard(events, this.#installing === life.name);
    });
  }

  /** A message that one member sends to another. */
  sent(message: PeerMessage): void {
    if (isHello(message) || isDigestMessage(message)) return;
    const { type, from, to, term, index, logTerm, reject } = message;
    if (this.#deps.node(from)?.process?.loop.quarantine !== undefined) checkQuarantined(message, this.#deps.report);
    switch (type) {
      case 'MsgApp':
        this.#consensus.leads(from, term);
        this.#consensus.appends(
          term,
          { index, term: logTerm },
          message.entries.map((entry) => ({
            index: entry.index,
            term: entry.term,
            hash: hashOf(entry.type, entry.data),
          })),
        );
        break;
      case 'MsgHeartbeat':
      case 'MsgSnap':
        this.#consensus.leads(from, term);
        break;
      case 'MsgAppResp':
        if (!reject) this.#durability.acknowledges(from, term, index);
        break;
      case 'MsgVoteResp':
        if (reject) break;
        this.#durability.votes(from, term, to);
        break;
      default:
        break;
    }
  }

  /** Looks at a member from outside. */
  look(node: SimNode): void {
    const { process: running } = node;
    if (running === undefined) return;
    const { loop, life, clock, log } = running;
    const { appliedIndex } = log.machine;
    // A core that is made again begins at what is on disk.
    this.#progress.observe(
      `${life.name}${loop.quarantine === undefined && !this.#dropped.has(life.name) ? '' : ' quarantined'}` +
        `${this.#sheds.get(life.name) ?? ''}`,
      loop.commitIndex,
      appliedIndex,
    );
    checkQueues({ name: life.name, timers: clock.timers, batches: node.disk.inFlight }, this.#deps.report);
    if (appliedIndex > 0) this.#watches.get(life.name)?.upTo(loop.watches.revision);
  }
}

/** By the bytes, which members hand on by reference. */
const hashes = new WeakMap<Uint8Array, string>();

function hashOf(type: string, data: Uint8Array): string {
  let hash = hashes.get(data);
  if (hash === undefined) {
    hash = createHash('sha1').update(data).digest('base64');
    hashes.set(data, hash);
  }
  return `${type} ${hash}`;
}
