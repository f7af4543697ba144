/** How much a peer may say on its gossip links. Pure: time is handed in. */

/** Upper bounds of what one peer says, on average and at once. */
export interface LinkBudgetLimits {
  readonly bytesPerSecond: number;
  readonly bytesAtOnce: number;
  readonly framesPerSecond: number;
  readonly framesAtOnce: number;
}

/** One peer's budget: a token bucket of bytes and one of frames, whatever stream or connection they come by. */
export class LinkBudget {
  readonly #limits: LinkBudgetLimits;
  #bytes: number;
  #frames: number;
  #atMs: number;

  /** @param nowMs monotonic, ms, as for `take`. */
  constructor(limits: LinkBudgetLimits, nowMs: number) {
    this.#limits = limits;
    this.#bytes = limits.bytesAtOnce;
    this.#frames = limits.framesAtOnce;
    this.#atMs = nowMs;
  }

  /** Takes what came. False: it was more than the peer may say. */
  take(bytes: number, frames: number, nowMs: number): boolean {
    const { bytesPerSecond, bytesAtOnce, framesPerSecond, framesAtOnce } = this.#limits;
    const passedS = Math.max(0, nowMs - this.#atMs) / 1000;
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#bytes = Math.min(bytesAtOnce, this.#bytes + passedS * bytesPerSecond) - bytes;
    this.#frames = Math.min(framesAtOnce, this.#frames + passedS * framesPerSecond) - frames;
    return this.#bytes >= 0 && this.#frames >= 0;
  }
}

/** Counts the frames that begin in a stream of bytes, each after its length as a varint, as gossipsub sends them. */
export class FrameCounter {
  /** Bytes of the current frame that are still to come; 0 while a length is read. */
  #left = 0;
  #length = 0;
  #shift = 0;

  /** Frames whose length ended in this piece. */
  count(piece: Uint8Array): number {
    let frames = 0;
    for (let at = 0; at < piece.length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, piece.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const byte = piece[at] ?? 0;
      at += 1;
      this.#length += (byte & 0x7f) * 2 ** this.#shift;
      this.#shift += 7;
      // A length of more than four bytes ends the stream in the decoder: here each such byte counts as a frame.
      if (byte >= 0x80 && this.#shift < 28) continue;
      this.#left = this.#length;
      this.#length = 0;
      this.#shift = 0;
      frames += 1;
    }
    return frames;
  }
}
