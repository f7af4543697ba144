import { productionPoints } from '../settings/production-points.ts';
import type { FaultKind } from './fault.ts';

const failpointNames = productionPoints('failpoint');
/** Steps of an agent that claims room on a host, from its claim to its bind. */
const promises = ['claims.admitted-not-answered', 'create.claimed-not-bound', 'create.bind-planned'] as const;
/** How long a claim waits to be bound (node/cluster/placer.ts): who stands still for longer finds it gone. Unit: ms. */
const claimMs = 30_000;

/** Longest starvation of most agents: they are to get through it without a refusal. Unit: ms. */
const starvedMsMax = 4_000;

export const processFaults = {
  'agent-crash': {
    text: 'an agent is killed and started again at once',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (node.isWitness) return undefined;
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
      if (node.isWitness) return undefined;
      node.crash();
      node.isHeldDown = true;
      return { detail: node.name, end: () => node.boot() };
    },
  },
  'agents-all-down': {
    text: 'every agent is killed; they come back in any order',
    strike(world, forMs) {
      if (world.nodes.some(({ isWitness }) => isWitness)) return undefined;
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
          if (node.isWitness) return;
          node.crash();
          node.boot();
        });
        atMs += 20 + world.random.below(400);
      }
      return { detail: node.name };
    },
  },
  'agent-failpoint': {
    text: 'the next agent that comes to one named step of production code is killed right there',
    strike(world) {
      const point = world.random.pick(failpointNames);
      world.injector.arm(point);
      return { detail: point };
    },
  },
  'agent-freezes-at-step': {
    text: 'the next agent that comes to one named step of production code stands still there, for a moment or up to a minute',
    strike(world) {
      const { random } = world;
      const point = random.pick(failpointNames);
      const freezeMs = random.chance(0.5) ? claimMs * (1 + random.float()) : 2_000 * random.float();
      world.injector.arm(point, freezeMs);
      return { detail: `${point} ${Math.round(freezeMs)} ms` };
    },
  },
  'agent-outlives-its-claim': {
    text: 'an agent that was promised room for a server stands still until the promise has ended, then goes on',
    strike(world) {
      const freezeMs = claimMs * (1 + world.random.float());
      const point = world.random.pick(promises);
      world.injector.arm(point, freezeMs);
      return { detail: `${point} ${Math.round(freezeMs)} ms` };
    },
  },
  'agent-stalls': {
    text: "an agent's event loop stands still for a moment, again and again",
    strike(world, forMs) {
      const node = world.random.pick(world.nodes);
      for (let atMs = 0; atMs < forMs; atMs += 500 + world.random.below(1_500)) {
        const stallMs = 100 + world.random.below(900);
        world.later(atMs, () => node.pause(stallMs));
      }
      return { detail: node.name };
    },
  },
  'agents-starved': {
    text: 'all agents, or all but one, get no CPU, in slices of up to a second and a half, as on a machine that is torn between too many',
    strike(world, forMs) {
      const { random } = world;
      const spared = random.chance(0.7) ? random.pick(world.nodes) : undefined;
      for (const node of world.nodes) {
        if (node === spared) continue;
        for (let atMs = random.below(500); atMs < Math.min(forMs, starvedMsMax); ) {
          const stallMs = 200 + random.below(1_300);
          world.later(atMs, () => node.pause(stallMs));
          atMs += stallMs + 30 + random.below(220);
        }
      }
      return { detail: `${Math.round(Math.min(forMs, starvedMsMax))} ms, not ${spared?.name ?? 'one spared'}` };
    },
  },
  'agents-rolling': {
    text: 'agents are restarted one after the other, as an upgrade does',
    strike(world, forMs) {
      const eachMs = Math.max(300, forMs / world.nodes.length);
      world.nodes.forEach((node, at) => {
        world.later(at * eachMs, () => {
          if (node.isWitness) return;
          node.crash();
          node.boot();
        });
      });
      return { detail: `every ${Math.round(eachMs)} ms` };
    },
  },
  'leader-moves': {
    text: 'leadership is handed to some other voter, ready or not',
    strike(world) {
      const leader = world.nodes.find((node) => node.process?.loop.isLeader === true);
      const heirs = world.voters().filter((id) => id !== leader?.raftId);
      if (leader?.process === undefined || heirs.length === 0) return undefined;
      const heir = world.random.pick(heirs);
      leader.process.loop.transferLeadership(heir);
      return { detail: `${leader.name} to n${heir}` };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
