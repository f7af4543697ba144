import type { Struck } from './fault.ts';
import { type FaultKind, type FaultWorld, split } from './fault.ts';

function cutAll(world: FaultWorld, pairs: readonly (readonly [number, number])[], detail: string): Struck {
  for (const [from, to] of pairs) world.network.cut(from, to);
  return {
    detail,
    end: () => {
      for (const [from, to] of pairs) world.network.restore(from, to);
    },
  };
}

function between(left: readonly number[], right: readonly number[]): [number, number][] {
  return left.flatMap((a) => right.map((b): [number, number] => [a, b]));
}

function pair(world: FaultWorld): { readonly a: number; readonly b: number } | undefined {
  const ids = world.nodes.map((node) => node.raftId);
  if (ids.length < 2) return undefined;
  const a = world.random.pick(ids);
  return { a, b: world.random.pick(ids.filter((id) => id !== a)) };
}

export const networkFaults = {
  'net-partition': {
    text: 'the nodes are in two groups, and nothing passes between them',
    strike(world) {
      const sides = split(world);
      if (sides === undefined) return undefined;
      const { left, right } = sides;
      return cutAll(world, [...between(left, right), ...between(right, left)], `${left.join()} | ${right.join()}`);
    },
  },
  'net-one-way': {
    text: 'one group hears nothing from the other, which hears it well',
    strike(world) {
      const sides = split(world);
      if (sides === undefined) return undefined;
      return cutAll(world, between(sides.left, sides.right), `${sides.left.join()} > ${sides.right.join()} is cut`);
    },
  },
  'net-pair': {
    text: 'two nodes do not hear one another; everybody else hears both',
    strike(world) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      const { a, b } = chosen;
      return cutAll(
        world,
        [
          [a, b],
          [b, a],
        ],
        `${a} | ${b}`,
      );
    },
  },
  'net-isolate': {
    text: 'one node hears nobody and is heard by nobody',
    strike(world) {
      const ids = world.nodes.map((node) => node.raftId);
      if (ids.length < 2) return undefined;
      const alone = world.random.pick(ids);
      const others = ids.filter((id) => id !== alone);
      return cutAll(world, [...between([alone], others), ...between(others, [alone])], `${alone} is alone`);
    },
  },
  'net-clog': {
    text: 'what one node sends another arrives late, all at once',
    strike(world, forMs) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      world.network.clog(chosen.a, chosen.b, forMs);
      return { detail: `${chosen.a} > ${chosen.b} for ${Math.round(forMs)} ms` };
    },
  },
  'net-swizzle': {
    text: 'all links of some nodes clog one after the other, and come free in another order',
    strike(world, forMs) {
      const ids = world.nodes.map((node) => node.raftId).filter(() => world.random.chance(0.5));
      if (ids.length === 0) return undefined;
      for (const id of ids) {
        const clogForMs = world.random.float() * forMs;
        world.later(world.random.float() * forMs, () => {
          for (const other of world.nodes) {
            if (other.raftId === id) continue;
            world.network.clog(id, other.raftId, clogForMs);
            world.network.clog(other.raftId, id, clogForMs);
          }
        });
      }
      return { detail: ids.join() };
    },
  },
  'net-slow-link': {
    text: 'one direction between two nodes takes a hundred times as long',
    strike(world) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      world.network.slow(chosen.a, chosen.b, 100);
      return {
        detail: `${chosen.a} > ${chosen.b}`,
        end: () => world.network.restore(chosen.a, chosen.b),
      };
    },
  },
  'net-storm': {
    text: 'everything is lost, repeated and overtaken more often',
    strike(world) {
      const before = world.network.conditions;
      world.network.conditions = { ...before, loss: 0.4, repeat: 0.2, overtake: 0.3, jitterMs: before.jitterMs + 20 };
      return {
        detail: 'loss 40 %',
        end: () => {
          world.network.conditions = before;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
