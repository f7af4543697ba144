import type { FaultKind } from './fault.ts';

export const memberFaults = {
  'member-leaves': {
    text: 'a host is taken out of the mesh, whatever else is going on, and taken in again later',
    strike(world) {
      // A host with guests does not leave: they would have nowhere to go yet.
      if (world.machines.length > 0 || world.nodes.length < 4 || world.hosts.members.absent.size > 0) return undefined;
      const node = world.random.pick(world.nodes);
      world.hosts.members.dismiss(node.raftId);
      return { detail: node.name, end: () => world.hosts.members.readmit(node.raftId) };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
