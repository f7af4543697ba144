/** The digests of the last revisions, so that a peer that asks a moment late can still be answered. */
import type { DigestValue } from './digest.ts';

/** Revisions remembered: more than are applied while a question is on its way. */
export const revisionsKept = 4096;

/** The digest of a state at a revision. */
export interface KnownDigest {
  readonly revision: number;
  readonly digest: DigestValue;
}

/** A ring of the last 4096 revisions' digests; about 64 KiB, allocated once. */
export class RecentDigests {
  readonly #revisions = new Float64Array(revisionsKept);
  readonly #highs = new Int32Array(revisionsKept);
  readonly #lows = new Int32Array(revisionsKept);

  /** @param digest of the state at `revision`, which is above 0. */
  note(revision: number, { high, low }: DigestValue): void {
    const at = revision % revisionsKept;
    this.#revisions[at] = revision;
    this.#highs[at] = high;
    this.#lows[at] = low;
  }

  /** Undefined: not known, or no more. */
  at(revision: number): DigestValue | undefined {
    const at = revision % revisionsKept;
    if (revision === 0 || this.#revisions[at] !== revision) return undefined;
    return { high: this.#highs[at] ?? 0, low: this.#lows[at] ?? 0 };
  }
}
