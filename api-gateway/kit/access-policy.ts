import { ShoalError } from '../../node/base/errors.ts';
import { ownValue } from '../../node/base/own-value.ts';
import type { PolicyRule } from '../policies/rule.ts';
import { Policy, type PolicyCredentials, type PolicyTarget } from './policy.ts';

/**
 * Which rule guards which operation. The gateways ask it before any handler runs, and do not start with an operation that
 * no rule names: a new route or method without a policy is an error at start, not an open door.
 */
export class AccessPolicy {
  readonly #policy: Policy;
  readonly #rules = new Map<string, PolicyRule>();
  readonly #byOperation = new Map<string, PolicyRule>();

  /** Throws `CONFIG_INVALID`: a rule that does not compile, a name or an operation that stands twice. */
  constructor(rules: readonly PolicyRule[]) {
    for (const rule of rules) {
      if (this.#rules.has(rule.name)) throw new ShoalError('CONFIG_INVALID', `Policy has two rules ${rule.name}.`);
      this.#rules.set(rule.name, rule);
      for (const operation of rule.operations) {
        if (this.#byOperation.has(operation)) {
          throw new ShoalError('CONFIG_INVALID', `Policy guards ${operation} twice.`);
        }
        this.#byOperation.set(operation, rule);
      }
    }
    this.#policy = new Policy(Object.fromEntries(rules.map(({ name, grant }) => [name, grant.check])));
  }

  /** Operations that have a rule. */
  get operations(): readonly string[] {
    return [...this.#byOperation.keys()];
  }

  /** The rule of an operation; a HEAD that has none of its own has that of the GET. */
  find(operation: string): PolicyRule | undefined {
    return this.#byOperation.get(operation) ?? this.#byOperation.get(operation.replace(/^HEAD /, 'GET '));
  }

  /** As `find`. Throws `CONFIG_INVALID` when nothing guards it. */
  ruleOf(operation: string): PolicyRule {
    const found = this.find(operation);
    if (found !== undefined) return found;
    throw AccessPolicy.missing(operation);
  }

  /** What an operation without a rule is refused with. */
  static missing(operation: string): ShoalError {
    return new ShoalError(
      'CONFIG_INVALID',
      `No policy guards ${operation}. Name it in a rule of api-gateway/policies, or mark the route public.`,
    );
  }

  /** Whether a rule holds, by its name. An unknown rule never does. */
  allows(name: string, credentials: PolicyCredentials, target: PolicyTarget = {}): boolean {
    return this.#policy.allows(name, credentials, target);
  }

  /** Throws `FORBIDDEN` unless the rule holds, and says what it takes. */
  enforce(name: string, credentials: PolicyCredentials, target: PolicyTarget = {}): void {
    if (this.allows(name, credentials, target)) return;
    const needs = this.#rules.get(name)?.grant.needs;
    throw new ShoalError(
      'FORBIDDEN',
      `Policy does not allow ${name} with this token${needs === undefined ? '' : `: it needs ${needs}`}.`,
      { facts: { rule: name } },
    );
  }

  /**
   * As `enforce`, for an operation; the target's fields are taken from its path parameters, or from the fields of that very
   * name in a gRPC request.
   */
  enforceOperation(
    operation: string,
    credentials: PolicyCredentials,
    parameters: Readonly<Record<string, string>> = {},
  ): void {
    const rule = this.ruleOf(operation);
    const target = new Map<string, string>();
    for (const [field, parameter] of Object.entries(rule.target ?? {})) {
      const value = ownValue(parameters, operation.startsWith('rpc ') ? field : parameter);
      if (value !== undefined) target.set(field, value);
    }
    this.enforce(rule.name, credentials, Object.fromEntries(target));
  }
}
