/**
 * The state as rows of bytes: what lies on disk, and what a snapshot is made of.
 *
 *     c<key>        counter: its value in decimal
 *     k<key>        key: the revision (8 bytes, big endian) that last wrote it, then the value
 *     s<revision>   session (revision as 14 hex digits): the client token's length (1 byte), the token, the outcome
 *
 * Part of the stored format: forever.
 */
import { assert } from '../base/assert.ts';
import { ShoalError } from '../base/errors.ts';
import type { Counter, KeyValue, Session } from './types.ts';

/**
 * What a row to write is to hold: its bytes, or what a key holds, which is encoded where it is stored: bytes of its own
 * would be made for each write only to be copied once.
 */
export type RowContent = Uint8Array | KeyValue;

/** A row to write; `value` undefined removes it. */
export interface StateRow {
  readonly key: string;
  readonly value: RowContent | undefined;
}

/** A row that is there. */
export interface StoredRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Length of the revision in front of a key's value. Unit: bytes. */
const revisionBytes = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The key of a session in the session table: sorts by revision. */
export function sessionKey(revision: number): string {
  return revision.toString(16).padStart(14, '0');
}

/** A key as it is stored: its revision in front of its value. */
export function keyRow(entry: KeyValue): StoredRow {
  const value = new Uint8Array(rowBytes(entry));
  writeRow(entry, value, 0);
  return { key: `k${entry.key}`, value };
}

/** What a row's content takes. Unit: bytes. */
export function rowBytes(content: RowContent): number {
  return content instanceof Uint8Array ? content.length : revisionBytes + content.value.length;
}

/** Writes a row's content into `target`, from `at` on. */
export function writeRow(content: RowContent, target: Uint8Array, at: number): void {
  if (content instanceof Uint8Array) {
    target.set(content, at);
    return;
  }
  const high = Math.floor(content.revision / 2 ** 32);
  const low = content.revision % 2 ** 32;
  for (let byte = 0; byte < 4; byte += 1) {
    target[at + byte] = high >>> (24 - 8 * byte);
    target[at + 4 + byte] = low >>> (24 - 8 * byte);
  }
  target.set(content.value, at + revisionBytes);
}

/** A counter as it is stored. */
export function counterRow(counter: Counter): StoredRow {
  return { key: `c${counter.key}`, value: encoder.encode(String(counter.value)) };
}

/** A session whose command was applied at `revision`; `outcome` is encoded. */
export function newSession(revision: number, token: string, outcome: Uint8Array): Session {
  const { length } = token;
  assert(length < 256, 'a client token is short');
  const value = new Uint8Array(1 + length + outcome.length);
  value[0] = length;
  for (let at = 0; at < length; at += 1) {
    const unit = token.charCodeAt(at);
    assert(unit < 0x80, 'a client token is ASCII');
    value[1 + at] = unit;
  }
  value.set(outcome, 1 + length);
  return { key: sessionKey(revision), token, value };
}

/** The outcome that a session remembers, encoded. */
export function sessionOutcome({ token, value }: Session): Uint8Array {
  return value.subarray(1 + token.length);
}

/** A session as it is stored; its value holds token and outcome already (`newSession`). */
export function sessionRow({ key, value }: Session): StoredRow {
  return { key: `s${key}`, value };
}

/** What a row holds. */
export type DecodedRow =
  | { readonly kind: 'key'; readonly entry: KeyValue }
  | { readonly kind: 'counter'; readonly entry: Counter }
  | { readonly kind: 'session'; readonly entry: Session };

/** Throws `LOG_CORRUPT` for a row of no known kind or shape. */
export function decodeRow(row: StoredRow): DecodedRow {
  const key = row.key.slice(1);
  const { value } = row;
  switch (row.key[0]) {
    case 'k': {
      if (value.length < 8) throw broken(row.key);
      const view = new DataView(value.buffer, value.byteOffset);
      const revision = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
      return { kind: 'key', entry: { key, revision, value: value.subarray(8) } };
    }
    case 'c': {
      const text = decoder.decode(value);
      const number = Number(text);
      if (!Number.isSafeInteger(number) || String(number) !== text) throw broken(row.key);
      return { kind: 'counter', entry: { key, value: number } };
    }
    case 's': {
      const length = value[0];
      if (length === undefined || value.length < 1 + length) throw broken(row.key);
      const token = decoder.decode(value.subarray(1, 1 + length));
      if (token.length !== length) throw broken(row.key);
      return { kind: 'session', entry: { key, token, value } };
    }
    default:
      throw broken(row.key);
  }
}

function broken(key: string): ShoalError {
  return new ShoalError('LOG_CORRUPT', `The state row ${JSON.stringify(key)} cannot be read.`, { facts: { key } });
}
