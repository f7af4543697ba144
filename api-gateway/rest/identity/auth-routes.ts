import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import {
  type AuthenticationRequest,
  findUser,
  type IdentityService,
  type NamedReference,
  type ScopeRequest,
} from '../../../node/services/identity/identity.ts';
import type { Principal } from '../../../node/services/identity/principal.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { authBody } from '../schemas/identity.ts';
import type { Catalog } from './catalog.ts';
import { domainFilters, projectFilters } from './filters.ts';
import { addIdentityList, rootOf } from './lists.ts';
import type { PasswordLimiter } from './password-limiter.ts';
import { domainView, projectView, tokenView } from './views.ts';

/** Tokens, and what the holder of one may have. */
export function addAuthRoutes(
  app: FastifyInstance,
  gateway: Gateway,
  deps: { readonly identity: IdentityService; readonly catalog: Catalog; readonly limiter: PasswordLimiter },
): void {
  const { identity, catalog, limiter } = deps;
  const entries = (request: FastifyRequest, principal: Principal) =>
    catalog.entries(gateway.baseUrl(request), principal.projectId);

  app.post<{ Querystring: Record<string, string> }>(
    '/v3/auth/tokens',
    { config: { body: authBody, public: true } },
    async (request, reply) => {
      const asked = authenticationRequest(parse(authBody, request.body));
      const reader = await gateway.readState(request);
      const named = asked.password?.user;
      const issued = await limiter.run(
        {
          address: gateway.clientAddress(request),
          // However it is spelled (id, name, domain by id or by name), it is one user.
          userId: named === undefined ? undefined : (findUser(reader, named)?.id ?? ''),
          signal: gateway.signal(request),
        },
        () => identity.issue(reader, asked, gateway.signal(request)),
      );
      const body = tokenView(issued.principal, wantsCatalog(request) ? entries(request, issued.principal) : undefined);
      return reply.code(201).header('x-subject-token', issued.token).header('vary', 'X-Auth-Token').send(body);
    },
  );

  app.get<{ Querystring: Record<string, string> }>('/v3/auth/tokens', async (request, reply) => {
    const subject = await subjectOf(request);
    gateway.enforce(request, 'identity:validate_token', { user_id: subject.principal.userId });
    const body = tokenView(subject.principal, wantsCatalog(request) ? entries(request, subject.principal) : undefined);
    return reply.header('x-subject-token', subject.token).header('vary', 'X-Auth-Token').send(body);
  });

  app.delete('/v3/auth/tokens', async (request, reply) => {
    const { principal } = await subjectOf(request);
    gateway.enforce(request, 'identity:revoke_token', { user_id: principal.userId });
    await identity.revoke(gateway.context(request), principal);
    return reply.code(204).send();
  });

  addIdentityList(app, gateway, {
    path: '/v3/auth/catalog',
    key: 'catalog',
    isStateless: true,
    items: ({ request }) => entries(request, gateway.principal(request)),
    view: (entry) => entry,
  });

  addIdentityList(app, gateway, {
    path: '/v3/auth/projects',
    key: 'projects',
    items: ({ reader, context }) => identity.projectsOf(reader, context.userId),
    filters: projectFilters,
    view: (project, listing) => projectView(rootOf(listing), project),
  });

  addIdentityList(app, gateway, {
    path: '/v3/auth/domains',
    key: 'domains',
    items: ({ reader, context }) => identity.domainsOf(reader, context.userId),
    filters: domainFilters,
    view: (domain, listing) => domainView(rootOf(listing), domain),
  });

  addIdentityList(app, gateway, {
    path: '/v3/auth/system',
    key: 'system',
    items: ({ reader, context }) => (identity.hasSystem(reader, context.userId) ? [{ id: 'all' }] : []),
    view: () => ({ all: true }),
  });

  async function subjectOf(request: FastifyRequest): Promise<{ token: string; principal: Principal }> {
    const token = request.headers['x-subject-token'];
    if (typeof token !== 'string' || token === '') {
      throw new ShoalError('INVALID_ARGUMENT', 'The header X-Subject-Token is missing.');
    }
    try {
      return { token, principal: await identity.authenticate(token, gateway.signal(request)) };
    } catch (error) {
      // The caller's own token is good; the one asked about is what there is none of.
      if (ShoalError.is(error, 'UNAUTHENTICATED')) {
        throw new ShoalError('NOT_FOUND', 'Could not find the token.', { cause: error });
      }
      throw error;
    }
  }
}

function wantsCatalog(request: FastifyRequest): boolean {
  return Query.of(request).all('nocatalog').length === 0;
}

function authenticationRequest({ auth }: Static<typeof authBody>): AuthenticationRequest {
  const { methods, password, token } = auth.identity;
  const unknown = methods.filter((method) => method !== 'password' && method !== 'token');
  if (unknown.length > 0) {
    throw new ShoalError(
      'UNAUTHENTICATED',
      `Attempted to authenticate with an unsupported method: ${unknown.join(', ')}.`,
    );
  }
  const request: { -readonly [K in keyof AuthenticationRequest]: AuthenticationRequest[K] } = {};
  if (methods.includes('password')) {
    if (password === undefined)
      throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: auth.identity is missing password.');
    const { password: secret, ...user } = password.user;
    if (user.id === undefined && (user.name === undefined || user.domain === undefined)) {
      throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: a user is given by id, or by name and domain.');
    }
    request.password = { user: reference(user), password: secret };
  }
  if (methods.includes('token')) {
    if (token === undefined) throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: auth.identity is missing token.');
    request.token = token.id;
  }
  const scope = scopeRequest(auth.scope);
  if (scope !== undefined) request.scope = scope;
  return request;
}

function scopeRequest(scope: Static<typeof authBody>['auth']['scope']): ScopeRequest | undefined {
  if (scope === undefined) return undefined;
  if (scope === 'unscoped' || scope.unscoped !== undefined) return { kind: 'unscoped' };
  if (scope.project !== undefined) return { kind: 'project', project: reference(scope.project) };
  if (scope.domain !== undefined) return { kind: 'domain', domain: reference(scope.domain) };
  if (scope.system !== undefined) return { kind: 'system' };
  throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: auth.scope names no project, domain or system.');
}

/** Leaves out what was not given: "absent" and "undefined" differ under the strict types. */
function reference(given: {
  id?: string | undefined;
  name?: string | undefined;
  domain?: { id?: string | undefined; name?: string | undefined } | undefined;
}): NamedReference {
  return {
    ...(given.id === undefined ? {} : { id: given.id }),
    ...(given.name === undefined ? {} : { name: given.name }),
    ...(given.domain === undefined ? {} : { domain: reference(given.domain) }),
  };
}
