import { ShoalError } from '../../node/base/errors.ts';

/** Throws `NOT_IMPLEMENTED`: no scenario comes here. @param what what the simulator does not do, as a predicate. */
export function notSimulated(what: string): never {
  throw new ShoalError('NOT_IMPLEMENTED', `The simulator ${what}.`);
}
