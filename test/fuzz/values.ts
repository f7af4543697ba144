/** What a fuzzer sends: values that a schema asks for, and values that nobody asks for. */
import type { Prng } from '../../node/base/prng.ts';

/** Texts that break what takes text for granted. */
export const nastyTexts: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfffy',
  '\u001b[2J',
  '\u202e\u200b',
  '\ufeff',
  '\uffff',
  '🙂'.repeat(70),
  'ß'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(70_000),
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '0',
  '1e400',
  '99999999999999999999',
  '../../../etc/passwd',
  '%00',
  '%ED%A0%80',
  '%',
  "'; DROP TABLE x; --",
  '$'.repeat(200),
  '(a+)+$',
  '.*.*.*.*.*x',
  '0.0.0.0/0',
  '255.255.255.255',
  '10.0.0.0/33',
  '::/0',
  'fe80::1%eth0',
  '00000000-0000-0000-0000-000000000000',
  'a,b,,c',
  'in:"',
  'gt:',
  'id:asc,name:up',
  '2026-02-30T25:61:61Z',
  '+292278994-08-17T07:12:55Z',
];

const nastyNumbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  255,
  256,
  4094,
  4096,
  65_535,
  65_536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e300,
];

/** A key that is there, a body that is not what anybody expects. */
export function nastyValue(random: Prng, depth = 0): unknown {
  switch (random.below(depth > 3 ? 6 : 10)) {
    case 0:
    case 1:
    case 2:
      return pick(random, nastyTexts);
    case 3:
      return pick(random, nastyNumbers);
    case 4:
      return pick(random, [true, false, null]);
    case 5:
      return [];
    case 6:
      return Array.from({ length: random.below(4) }, () => nastyValue(random, depth + 1));
    case 7: {
      let deep: unknown = 'x';
      for (let level = 0; level < random.below(60); level += 1) deep = random.below(2) === 0 ? [deep] : { x: deep };
      return deep;
    }
    case 8:
      return { toString: 1, valueOf: null, length: -1, toJSON: 'x', constructor: { prototype: {} } };
    default:
      return Object.fromEntries([[pick(random, nastyTexts), nastyValue(random, depth + 1)]]);
  }
}

/** A schema as JSON Schema has it, which a TypeBox schema is. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
}

/** A value that mostly is what `schema` says. `textFor` knows good texts by the name of their key. */
export function valueFor(random: Prng, schema: JsonSchema, key: string, textFor: (key: string) => string): unknown {
  if (random.below(200) === 0) return nastyValue(random);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return pick(random, schema.enum);
  if (schema.anyOf !== undefined) return valueFor(random, pick(random, schema.anyOf), key, textFor);
  switch (schema.type) {
    case 'object':
      return objectOf(random, schema, textFor);
    case 'array': {
      const length = Math.min(random.below(3), schema.maxItems ?? 3);
      return Array.from({ length }, () => valueFor(random, schema.items ?? {}, key, textFor));
    }
    case 'integer':
    case 'number':
      return random.below(4) === 0 ? pick(random, nastyNumbers) : (schema.minimum ?? 0) + random.below(8);
    case 'boolean':
      return random.below(2) === 0;
    case 'null':
      return null;
    case 'string':
      return schema.pattern === '\\S' || schema.pattern === undefined
        ? textFor(key)
        : textOf(random, schema.pattern, key, textFor);
    default:
      return random.below(2) === 0 ? textFor(key) : nastyValue(random);
  }
}

function objectOf(random: Prng, schema: JsonSchema, textFor: (key: string) => string): object {
  const members: [string, unknown][] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (schema.required?.includes(name) === true || random.below(3) === 0) {
      members.push([name, valueFor(random, property, name, textFor)]);
    }
  }
  const free = Object.values(schema.patternProperties ?? {})[0] ?? schema.additionalProperties;
  if (typeof free === 'object' && random.below(2) === 0) {
    members.push([random.below(3) === 0 ? pick(random, nastyTexts) : 'key', valueFor(random, free, 'value', textFor)]);
  }
  return Object.fromEntries(members);
}

/** Texts of the usual forms; the first that fits the pattern. */
function textOf(random: Prng, pattern: string, key: string, textFor: (key: string) => string): string {
  const expression = new RegExp(pattern);
  const candidates = [
    textFor(key),
    'HARD',
    '4242',
    'name',
    '00000000-0000-0000-0000-000000000001',
    '10.0.0.1',
    textFor('id'),
  ];
  return candidates.find((text) => expression.test(text)) ?? pick(random, nastyTexts);
}

export function pick<T>(random: Prng, of: readonly T[]): T {
  const found = of[random.below(of.length)];
  if (found === undefined && of.length === 0) throw new Error('there is nothing to pick from');
  return found as T;
}
