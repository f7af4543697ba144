/**
 * What is said of a value that no branch of a union takes. The branch that was meant is told of, where the value shows which:
 * the one whose type it has, of several such objects the one whose keys it has. Else all shapes that are allowed are told.
 */
import type { TSchema } from 'typebox';

/** A mistake as the validator finds it. */
interface SchemaMistake {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** Shapes named; the rest are "something else". No union here has so many. */
const shapesMax = 12;
/** Characters of a pattern that are quoted. */
const patternCharactersMax = 60;

/**
 * The mistakes that people are to be told, for a list as the validator gives it: those within a union are replaced by those
 * of the branch that was meant, or by one that names what is allowed (keyword `anyOf`, the text in its message).
 */
export function withoutUnions(schema: TSchema, found: readonly SchemaMistake[]): readonly SchemaMistake[] {
  const unions = found.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const isWithin = (inner: SchemaMistake, outer: SchemaMistake): boolean =>
    inner !== outer && inner.schemaPath.startsWith(`${outer.schemaPath}/${outer.keyword}/`);
  const outermost = unions.filter((union) => !unions.some((outer) => isWithin(union, outer)));
  return found.flatMap((mistake) => {
    if (outermost.includes(mistake)) return ofUnion(schema, mistake, found);
    return outermost.some((union) => isWithin(mistake, union)) ? [] : [mistake];
  });
}

function ofUnion(schema: TSchema, union: SchemaMistake, found: readonly SchemaMistake[]): readonly SchemaMistake[] {
  const branches = new Map<string, SchemaMistake[]>();
  const prefix = `${union.schemaPath}/${union.keyword}/`;
  for (const mistake of found) {
    if (!mistake.schemaPath.startsWith(prefix)) continue;
    const number = mistake.schemaPath.slice(prefix.length).split('/', 1)[0] ?? '';
    branches.set(number, [...(branches.get(number) ?? []), mistake]);
  }
  const meant = branchMeant([...branches.values()], union.instancePath);
  if (meant !== undefined) return withoutUnions(schema, meant);
  const shapes = [...new Set(shapesOf(schemaAt(schema, union.schemaPath)))];
  const message = shapes.length === 0 ? fallback(branches) : `must be ${listed(shapes)}`;
  return [{ ...union, message }];
}

/** The mistakes of the one branch that the value is of, as far as that can be told. */
function branchMeant(
  branches: readonly (readonly SchemaMistake[])[],
  place: string,
): readonly SchemaMistake[] | undefined {
  const ofType = branches.filter(
    (mistakes) => !mistakes.some(({ keyword, instancePath }) => instancePath === place && isOfType(keyword)),
  );
  if (ofType.length <= 1) return ofType[0];
  // Objects: one that lacks no key and has none too many is what was meant, however wrong its members are.
  const ofKeys = ofType.filter(
    (mistakes) => !mistakes.some(({ keyword, instancePath }) => instancePath === place && isOfKeys(keyword)),
  );
  return ofKeys.length === 1 ? ofKeys[0] : undefined;
}

const isOfType = (keyword: string): boolean => ['type', 'const', 'enum', 'anyOf', 'oneOf'].includes(keyword);
const isOfKeys = (keyword: string): boolean => ['required', 'additionalProperties', 'boolean'].includes(keyword);

/** Of a schema that could not be found by its path, which none of ours is. */
function fallback(branches: ReadonlyMap<string, readonly SchemaMistake[]>): string {
  return [...new Set([...branches.values()].flatMap(([first]) => first?.message ?? []))].join(', or ');
}

/** What is at a path like `#/properties/name/anyOf/0`. */
function schemaAt(schema: TSchema, path: string): unknown {
  let at: unknown = schema;
  for (const part of path.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = memberOf(at, key);
  }
  return at;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** In words, each as it follows "must be". */
function shapesOf(schema: unknown): readonly string[] {
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = memberOf(schema, keyword);
    if (Array.isArray(branches)) return branches.flatMap(shapesOf);
  }
  const constant = memberOf(schema, 'const');
  if (constant !== undefined) return [typeof constant === 'string' ? `"${constant}"` : String(constant)];
  const values = memberOf(schema, 'enum');
  if (Array.isArray(values)) return values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value)));
  return shapeOfType(schema, memberOf(schema, 'type'));
}

function shapeOfType(schema: unknown, type: unknown): readonly string[] {
  switch (type) {
    case 'string':
      return [`a string${detailOfString(schema)}`];
    case 'integer':
    case 'number':
      return [`${type === 'integer' ? 'an integer' : 'a number'}${detailOfNumber(schema)}`];
    case 'boolean':
      return ['true or false'];
    case 'null':
      return ['null'];
    case 'array':
      return ['a list'];
    case 'object': {
      const required = memberOf(schema, 'required');
      return [
        Array.isArray(required) && required.length > 0 ? `an object with ${required.join(' and ')}` : 'an object',
      ];
    }
    default:
      return [];
  }
}

function detailOfString(schema: unknown): string {
  const [format, pattern, most] = ['format', 'pattern', 'maxLength'].map((key) => memberOf(schema, key));
  if (typeof format === 'string') return ` that is an ${format} value`;
  if (typeof pattern === 'string') return pattern.length > patternCharactersMax ? '' : ` like ${pattern}`;
  return typeof most === 'number' ? ` of at most ${most} characters` : '';
}

function detailOfNumber(schema: unknown): string {
  const [least, most] = ['minimum', 'maximum'].map((key) => memberOf(schema, key));
  if (typeof least === 'number' && typeof most === 'number') return ` from ${least} to ${most}`;
  return typeof least === 'number' ? ` of at least ${least}` : '';
}

/** `a, b or c`; of constants alone, `one of: a, b, c`. */
function listed(shapes: readonly string[]): string {
  const shown = shapes.length > shapesMax ? [...shapes.slice(0, shapesMax), 'something else'] : shapes;
  if (shown.length > 1 && shown.every((shape) => shape.startsWith('"'))) {
    return `one of: ${shown.map((shape) => shape.slice(1, -1)).join(', ')}`;
  }
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' or ');
}
