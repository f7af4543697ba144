/**
 * The simulator's side of the points in production code (node/base/buggify/buggify.ts): it forces unlikely branches, kills
 * or freezes processes at failpoints, and counts coverage marks. The schedule tells whose code is running: between two of
 * its steps only the process runs that the last step belongs to.
 */
import type { FaultInjector } from '../../node/base/buggify/buggify.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { Trace } from '../trace/trace.ts';
import type { SimNode } from './node.ts';
import type { Schedule } from './schedule.ts';

/** Longest time until a supervisor starts a process again that was killed at a failpoint. Unit: ms. */
const restartMsMax = 500;

export class SimFaultInjector implements FaultInjector {
  /** Branches are forced, and failpoints strike, only while this is true. */
  isActive = false;
  readonly #deps: {
    readonly schedule: Schedule;
    readonly random: Prng;
    readonly trace: Trace;
    readonly nodes: readonly SimNode[];
    readonly count: (name: string) => void;
  };
  readonly #branches: ReadonlySet<string>;
  readonly #chance: number;
  /** By point: what befalls the next process that comes to it. Time to stand still, in ms; undefined: it dies. */
  readonly #armed = new Map<string, number | undefined>();

  constructor(
    deps: {
      readonly schedule: Schedule;
      readonly random: Prng;
      readonly trace: Trace;
      readonly nodes: readonly SimNode[];
      readonly count: (name: string) => void;
    },
    options: { readonly branches: readonly string[]; readonly chance: number },
  ) {
    this.#deps = deps;
    this.#branches = new Set(options.branches);
    this.#chance = options.chance;
  }

  /** The next process that comes to `point` is killed there, or stands still for `freezeMs`. */
  arm(point: string, freezeMs?: number): void {
    this.#armed.set(point, freezeMs);
  }

  disarm(point: string): void {
    this.#armed.delete(point);
  }

  buggify(branch: string): boolean {
    if (!this.isActive || !this.#branches.has(branch) || !this.#deps.random.chance(this.#chance)) return false;
    this.#deps.count(`unlikely ${branch}`);
    return true;
  }

  failpoint(point: string): void {
    if (!this.isActive || !this.#armed.has(point)) return;
    const { schedule, random, trace, nodes, count } = this.#deps;
    const node = nodes.find(({ life }) => life !== undefined && life === schedule.running && life.isAlive);
    if (node === undefined || node.isWitness) return;
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

  mark(name: string): void {
    this.#deps.count(`mark ${name}`);
  }
}
