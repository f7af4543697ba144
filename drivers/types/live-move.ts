/** A guest that goes to another host while it runs: its memory is sent by one driver, and taken by another. */
import type { NbdKey } from './disk.ts';

/** What a sender and a receiver have in common, and nobody else: TLS with a pre-shared key, of one move alone. */
export type MoveKey = NbdKey;

/** Where a guest's memory is taken. */
export interface MemoryReceiver {
  readonly address: string;
  readonly port: number;
}

/** How far the memory is. Unit: bytes. All 0: nothing is known yet. */
export interface MemoryProgress {
  readonly totalBytes: number;
  readonly sentBytes: number;
  /** What is still to be sent; of a guest that runs it may grow again. */
  readonly remainingBytes: number;
}

/** What the sender of a memory hears and says. */
export interface SendSteps {
  readonly progress: (progress: MemoryProgress) => void;
  /** Asked now and then. True: the guest is paused for the rest, so that the copy comes to its end. */
  readonly mustFinish: () => boolean;
}
