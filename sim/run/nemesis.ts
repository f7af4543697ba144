/** Faults that strike one after the other, each for a while. */
import type { Prng } from '../../node/base/prng.ts';
import type { FaultKind, FaultWorld } from '../faults/fault.ts';
import { faults } from '../faults/index.ts';
import type { SimNode } from '../world/node.ts';
import type { SimWorld } from './world.ts';

/** Injects the faults of one run, as its options have it; Jepsen's word. */
export class Nemesis {
  readonly #world: SimWorld;
  readonly #isOver: () => boolean;
  readonly #ends: (() => void)[] = [];

  /** @param isOver nothing strikes any more. */
  constructor(world: SimWorld, isOver: () => boolean) {
    this.#world = world;
    this.#isOver = isOver;
  }

  /** Ends every fault that goes on. */
  heal(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Strikes until it is over. */
  async run(): Promise<void> {
    const { schedule, trace, outcome, options } = this.#world;
    const random = this.#world.random.fork();
    const { faultEveryMs, faultForMs, faults: names } = options;
    const exponential = (mean: number): number => -Math.log(1 - random.float()) * mean;
    const world = this.#faultWorld(random);
    while (!this.#isOver()) {
      await schedule.sleep(exponential(faultEveryMs));
      if (this.#isOver()) return;
      const name = random.pick(names);
      const forMs = exponential(faultForMs);
      const kind: FaultKind = faults[name];
      const struck = kind.strike(world, forMs);
      if (struck === undefined) continue;
      outcome.reach(`fault ${name}`);
      trace.add('fault', `${name} ${struck.detail}`);
      const { end, leastMs = 0 } = struck;
      if (end === undefined) continue;
      let isEnded = false;
      const once = (): void => {
        if (isEnded) return;
        isEnded = true;
        trace.add('fault', `${name} ends`);
        end();
      };
      this.#ends.push(once);
      schedule.after(Math.max(forMs, leastMs), once);
    }
  }

  /** What a fault may lay its hands on. */
  #faultWorld(random: Prng): FaultWorld {
    const { nodes, network, hosts, trouble, injector, options, schedule, outcome, consensus } = this.#world;
    return {
      nodes,
      machines: hosts.machines,
      network,
      hosts,
      trouble,
      injector,
      random,
      racks: options.racks,
      nowMs: () => schedule.nowMs,
      count: (name) => outcome.reach(name),
      voters: () => consensus.memberships.newest?.membership.voters ?? [],
      mayDamage: (node) => this.#mayDamage(node),
      later: (delayMs, run) => {
        schedule.after(delayMs, () => {
          if (!this.#isOver()) run();
        });
      },
    };
  }

  #mayDamage(node: SimNode): boolean {
    const newest = this.#world.consensus.memberships.newest?.membership;
    if (newest === undefined || newest.voters.length < 3 || newest.votersOutgoing.length > 0) return false;
    for (const one of this.#world.nodes) one.lookWhetherWhole();
    return (
      this.#world.nodes.every(
        (other) =>
          other === node ||
          (!other.isDamaged &&
            !other.isUnproved &&
            other.process !== undefined &&
            other.process.loop.quarantine === undefined &&
            // One that has not heard the end of a change of voters still needs those of before it.
            other.process.loop.confState.votersOutgoing.length === 0),
      ) &&
      !node.isDamaged &&
      !node.isUnproved &&
      node.process?.loop.quarantine === undefined
    );
  }
}
