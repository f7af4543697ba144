/**
 * A digest of the replicated state that costs as much as the rows that change: the sum, over all rows, of a 64-bit hash of
 * each row. To change a row is to subtract its old hash and to add its new one, so the order in which a state was reached
 * plays no part: replay, snapshot and a folder that was read again give the same digest for the same rows.
 *
 * Detects: a row that is missing, that should not be there, or that holds another value or revision, when the digests of
 * two replicas are compared at one revision, or a digest is compared with the rows themselves. It does not change when
 * memory changes behind the machine's back; `scrub.ts` reads the rows again for that.
 *
 * Bound: two different sets of rows have one digest with a probability of 2^-64, as far as the hash of a row is random.
 * It is a mixing function (multiplications and rotations after MurmurHash3, A. Appleby, with both 32-bit lanes fed by each
 * word), made to find faults. Against somebody who chooses rows so that digests meet it is no protection, and needs none:
 * replicas apply the same commands, and what a client writes reaches all of them alike.
 *
 * The sum of hashes as an incremental hash of a set: M. Bellare, D. Micciancio, "A New Paradigm for Collision-Free Hashing:
 * Incrementality at Reduced Cost", EUROCRYPT 1997 (AdHash); D. Clarke et al., "Incremental Multiset Hash Functions and
 * Their Application to Memory Integrity Checking", ASIACRYPT 2003 (MSet-Add-Hash).
 *
 * What a row's hash is must never change: it is stored, and agents of different versions compare it.
 */
import type { Counter, KeyValue, Session } from './types.ts';

/** A digest as two signed 32-bit numbers. */
export interface DigestValue {
  readonly high: number;
  readonly low: number;
}

/** Of a state without rows. */
export const emptyDigest: DigestValue = { high: 0, low: 0 };

/** Below so many bytes reading them one by one is quicker than making a view for whole words. */
const wordsFromBytes = 24;
const noBytes = new Uint8Array(0);
/** The first letters of row keys (rows.ts). */
const keyKind = 0x6b;
const counterKind = 0x63;
const sessionKind = 0x73;

/** Accumulates the digest of a set of rows. */
export class DigestSum {
  #high = 0;
  #low = 0;

  get value(): DigestValue {
    return { high: this.#high, low: this.#low };
  }

  /** Begins again from `value`. */
  set({ high, low }: DigestValue): void {
    this.#high = high | 0;
    this.#low = low | 0;
  }

  /** @param sign 1: the row is there now; -1: it is there no more. */
  key(sign: 1 | -1, { key, value, revision }: KeyValue): void {
    this.#row(sign, keyKind, key, revision, value);
  }

  counter(sign: 1 | -1, { key, value }: Counter): void {
    this.#row(sign, counterKind, key, value, noBytes);
  }

  session(sign: 1 | -1, { key, value }: Session): void {
    this.#row(sign, sessionKind, key, 0, value);
  }

  #row(sign: 1 | -1, kind: number, key: string, number: number, bytes: Uint8Array): void {
    let a = kind;
    let b = key.length;
    // Two UTF-16 code units make one word.
    const even = key.length - (key.length & 1);
    for (let at = 0; at < even; at += 2) {
      const word = Math.imul(key.charCodeAt(at) | (key.charCodeAt(at + 1) << 16), 0xcc9e2d51);
      a = Math.imul(rotated(a ^ word, 13), 0x9e3779b1);
      b = Math.imul(rotated(b + rotated(word, 15), 17), 0x85ebca77);
    }
    if (even < key.length) {
      const unit = key.charCodeAt(even);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(rotated(b, 5) ^ unit, 0x85ebca77);
    }
    a = Math.imul(rotated(a, 13) ^ (number | 0), 0x9e3779b1);
    b = Math.imul(rotated(b, 17) ^ Math.floor(number / 2 ** 32), 0x85ebca77);
    let at = 0;
    const { length } = bytes;
    if (length >= wordsFromBytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      // Two pairs of lanes, each fed by every other word: the processor works on both at once.
      let c = a ^ 0x2545f491;
      let d = b ^ 0x1b873593;
      for (; at + 8 <= length; at += 8) {
        const word = Math.imul(view.getInt32(at, true), 0xcc9e2d51);
        const next = Math.imul(view.getInt32(at + 4, true), 0xcc9e2d51);
        a = Math.imul(rotated(a ^ word, 13), 0x9e3779b1);
        b = Math.imul(rotated(b + rotated(word, 15), 17), 0x85ebca77);
        c = Math.imul(rotated(c ^ next, 13), 0x9e3779b1);
        d = Math.imul(rotated(d + rotated(next, 15), 17), 0x85ebca77);
      }
      a = Math.imul(rotated(a ^ c, 13), 0x9e3779b1) + d;
      b = Math.imul(rotated(b + d, 17), 0x85ebca77) ^ c;
    }
    for (; at < length; at += 1) {
      const byte = bytes[at] as number;
      a = Math.imul(a ^ byte, 0x9e3779b1);
      b = Math.imul(rotated(b, 5) ^ byte, 0x85ebca77);
    }
    // Every bit of both lanes and of the length reaches every bit of the sum.
    a = finished((a ^ length) + b);
    b = finished(b + a);
    this.#high = (this.#high + sign * b) | 0;
    this.#low = (this.#low + sign * a) | 0;
  }
}

/** Whether two states at one revision hold the same rows, as far as digests tell. Says nothing across revisions. */
export function isSameDigest(a: DigestValue, b: DigestValue): boolean {
  return a.high === b.high && a.low === b.low;
}

/** 16 hex digits. */
export function digestText({ high, low }: DigestValue): string {
  return hex(high) + hex(low);
}

/** Undefined for a text that `digestText` has not made. */
export function digestOfText(text: string): DigestValue | undefined {
  if (!/^[0-9a-f]{16}$/.test(text)) return undefined;
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The finalizer of MurmurHash3. */
function finished(lane: number): number {
  let word = lane | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
