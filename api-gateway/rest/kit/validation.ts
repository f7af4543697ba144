/** Bodies and queries from outside become typed values here or are refused with the place of the mistake. */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { field, fieldError, type Wording } from '../../../node/base/field-names.ts';
import { withoutUnions } from '../union-mistakes.ts';

/** Mistakes named in one answer; more would only hide the first. */
const mistakesMax = 5;

const compiled = new WeakMap<TSchema, Validator>();

/**
 * `value` as what `schema` says. Throws `INVALID_ARGUMENT` naming each mistake by its path.
 * @param what how the message calls the value: "body", "query".
 */
export function parse<Schema extends TSchema>(schema: Schema, value: unknown, what = 'body'): Static<Schema> {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    compiled.set(schema, validator);
  }
  if (validator.Check(value)) return value as Static<Schema>;
  throw fieldError('INVALID_ARGUMENT', [`Invalid ${what}: `, ...explain(schema, validator, value), '.']);
}

function explain(schema: TSchema, validator: Validator, value: unknown): Wording {
  const mistakes: Wording[] = [];
  for (const error of withoutUnions(schema, [...validator.Errors(value)])) {
    // A refused key is reported twice, once as a schema that is false and once by name; the name is the useful one.
    if (error.keyword === 'boolean') continue;
    const place = error.instancePath === '' ? [] : [...joined(error.instancePath.slice(1).split('/'), '.'), ' '];
    mistakes.push([...place, ...words(error)]);
  }
  if (mistakes.length === 0) return ['not acceptable'];
  const shown = mistakes.slice(0, mistakesMax).flatMap((mistake, at) => (at === 0 ? mistake : ['; ', ...mistake]));
  return mistakes.length > mistakesMax ? [...shown, `; and ${mistakes.length - mistakesMax} more`] : shown;
}

function words(error: { readonly keyword: string; readonly params: object; readonly message: string }): Wording {
  const params = Object.entries(error.params);
  const values = (key: string): string => [params.find(([name]) => name === key)?.[1]].flat().map(String).join(', ');
  const listed = (key: string): Wording => {
    const found = params.find(([name]) => name === key)?.[1];
    return Array.isArray(found) ? joined(found.map(String), ', ') : [String(found)];
  };
  switch (error.keyword) {
    case 'required':
      return ['is missing ', ...listed('requiredProperties')];
    case 'additionalProperties':
      return ['has unknown properties: ', ...listed('additionalProperties')];
    case 'const':
      return [`must be ${values('allowedValue')}`];
    case 'enum':
      return [`must be one of: ${values('allowedValues')}`];
    default:
      return [error.message];
  }
}

/** Names of fields, and what stands between them. */
function joined(names: readonly string[], between: string): Wording {
  return names.flatMap((name, at) => (at === 0 ? [field(name)] : [between, field(name)]));
}
