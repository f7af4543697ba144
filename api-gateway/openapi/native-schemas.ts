/** The messages of the native API as JSON Schema. */
import { nativeMethods } from '../native/methods.ts';
import { loadNativeSchema, type MessageField, type NativeSchema, type ValueType } from '../native/schema.ts';

/** A part of the document. */
export type Json = { readonly [key: string]: unknown };

/** Requests and answers of the methods, by their routes: `POST /shoal/v1/ClusterService/ListHosts`. */
export function nativeMethodsByRoute(): ReadonlyMap<string, { readonly request: string; readonly response: string }> {
  return new Map(
    nativeMethods()
      .filter(({ isStream }) => !isStream)
      .map(({ path, spec }) => [`POST /shoal/v1${path}`, { request: spec.requestName, response: spec.responseName }]),
  );
}

/** Every message and enumeration that the methods speak of, by name. */
export function nativeSchemas(): Json {
  const schema = loadNativeSchema();
  const methods = [...nativeMethodsByRoute().values()];
  const asked = reachableFrom(
    schema,
    methods.map(({ request }) => request),
  );
  const answered = reachableFrom(
    schema,
    methods.map(({ response }) => response),
  );
  const made = [...new Set([...asked, ...answered])].sort().map((name): [string, Json] => {
    const fields = schema.fieldsOf(name);
    const properties = Object.fromEntries(fields.map((field) => [field.name, manyOf(schema, field)]));
    // A request may leave everything out; an answer has all that has no presence of its own.
    const required = asked.has(name) ? [] : fields.filter(({ isOptional }) => !isOptional).map((field) => field.name);
    return [
      name,
      { type: 'object', ...(required.length === 0 ? {} : { required }), properties, additionalProperties: false },
    ];
  });
  return Object.fromEntries(made);
}

function reachableFrom(schema: NativeSchema, names: readonly string[]): ReadonlySet<string> {
  const met = new Set<string>();
  const left = [...names];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (met.has(name)) continue;
    met.add(name);
    for (const { type } of schema.fieldsOf(name)) if (type.kind === 'message') left.push(type.name);
  }
  return met;
}

function manyOf(schema: NativeSchema, { many, type }: MessageField): Json {
  const one = oneOf(schema, type);
  if (many === 'list') return { type: 'array', items: one };
  return many === 'map' ? { type: 'object', additionalProperties: one } : one;
}

function oneOf(schema: NativeSchema, { kind, name }: ValueType): Json {
  if (kind === 'message') return { $ref: `#/components/schemas/${name}` };
  if (kind === 'enum') return { type: 'string', enum: Object.keys(schema.valuesOf(name)) };
  switch (name) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'bytes':
      return { type: 'string', contentEncoding: 'base64' };
    case 'double':
      return { type: 'number' };
    default:
      return { type: 'integer', ...(name.startsWith('u') || name === 'fixed32' ? { minimum: 0 } : {}) };
  }
}
