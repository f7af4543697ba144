import type { Principal } from '../../node/services/identity/principal.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import type { AccessPolicy } from '../policies/access-policy.ts';
import { permissionsOf } from '../policies/permissions.ts';
import type { PolicyCredentials } from '../policies/policy.ts';

/** Turns a token into who it speaks for. The identity service is one; it asks no other agent. */
export interface Authenticator {
  /** Throws `UNAUTHENTICATED` for a token that does not verify, has expired or was revoked. */
  authenticate(token: string, signal: AbortSignal): Promise<Principal>;
}

/** Longest token looked at, characters; ours take about 700. */
export const tokenCharactersMax = 4096;

/** What policies are told of the caller. */
export function policyCredentials(principal: Principal): PolicyCredentials {
  const { roles, userId, projectId, domainId, projectDomainId, isSystem } = principal;
  const scope = projectId !== '' ? 'project' : domainId !== '' ? 'domain' : isSystem ? 'system' : 'none';
  return { roles, scope, userId, projectId, domainId, projectDomainId };
}

/** What services are told of the caller. */
export function requestContext(
  principal: Principal,
  call: {
    readonly requestId: string;
    readonly signal: AbortSignal;
    readonly access: AccessPolicy;
    /** Name of the rule that let the caller in. */
    readonly operation: string;
  },
): RequestContext {
  const { requestId, signal, access, operation } = call;
  return {
    requestId,
    userId: principal.userId,
    userName: principal.userName,
    userDomainId: principal.userDomainId,
    projectId: principal.projectId,
    permissions: permissionsOf(access, policyCredentials(principal), operation),
    signal,
  };
}
