/** Which rules guard a route, and who asks: set when the route is added, asked before and after the body is read. */
import type { FastifyRequest, RouteOptions } from 'fastify';
import { assert } from '../../../node/base/assert.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { policyCredentials, requestContext } from '../../kit/auth.ts';
import type { AccessPolicy } from '../../policies/access-policy.ts';
import { requestState } from '../kit/request.ts';

/** Who asks. Only on routes that are not public. */
export function principalOf(request: FastifyRequest) {
  const { principal } = requestState(request);
  assert(principal !== undefined, 'a public route asks who the caller is');
  return principal;
}

/** What services are told of the request. Only once a policy has allowed it. */
export function contextFor(request: FastifyRequest): RequestContext {
  const { rule, abort } = requestState(request);
  assert(rule !== undefined, 'a handler runs that no policy has allowed');
  const { access } = guardOf(request);
  return requestContext(principalOf(request), {
    requestId: request.id,
    signal: abort.signal,
    access,
    operation: rule,
  });
}

/** Ties a route to the rules that guard it. Returns the operations that no rule names: the gateway does not start then. */
export function guardRoute(route: RouteOptions, access: AccessPolicy, prefix: string): string[] {
  const config = route.config ?? {};
  if (config.public === true) return [];
  const path = route.url.slice(prefix.length);
  route.config = { ...config, guard: { access, path } };
  const suffixes = ['', ...(config.actions ?? []).map((action) => `#${action}`)];
  return [route.method]
    .flat()
    .flatMap((method) => suffixes.map((suffix) => `${method} ${path}${suffix}`))
    .filter((operation) => access.find(operation) === undefined);
}

/** The rules of the request's route. Only on routes that are not public. */
export function guardOf(request: FastifyRequest) {
  const { guard } = request.routeOptions.config;
  assert(guard !== undefined, 'a public route asks its policy');
  return guard;
}

/** Throws `FORBIDDEN` where no rule allows the route. Before the body is read: who is refused cannot make the agent read it. */
export function authorize(request: FastifyRequest): void {
  if (request.is404 || request.routeOptions.config.public === true) return;
  const { access, path } = guardOf(request);
  const parameters = request.params as Readonly<Record<string, string>>;
  requestState(request).rule = access.enforceOperation(
    `${request.method} ${path}`,
    policyCredentials(principalOf(request)),
    parameters,
  );
}

/** Throws `FORBIDDEN` where no rule allows an action that the body names: it is known only now. */
export function authorizeAction(request: FastifyRequest): void {
  const { actions, guard } = request.routeOptions.config;
  const { body } = request;
  if (actions === undefined || guard === undefined || typeof body !== 'object' || body === null) return;
  const parameters = request.params as Readonly<Record<string, string>>;
  const credentials = policyCredentials(principalOf(request));
  for (const action of Object.keys(body)) {
    if (!actions.includes(action)) continue;
    requestState(request).rule = guard.access.enforceOperation(
      `${request.method} ${guard.path}#${action}`,
      credentials,
      parameters,
    );
  }
}
