import type { Clock } from '../../node/base/clock.ts';
import type { GrpcCall } from '../../node/mesh/grpc/server.ts';
import type { RequestContext } from '../../node/services/context.ts';
import type { StateClient, StateReader } from '../../node/state/types.ts';
import { type Authenticator, requestContext } from '../auth.ts';
import type { GatewayLimits } from '../limits.ts';
import { baseRules, Policy } from '../policy.ts';
import { FreshReads } from '../rest/fresh-reads.ts';

/** Metadata key of the token. */
export const tokenKey = 'x-auth-token';

/** Who calls, as far as the head of the call says: a token whose signature is good, or the operator at this machine. */
export type Caller = { readonly kind: 'token'; readonly token: string } | { readonly kind: 'operator' };

/** The native API's rules: the mesh is administrators' business, servers are their projects'. */
export const nativePolicy = new Policy({
  ...baseRules,
  list_hosts: 'rule:admin',
  create_ticket: 'rule:admin',
  set_host_enabled: 'rule:admin',
  remove_host: 'rule:admin',
  explain_per_host: 'rule:admin',
  all_projects: 'rule:admin',
});

/** What handlers are given for one call. */
export interface Served {
  readonly context: RequestContext;
  readonly credentials: Parameters<typeof nativePolicy.allows>[1];
  /** A view to read from, and whether it may be old. */
  read(): Promise<{ readonly reader: StateReader; readonly stale: boolean }>;
}

/** Finds out who calls. One for a gateway. */
export class Callers {
  readonly #deps: CallersDependencies;
  readonly #reads: FreshReads;

  constructor(deps: CallersDependencies, limits: GatewayLimits) {
    this.#deps = deps;
    this.#reads = new FreshReads(deps.state, deps.clock, limits);
  }

  /** Runs one call. Throws what `run` throws. */
  async serve<T>(call: GrpcCall<Caller>, run: (served: Served) => Promise<T>): Promise<T> {
    return run(await this.open(call));
  }

  /** As `serve`, for streams, which run on after this. */
  async open(call: GrpcCall<Caller>): Promise<Served> {
    const requestId = `req-${this.#deps.newId()}`;
    const read: Served['read'] = async () => {
      const { reader, stale } = await this.#reads.read(call.signal);
      return { reader, stale: stale !== undefined };
    };
    if (call.caller.kind === 'operator') return { ...operator(requestId, call.signal), read };
    const principal = await this.#deps.authenticator.authenticate(call.caller.token, call.signal);
    const { roles, userId, projectId, domainId, projectDomainId } = principal;
    return {
      context: requestContext(principal, requestId, call.signal),
      credentials: { roles, userId, projectId, domainId, projectDomainId },
      read,
    };
  }
}

export interface CallersDependencies {
  readonly state: StateClient;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly newId: () => string;
}

/** Whoever may open the agent's own socket is root or the agent itself: an administrator without a project. */
function operator(requestId: string, signal: AbortSignal): Omit<Served, 'read'> {
  const roles = ['admin', 'member', 'reader'];
  const userId = 'operator';
  return {
    context: { requestId, userId, userName: userId, userDomainId: '', projectId: '', roles, isAdmin: true, signal },
    credentials: { roles, userId, projectId: '', domainId: '', projectDomainId: '' },
  };
}
