import Type from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import { defaultDomainId } from '../../../node/services/identity/directory.ts';
import {
  type AuthenticationRequest,
  type DomainReference,
  findUser,
  type IdentityService,
  type NamedReference,
  type ScopeRequest,
} from '../../../node/services/identity/identity.ts';
import type { Principal } from '../../../node/services/identity/principal.ts';
import { shoal } from '../../../proto/messages.ts';
import { tokenCharactersMax } from '../../kit/auth.ts';
import type { PasswordLimiter } from '../../rest/identity/password-limiter.ts';
import { parse } from '../../rest/kit/validation.ts';
import { id, name, password } from '../../rest/schemas/identity.ts';
import type { Caller, Callers } from '../kit/caller.ts';

type Served = Handlers<shoal.v1.IdentityService, Caller>;

const domainReference = Type.Object({ id: Type.Optional(id), name: Type.Optional(name) });
const reference = Type.Object({
  id: Type.Optional(id),
  name: Type.Optional(name),
  domain: Type.Optional(domainReference),
});
const token = Type.String({ minLength: 1, maxLength: tokenCharactersMax });
/** The bounds are those of REST's bodies. */
const authentication = Type.Object({
  user: Type.Optional(reference),
  password: Type.Optional(password),
  token: Type.Optional(token),
  project: Type.Optional(reference),
  domain: Type.Optional(domainReference),
});

/** Tokens, as `/v3/auth/tokens` has them. */
export function tokenHandlers(
  callers: Callers,
  { identity, limiter }: { readonly identity: IdentityService; readonly limiter: PasswordLimiter },
): Pick<Served, 'authenticate' | 'validateToken' | 'revokeToken'> {
  const subjectOf = async (subject: string, signal: AbortSignal): Promise<Principal> => {
    try {
      return await identity.authenticate(parse(token, subject, 'token'), signal);
    } catch (error) {
      // The caller's own token is good; the one asked about is what there is none of.
      if (!ShoalError.is(error, 'UNAUTHENTICATED')) throw error;
      throw new ShoalError('NOT_FOUND', 'Could not find the token.', { cause: error });
    }
  };
  return {
    authenticate: async (request, call) => {
      const { caller, signal } = call;
      const asked = authenticationOf(request);
      const { reader } = await callers.read(call);
      const named = asked.password?.user;
      const issued = await limiter.run(
        {
          address: caller.address,
          // However it is spelled (id, name, domain by id or by name), it is one user.
          userId: named === undefined ? undefined : (findUser(reader, named)?.id ?? ''),
          signal,
        },
        () => identity.issue(reader, asked, signal),
      );
      return { token: issued.token, view: tokenView(issued.principal) };
    },
    validateToken: (request, call) =>
      callers.serve(call, async ({ enforce }) => {
        const principal = await subjectOf(request.token, call.signal);
        enforce('identity:validate_token', { user_id: principal.userId });
        return { view: tokenView(principal) };
      }),
    revokeToken: (request, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        const principal = await subjectOf(request.token, call.signal);
        enforce('identity:revoke_token', { user_id: principal.userId });
        await identity.revoke(context, principal);
        return {};
      }),
  };
}

/** How the caller proves who they are, and what for. Throws `INVALID_ARGUMENT`. */
function authenticationOf(request: shoal.v1.AuthenticateRequest): AuthenticationRequest {
  const given = parse(
    authentication,
    {
      ...(request.user === null ? {} : { user: withoutEmpty(request.user), password: request.password }),
      ...(request.token === '' ? {} : { token: request.token }),
      ...(request.project === null ? {} : { project: withoutEmpty(request.project) }),
      ...(request.domain === null ? {} : { domain: withoutEmpty(request.domain) }),
    },
    'request',
  );
  if (given.user === undefined && given.token === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', 'Say who you are: user and password are needed, or token.');
  }
  const scope = scopeOf(given, request);
  return {
    ...(given.user === undefined
      ? {}
      : { password: { user: named(given.user, 'user'), password: given.password ?? '' } }),
    ...(given.token === undefined ? {} : { token: given.token }),
    ...(scope === undefined ? {} : { scope }),
  };
}

interface Given {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: DomainReference;
}

function scopeOf(
  given: { readonly project?: Given; readonly domain?: DomainReference },
  { system, unscoped }: shoal.v1.AuthenticateRequest,
): ScopeRequest | undefined {
  const scopes: ScopeRequest[] = [];
  if (given.project !== undefined) scopes.push({ kind: 'project', project: named(given.project, 'project') });
  if (given.domain !== undefined) {
    mustSay(given.domain, 'domain');
    scopes.push({ kind: 'domain', domain: given.domain });
  }
  if (system) scopes.push({ kind: 'system' });
  if (unscoped) scopes.push({ kind: 'unscoped' });
  if (scopes.length > 1) {
    throw new ShoalError('INVALID_ARGUMENT', 'At most one of project, domain, system and unscoped can be set.');
  }
  return scopes[0];
}

/** A reference without its empty texts, which say nothing. */
function withoutEmpty(reference: {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly domain?: shoal.v1.IDomainReference | null;
}): object {
  return {
    ...(reference.id ? { id: reference.id } : {}),
    ...(reference.name ? { name: reference.name } : {}),
    ...(reference.domain ? { domain: withoutEmpty(reference.domain) } : {}),
  };
}

function named(reference: Given, field: string): NamedReference {
  mustSay(reference, field);
  if (reference.domain !== undefined) mustSay(reference.domain, `${field}.domain`);
  return reference.id === undefined ? { domain: { id: defaultDomainId }, ...reference } : reference;
}

function mustSay(reference: DomainReference, field: string): void {
  if (reference.id !== undefined || reference.name !== undefined) return;
  throw new ShoalError('INVALID_ARGUMENT', `${field}: id or name is needed.`);
}

function tokenView(principal: Principal): shoal.v1.TokenView {
  return new shoal.v1.TokenView({
    userId: principal.userId,
    userName: principal.userName,
    userDomainId: principal.userDomainId,
    projectId: principal.projectId,
    projectName: principal.projectName,
    domainId: principal.domainId,
    system: principal.isSystem,
    roles: [...principal.roles],
    issuedMs: principal.issuedMs,
    expiresMs: principal.expiresMs,
    methods: [...principal.methods],
  });
}
