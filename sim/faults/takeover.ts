/** Hosts that are lost for longer than it takes to notice, and storage that proves no fence. */
import { type FaultKind, type FaultWorld, type Struck, someMachine } from './fault.ts';

export const takeoverFaults = {
  'host-dark': {
    text: 'a host loses power, and stays away until others must have noticed',
    strike: (world) => loseHost(world, true),
  },
  'host-lost': {
    text: 'the agent of a host ends and its network is cut, while its guests go on; it stays so until others must have noticed',
    strike: (world) => loseHost(world, false),
  },
  'fence-unproved': {
    text: 'storage does not prove any fence: its map comes late, or a dead client is still seen as watching',
    strike(world) {
      const storage = someMachine(world)?.storages.find(({ shared }) => shared);
      if (storage === undefined) return undefined;
      storage.canFence = false;
      return {
        detail: storage.name,
        end: () => {
          storage.canFence = true;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

/** So long a lost host stays away at least: until it is noticed, believed, fenced and taken over. Unit: ms. */
const lostMsMin = 20_000;

/** At most one at a time: with two of three hosts gone nobody could notice. */
function loseHost(world: FaultWorld, isDark: boolean): Struck | undefined {
  const up = world.nodes.filter(({ isUp, isWitness }) => isUp && !isWitness);
  if (up.length < 3 || world.nodes.some(({ isHeldDown }) => isHeldDown)) return undefined;
  const node = world.random.pick(up);
  const others = world.nodes.map(({ raftId }) => raftId).filter((id) => id !== node.raftId);
  for (const id of others) for (const [from, to] of both(id, node.raftId)) world.network.cut(from, to);
  node.crash();
  node.isHeldDown = true;
  if (isDark) world.machines.find(({ raftId }) => raftId === node.raftId)?.powerCut();
  return {
    detail: node.name,
    leastMs: lostMsMin,
    end: () => {
      for (const id of others) for (const [from, to] of both(id, node.raftId)) world.network.restore(from, to);
      node.boot();
    },
  };
}

function both(a: number, b: number): readonly (readonly [number, number])[] {
  return [
    [a, b],
    [b, a],
  ];
}
