/**
 * What lies in a host's own store: values as JSON behind their checksum, and a head that says how many there are and what
 * their checksums sum up to, so that one that is missing, or was put back from before, is noticed.
 */
import { crc32c } from '../../base/crc32c.ts';

/** The key of the head: sorts behind all others. */
export const hostHeadKey = '~head';

/** Noted when values were lost for good (salvage-host-store.ts): claims may be among them that somebody counts on. */
export const notesLostKey = 'notes-lost';

/** How much there is. In every batch. */
export interface HostHead {
  /** Random name of this store: another one in its place has another. */
  readonly incarnation: string;
  /** How often it has been opened. */
  readonly starts: number;
  /** Number of the batch that this came with. */
  readonly batch: number;
  /** Values, without the head. */
  readonly rows: number;
  /** The sum of their checksums, in [0, 2^48). */
  readonly sum: number;
}

/** Sums are kept below this, which numbers carry exactly. */
const modulus = 2 ** 48;
/** A checksum in front of a value: eight hex digits and a space. Stores of before there were checksums have none. */
const sealedForm = /^([0-9a-f]{8}) /;
const sealLength = 9;

/** A value read back. */
type ReadValue =
  | { readonly isWhole: true; readonly value: unknown; readonly sum: number }
  | { readonly isWhole: false };

/** The text that stores a value, and its checksum. */
export function encodeValue(key: string, value: unknown): { readonly text: string; readonly sum: number } {
  const json = JSON.stringify(value);
  const sum = sumOf(key, json);
  return { text: `${sum.toString(16).padStart(8, '0')} ${json}`, sum };
}

/** Reads what `encodeValue` wrote, or plain JSON of before. */
export function decodeValue(key: string, text: string): ReadValue {
  const sealed = sealedForm.exec(text);
  const json = sealed === null ? text : text.slice(sealLength);
  const sum = sumOf(key, json);
  if (sealed !== null && Number.parseInt(sealed[1] ?? '', 16) !== sum) return { isWhole: false };
  try {
    return { isWhole: true, value: JSON.parse(json), sum };
  } catch {
    // Said by the caller, with the key.
    return { isWhole: false };
  }
}

/** The head that a value is; undefined: it is none. */
export function hostHeadOf(value: unknown): HostHead | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { incarnation, starts, batch, rows, sum } = value as Record<string, unknown>;
  const isHead = typeof incarnation === 'string' && [starts, batch, rows, sum].every(Number.isSafeInteger);
  return isHead ? (value as HostHead) : undefined;
}

/** The checksums of all values, and their sum. */
export class HostSums {
  readonly #sums = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get rows(): number {
    return this.#sums.size;
  }

  /** `sum` undefined: the value is gone. */
  set(key: string, sum: number | undefined): void {
    const before = this.#sums.get(key) ?? 0;
    this.#total = (this.#total - before + (sum ?? 0) + modulus) % modulus;
    if (sum === undefined) this.#sums.delete(key);
    else this.#sums.set(key, sum);
  }
}

function sumOf(key: string, json: string): number {
  return crc32c(Buffer.from(`${key} ${json}`, 'utf8'));
}
