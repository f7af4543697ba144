/**
 * Neutron's refusals: the names and meanings that clients and their scripts look for. A `ShoalError` says what kind of
 * failure it is; `facts.type` is the type that the REST answer carries.
 */
import type { ErrorCode, ShoalError } from '../../base/errors.ts';
import { field, fieldError, says, type Wording } from '../../base/field-names.ts';

/** A refusal with the type name that Neutron gives it. */
export function refuse(
  code: ErrorCode,
  type: string,
  message: string | Wording,
  facts: Readonly<Record<string, unknown>> = {},
): ShoalError {
  return fieldError(code, message, { facts: { ...facts, type } });
}

/** What can be asked for by id, and Neutron's name for its not being there. */
const kinds = {
  network: ['NetworkNotFound', 'Network'],
  subnet: ['SubnetNotFound', 'Subnet'],
  subnetpool: ['SubnetPoolNotFound', 'Subnet pool'],
  port: ['PortNotFound', 'Port'],
  router: ['RouterNotFound', 'Router'],
  floatingip: ['FloatingIPNotFound', 'Floating IP'],
  security_group: ['SecurityGroupNotFound', 'Security group'],
  address_group: ['AddressGroupNotFound', 'Address group'],
  security_group_rule: ['SecurityGroupRuleNotFound', 'Security group rule'],
} as const;

/** 404, also for what exists but may not be seen: the two must look alike. */
export function notFound(kind: keyof typeof kinds, id: string): ShoalError {
  const [type, name] = kinds[kind];
  return refuse('NOT_FOUND', type, `${name} ${id} could not be found.`, { id });
}

/** 400. @param type Neutron's name of the exception, which clients compare. */
export function badRequest(message: string | Wording, type = 'BadRequest'): ShoalError {
  return refuse('INVALID_ARGUMENT', type, message);
}

/** 400 for one attribute of a request, in Neutron's form. @param why ends without a full stop. */
export function badAttribute(name: string, why: string): ShoalError {
  return badRequest(says`Invalid input for ${field(name)}. Reason: ${why}.`, 'HTTPBadRequest');
}

/**
 * 403.
 * @param rule the name of the rule in Neutron's policy, as operators know it: `update_network:shared`.
 * @param why for whom it is, where the rule's name does not say it.
 */
export function forbidden(rule: string, why = ''): ShoalError {
  return refuse('FORBIDDEN', 'PolicyNotAuthorized', `(rule:${rule}) is disallowed by policy${why && `: ${why}`}`);
}
