/** Messages of the native API as JSON. */
import type { MessageField, NativeSchema, ValueType } from './schema.ts';

/**
 * A message as JSON: fields by the names of the schema; those that have no presence always, others where they are set; bytes in
 * base64; enumerations by name. Numbers of 64 bits are numbers: all of Shoal's are below 2^53.
 */
export function jsonOf(schema: NativeSchema, message: string, value: object): Readonly<Record<string, unknown>> {
  const members: [string, unknown][] = [];
  for (const field of schema.fieldsOf(message)) {
    const held: unknown = Reflect.get(value, field.key);
    if (held === null || held === undefined) continue;
    members.push([field.name, manyOf(schema, field, held)]);
  }
  return Object.fromEntries(members);
}

function manyOf(schema: NativeSchema, { many, type }: MessageField, held: unknown): unknown {
  if (many === 'list' && Array.isArray(held)) return held.map((one: unknown) => oneOf(schema, type, one));
  if (many === 'map' && typeof held === 'object' && held !== null) {
    return Object.fromEntries(
      Object.entries(held).map(([key, one]: [string, unknown]) => [key, oneOf(schema, type, one)]),
    );
  }
  return oneOf(schema, type, held);
}

function oneOf(schema: NativeSchema, type: ValueType, held: unknown): unknown {
  if (held instanceof Uint8Array) return Buffer.from(held.buffer, held.byteOffset, held.byteLength).toString('base64');
  switch (type.kind) {
    case 'message':
      return typeof held === 'object' && held !== null ? jsonOf(schema, type.name, held) : {};
    case 'enum':
      // One of a newer version has a number only.
      return Object.entries(schema.valuesOf(type.name)).find(([, number]) => number === held)?.[0] ?? held;
    default:
      // JSON has no number for these; protobuf's own mapping writes their names.
      return typeof held === 'number' && !Number.isFinite(held) ? String(held) : held;
  }
}
