/**
 * A request's attributes as Neutron reads them: numbers and booleans may come as text, what is unknown or read-only is
 * named, and what is wrong is said of the attribute, in Neutron's words. The schemas say what there is; this file says it
 * to people.
 */
import type { Static, TSchema } from 'typebox';
import type { ShoalError } from '../../../node/base/errors.ts';
import { field, says, type Wording } from '../../../node/base/field-names.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { parse } from '../kit/validation.ts';

/** What of a schema is looked at here. `reason`: said instead of naming the one value that would do. */
export interface AttributeSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly AttributeSchema[];
  readonly items?: AttributeSchema;
  readonly properties?: Readonly<Record<string, AttributeSchema>>;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly reason?: string;
}

/** One resource in a body. */
interface ResourceSchema<Schema extends TSchema> {
  /** "network"; several stand under `keys`, where that is allowed. */
  readonly key: string;
  readonly keys?: string;
  readonly schema: Schema;
  readonly verb: 'POST' | 'PUT';
  /** Attributes that are shown, or may be said with the other verb. */
  readonly readOnly: readonly string[];
}

/** Most of one resource in one request: all of them are one transaction. */
const bulkMax = 100;

/** The resources of a body, converted and checked; `isBulk` when they stood in a list. Throws 400 `HTTPBadRequest`. */
export function readResources<Schema extends TSchema>(
  body: unknown,
  resource: ResourceSchema<Schema>,
): { readonly isBulk: boolean; readonly items: readonly Static<Schema>[] } {
  const { key, keys } = resource;
  if (!isObject(body)) throw bad('Resource body required');
  if (keys !== undefined && Object.hasOwn(body, keys)) {
    requireOnly(body, keys);
    const items = body[keys];
    if (!Array.isArray(items) || items.length === 0) throw bad('Resources required');
    if (items.length > bulkMax) throw bad(`At most ${bulkMax} ${keys} can be created at once`);
    return { isBulk: true, items: items.map((item) => readResource(unwrapped(item, key), resource)) };
  }
  if (!Object.hasOwn(body, key)) throw bad(`Unable to find '${key}' in request body`);
  requireOnly(body, key);
  return { isBulk: false, items: [readResource(body[key], resource)] };
}

/** Neutron takes `{"networks": [{"network": {...}}]}` too. */
function unwrapped(item: unknown, key: string): unknown {
  return isObject(item) && Object.hasOwn(item, key) ? item[key] : item;
}

function requireOnly(body: Readonly<Record<string, unknown>>, key: string): void {
  const others = Object.keys(body).filter((name) => name !== key);
  if (others.length > 0) throw bad(`Unrecognized attribute(s) '${others.join(', ')}' beside '${key}'`);
}

/** One resource's attributes, converted and checked. */
export function readResource<Schema extends TSchema>(
  value: unknown,
  { key, schema, verb, readOnly }: Omit<ResourceSchema<Schema>, 'keys'>,
): Static<Schema> {
  if (!isObject(value)) throw bad(`Object '${key}' contains invalid data`);
  const { properties = {}, required = [] }: AttributeSchema = schema;
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(properties, name));
  const unwritable = unknown.find((name) => readOnly.includes(name));
  if (unwritable !== undefined) {
    throw bad(
      verb === 'POST'
        ? says`Attribute '${field(unwritable)}' not allowed in POST`
        : says`Cannot update read-only attribute ${field(unwritable)}`,
    );
  }
  if (unknown.length > 0) throw bad(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) {
    throw bad(says`Failed to parse request. Required attribute '${field(missing)}' not specified`);
  }
  if ('project_id' in value && 'tenant_id' in value && value['project_id'] !== value['tenant_id']) {
    throw bad("'project_id' and 'tenant_id' do not match");
  }
  const converted = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, attribute(name, ownValue(properties, name) ?? {}, each)]),
  );
  // The schema's own last word: that what was converted has the type which it is used with.
  return parse(schema, converted);
}

/** The value as its schema wants it. Throws 400 naming the attribute. */
function attribute(name: string, schema: AttributeSchema, value: unknown): unknown {
  const options = schema.anyOf ?? [schema];
  if (value === null && options.some((option) => option.type === 'null')) return null;
  const typed = options.filter((option) => option.type !== 'null');
  const [only] = typed;
  if (typed.length === 1 && only !== undefined) return one(name, only, value);
  // Several: constants, or a number that may also be a name.
  for (const option of typed) {
    try {
      return one(name, option, value);
    } catch {
      // Not this one; when it is none of them all are named below.
    }
  }
  const named = typed.flatMap((option) => ('const' in option ? [`'${String(option.const)}'`] : []));
  throw invalid(
    name,
    named.length > 0 ? `${shown(value)} is not in [${named.join(', ')}]` : `${shown(value)} is not a valid input`,
  );
}

function one(name: string, schema: AttributeSchema, value: unknown): unknown {
  switch (schema.type) {
    case 'boolean':
      return constant(name, schema, booleanOf(name, value));
    case 'integer':
      return constant(name, schema, integerOf(name, schema, value));
    case 'string':
      return constant(name, schema, stringOf(name, schema, value));
    case 'array':
      if (!Array.isArray(value)) throw invalid(name, `${shown(value)} is not a list`);
      if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) {
        throw invalid(name, schema.reason ?? `at most ${schema.maxItems} are allowed`);
      }
      return value.map((each) => attribute(name, schema.items ?? {}, each));
    case 'object':
      return dictionary(name, schema, value);
    default:
      return value;
  }
}

function constant(name: string, schema: AttributeSchema, value: unknown): unknown {
  if (!('const' in schema) || schema.const === value) return value;
  throw invalid(name, schema.reason ?? `${shown(value)} is not in ['${String(schema.const)}']`);
}

function dictionary(name: string, schema: AttributeSchema, value: unknown): unknown {
  if (!isObject(value)) throw invalid(name, `${shown(value)} is not a dictionary`);
  const { properties = {}, required = [] } = schema;
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(properties, key));
  if (unknown.length > 0) throw invalid(name, schema.reason ?? `Unexpected keys supplied: ${unknown.join(', ')}`);
  const missing = required.filter((key) => !Object.hasOwn(value, key));
  if (missing.length > 0) throw invalid(name, `Required keys not present: ${missing.join(', ')}`);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      attribute(`${name}.${key}`, ownValue(properties, key) ?? {}, each),
    ]),
  );
}

const truths = ['true', 't', 'yes', 'y', 'on', '1'];
const untruths = ['false', 'f', 'no', 'n', 'off', '0'];

/** As oslo's strict `bool_from_string`. */
function booleanOf(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : '';
  if (truths.includes(text)) return true;
  if (untruths.includes(text)) return false;
  throw invalid(name, `${shown(value)} cannot be converted to boolean`);
}

/** Stricter than Neutron, which cuts 1400.9 to 1400 and takes true for 1: neither is what anybody means. */
function integerOf(name: string, { minimum, maximum }: AttributeSchema, value: unknown): number {
  const isText = typeof value === 'string' && /^\s*[+-]?[0-9]{1,15}\s*$/.test(value);
  const number = isText ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number))
    throw invalid(name, `${shown(value)} is not an integer`);
  if (minimum !== undefined && number < minimum) {
    throw invalid(name, `'${number}' is too small - must be at least '${minimum}'`);
  }
  if (maximum !== undefined && number > maximum) {
    throw invalid(name, `'${number}' is too large - must be no larger than '${maximum}'`);
  }
  return number;
}

function stringOf(name: string, schema: AttributeSchema, value: unknown): string {
  if (typeof value !== 'string') throw invalid(name, `${shown(value)} is not a valid string`);
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
    throw invalid(name, `'${value.slice(0, 20)}...' exceeds maximum length of ${schema.maxLength}`);
  }
  const isRight =
    value.length >= (schema.minLength ?? 0) && (schema.pattern === undefined || new RegExp(schema.pattern).test(value));
  if (!isRight) throw invalid(name, `${shown(value)} ${schema.reason ?? 'is not a valid input'}`);
  return value;
}

/** A value in a message: short, however long it came. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return `'${text.length > 60 ? `${text.slice(0, 60)}...` : text}'`;
}

function invalid(name: string, why: string): ShoalError {
  return bad(says`Invalid input for ${field(name)}. Reason: ${why}.`);
}

function bad(message: string | Wording): ShoalError {
  return badRequest(message, 'HTTPBadRequest');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
