import type { FaultKind } from './fault.ts';

export const processFaults = {
  'agent-crash': {
    text: 'an agent is killed and started again at once',
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.crash();
      node.isHeldDown = true;
      world.later(world.random.below(500), () => node.boot());
      return { detail: node.name };
    },
  },
  'agent-down': {
    text: 'an agent is killed and stays away for a while',
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.crash();
      node.isHeldDown = true;
      return { detail: node.name, end: () => node.boot() };
    },
  },
  'agents-all-down': {
    text: 'every agent is killed; they come back in any order',
    strike(world, forMs) {
      for (const node of world.nodes) {
        node.crash();
        node.isHeldDown = true;
        world.later(world.random.float() * forMs, () => node.boot());
      }
      return { detail: '' };
    },
  },
  'agent-pause': {
    text: 'an agent does nothing for a while: stopped, swapped out, or collecting garbage',
    strike(world, forMs) {
      const node = world.random.pick(world.nodes);
      node.pause(forMs);
      return { detail: `${node.name} ${Math.round(forMs)} ms` };
    },
  },
  'agent-crash-loop': {
    text: 'an agent is killed again and again, soon after it started',
    strike(world, forMs) {
      const node = world.random.pick(world.nodes);
      let atMs = 0;
      while (atMs < forMs) {
        world.later(atMs, () => {
          node.crash();
          node.boot();
        });
        atMs += 20 + world.random.below(400);
      }
      return { detail: node.name };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
