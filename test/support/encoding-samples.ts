/**
 * One sample of each message that the log or the state may hold, with every field set to something else than its default,
 * made from the schema. Written down once (test/data/encodings) they are read for ever: what an agent of any version has
 * stored, every later one must understand.
 */
import { readFileSync } from 'node:fs';
import { Table } from '../../node/state/table.ts';
import * as tables from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';

/** What encodes and decodes one kind of message. */
export interface MessageClass {
  readonly name: string;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  create(fields: object): object;
}

interface Field {
  readonly type: string;
  readonly id: number;
  readonly rule?: string;
  readonly keyType?: string;
}

interface Schema {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
}

const descriptor = JSON.parse(readFileSync(new URL('../../proto/gen/shoal.json', import.meta.url), 'utf8')) as {
  readonly nested: {
    readonly shoal: { readonly nested: { readonly v1: { readonly nested: Record<string, Schema> } } };
  };
};
const schemas = descriptor.nested.shoal.nested.v1.nested;
const classes = shoal.v1 as unknown as Readonly<Record<string, MessageClass>>;

/** Messages that are stored: a table's records, and commands. By name. */
export function storedMessages(): ReadonlyMap<string, MessageClass> {
  const codecs = Object.values<unknown>(tables)
    .filter((value): value is Table<object> => value instanceof Table)
    .map((table) => table.definition.codec as unknown);
  const stored = [...codecs, shoal.v1.Command];
  return new Map(Object.entries(classes).filter(([, value]) => stored.includes(value)));
}

/** A message with every field set. Where a choice is to be made there is one in each repeated field for each choice. */
export function sampleOf(name: string): Record<string, unknown> {
  return variantsOf(name)[0] ?? {};
}

/** One sample for each alternative of the message's choice; one in all where there is none. */
function variantsOf(name: string): readonly Record<string, unknown>[] {
  const { fields = {}, oneofs = {} } = schemas[name] ?? {};
  // proto3's optional fields are choices of one.
  const choice = Object.values(oneofs).find(({ oneof }) => oneof.length > 1)?.oneof;
  return (choice ?? ['']).map((chosen) => {
    const sample: Record<string, unknown> = {};
    for (const [field, definition] of Object.entries(fields)) {
      if (choice?.includes(field) === true && field !== chosen) continue;
      sample[camelCase(field)] = fieldValue(field, definition);
    }
    return sample;
  });
}

function fieldValue(field: string, { type, id, rule, keyType }: Field): unknown {
  const values = schemas[type]?.fields === undefined ? [scalarOf(field, type, id)] : variantsOf(type);
  if (keyType !== undefined) return { [`${field}-key`]: values[0] };
  return rule === 'repeated' ? values : values[0];
}

function scalarOf(field: string, type: string, id: number): unknown {
  switch (type) {
    case 'string':
      return `${field} ü`;
    case 'bytes':
      return new Uint8Array([0, 255, id]);
    case 'bool':
      return true;
    case 'double':
    case 'float':
      return id + 0.5;
    case 'int32':
    case 'int64':
    case 'sint32':
    case 'sint64':
      return -(1000 + id);
    default:
      // An enumeration: its last value. Else an unsigned number.
      return Object.values(schemas[type]?.values ?? {}).at(-1) ?? 1000 + id;
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Bytes as hex, so that a sample can be written as JSON. */
export function plainOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainOf(inner)]));
  return value;
}
