import { ShoalError } from '../../node/base/errors.ts';
import type { ConsoleDoor } from '../../node/services/kit/dependencies.ts';

/** Throws `NOT_IMPLEMENTED`: no scenario comes here. @param what what the simulator does not do, as a predicate. */
export function notSimulated(what: string): never {
  throw new ShoalError('NOT_IMPLEMENTED', `The simulator ${what}.`);
}

/** No scenario looks at a screen. */
export const noConsoles: ConsoleDoor = {
  look: () => notSimulated('opens no consoles'),
  open: () => notSimulated('opens no consoles'),
};
