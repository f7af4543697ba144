import { ShoalError } from '../../node/base/errors.ts';
import { ownValue } from '../../node/base/own-value.ts';
import { AccessPolicy, type PolicyOverrides } from './access-policy.ts';
import { nativePolicies } from './native.ts';
import { hostOperator } from './rule.ts';

/** Names that the policies of all services have, in their tables' order. */
const names: ReadonlySet<string> = new Set(nativePolicies.map(({ name }) => name));

/** Rules of the agent's own socket: set otherwise, a token would be enough for what proves that one is root. */
const sealed: ReadonlySet<string> = new Set(
  nativePolicies.filter(({ grant }) => grant === hostOperator).map(({ name }) => name),
);

/** A name that is like one that is not there: the one that differs least at its end. Undefined: none begins like it. */
function likelyName(unknown: string): string | undefined {
  const lengthOf = (name: string): number => [...name].findIndex((letter, at) => letter !== unknown[at]);
  const common = (name: string): number => (lengthOf(name) === -1 ? name.length : lengthOf(name));
  const [best] = [...names].sort((a, b) => common(b) - common(a));
  return best !== undefined && common(best) >= 4 ? best : undefined;
}

/**
 * What is wrong with what an operator has set, one line each; empty: nothing. A rule is named that Shoal has, and written in
 * the language of `policy.ts`.
 */
export function mistakesIn(overrides: PolicyOverrides): readonly string[] {
  const mistakes: string[] = [];
  const sound: Record<string, string> = {};
  for (const [name, check] of Object.entries(overrides)) {
    const mistake = mistakeOf(name, check);
    if (mistake === undefined) Object.defineProperty(sound, name, { value: check, enumerable: true });
    else mistakes.push(`policy.${name}: ${mistake}`);
  }
  // Rules that are right by themselves may still refer to one another in a circle.
  const together = compileMistake(sound);
  if (together !== undefined) mistakes.push(`policy: ${together}`);
  return mistakes;
}

function mistakeOf(name: string, check: string): string | undefined {
  if (!names.has(name)) return unknownRule(name);
  if (sealed.has(name)) return 'this rule cannot be set: it is for root at a host, whatever a token says';
  return compileMistake({ [name]: check });
}

function unknownRule(name: string): string {
  const likely = likelyName(name);
  return `there is no such rule${likely === undefined ? '' : `; did you mean ${likely}?`} "shoal policy list" shows all`;
}

function compile(overrides: PolicyOverrides): AccessPolicy {
  return new AccessPolicy(nativePolicies, { overrides });
}

/** What does not compile when these are set. Undefined: all does. */
function compileMistake(overrides: PolicyOverrides): string | undefined {
  try {
    compile(overrides);
    return undefined;
  } catch (caught) {
    if (ShoalError.is(caught, 'CONFIG_INVALID')) return caught.message;
    throw caught;
  }
}

/** A rule as an operator is shown it. */
interface ListedRule {
  readonly name: string;
  readonly default: string;
  /** What counts. */
  readonly value: string;
  /** Whether the configuration sets it. */
  readonly isSet: boolean;
  /** What it guards; none: it is asked for a part of a request or of an answer. */
  readonly operations: readonly string[];
}

/** All rules, in the order of the tables. */
export function listedRules(overrides: PolicyOverrides): readonly ListedRule[] {
  return nativePolicies.map(({ name, grant, operations }) => {
    const set = ownValue(overrides, name);
    return { name, default: grant.check, value: set ?? grant.check, isSet: set !== undefined, operations };
  });
}
