/** What the part of an agent that keeps its host reports: for metrics and health, and for the checkers of the simulator. */
import type { GuestFound } from '../../drivers/types.ts';
import type { KindObserver } from '../host/engine/kind.ts';

/** Each method is called as the thing happens; all of them are optional. An observer only looks, and must not throw. */
export interface HostObserver extends KindObserver {
  /** This host has answered a claim. */
  claim?(result: 'admitted' | 'refused'): void;
  /** A host has answered a placement of this agent, or there was none to ask. */
  placement?(result: 'placed' | 'refused' | 'no-host'): void;
  /** The guests that a look at the host has found. */
  guests?(found: readonly GuestFound[]): void;
}
