/**
 * The simulator's hand inside production code (node/base/buggify/buggify.ts): unlikely branches are forced, processes are killed at
 * failpoints or stand still there, rare branches are counted. Whose code is running when it is asked shows in the
 * schedule: between two things of the schedule only the process runs whose thing was done last.
 */
import type { Fate } from '../../node/base/buggify/buggify.ts';
import type { Failpoint, Probe, UnlikelyBranch } from '../../node/base/buggify/names.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { Trace } from '../trace/trace.ts';
import type { SimNode } from './node.ts';
import type { Schedule } from './schedule.ts';

/** Longest time until a supervisor starts a process again that was killed at a failpoint. Unit: ms. */
const restartMsMax = 500;

export class SimFate implements Fate {
  /** Branches are forced, and failpoints strike, only while this is true. */
  isCruel = false;
  readonly #deps: {
    readonly schedule: Schedule;
    readonly random: Prng;
    readonly trace: Trace;
    readonly nodes: readonly SimNode[];
    readonly count: (name: string) => void;
  };
  readonly #branches: ReadonlySet<UnlikelyBranch>;
  readonly #chance: number;
  /** By point: what befalls the next process that comes to it. Time to stand still, in ms; undefined: it dies. */
  readonly #armed = new Map<Failpoint, number | undefined>();

  constructor(
    deps: {
      readonly schedule: Schedule;
      readonly random: Prng;
      readonly trace: Trace;
      readonly nodes: readonly SimNode[];
      readonly count: (name: string) => void;
    },
    options: { readonly branches: readonly UnlikelyBranch[]; readonly chance: number },
  ) {
    this.#deps = deps;
    this.#branches = new Set(options.branches);
    this.#chance = options.chance;
  }

  /** The next process that comes to `point` is killed there, or stands still for `freezeMs`. */
  arm(point: Failpoint, freezeMs?: number): void {
    this.#armed.set(point, freezeMs);
  }

  disarm(point: Failpoint): void {
    this.#armed.delete(point);
  }

  maybe(branch: UnlikelyBranch): boolean {
    if (!this.isCruel || !this.#branches.has(branch) || !this.#deps.random.chance(this.#chance)) return false;
    this.#deps.count(`unlikely ${branch}`);
    return true;
  }

  failpoint(point: Failpoint): void {
    if (!this.isCruel || !this.#armed.has(point)) return;
    const { schedule, random, trace, nodes, count } = this.#deps;
    const node = nodes.find(({ life }) => life !== undefined && life === schedule.running && life.isAlive);
    if (node === undefined) return;
    const freezeMs = this.#armed.get(point);
    this.#armed.delete(point);
    count(`failpoint ${point}`);
    if (freezeMs !== undefined) {
      trace.add('fault', `${node.name} stands still at ${point} for ${Math.round(freezeMs)} ms`);
      node.pause(freezeMs);
      return;
    }
    trace.add('fault', `${node.name} dies at ${point}`);
    node.crash();
    schedule.after(random.below(restartMsMax), () => {
      if (!node.isHeldDown) node.boot();
    });
  }

  reached(probe: Probe): void {
    this.#deps.count(`probe ${probe}`);
  }
}
