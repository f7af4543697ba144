/** Bounds on a query: it comes from a user and runs once a host. */
const queryBounds = { textLengthMax: 4096, termsMax: 100, depthMax: 10 } as const;

type Scalar = string | number | boolean;
type Lookup = (name: string) => Scalar | undefined;
type Term = (lookup: Lookup) => Scalar | undefined;

/** A query that can be asked of a host, or why it cannot be understood. */
export type JsonQuery =
  | { readonly outcome: 'compiled'; readonly holds: (lookup: Lookup) => boolean }
  | { readonly outcome: 'malformed'; readonly why: string };

/**
 * Understands Nova's JSON queries: `["and", [">=", "$free_ram_mb", 1024], ["=", "$host", "n7"]]`. Operators: `=`, `<`, `>`,
 * `<=`, `>=`, `in` (the first is one of the rest), `not`, `and`, `or`. `$name` is a host's attribute; an unknown one makes
 * its comparison false.
 */
export function compileJsonQuery(text: string): JsonQuery {
  if (text.length > queryBounds.textLengthMax) return malformed(`longer than ${queryBounds.textLengthMax} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return malformed('not JSON');
  }
  const budget = { terms: 0 };
  const term = compileTerm(parsed, 0, budget);
  if (typeof term === 'string') return malformed(term);
  return { outcome: 'compiled', holds: (lookup) => isTrue(term(lookup)) };
}

function malformed(why: string): JsonQuery {
  return { outcome: 'malformed', why };
}

/** The term, or what is wrong with it. */
function compileTerm(node: unknown, depth: number, budget: { terms: number }): Term | string {
  if (++budget.terms > queryBounds.termsMax) return `more than ${queryBounds.termsMax} terms`;
  if (depth > queryBounds.depthMax) return `deeper than ${queryBounds.depthMax}`;
  if (typeof node === 'string') {
    if (!node.startsWith('$')) return () => node;
    const name = node.slice(1);
    return (lookup) => lookup(name);
  }
  if (typeof node === 'number' || typeof node === 'boolean') return () => node;
  if (!Array.isArray(node) || node.length === 0) return 'a term is neither a list nor a value';
  const [operator, ...rest]: unknown[] = node;
  if (typeof operator !== 'string') return 'an operator is not text';
  const terms: Term[] = [];
  for (const part of rest) {
    const term = compileTerm(part, depth + 1, budget);
    if (typeof term === 'string') return term;
    terms.push(term);
  }
  const make = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (make === undefined) return `unknown operator ${operator.slice(0, 20)}`;
  if (terms.length === 0) return `${operator} has nothing to work on`;
  return make(terms);
}

const operators: Readonly<Record<string, (terms: readonly Term[]) => Term>> = {
  and: (terms) => (lookup) => terms.every((term) => isTrue(term(lookup))),
  or: (terms) => (lookup) => terms.some((term) => isTrue(term(lookup))),
  not: (terms) => (lookup) => terms.every((term) => !isTrue(term(lookup))),
  in: comparing((left, right) => left === right, 'some'),
  '=': comparing((left, right) => left === right, 'every'),
  '<': comparing((left, right) => left < right, 'every'),
  '>': comparing((left, right) => left > right, 'every'),
  '<=': comparing((left, right) => left <= right, 'every'),
  '>=': comparing((left, right) => left >= right, 'every'),
};

/** Compares the first term with each of the rest. Values of different types compare as false, save numbers in text. */
function comparing(
  holds: (left: Scalar, right: Scalar) => boolean,
  over: 'every' | 'some',
): (terms: readonly Term[]) => Term {
  return ([first, ...rest]) =>
    (lookup) => {
      const left = first?.(lookup);
      if (left === undefined || rest.length === 0) return false;
      return rest[over]((term) => {
        const right = term(lookup);
        if (right === undefined) return false;
        if (typeof left === typeof right) return holds(left, right);
        const leftNumber = Number(left);
        const rightNumber = Number(right);
        return !Number.isNaN(leftNumber) && !Number.isNaN(rightNumber) && holds(leftNumber, rightNumber);
      });
    };
}

function isTrue(value: Scalar | undefined): boolean {
  return value !== undefined && value !== false && value !== '' && value !== 0;
}
