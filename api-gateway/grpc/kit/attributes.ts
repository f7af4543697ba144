/**
 * A request's fields as the attributes that REST's schemas check: so both doors take the same, and say the same of what
 * they do not take.
 */
import type { FieldNames } from './field-names.ts';

/** How the fields of one request are read. */
export interface AttributeRules {
  /** What REST calls differently. */
  readonly names?: FieldNames;
  /** Fields, in lower camel case, that are no attributes: the id of the thing itself. */
  readonly omitted?: readonly string[];
  /** Fields whose empty text means "none", which is null in REST. */
  readonly emptyIsNone?: readonly string[];
  /** Fields whose empty text says nothing. `projectId` is one always: the caller's own. */
  readonly emptyIsUnset?: readonly string[];
}

/**
 * The fields that are set, by REST's names. A repeated field has no presence: with nothing in it it is not set. One inside
 * a message of its own (`StringList`) is set when the message is.
 */
export function attributesOf(
  request: object,
  { names = new Map(), omitted = [], emptyIsNone = [], emptyIsUnset = [] }: AttributeRules = {},
): Readonly<Record<string, unknown>> {
  const attributes: [string, unknown][] = [];
  for (const [key, value] of Object.entries(request)) {
    if (omitted.includes(key) || !isSet(value)) continue;
    if (value === '' && (key === 'projectId' || emptyIsUnset.includes(key))) continue;
    const name = fieldNameOf(key);
    attributes.push([names.get(name) ?? name, value === '' && emptyIsNone.includes(key) ? null : attributeOf(value)]);
  }
  return Object.fromEntries(attributes);
}

/** `networkId` -> `network_id`: a field's name in the schema. */
export function fieldNameOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function attributeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(attributeOf);
  if (typeof value !== 'object' || value === null) return value;
  if ('values' in value && Array.isArray(value.values)) return value.values.map(attributeOf);
  // Within a message an empty text is a field that was not set.
  const members = Object.entries(value).filter(([, member]) => isSet(member) && member !== '');
  return Object.fromEntries(members.map(([key, member]) => [fieldNameOf(key), attributeOf(member)]));
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}
