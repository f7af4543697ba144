/** Commands as they lie in the log: protobuf bytes to plain data and back. */
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { Compare, Op, Transaction, TransactionOutcome } from './types.ts';

/** Largest encoded command. Two values of the largest size fit; one entry must stay well below a peer message's bound. */
export const commandBytesMax = 4 * 1024 * 1024;

/** One entry's payload. */
export interface Command {
  /** Empty: applied as often as it is committed. */
  readonly clientToken: string;
  /** A revision, at least 1, that was applied before the token was first sent; absent: not said (older agents never do). */
  readonly tokenSinceRevision?: number;
  readonly transaction: Transaction;
}

/** Encodes for the log. Throws `TOO_LARGE`. */
export function encodeCommand(command: Command): Uint8Array {
  const bytes = shoal.v1.Command.encode({
    clientToken: command.clientToken,
    tokenSinceRevision: command.tokenSinceRevision ?? 0,
    body: 'transaction',
    transaction: {
      compares: command.transaction.compares.map(compareMessage),
      thenOps: command.transaction.thenOps.map(opMessage),
      elseOps: command.transaction.elseOps.map(opMessage),
    },
  }).finish();
  if (bytes.length > commandBytesMax) {
    throw new ShoalError('TOO_LARGE', `The transaction takes ${bytes.length} bytes; at most ${commandBytesMax} fit.`, {
      facts: { bytes: bytes.length, bytesMax: commandBytesMax },
    });
  }
  return bytes;
}

/**
 * Decodes what was committed. Throws `LOG_CORRUPT` for bytes that this version does not understand: guessing would make
 * this agent's state differ from the others', so the caller must stop instead.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  let message: shoal.v1.Command;
  try {
    message = shoal.v1.Command.decode(bytes);
  } catch (error) {
    throw ShoalError.from(error, 'LOG_CORRUPT', 'A committed command cannot be decoded');
  }
  return commandFromMessage(message);
}

/** As `decodeCommand`, from a message that came inside another. */
export function commandFromMessage(message: shoal.v1.Command): Command {
  const { transaction } = message;
  if (transaction === undefined || transaction === null) throw notUnderstood('command');
  return {
    clientToken: message.clientToken,
    ...(message.tokenSinceRevision === 0 ? {} : { tokenSinceRevision: message.tokenSinceRevision }),
    transaction: {
      compares: transaction.compares.map(compareFromMessage),
      thenOps: transaction.thenOps.map(opFromMessage),
      elseOps: transaction.elseOps.map(opFromMessage),
    },
  };
}

/** Encodes an outcome; for the session table and for the answer to a forwarded command. */
export function encodeOutcome(outcome: TransactionOutcome): Uint8Array {
  const { succeeded, refusal, failedKey, counters, revision } = outcome;
  if (succeeded && refusal === undefined && failedKey === undefined && counters.length === 0)
    return encodeDone(revision);
  return shoal.v1.ProposeResponse.encode(outcomeToMessage(outcome)).finish();
}

/**
 * The outcome of nearly every write, byte for byte as protobuf encodes it: field 1 is the revision, field 2 is true. By hand,
 * because every write with a token pays for it.
 */
function encodeDone(revision: number): Uint8Array {
  let length = 4;
  for (let rest = revision; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  const bytes = new Uint8Array(length);
  bytes[0] = 0x08;
  let at = 1;
  let rest = revision;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes[at] = (rest % 0x80) | 0x80;
    at += 1;
  }
  bytes[at] = rest;
  bytes[at + 1] = 0x10;
  bytes[at + 2] = 1;
  return bytes;
}

/** Reads what `encodeOutcome` made. Throws `LOG_CORRUPT` for bytes that are no outcome: what was answered is not known. */
export function decodeOutcome(bytes: Uint8Array): TransactionOutcome {
  let message: shoal.v1.ProposeResponse;
  try {
    message = shoal.v1.ProposeResponse.decode(bytes);
  } catch (error) {
    throw ShoalError.from(error, 'LOG_CORRUPT', 'The outcome of a command cannot be decoded');
  }
  return outcomeFromMessage(message);
}

/** As `encodeOutcome`, into a message that goes inside another. */
export function outcomeToMessage(outcome: TransactionOutcome): shoal.v1.ProposeResponse.$Properties {
  return {
    revision: outcome.revision,
    succeeded: outcome.succeeded,
    failedKey: outcome.failedKey ?? '',
    refused: outcome.refusal !== undefined,
    refusal: outcome.refusal ?? '',
    counters: [...outcome.counters],
  };
}

/** As `decodeOutcome`, from a message that came inside another. */
export function outcomeFromMessage(message: shoal.v1.ProposeResponse): TransactionOutcome {
  return {
    revision: message.revision,
    succeeded: message.succeeded,
    counters: message.counters,
    ...(message.failedKey === '' ? {} : { failedKey: message.failedKey }),
    ...(message.refused ? { refusal: refusalFrom(message.refusal) } : {}),
  };
}

function refusalFrom(text: string): NonNullable<TransactionOutcome['refusal']> {
  return text === 'counter-bounds' || text === 'range-too-large' || text === 'token-too-old' ? text : 'invalid';
}

function compareMessage(compare: Compare): shoal.v1.Compare.$Properties {
  if ('revision' in compare) return { key: compare.key, condition: 'revision', revision: compare.revision };
  if ('exists' in compare) return { key: compare.key, condition: 'exists', exists: compare.exists };
  return { key: compare.key, condition: 'value', value: compare.value };
}

function compareFromMessage(message: shoal.v1.Compare): Compare {
  const { key } = message;
  switch (message.condition) {
    case 'revision':
      return { key, revision: message.revision ?? 0 };
    case 'exists':
      return { key, exists: message.exists ?? false };
    case 'value':
      return { key, value: message.value ?? new Uint8Array(0) };
    default:
      throw notUnderstood('compare');
  }
}

function opMessage(op: Op): shoal.v1.Op.$Properties {
  switch (op.kind) {
    case 'put':
      return { op: 'put', put: { key: op.key, value: op.value } };
    case 'delete':
      return { op: 'delete', delete: { key: op.key } };
    case 'deleteRange':
      return { op: 'deleteRange', deleteRange: { start: op.start, end: op.end } };
    case 'add':
      return { op: 'add', add: { key: op.key, delta: op.delta, min: op.min, max: op.max } };
  }
}

function opFromMessage(message: shoal.v1.Op): Op {
  if (message.put) return { kind: 'put', key: message.put.key, value: message.put.value };
  if (message.delete) return { kind: 'delete', key: message.delete.key };
  if (message.deleteRange)
    return { kind: 'deleteRange', start: message.deleteRange.start, end: message.deleteRange.end };
  if (message.add) {
    const { key, delta, min, max } = message.add;
    return { kind: 'add', key, delta, min, max };
  }
  throw notUnderstood('op');
}

function notUnderstood(what: string): ShoalError {
  return new ShoalError('LOG_CORRUPT', `A committed command holds a ${what} that this version does not know.`, {
    facts: { what },
  });
}
