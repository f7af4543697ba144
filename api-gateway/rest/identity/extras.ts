/**
 * Attributes that Keystone does not know: it keeps them beside its own and returns them, and so do projects, users, roles
 * and domains here. What Keystone knows and this does not is refused instead: kept as an extra it would be a claim.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import { shown } from '../../kit/input.ts';

/** Most characters of an attribute's name. */
const nameCharactersMax = 255;

/** Keystone's own attributes that are not here. Their empty values mean the same as leaving them out. */
const unserved: ReadonlySet<string> = new Set([
  'options',
  'tags',
  'federated',
  'explicit_domain_id',
  'password_expires_at',
  'is_domain',
  'parent_id',
  'parents',
  'subtree',
]);

/** What a schema of a body is asked for. */
interface BodySchema {
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * The extra attributes of a body, each value as JSON text. Throws `INVALID_ARGUMENT` for an id or a name that is none and
 * `NOT_IMPLEMENTED` for what Keystone would do something for.
 * @param id of the thing that is changed; undefined for a new one.
 */
export function extrasOf(schema: BodySchema, body: object, id?: string): Readonly<Record<string, string>> {
  const extras = new Map<string, string>();
  for (const [name, value] of Object.entries(body)) {
    // Links follow from the id: who sends back what was read means nothing by them.
    if (Object.hasOwn(schema.properties, name) || name === 'links') continue;
    if (name === 'id') {
      if (value === id) continue;
      throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: an id is given by the service and cannot be set.');
    }
    if (unserved.has(name)) {
      if (isEmpty(value)) continue;
      throw new ShoalError('NOT_IMPLEMENTED', `${shown(name)} is not supported here; leave it out.`);
    }
    if (name === '' || name.length > nameCharactersMax || name === '__proto__') {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid body: ${shown(name)} is no name for an attribute.`);
    }
    extras.set(name, JSON.stringify(value));
  }
  return Object.fromEntries(extras);
}

/** Extra attributes as an answer has them. */
export function extrasView(extras: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(extras).map(([name, json]): [string, unknown] => [name, JSON.parse(json)]));
}

/** Whether a value asks for nothing: null, false, nothing in it, or only such values in it. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}
