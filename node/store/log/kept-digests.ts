/**
 * What the digest of the state was at the last few thousand revisions, on disk: where replicas differ, the question is what each
 * had at a revision long past, and a member that was restarted since must still be able to say (consensus/replica/comparison.ts).
 *
 * The digests of up to 31 revisions ride in the applied record, which is written with every batch; each 32 become a row of their
 * own. So nothing is written more often, about half a kilobyte more at most with each batch, and a crash loses none of them.
 */
import { type DigestValue, digestOfText, digestText } from '../../state/digest.ts';
import { type KnownDigest, revisionsKept } from '../../state/recent-digests.ts';
import type { DiskOp } from './disk.ts';
import { digestsKey } from './keys.ts';
import { sealed, unsealed } from './sealed-bytes.ts';

/** Revisions of one row. */
const revisionsPerRow = 32;
/** Length of a digest in hex digits. */
const digestLength = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Collects the digests of one generation of the state, as it is applied. */
export class KeptDigests {
  readonly #generation: number;
  #texts: string[] = [];
  #last: number;

  /** @param recent of the revisions up to `last` that have no row yet, as `text` gave it. */
  constructor(generation: number, last: number, recent = '') {
    this.#generation = generation;
    this.#last = last;
    for (let at = 0; at + digestLength <= recent.length; at += digestLength) {
      this.#texts.push(recent.slice(at, at + digestLength));
    }
  }

  /** Notes the state at `revision`; adds to `ops` what is to be written for it, if anything. */
  note(revision: number, digest: DigestValue, ops: DiskOp[]): void {
    if (revision === this.#last) return;
    // After a gap what was collected is of other revisions: it has no row, and nobody asks for it.
    if (revision !== this.#last + 1) this.#texts = [];
    this.#last = revision;
    this.#texts.push(digestText(digest));
    if (this.#texts.length < revisionsPerRow) return;
    const key = digestsKey(this.#generation, revision);
    ops.push({ key, value: sealed(encoder.encode(this.text), key) });
    if (revision > revisionsKept)
      ops.push({ key: digestsKey(this.#generation, revision - revisionsKept), value: undefined });
    this.#texts = [];
  }

  /** Those that have no row yet: of the last revisions, in their order. */
  get text(): string {
    return this.#texts.join('');
  }
}

/** The digests in a row, up to revision `last`; undefined: the row is not what was written. */
export function decodeDigests(key: string, last: number, value: Uint8Array): readonly KnownDigest[] | undefined {
  const content = unsealed(value, key);
  return content === undefined ? undefined : digestsOfText(last, decoder.decode(content));
}

/** The digests in `text`, the last of them being of revision `last`. What is no digest is left out. */
export function digestsOfText(last: number, text: string): readonly KnownDigest[] {
  const count = Math.floor(text.length / digestLength);
  const known: KnownDigest[] = [];
  for (let at = 0; at < count; at += 1) {
    const digest = digestOfText(text.slice(at * digestLength, (at + 1) * digestLength));
    const revision = last - count + 1 + at;
    if (digest !== undefined && revision > 0) known.push({ revision, digest });
  }
  return known;
}
