import { ShoalError } from '../../node/base/errors.ts';
import { ownValue } from '../../node/base/own-value.ts';
import { commonPolicies } from './common.ts';
import { Policy, type PolicyCredentials, type PolicyTarget } from './policy.ts';
import type { PolicyRule } from './rule.ts';

/** Rules that the operator has set, by name, in the language of `policy.ts`. */
export type PolicyOverrides = Readonly<Record<string, string>>;

interface AccessPolicyOptions {
  /**
   * Rules that handlers and services ask by name, whatever operations they guard elsewhere. One of `rules` goes before.
   * Default: `commonPolicies`.
   */
  readonly asked?: readonly PolicyRule[];
  /** What the operator has set. A name that is not among the rules counts for nothing here: `checkOverrides` refuses it. */
  readonly overrides?: PolicyOverrides;
}

/**
 * Which rule guards which operation. The gateways ask it before any handler runs, and do not start with an operation that
 * no rule names: a new route or method without a policy is an error at start, not an open door.
 */
export class AccessPolicy {
  readonly #policy: Policy;
  readonly #rules = new Map<string, PolicyRule>();
  readonly #byOperation = new Map<string, PolicyRule>();

  /** Throws `CONFIG_INVALID`: a rule that does not compile, a name or an operation that stands twice. */
  constructor(rules: readonly PolicyRule[], options: AccessPolicyOptions = {}) {
    const { asked = commonPolicies, overrides = {} } = options;
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
    for (const rule of asked) if (!this.#rules.has(rule.name)) this.#rules.set(rule.name, rule);
    for (const [name, rule] of this.#rules) {
      const check = ownValue(overrides, name);
      if (check === undefined) continue;
      this.#rules.set(name, { ...rule, grant: { check, needs: `what the policy of this cloud asks for: ${check}` } });
    }
    this.#policy = new Policy(Object.fromEntries([...this.#rules].map(([name, { grant }]) => [name, grant.check])));
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

  /**
   * Whether a rule holds, by its name. An unknown rule never does.
   * @param target absent: something of the caller's own project, as in OpenStack, unless the rule compares with what the
   *   operation's own parameters name.
   */
  allows(name: string, credentials: PolicyCredentials, target?: PolicyTarget): boolean {
    const isOfParameters = this.#rules.get(name)?.target !== undefined;
    const own: PolicyTarget = isOfParameters ? {} : { project_id: credentials.projectId };
    return this.#policy.allows(name, credentials, target ?? own);
  }

  /** Throws `FORBIDDEN` unless the rule holds, and says what it takes. */
  enforce(name: string, credentials: PolicyCredentials, target?: PolicyTarget): void {
    if (this.allows(name, credentials, target)) return;
    const needs = this.#rules.get(name)?.grant.needs;
    throw new ShoalError(
      'FORBIDDEN',
      `Policy does not allow ${name} with this token${needs === undefined ? '' : `: it needs ${needs}`}.`,
      { facts: { rule: name } },
    );
  }

  /**
   * As `enforce`, for an operation. The target's fields are taken from its path parameters, or from the fields of that very
   * name in a gRPC request; a rule that names none is asked of the caller's own project, and again by the service, of the
   * record that it finds.
   * @returns the name of the rule, for `Permissions.operation`.
   */
  enforceOperation(
    operation: string,
    credentials: PolicyCredentials,
    parameters: Readonly<Record<string, string>> = {},
  ): string {
    const rule = this.ruleOf(operation);
    if (rule.target === undefined) {
      this.enforce(rule.name, credentials);
      return rule.name;
    }
    const target = new Map<string, string>();
    for (const [field, parameter] of Object.entries(rule.target)) {
      const value = ownValue(parameters, operation.startsWith('rpc ') ? field : parameter);
      if (value !== undefined) target.set(field, value);
    }
    this.enforce(rule.name, credentials, Object.fromEntries(target));
    return rule.name;
  }
}
