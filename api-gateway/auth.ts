import type { RequestContext } from '../node/services/context.ts';
import type { Principal } from '../node/services/identity-principal.ts';

/** Turns a token into who it speaks for. The identity service is one; it asks no other agent. */
export interface Authenticator {
  /** Throws `UNAUTHENTICATED` for a token that does not verify, has expired or was revoked. */
  authenticate(token: string, signal: AbortSignal): Promise<Principal>;
}

/** Longest token looked at, characters; ours take about 700. */
export const tokenCharactersMax = 4096;

/** What services are told of the caller. */
export function requestContext(principal: Principal, requestId: string, signal: AbortSignal): RequestContext {
  return {
    requestId,
    userId: principal.userId,
    userName: principal.userName,
    userDomainId: principal.userDomainId,
    projectId: principal.projectId,
    roles: principal.roles,
    isAdmin: principal.roles.includes('admin'),
    signal,
  };
}
