/** Which clusters of a disk hold anything but zeros. */
export class ClusterSet {
  readonly #bits: Uint8Array;
  /** How many. */
  size = 0;

  /** @param clusters of the disk. */
  constructor(clusters: number) {
    this.#bits = new Uint8Array(Math.ceil(clusters / 8));
  }

  add(cluster: number): void {
    if (this.has(cluster)) return;
    this.#bits[cluster >> 3] = (this.#bits[cluster >> 3] ?? 0) | (1 << (cluster & 7));
    this.size += 1;
  }

  has(cluster: number): boolean {
    return ((this.#bits[cluster >> 3] ?? 0) & (1 << (cluster & 7))) !== 0;
  }
}
