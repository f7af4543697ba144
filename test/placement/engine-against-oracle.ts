import { scanForBest } from '../../placement/engine/oracle.ts';
import { PlacementEngine } from '../../placement/index.ts';
import { RandomWorld } from './random-world.ts';

/** What a run of comparisons came to. */
export interface ComparisonResult {
  readonly decisions: number;
  /** Decisions that found a host. */
  readonly placed: number;
  /** The first difference, with the seed that shows it. */
  readonly difference: string | undefined;
}

/** Decisions for each world before the next seed makes another. */
const decisionsPerWorld = 2_000;

/**
 * Lets engine and oracle decide the same requests over changing hosts, `decisions` times or until `mayGoOn` says no.
 * Compares the whole list of candidates: slots, order, and scores to the last bit.
 */
export function compareEngineWithOracle(
  seed: number,
  decisions: number,
  mayGoOn: () => boolean,
  sizes: readonly number[] = [4, 12, 24, 40, 100],
): ComparisonResult {
  let done = 0;
  let placed = 0;
  for (let worldSeed = seed; done < decisions && mayGoOn(); worldSeed++) {
    const world = new RandomWorld(worldSeed, sizes[worldSeed % sizes.length] ?? 24);
    const engine = new PlacementEngine(world.columns, world.configuration, world.prng.fork());
    for (let i = 0; i < decisionsPerWorld && done < decisions; i++, done++) {
      while (world.prng.chance(0.6)) world.change();
      const request = world.request();
      const width = world.prng.pick([1, 1, 4, 64]);
      const want = scanForBest(world.columns, world.configuration, request, width);
      const got = engine.rank(request, width);
      let same = got.length === want.length;
      for (let k = 0; same && k < want.length; k++) {
        same = got.slots[k] === want[k]?.slot && got.scores[k] === want[k]?.score;
      }
      if (!same) {
        const gotText = [...got.slots.subarray(0, got.length)].map((slot, k) => `${slot}:${got.scores[k]}`).join(' ');
        const wantText = want.map(({ slot, score }) => `${slot}:${score}`).join(' ');
        return {
          decisions: done,
          placed,
          difference: `world ${worldSeed} decision ${i}: engine ${gotText}; oracle ${wantText}; ${JSON.stringify(request)}`,
        };
      }
      const first = want[0];
      const hostId = first === undefined ? undefined : world.columns.hostIds[first.slot];
      if (hostId === undefined) continue;
      placed++;
      if (world.prng.chance(0.7)) world.hold(hostId, request);
    }
  }
  return { decisions: done, placed, difference: undefined };
}
