/** Guests asked at the same time. */
const parallelMax = 16;

/** `work` for each item, at most `parallelMax` at a time. Stops at the first failure. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += parallelMax) {
    results.push(...(await Promise.all(items.slice(at, at + parallelMax).map(work))));
  }
  return results;
}
