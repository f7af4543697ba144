/**
 * With which status the real services answer what they have taken, as their controllers say: `@wsgi.response` of Nova, the
 * resources of Keystone's API, the serializers of Glance, `api/v2/resource.py` of Neutron. The first that fits holds.
 */
const statuses: readonly (readonly [operation: RegExp, ...answers: number[]])[] = [
  [/^(GET|HEAD) /, 200],
  // Nova.
  [/^POST \/v2\.1\/servers$/, 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#os-getConsoleOutput$/, 200],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#/, 202],
  // From 2.2 on 201 and 204.
  [/^POST \/v2\.1\/os-keypairs$/, 200, 201],
  [/^DELETE \/v2\.1\/os-keypairs\//, 202, 204],
  [/^DELETE \/v2\.1\/(flavors|os-quota-sets|os-security-groups)\/[^/]+$/, 202],
  [/^DELETE \/v2\.1\/(os-aggregates\/[^/]+|flavors\/[^/]+\/os-extra_specs\/[^/]+)$/, 200],
  [/^PUT \/v2\.1\/servers\/[^/]+\/tags\/[^/]+$/, 201, 204],
  [/^(POST|PUT) \/v2\.1\//, 200],
  [/^DELETE \/v2\.1\//, 204],
  // Keystone.
  [/^POST \/v3\/users\/[^/]+\/password$/, 204],
  [/^PUT \/v3\/projects\/[^/]+\/tags$/, 200],
  [/^PUT \/v3\/projects\/[^/]+\/tags\/[^/]+$/, 201],
  [/^PUT \/v3\/(projects|domains|system)\//, 204],
  [/^POST \/v3\//, 201],
  [/^PATCH \/v3\//, 200],
  [/^DELETE \/v3\//, 204],
  // Glance.
  [/^POST \/v2\/images$/, 201],
  [/^POST \/v2\/images\/[^/]+\/actions\//, 204],
  [/^POST \/v2\/images\/[^/]+\/members$/, 200],
  [/^PUT \/v2\/images\/[^/]+\/(file|tags\/[^/]+)$/, 204],
  [/^(PUT|PATCH) \/v2\//, 200],
  [/^DELETE \/v2\//, 204],
  // Neutron.
  [/^PUT \/v2\.0\/[^/]+\/[^/]+\/tags\/[^/]+$/, 201],
  [/^POST \/v2\.0\//, 201],
  [/^PUT \/v2\.0\//, 200],
  [/^DELETE \/v2\.0\//, 204],
];

/** Whether a success is the real service's. An action is named behind `#`. Throws for an operation that is not known. */
export function isRealStatus(operation: string, status: number): boolean {
  const found = statuses.find(([pattern]) => pattern.test(operation));
  if (found === undefined) throw new Error(`With which status is ${operation} answered?`);
  return found.slice(1).includes(status);
}
