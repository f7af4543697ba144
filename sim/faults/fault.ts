/** One kind of fault, and what it may touch. */
import type { Prng } from '../../node/base/prng.ts';
import type { HostWorld } from '../cluster/host-world.ts';
import type { SimFaultInjector } from '../world/fault-injector.ts';
import type { HostMachine } from '../world/machine.ts';
import type { SimNetwork } from '../world/network.ts';
import type { SimNode } from '../world/node.ts';
import type { Trouble } from '../world/trouble.ts';

/** The world as faults see it. */
export interface FaultWorld {
  readonly nodes: readonly SimNode[];
  readonly machines: readonly HostMachine[];
  readonly network: SimNetwork;
  readonly hosts: HostWorld;
  readonly trouble: Trouble;
  readonly injector: SimFaultInjector;
  readonly random: Prng;
  /** Racks that hosts stand in, host n in rack n modulo this. 0: none. */
  readonly racks: number;
  nowMs(): number;
  /** Counts something that was reached. */
  count(name: string): void;
  /** Voters of the newest membership that anybody has applied. */
  voters(): readonly number[];
  /**
   * Whether one more member's disk may lose what it has promised. Consensus survives that of one voter in three or more
   * while all others are whole; beyond that nothing is promised.
   */
  mayDamage(node: SimNode): boolean;
  /** Does something later, unless the faults have ended. */
  later(delayMs: number, run: () => void): void;
}

/** What was done, and how it ends. */
export interface Struck {
  /** For the trace. */
  readonly detail: string;
  /** Ends it; also called when everything is healed. Absent: it has no length. */
  readonly end?: () => void;
  /** It lasts so long at least. Absent: as long as the draw says. Unit: ms. */
  readonly leastMs?: number;
}

export interface FaultKind {
  /** For people. */
  readonly text: string;
  /** Strikes now; `forMs` is how long it is meant to last. Undefined: nothing to strike. */
  strike(world: FaultWorld, forMs: number): Struck | undefined;
}

/** Two disjoint groups of nodes, none empty, all nodes in one of them; undefined with fewer than two nodes. */
export function split(
  world: FaultWorld,
): { readonly left: readonly number[]; readonly right: readonly number[] } | undefined {
  const ids = world.nodes.map((node) => node.raftId);
  if (ids.length < 2) return undefined;
  const first = world.random.pick(ids);
  const left = ids.filter((id) => id === first || world.random.chance(0.4));
  const right = ids.filter((id) => !left.includes(id));
  return right.length === 0 ? { left: [first], right: ids.filter((id) => id !== first) } : { left, right };
}

/** Names of all ordered pairs of nodes. */
export function pairs(world: FaultWorld): readonly (readonly [number, number])[] {
  const ids = world.nodes.map((node) => node.raftId);
  return ids.flatMap((a) => ids.filter((b) => b !== a).map((b) => [a, b] as const));
}

/** A host with guests and drivers; undefined where a run has none. */
export function someMachine(world: FaultWorld): HostMachine | undefined {
  return world.machines.length === 0 ? undefined : world.random.pick(world.machines);
}

/** A storage that a host reaches. */
export function somePool(
  { random }: Pick<FaultWorld, 'random'>,
  { storages }: HostMachine,
): HostMachine['storages'][number] {
  const [first] = storages;
  // Nothing is drawn where there is no choice.
  return storages.length === 1 && first !== undefined ? first : random.pick(storages);
}
