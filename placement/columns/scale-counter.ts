/** Counts hosts by the power of two at or above their capacity, to know the largest at any time. */
export class ScaleCounter {
  /** The largest host's power of two; 1 with no hosts. */
  value = 1;
  readonly #counts = new Int32Array(33);
  #hasMoved = false;

  /** A host's capacity is `to` now; 0: it has none, or there is no such host. */
  move(from: number, to: number): void {
    if (from === to) return;
    this.#hasMoved = true;
    if (from > 0) this.#count(from, -1);
    if (to > 0) this.#count(to, 1);
  }

  /** Brings `value` up to date; true when it changed. */
  refresh(): boolean {
    if (!this.#hasMoved) return false;
    this.#hasMoved = false;
    let exponent = 32;
    while (exponent > 0 && this.#counts[exponent] === 0) exponent--;
    const value = 2 ** exponent;
    if (value === this.value) return false;
    this.value = value;
    return true;
  }

  #count(capacity: number, delta: 1 | -1): void {
    const exponent = capacity <= 1 ? 0 : 32 - Math.clz32(capacity - 1);
    this.#counts[exponent] = (this.#counts[exponent] ?? 0) + delta;
  }
}
