import { ShoalError } from '../../../node/base/errors.ts';

/** A call that a process of the bench does not serve. */
export async function refuse(): Promise<never> {
  throw new ShoalError('NOT_IMPLEMENTED', 'The bench has no such part.');
}

/** As `refuse`, for streams. */
// biome-ignore lint/correctness/useYield: it only refuses.
export async function* refuseStream(): AsyncGenerator<never> {
  await refuse();
}
