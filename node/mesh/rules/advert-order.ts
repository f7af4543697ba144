/** Place of an advert among those of its host: start of the agent, then number within it. */
export interface AdvertOrder {
  readonly epoch: number;
  readonly sequence: number;
}

/** Negative when `a` is the older, 0 when they are the same, positive when `a` is the newer. */
export function compareAdvertOrder(a: AdvertOrder, b: AdvertOrder): number {
  return a.epoch !== b.epoch ? a.epoch - b.epoch : a.sequence - b.sequence;
}
