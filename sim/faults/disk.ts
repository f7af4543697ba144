import type { FaultKind } from './fault.ts';

export const diskFaults = {
  'disk-slow': {
    text: "one node's syncs take two hundred times as long",
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.disk.slowFactor = 200;
      return {
        detail: node.name,
        end: () => {
          node.disk.slowFactor = 1;
        },
      };
    },
  },
  'disk-sync-fails': {
    text: "a node's next sync fails; what it wrote is there or not",
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.disk.failNext = world.random.chance(0.5) ? 'kept' : 'lost';
      return { detail: `${node.name} ${node.disk.failNext}` };
    },
  },
  'disk-full': {
    text: 'a node cannot write at all',
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.disk.isFull = true;
      return {
        detail: node.name,
        end: () => {
          node.disk.isFull = false;
        },
      };
    },
  },
  'disk-rot': {
    text: 'bits flip in rows of one disk, and the node is restarted',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      const kinds = world.random.pick([['l/'], ['r/'], ['head'], ['applied'], ['identity'], ['peer/'], ['l/', 'r/']]);
      node.crash();
      const keys = node.disk.rot(kinds, 1 + world.random.below(3));
      if (keys.length > 0) node.isDamaged = true;
      world.later(world.random.below(2_000), () => node.boot());
      return { detail: `${node.name} ${keys.join()}` };
    },
  },
  'disk-wipe': {
    text: 'a node comes back with an empty disk',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      node.crash();
      node.disk.wipe();
      node.isDamaged = true;
      world.later(world.random.below(2_000), () => node.boot());
      return { detail: node.name };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
