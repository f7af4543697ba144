import type { Prng } from '../../node/base/prng.ts';
import type { PlacementConfiguration } from './configuration.ts';

/** No caller draws among more hosts or wants more alternates than this. */
export const listWidthMax = 256;

/** Among how many of the best to draw, and how far below the best they may score. */
interface Draw {
  readonly width: number;
  readonly tolerance: number;
}

/** The draw after so many refusals: each doubles it. */
export function drawAfter(configuration: PlacementConfiguration, refusals: number): Draw {
  const { drawWidth, drawTolerance } = configuration;
  if (refusals <= 0) return { width: drawWidth, tolerance: drawTolerance };
  const width = Math.min(listWidthMax, Math.max(2, drawWidth) * 2 ** Math.min(refusals, 6));
  return { width, tolerance: Number.POSITIVE_INFINITY };
}

/** Position of the candidate to try first: one of the near-equals at the front. Draws only when there is a choice. */
export function drawAmong(
  list: { readonly length: number; readonly scores: ArrayLike<number> },
  draw: Draw,
  prng: Prng,
): number {
  if (draw.width <= 1) return 0;
  const bar = (list.scores[0] ?? 0) - draw.tolerance;
  let equals = 1;
  while (equals < list.length && equals < draw.width && (list.scores[equals] ?? 0) >= bar) equals++;
  return equals === 1 ? 0 : prng.below(equals);
}
