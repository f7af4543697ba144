import type { Struck } from './fault.ts';
import { type FaultKind, type FaultWorld, pairs, split } from './fault.ts';

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
  'net-partial': {
    text: 'some pairs of nodes hear one another and some do not, each way on its own',
    strike(world) {
      const cut = pairs(world).filter(() => world.random.chance(0.3));
      return cut.length === 0 ? undefined : cutAll(world, cut, cut.map(([from, to]) => `${from}>${to}`).join());
    },
  },
  'net-rack': {
    text: "a rack's switch fails: its hosts hear nobody but, now and then, one another",
    strike(world) {
      const { racks, nodes } = world;
      if (racks === 0 || nodes.length < 2) return undefined;
      const rack = world.random.below(racks);
      const inside = nodes.map(({ raftId }) => raftId).filter((id) => id % racks === rack);
      const outside = nodes.map(({ raftId }) => raftId).filter((id) => id % racks !== rack);
      if (inside.length === 0 || outside.length === 0) return undefined;
      const within = world.random.chance(0.5) ? between(inside, inside).filter(([a, b]) => a !== b) : [];
      return cutAll(world, [...between(inside, outside), ...between(outside, inside), ...within], `rack ${rack}`);
    },
  },
  'net-flaps': {
    text: 'a switch between two groups goes down and up several times a second',
    strike(world, forMs) {
      const sides = split(world);
      if (sides === undefined) return undefined;
      const cut = [...between(sides.left, sides.right), ...between(sides.right, sides.left)];
      const restore = (): void => {
        for (const [from, to] of cut) world.network.restore(from, to);
      };
      for (let atMs = 0; atMs < forMs; atMs += 100 + world.random.below(600)) {
        const isDown = world.random.chance(0.5);
        world.later(atMs, () => {
          if (isDown) for (const [from, to] of cut) world.network.cut(from, to);
          else restore();
        });
      }
      return { detail: `${sides.left.join()} | ${sides.right.join()}`, end: restore };
    },
  },
  'net-half-open': {
    text: 'one node takes what another sends, and what it answers never comes back; nobody hears of a fault',
    strike(world) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      const { a, b } = chosen;
      world.network.halfOpen(a, b);
      return { detail: `${a} > ${b}`, end: () => world.network.restore(a, b) };
    },
  },
  'net-black-hole': {
    text: 'large messages disappear between two nodes, small ones arrive: a wrong MTU on the way',
    strike(world) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      const { a, b } = chosen;
      const bytesMax = world.random.pick([150, 400, 1_400]);
      world.network.swallowLarge(a, b, bytesMax);
      if (world.random.chance(0.5)) world.network.swallowLarge(b, a, bytesMax);
      return {
        detail: `${a} > ${b} over ${bytesMax} bytes`,
        end: () => {
          world.network.restore(a, b);
          world.network.restore(b, a);
        },
      };
    },
  },
  'net-replay': {
    text: 'messages of one node to another come again up to 20 s later',
    strike(world) {
      const chosen = pair(world);
      if (chosen === undefined) return undefined;
      world.network.replay(chosen.a, chosen.b, 0.3);
      return { detail: `${chosen.a} > ${chosen.b}`, end: () => world.network.restore(chosen.a, chosen.b) };
    },
  },
  'net-reorder': {
    text: 'nearly every message may overtake any other',
    strike(world) {
      const before = world.network.conditions;
      world.network.conditions = { ...before, overtake: 0.9, jitterMs: before.jitterMs + 50 };
      return {
        detail: 'nine of ten',
        end: () => {
          world.network.conditions = before;
        },
      };
    },
  },
  'net-slow-node': {
    text: 'everything to and from one node takes thirty times as long',
    strike(world) {
      const { raftId } = world.random.pick(world.nodes);
      const links = pairs(world).filter((link) => link.includes(raftId));
      for (const [from, to] of links) world.network.slow(from, to, 30);
      return {
        detail: `n${raftId}`,
        end: () => {
          for (const [from, to] of links) world.network.restore(from, to);
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
