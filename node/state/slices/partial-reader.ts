/** Reading from a slice what it has, where no replica can be asked for the rest. */
import { ShoalError } from '../../base/errors.ts';
import type { KeyValue, StateReader } from '../types.ts';

/** The rows of a slice, and what it is whole in. */
export interface PartOfState {
  readonly revision: number;
  /** The rows that are here. A key or a range that is not covered finds nothing, or too little; it never throws. */
  readonly bare: Pick<StateReader, 'get' | 'range'>;
  /** Whether all there is to know of a key is here, be there a row or not. */
  covers(key: string): boolean;
  /** Whether every row with a key in [start, end) is here. */
  coversRange(start: string, end: string): boolean;
}

/**
 * Reads what is there and notes what may be missing. For answers that are marked partial, and for nothing that decides: a row
 * that is not found may well exist.
 */
export class PartialReader implements StateReader {
  readonly revision: number;
  readonly #part: PartOfState;
  #hasMissed = false;

  constructor(part: PartOfState) {
    this.#part = part;
    this.revision = part.revision;
  }

  /** Whether anything was read that the slice may not hold. */
  get hasMissed(): boolean {
    return this.#hasMissed;
  }

  get(key: string): KeyValue | undefined {
    if (!this.#part.covers(key)) this.#hasMissed = true;
    return this.#part.bare.get(key);
  }

  range(start: string, end: string, limit?: number): readonly KeyValue[] {
    if (!this.#part.coversRange(start, end)) this.#hasMissed = true;
    return this.#part.bare.range(start, end, limit);
  }

  /** Throws `NOT_IN_SLICE`: a number cannot be partial. */
  counter(key: string): number {
    throw notHeld(key);
  }
}

/** Reads what the slice is whole in, and throws `NOT_IN_SLICE` for all else: for what decides who may do what. */
export function wholeReader(part: PartOfState): StateReader {
  return {
    revision: part.revision,
    get: (key) => {
      if (!part.covers(key)) throw notHeld(key);
      return part.bare.get(key);
    },
    range: (start, end, limit) => {
      if (!part.coversRange(start, end)) throw notHeld(start);
      return part.bare.range(start, end, limit);
    },
    counter: (key) => {
      throw notHeld(key);
    },
  };
}

function notHeld(what: string): ShoalError {
  return new ShoalError('NOT_IN_SLICE', `This host does not hold ${what}; a replica does.`, { facts: { what } });
}
