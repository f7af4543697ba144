/** Sums over samples. */

/** 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Four digits are more than the measurement is worth. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** p50 and p99 of times. Unit: milliseconds. */
export interface Times {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** Undefined when there is nothing to tell of. */
export function timesOf(ms: readonly number[]): Times | undefined {
  const sorted = [...ms].sort((a, b) => a - b);
  const worst = sorted.at(-1);
  if (worst === undefined) return undefined;
  const at = (share: number): number => rounded(sorted[Math.ceil(share * sorted.length) - 1] ?? worst);
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: rounded(worst) };
}
