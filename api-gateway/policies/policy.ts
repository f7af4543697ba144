/**
 * Who may do what, as rules in the language operators know from oslo.policy. Rules are compiled once, at start, into
 * closures; a check costs well under a microsecond and never throws.
 *
 *     role:NAME             the caller has the role (case does not matter)
 *     rule:NAME             another rule of the same set
 *     scope:KIND            the token is for a `project`, a `domain`, the `system`, or nothing (`none`)
 *     FIELD:%(TARGET)s      the caller's field equals the target's: user_id, project_id, domain_id, project_domain_id
 *     FIELD:TEXT            the caller's field equals a text
 *     @   !                 always, never (an empty rule is always)
 *     and  or  not  ( )     as usual; `and` binds tighter than `or`
 */
import { ShoalError } from '../../node/base/errors.ts';
import { ownValue } from '../../node/base/own-value.ts';

/** What a token is for. */
type PolicyScope = 'project' | 'domain' | 'system' | 'none';

/** The caller as rules see it. */
export interface PolicyCredentials {
  readonly roles: readonly string[];
  readonly scope: PolicyScope;
  readonly userId: string;
  readonly projectId: string;
  readonly domainId: string;
  readonly projectDomainId: string;
}

/** The thing acted on, by the names used in rules, for example `{ project_id: '...' }`. */
export type PolicyTarget = Readonly<Record<string, string>>;

type Check = (credentials: PolicyCredentials, target: PolicyTarget) => boolean;

/** A set of compiled rules. `Name` keeps misspelled actions out at compile time. */
export class Policy<Name extends string = string> {
  readonly #checks: ReadonlyMap<string, Check>;

  /** Throws `CONFIG_INVALID` for a rule that does not parse, names an unknown rule, or refers to itself. */
  constructor(rules: Readonly<Record<Name, string>>) {
    const texts = new Map<string, string>(Object.entries(rules));
    const checks = new Map<string, Check>();
    // Hundreds of rules say one of some forty texts, and each server has a set of its own: one check for each text.
    const byText = new Map<string, Check>();
    const open = new Set<string>();
    const compile = (name: string): Check => {
      const done = checks.get(name);
      if (done !== undefined) return done;
      const text = texts.get(name);
      if (text === undefined) {
        const from = [...open].at(-1);
        throw new ShoalError('CONFIG_INVALID', `Policy rule ${from} refers to rule ${name}, which is not there.`);
      }
      if (open.has(name)) throw new ShoalError('CONFIG_INVALID', `Policy rule ${name} refers to itself.`);
      open.add(name);
      const check = byText.get(text) ?? new Parser(name, text, compile).parse();
      byText.set(text, check);
      open.delete(name);
      checks.set(name, check);
      return check;
    };
    for (const name of texts.keys()) compile(name);
    this.#checks = checks;
  }

  /** Whether the rule holds. An unknown rule never does. */
  allows(name: Name, credentials: PolicyCredentials, target: PolicyTarget = {}): boolean {
    return this.#checks.get(name)?.(credentials, target) ?? false;
  }

  /** Throws `FORBIDDEN` unless the rule holds. */
  enforce(name: Name, credentials: PolicyCredentials, target: PolicyTarget = {}): void {
    if (this.allows(name, credentials, target)) return;
    throw new ShoalError('FORBIDDEN', `Policy does not allow ${name} to be performed.`, { facts: { rule: name } });
  }
}

const fields: Readonly<Record<string, (credentials: PolicyCredentials) => string>> = {
  scope: (credentials) => credentials.scope,
  user_id: (credentials) => credentials.userId,
  project_id: (credentials) => credentials.projectId,
  domain_id: (credentials) => credentials.domainId,
  project_domain_id: (credentials) => credentials.projectDomainId,
};

/** Recursive descent: or-list of and-lists of optionally negated terms. */
class Parser {
  readonly #name: string;
  readonly #tokens: readonly string[];
  readonly #rule: (name: string) => Check;
  #at = 0;

  constructor(name: string, text: string, rule: (name: string) => Check) {
    this.#name = name;
    this.#rule = rule;
    // `%(x)s` holds parentheses of its own, so it is matched as part of a term.
    this.#tokens = text.match(/[()]|(?:%\([a-z_.]+\)s|[^\s()])+/g) ?? [];
  }

  parse(): Check {
    if (this.#tokens.length === 0) return () => true;
    const check = this.#or();
    if (this.#at < this.#tokens.length) throw this.#wrong(`unexpected "${this.#tokens[this.#at]}"`);
    return check;
  }

  #or(): Check {
    const parts = [this.#and()];
    while (this.#eat('or')) parts.push(this.#and());
    return parts.length === 1 ? (parts[0] as Check) : (c, t) => parts.some((part) => part(c, t));
  }

  #and(): Check {
    const parts = [this.#not()];
    while (this.#eat('and')) parts.push(this.#not());
    return parts.length === 1 ? (parts[0] as Check) : (c, t) => parts.every((part) => part(c, t));
  }

  #not(): Check {
    if (this.#eat('not')) {
      const inner = this.#not();
      return (c, t) => !inner(c, t);
    }
    if (this.#eat('(')) {
      const inner = this.#or();
      if (!this.#eat(')')) throw this.#wrong('a parenthesis is not closed');
      return inner;
    }
    return this.#term();
  }

  #term(): Check {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token === undefined || token === ')') throw this.#wrong('a term is missing');
    if (token === '@') return () => true;
    if (token === '!') return () => false;
    const colon = token.indexOf(':');
    if (colon <= 0) throw this.#wrong(`"${token}" is not KIND:VALUE`);
    const kind = token.slice(0, colon);
    const value = token.slice(colon + 1);
    if (kind === 'rule') return this.#rule(value);
    if (kind === 'role') {
      const role = value.toLowerCase();
      return (credentials) => credentials.roles.some((held) => held.toLowerCase() === role);
    }
    const field = ownValue(fields, kind);
    if (field === undefined) throw this.#wrong(`"${kind}" is not role, rule, ${Object.keys(fields).join(', ')}`);
    const target = /^%\((.+)\)s$/.exec(value)?.[1];
    if (target === undefined) return (credentials) => field(credentials) === value;
    // A target without the field matches nobody, and neither does an empty one: "no project" is not a common owner.
    return (credentials, targets) => {
      const wanted = ownValue(targets, target);
      return wanted !== undefined && wanted !== '' && field(credentials) === wanted;
    };
  }

  #eat(token: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== token) return false;
    this.#at += 1;
    return true;
  }

  #wrong(what: string): ShoalError {
    return new ShoalError('CONFIG_INVALID', `Policy rule ${this.#name}: ${what}.`);
  }
}
