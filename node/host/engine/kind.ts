/**
 * What the host loop keeps, as it sees it: kinds. A kind reads what is wanted from the records and what is found from the
 * drivers, and brings the one to the other. How one is added: README.md in this folder.
 */
import type { StateReader } from '../../state/types.ts';

/** One look at the host: all that is read in it is of one revision of the records. */
export interface Pass {
  readonly reader: StateReader;
  readonly revision: number;
  /** Ends when the agent stops. */
  readonly signal: AbortSignal;
}

/** One kind of thing that a host keeps, or several that depend on each other. */
export interface Kind {
  /** For logs and health: "server", "network". */
  readonly name: string;
  /** Reads what the records want and what the host has; changes nothing. When it throws, the pass ends and another follows. */
  observe(pass: Pass): Promise<void>;
  /**
   * Begins what is missing, as of what was observed. Long work goes on behind the pass. What fails is told, and tried again
   * in a later pass; it keeps nothing else from being done.
   */
  act(pass: Pass): Promise<void>;
  /** Whether a change of these keys may give the next pass something to do. Called for each change, in order. */
  concerns(keys: readonly string[]): boolean;
  /** Work under way. */
  readonly busy: ReadonlyMap<string, Promise<void>>;
}

/** How a kind asks for another pass. */
export interface Passes {
  /** Soon. */
  wake(): void;
  /** After `delayMs`, or earlier where that was asked for already. */
  wakeLater(delayMs: number): void;
}

/** Hears how the parts of the work went; for metrics and health. Each is called with the failure, or undefined. */
export interface KindObserver {
  step?(kind: string, step: string, result: 'done' | 'failed', seconds: number): void;
  health?(part: string, error: unknown): void;
}
