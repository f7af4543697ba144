/**
 * What a transaction may ask for. A deterministic part of applying: a command that breaks a rule is refused alike on every
 * agent, no matter which one let it into the log.
 */
import { ShoalError } from '../base/errors.ts';
import {
  type Compare,
  keyCharactersMax,
  type Op,
  type Transaction,
  transactionItemsMax,
  valueBytesMax,
} from './types.ts';

/** Longest client token, characters. */
const clientTokenCharactersMax = 128;

/** Throws `INVALID_ARGUMENT` for what every agent would refuse to apply: better said before it is in the log. */
export function mustBeProposable(transaction: Transaction, clientToken: string): void {
  const mistake = transactionMistake(transaction);
  if (mistake !== undefined) throw new ShoalError('INVALID_ARGUMENT', `The transaction is malformed: ${mistake}.`);
  if (!isClientToken(clientToken)) {
    throw new ShoalError('INVALID_ARGUMENT', 'A client token is at most 128 printable ASCII characters.');
  }
}

/** The first rule that the transaction breaks, for people; undefined when it breaks none. */
export function transactionMistake(transaction: Transaction): string | undefined {
  const items = transaction.compares.length + transaction.thenOps.length + transaction.elseOps.length;
  if (items > transactionItemsMax) return `${items} compares and ops; at most ${transactionItemsMax} are allowed`;
  for (const compare of transaction.compares) {
    const mistake = compareMistake(compare);
    if (mistake !== undefined) return mistake;
  }
  for (const ops of [transaction.thenOps, transaction.elseOps]) {
    for (const op of ops) {
      const mistake = opMistake(op);
      if (mistake !== undefined) return mistake;
    }
  }
  return undefined;
}

/** Whether `token` may serve as a client token: at most 128 printable ASCII characters, or empty for none. */
export function isClientToken(token: string): boolean {
  return token.length <= clientTokenCharactersMax && isPlain(token);
}

/** Whether `key` may be a key: 1 to 512 printable ASCII characters without spaces. */
function isKey(key: string): boolean {
  return key.length >= 1 && key.length <= keyCharactersMax && isPlain(key);
}

function compareMistake(compare: Compare): string | undefined {
  if (!isKey(compare.key)) return keyMistake(compare.key);
  if ('revision' in compare && !(Number.isSafeInteger(compare.revision) && compare.revision >= 0)) {
    return `the revision compared for ${compare.key} is not a number from 0 to 2^53 - 1`;
  }
  if ('value' in compare && compare.value.length > valueBytesMax) return valueMistake(compare.key);
  return undefined;
}

function opMistake(op: Op): string | undefined {
  switch (op.kind) {
    case 'put':
      if (!isKey(op.key)) return keyMistake(op.key);
      return op.value.length > valueBytesMax ? valueMistake(op.key) : undefined;
    case 'delete':
      return isKey(op.key) ? undefined : keyMistake(op.key);
    case 'deleteRange':
      if (!isKey(op.start)) return keyMistake(op.start);
      if (!isKey(op.end)) return keyMistake(op.end);
      return op.start < op.end ? undefined : `the range from ${op.start} to ${op.end} is empty`;
    case 'add':
      if (!isKey(op.key)) return keyMistake(op.key);
      for (const value of [op.delta, op.min, op.max]) {
        if (!Number.isSafeInteger(value)) return `the counter ${op.key} is given a number beyond 2^53 - 1`;
      }
      return op.min <= op.max ? undefined : `the counter ${op.key} is given a lower bound above the upper one`;
  }
}

function keyMistake(key: string): string {
  return `${JSON.stringify(key.slice(0, 64))} is not a key: 1 to ${keyCharactersMax} printable ASCII characters, no spaces`;
}

function valueMistake(key: string): string {
  return `the value for ${key} is over ${valueBytesMax} bytes`;
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}
