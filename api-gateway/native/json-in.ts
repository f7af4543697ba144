/** JSON from outside as messages of the native API. */
import { ShoalError } from '../../node/base/errors.ts';
import { ownValue } from '../../node/base/own-value.ts';
import type { MessageField, NativeSchema, ValueType } from './schema.ts';

/** Whole numbers that each of the types takes. Those of 64 bits are exact as far as JSON's are. */
const wholeNumbers: Readonly<Record<string, readonly [min: number, max: number]>> = {
  uint32: [0, 2 ** 32 - 1],
  fixed32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sint64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * The fields of a message, by the names of the generated code, from JSON that has been held against `checkInput`. A field may go
 * by its name in the schema or by that in lower camel case; null is a field that is not set. Throws `INVALID_ARGUMENT` with the
 * place of the first mistake.
 * @param place names of what it is in, each with a dot behind; empty: the body itself.
 */
export function messageFrom(schema: NativeSchema, message: string, value: unknown, place = ''): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mistake(place, 'must be an object');
  const fields = new Map<string, MessageField>();
  for (const field of schema.fieldsOf(message)) fields.set(field.name, field).set(field.key, field);
  const made = new Map<string, unknown>();
  const chosen = new Map<string, string>();
  for (const [name, held] of Object.entries(value) as [string, unknown][]) {
    const field = fields.get(name);
    if (field === undefined) throw mistake(place, `has unknown properties: ${name}`);
    if (held === null) continue;
    if (made.has(field.key)) throw mistake(place, `has ${field.name} twice`);
    if (field.oneof !== undefined) {
      const other = chosen.get(field.oneof);
      if (other !== undefined) throw mistake(place, `takes one of ${other} and ${field.name}`);
      chosen.set(field.oneof, field.name);
    }
    made.set(field.key, manyFrom(schema, field, held, `${place}${field.name}.`));
  }
  return Object.fromEntries(made);
}

function manyFrom(schema: NativeSchema, { many, type }: MessageField, held: unknown, place: string): unknown {
  if (many === 'list') {
    if (!Array.isArray(held)) throw mistake(place, 'must be an array');
    return held.map((one: unknown, at) => oneFrom(schema, type, one, `${place}${at}.`));
  }
  if (many === 'map') {
    if (typeof held !== 'object' || held === null || Array.isArray(held)) throw mistake(place, 'must be an object');
    const members = Object.entries(held).map(([key, one]: [string, unknown]) => [
      key,
      oneFrom(schema, type, one, `${place}${key}.`),
    ]);
    return Object.fromEntries(members);
  }
  return oneFrom(schema, type, held, place);
}

function oneFrom(schema: NativeSchema, type: ValueType, held: unknown, place: string): unknown {
  switch (type.kind) {
    case 'message':
      return messageFrom(schema, type.name, held, place);
    case 'enum':
      return enumFrom(schema.valuesOf(type.name), held, place);
    default:
      return scalarFrom(type.name, held, place);
  }
}

function enumFrom(values: Readonly<Record<string, number>>, held: unknown, place: string): number {
  const number = typeof held === 'string' ? ownValue(values, held) : held;
  if (typeof number === 'number' && Object.values(values).includes(number)) return number;
  throw mistake(place, `must be one of: ${Object.keys(values).join(', ')}`);
}

function scalarFrom(type: string, held: unknown, place: string): unknown {
  if (type === 'string') {
    if (typeof held === 'string') return held;
    throw mistake(place, 'must be string');
  }
  if (type === 'bool') {
    if (typeof held === 'boolean') return held;
    throw mistake(place, 'must be boolean');
  }
  if (type === 'bytes') {
    if (typeof held === 'string' && base64.test(held)) return Buffer.from(held, 'base64');
    throw mistake(place, 'must be bytes in base64');
  }
  const bounds = ownValue(wholeNumbers, type);
  if (bounds === undefined) {
    if (typeof held === 'number' && Number.isFinite(held)) return held;
    throw mistake(place, 'must be number');
  }
  // Clients that follow protobuf's own mapping write 64 bits as text.
  const number = typeof held === 'string' && /^-?\d{1,16}$/.test(held) ? Number(held) : held;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= bounds[0] && number <= bounds[1]) {
    return number;
  }
  throw mistake(place, `must be a whole number from ${bounds[0]} to ${bounds[1]}`);
}

function mistake(place: string, what: string): ShoalError {
  const where = place === '' ? '' : `${place.slice(0, -1)} `;
  return new ShoalError('INVALID_ARGUMENT', `Invalid body: ${where}${what}.`);
}
