/**
 * What the digest of the state was at the last few thousand revisions, on disk: where replicas differ, the question is what each
 * had at a revision long past, and a member that was restarted since must still be able to say (consensus/replica/comparison.ts).
 *
 * The digests of up to 31 revisions ride in the applied record, which is written with every batch; each 32 become a row of their
 * own. So nothing is written more often, about half a kilobyte more at most with each batch, and a crash loses none of them.
 */
import type { DigestValue } from '../../state/digest.ts';
import { type KnownDigest, revisionsKept } from '../../state/recent-digests.ts';
import type { DiskOp } from './disk.ts';
import { digestsKey } from './keys.ts';
import { sealed, unsealed } from './sealed-bytes.ts';

/** Revisions of one row. */
const revisionsPerRow = 32;
/** Length of a digest: two 32-bit words, the high one first, big-endian. Unit: bytes. */
const digestBytes = 8;

/** Collects the digests of one generation of the state, as it is applied. */
export class KeptDigests {
  readonly #generation: number;
  readonly #bytes = Buffer.alloc(revisionsPerRow * digestBytes);
  #count = 0;
  #last: number;

  /** @param recent of the revisions up to `last` that have no row yet, as `text` gave it. */
  constructor(generation: number, last: number, recent = '') {
    this.#generation = generation;
    this.#last = last;
    this.#count = Math.floor(this.#bytes.write(recent, 'base64') / digestBytes);
  }

  /** Notes the state at `revision`; adds to `ops` what is to be written for it, if anything. */
  note(revision: number, { high, low }: DigestValue, ops: DiskOp[]): void {
    if (revision === this.#last) return;
    // After a gap what was collected is of other revisions: it has no row, and nobody asks for it.
    if (revision !== this.#last + 1) this.#count = 0;
    this.#last = revision;
    this.#bytes.writeInt32BE(high, this.#count * digestBytes);
    this.#bytes.writeInt32BE(low, this.#count * digestBytes + 4);
    this.#count += 1;
    if (this.#count < revisionsPerRow) return;
    const key = digestsKey(this.#generation, revision);
    ops.push({ key, value: sealed(this.#bytes, key) });
    if (revision > revisionsKept)
      ops.push({ key: digestsKey(this.#generation, revision - revisionsKept), value: undefined });
    this.#count = 0;
  }

  /** Those that have no row yet: of the last revisions, in their order, in base64. */
  get text(): string {
    return this.#bytes.toString('base64', 0, this.#count * digestBytes);
  }
}

/** The digests in a row, up to revision `last`; undefined: the row is not what was written. */
export function decodeDigests(key: string, last: number, value: Uint8Array): readonly KnownDigest[] | undefined {
  const content = unsealed(value, key);
  return content === undefined ? undefined : digestsOf(last, Buffer.from(content));
}

/** The digests in what `text` gave, the last of them being of revision `last`. */
export function digestsOfText(last: number, text: string): readonly KnownDigest[] {
  return digestsOf(last, Buffer.from(text, 'base64'));
}

function digestsOf(last: number, bytes: Buffer): readonly KnownDigest[] {
  const count = Math.floor(bytes.length / digestBytes);
  return Array.from({ length: count }, (_, at) => ({
    revision: last - count + 1 + at,
    digest: { high: bytes.readInt32BE(at * digestBytes), low: bytes.readInt32BE(at * digestBytes + 4) },
  })).filter(({ revision }) => revision > 0);
}
