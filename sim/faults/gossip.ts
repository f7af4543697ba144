import type { FaultKind } from './fault.ts';

export const gossipFaults = {
  'gossip-alone': {
    text: "one host's gossip neither comes nor goes; all else does",
    strike(world) {
      if (world.machines.length < 2) return undefined;
      const { raftId } = world.random.pick(world.nodes);
      world.trouble.gossipAlone.add(raftId);
      return { detail: `n${raftId}`, end: () => void world.trouble.gossipAlone.delete(raftId) };
    },
  },
  'gossip-stale': {
    text: 'one host hears gossip only when this is over, all of it at once',
    strike(world) {
      if (world.machines.length < 2) return undefined;
      const { raftId } = world.random.pick(world.nodes);
      if (world.trouble.gossipHeld.has(raftId)) return undefined;
      world.trouble.gossipHeld.set(raftId, []);
      return { detail: `n${raftId}`, end: () => world.trouble.release(raftId) };
    },
  },
  'gossip-boast': {
    text: 'a host tells of ten times the room that it has',
    strike(world) {
      if (world.machines.length < 2) return undefined;
      const { raftId } = world.random.pick(world.nodes);
      world.trouble.boasts.set(raftId, 10);
      return { detail: `n${raftId}`, end: () => void world.trouble.boasts.delete(raftId) };
    },
  },
  'gossip-liar': {
    text: "a member lies: it speaks in another's name, repeats what others said long ago, calls the living dead",
    strike(world, forMs) {
      if (world.machines.length < 2) return undefined;
      const { raftId } = world.random.pick(world.nodes);
      for (let atMs = 0; atMs < forMs; atMs += 200 + world.random.below(800))
        world.later(atMs, () => world.hosts.gossip.lie(raftId));
      return { detail: `n${raftId}` };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
