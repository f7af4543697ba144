/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna, 2018), state filled by splitmix32. Small, fast, and the same
 * on every machine. Not for secrets: those come from `node:crypto` at the edge.
 */
import { assert } from './assert.ts';

/** One stream of draws, fixed by its seed. Pure code takes every random decision from one that its owner hands in. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer; only its low 32 bits count. */
  constructor(seed: number) {
    let z = seed >>> 0;
    const next = (): number => {
      z = (z + 0x9e3779b9) >>> 0;
      let t = z ^ (z >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t ^= t >>> 15;
      t = Math.imul(t, 0x735a2d97);
      return (t ^ (t >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // Never all zero.
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const r = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return r;
  }

  /** A uniform integer in [0, bound). `bound` is in [1, 2^32]. Unbiased (Lemire's rejection). */
  below(bound: number): number {
    // 0 would be drawn for ever.
    assert(bound >= 1 && bound <= 2 ** 32, () => `a draw below ${bound}`);
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const r = this.uint32();
      if (r < limit) return r % bound;
    }
  }

  /** A uniform number in [0, 1), 32 bits of it. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One element, uniformly. The array must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A generator for a part, so that more draws in one part do not shift those of another. */
  fork(): Prng {
    return new Prng(this.uint32());
  }
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}
