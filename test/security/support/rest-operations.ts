/** Every operation of the REST API, from the routes that the gateway has and the rules that guard them. */
import { AccessPolicy } from '../../../api-gateway/policies/access-policy.ts';
import { computePolicies } from '../../../api-gateway/policies/compute.ts';
import { identityPolicies } from '../../../api-gateway/policies/identity.ts';
import { imagePolicies } from '../../../api-gateway/policies/image.ts';
import { nativePolicies } from '../../../api-gateway/policies/native.ts';
import { networkPolicies } from '../../../api-gateway/policies/network.ts';
import { placementPolicies } from '../../../api-gateway/policies/placement.ts';
import type { PolicyRule } from '../../../api-gateway/policies/rule.ts';
import { volumePolicies } from '../../../api-gateway/policies/volume.ts';
import type { Route } from '../../../api-gateway/rest/kit/routes-known.ts';

/**
 * The rules of gRPC at the routes that its methods have over HTTP, written here once more: the module has its own, of which those
 * that the request decides are one.
 */
const bridgedPolicies: readonly PolicyRule[] = nativePolicies
  .map((rule) => ({
    ...rule,
    operations: rule.operations
      .filter((operation) => operation.startsWith('rpc ') || operation === 'GET /events')
      .map((operation) => operation.replace('rpc shoal.v1.', 'POST /')),
  }))
  .filter(({ operations }) => operations.length > 0);

/** Policies of the REST modules, by the first part of the path; identity lies at the root as well. */
export const restPolicies: Readonly<Record<string, readonly PolicyRule[]>> = {
  '/compute': computePolicies,
  '/identity': identityPolicies,
  '/image': imagePolicies,
  '/networking': networkPolicies,
  '/placement': placementPolicies,
  '/shoal/v1': bridgedPolicies,
  '/volume': volumePolicies,
  '': identityPolicies,
};

const versions = 'says which versions and addresses there are, which clients ask before they have a token';
const monitors = 'is for monitors, which have no token';

/** Routes that need no token, and why. */
const publicRoutes: Readonly<Record<string, string>> = {
  'GET /': versions,
  'GET /compute': versions,
  'GET /compute/v2.1': versions,
  'GET /identity': versions,
  'GET /identity/v3': versions,
  'GET /v3': versions,
  'GET /image': versions,
  'GET /image/v2': versions,
  'GET /image/versions': versions,
  'GET /networking': versions,
  'GET /networking/v2.0': versions,
  'GET /placement': versions,
  'GET /volume': versions,
  'GET /volume/v3': versions,
  'POST /identity/v3/auth/tokens': 'gives tokens: the password proves who asks',
  'POST /v3/auth/tokens': 'gives tokens: the password proves who asks',
  'POST /identity/v3/users/:id/password': 'the original password proves who asks',
  'POST /v3/users/:id/password': 'the original password proves who asks',
  'POST /shoal/v1/IdentityService/Authenticate': 'gives tokens: the password proves who asks',
  'GET /openapi.json': 'describes the API, as the documentation does',
  'GET /healthz': monitors,
  'GET /readyz': monitors,
  'GET /metrics': 'asks for the address: test/security/metrics-readers.test.ts',
};

/** One thing that can be asked of the REST API. */
export interface RestOperation {
  readonly method: string;
  /** As the router knows it: `/compute/v2.1/servers/:id`. */
  readonly path: string;
  /** The only key of the body, where it chooses the operation. */
  readonly action: string | undefined;
  readonly rule: PolicyRule;
}

export interface RestOperations {
  readonly guarded: readonly RestOperation[];
  readonly public: readonly Route[];
  /** Routes that neither a rule names nor the table of public ones. */
  readonly unexpected: readonly string[];
  /** Operations of rules, and public routes, for which there is no route. */
  readonly unrouted: readonly string[];
}

export function restOperations(routes: readonly Route[]): RestOperations {
  const guarded: RestOperation[] = [];
  const open: Route[] = [];
  const unexpected: string[] = [];
  const met = new Set<string>();
  for (const route of routes) {
    const { method, path } = route;
    const name = `${method} ${path}`;
    const publicName = name.replace(/^HEAD /, 'GET ').replace(/(?<=.)(?<! )\/$/, '');
    if (Object.hasOwn(publicRoutes, publicName)) {
      met.add(publicName);
      open.push(route);
      continue;
    }
    const prefix = Object.keys(restPolicies).find((one) => path.startsWith(`${one}/`)) ?? '';
    const rules = restPolicies[prefix] ?? [];
    const operation = `${method} ${path.slice(prefix.length)}`;
    const rule = new AccessPolicy(rules).find(operation);
    if (rule === undefined) {
      unexpected.push(name);
      continue;
    }
    met.add(`${prefix} ${operation}`).add(`${prefix} ${operation.replace(/^HEAD /, 'GET ')}`);
    guarded.push({ method, path, action: undefined, rule });
    for (const { rule: owner, action } of actionsOf(rules, operation)) {
      met.add(`${prefix} ${operation}#${action}`);
      guarded.push({ method, path, action, rule: owner });
    }
  }
  const stale = Object.entries(restPolicies).flatMap(([prefix, rules]) =>
    rules
      .flatMap(({ operations }) => operations)
      .filter((operation) => !operation.startsWith('rpc ') && !met.has(`${prefix} ${operation}`))
      .map((operation) => `${prefix} ${operation}`),
  );
  const closed = Object.keys(publicRoutes).filter((name) => !met.has(name));
  return { guarded, public: open, unexpected, unrouted: [...stale, ...closed] };
}

function actionsOf(rules: readonly PolicyRule[], operation: string) {
  return rules.flatMap((rule) =>
    rule.operations
      .filter((one) => one.startsWith(`${operation}#`))
      .map((one) => ({ rule, action: one.slice(operation.length + 1) })),
  );
}
