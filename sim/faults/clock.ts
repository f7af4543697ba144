import type { FaultKind } from './fault.ts';

export const clockFaults = {
  'clock-drift': {
    text: "a host's clock runs fast or slow, by up to a fifth",
    strike(world) {
      const node = world.random.pick(world.nodes);
      const rate = 0.8 + world.random.float() * 0.45;
      node.time.setRate(rate);
      return { detail: `${node.name} ${rate.toFixed(2)}`, end: () => node.time.setRate(1) };
    },
  },
  'clock-step': {
    text: 'a wall clock is set forward or back by up to an hour',
    strike(world) {
      const node = world.random.pick(world.nodes);
      const byMs = world.random.below(7_200_000) - 3_600_000;
      node.time.stepWall(byMs);
      return { detail: `${node.name} ${byMs} ms`, end: () => node.time.correctWall() };
    },
  },
  'clock-stops': {
    text: 'a wall clock stands still; the monotonic one goes on',
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.time.stopWall();
      return { detail: node.name, end: () => node.time.correctWall() };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
