import { assert } from '../../../node/base/assert.ts';
import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { GrpcCall } from '../../../node/rpc/server.ts';
import { trailersOf } from '../../../node/rpc/trailers.ts';
import type { Permissions, RequestContext } from '../../../node/services/kit/context.ts';
import type { StateClient, StateReader } from '../../../node/state/types.ts';
import type { PartialAnswer } from '../../kit/api-relay.ts';
import { type Authenticator, policyCredentials, requestContext } from '../../kit/auth.ts';
import type { GatewayLimits } from '../../kit/limits.ts';
import type { AccessPolicy } from '../../policies/access-policy.ts';
import { permissionsOf } from '../../policies/permissions.ts';
import type { PolicyCredentials, PolicyTarget } from '../../policies/policy.ts';
import { FreshReads } from '../../rest/kit/fresh-reads.ts';
import { fieldNameOf } from './attributes.ts';
import { isRead } from './reads.ts';

/** Metadata key of the token. */
export const tokenKey = 'x-auth-token';

/**
 * Who calls what, as far as the head of the call says: a token whose signature is good, the operator at this machine, or
 * anyone, for what needs no token.
 */
export type Caller = {
  /** The operation as policies name it: `rpc shoal.v1.ComputeService/GetServer`. */
  readonly operation: string;
  /** Of the client, as far as trusted proxies say; empty at the agent's own socket. */
  readonly address: string;
  /** Set where it is answered from a slice of the state, which the REST gateway found out. */
  readonly partial?: PartialAnswer | undefined;
} & ({ readonly kind: 'token'; readonly token: string } | { readonly kind: 'operator' | 'anyone' });

/** What handlers are given for one call that policy allows. */
export interface Served {
  readonly context: RequestContext;
  readonly credentials: PolicyCredentials;
  /** When the right ends by itself, wall clock in milliseconds; infinite for the operator. */
  readonly expiresMs: number;
  /** Whether a rule holds: for what only the handler knows. */
  allows(rule: string): boolean;
  /** As `allows`, of a thing that the handler has found, and throws `FORBIDDEN`. */
  enforce(rule: string, target?: PolicyTarget): void;
  /**
   * Asks again, by the records as they are now, whether the caller may do what they do: for streams. Reads memory only,
   * unless this replica lags behind the token. Throws `UNAUTHENTICATED` or `FORBIDDEN`.
   */
  recheck(): Promise<void>;
  /** A view to read from, and whether it may be old. */
  read(): Promise<View>;
}

/** What answers are made from. */
export interface View {
  readonly reader: StateReader;
  /** True when no quorum could be asked and it may be old. */
  readonly stale: boolean;
}

/** Finds out who calls, and asks whether they may. One for a listener. */
export class Callers {
  readonly #deps: CallersDependencies;
  readonly #served = new WeakMap<GrpcCall<Caller>, Served>();
  readonly #reads: FreshReads;
  readonly #partial = new WeakMap<GrpcCall<Caller>, PartialAnswer>();

  constructor(deps: CallersDependencies, limits: GatewayLimits) {
    this.#deps = deps;
    this.#reads = new FreshReads(deps.state, deps.clock, limits);
  }

  /**
   * Before any handler of the service runs. Throws `UNAUTHENTICATED`, or `FORBIDDEN` by the policy of the operation.
   * @param request where a policy looks for whose the thing asked about is; undefined: nowhere.
   */
  async authorize(call: GrpcCall<Caller>, request: unknown): Promise<void> {
    const { kind, partial } = call.caller;
    if (partial !== undefined) this.answerFrom(call, partial);
    if (kind === 'anyone') return;
    this.#served.set(call, await this.#open(call, parametersOf(request)));
  }

  /** The call is answered from a slice of the state: its reads are, and it is marked. */
  answerFrom(call: GrpcCall<Caller>, partial: PartialAnswer): void {
    this.#partial.set(call, partial);
  }

  /** What is told of a failure: what could not be looked up is not absent. */
  explain(caught: unknown, call: GrpcCall<Caller>): unknown {
    return this.#partial.get(call)?.explain(caught) ?? caught;
  }

  /** A view to read from, for any caller: for what needs no token. */
  async read(call: GrpcCall<Caller>): Promise<View> {
    const partial = this.#partial.get(call);
    if (partial !== undefined) {
      const trailers = trailersOf(call);
      trailers.set('x-shoal-partial', 'true');
      trailers.set('x-shoal-stale', String(partial.stale));
      return { reader: partial.read(mayBePartial(call.caller.operation)), stale: true };
    }
    const { reader, stale } = await this.#reads.read(call.signal);
    if (stale !== undefined) trailersOf(call).set('x-shoal-stale', String(stale));
    return { reader, stale: stale !== undefined };
  }

  /** Runs one call. Throws what `run` throws. */
  async serve<T>(call: GrpcCall<Caller>, run: (served: Served) => Promise<T>): Promise<T> {
    return run(this.open(call));
  }

  /** As `serve`, for streams, which run on after this. */
  open(call: GrpcCall<Caller>): Served {
    const served = this.#served.get(call);
    assert(served !== undefined, 'a handler runs that policy has not allowed');
    return served;
  }

  async #open(call: GrpcCall<Caller>, parameters: Readonly<Record<string, string>>): Promise<Served> {
    const { access, authenticator } = this.#deps;
    const { caller, signal } = call;
    const requestId = `req-${this.#deps.newId()}`;
    const read = (): Promise<View> => this.read(call);
    const served = (
      contextBy: (rule: string) => RequestContext,
      credentials: PolicyCredentials,
      expiresMs: number,
    ): Served => {
      const rule = access.enforceOperation(caller.operation, credentials, parameters);
      return {
        context: contextBy(rule),
        credentials,
        expiresMs,
        allows: (rule) => access.allows(rule, credentials),
        enforce: (rule, target) => access.enforce(rule, credentials, target),
        recheck: async () => {
          if (caller.kind !== 'token') return;
          const now = await authenticator.authenticate(caller.token, signal);
          access.enforceOperation(caller.operation, policyCredentials(now), parameters);
        },
        read,
      };
    };
    if (caller.kind !== 'token') {
      const credentials = operator;
      return served(
        (operation) => operatorContext(requestId, signal, permissionsOf(access, credentials, operation)),
        credentials,
        Number.POSITIVE_INFINITY,
      );
    }
    const principal = await authenticator.authenticate(caller.token, signal);
    return served(
      (operation) => requestContext(principal, { requestId, signal, access, operation }),
      policyCredentials(principal),
      principal.expiresMs,
    );
  }
}

interface CallersDependencies {
  readonly state: StateClient;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly access: AccessPolicy;
  readonly newId: () => string;
}

/**
 * Throws `INVALID_ARGUMENT` for a new thing that would be nobody's: at the agent's own socket no token names a project.
 * @param wanted the project that the request names; empty: none.
 */
export function mustHaveProject(context: RequestContext, wanted: string): void {
  if (context.projectId !== '' || wanted !== '') return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    'What is made belongs to a project, and no token names one: project_id is needed.',
  );
}

/** Who may do what is never judged by a part of the records; nor is what is to be done. */
function mayBePartial(operation: string): boolean {
  const [service = '', method = ''] = operation.split('/');
  return service !== 'rpc shoal.v1.IdentityService' && isRead(method);
}

/** Texts of a request, by their fields' names. */
function parametersOf(request: unknown): Readonly<Record<string, string>> {
  if (typeof request !== 'object' || request === null) return {};
  const texts = Object.entries(request).flatMap(([key, value]: [string, unknown]): [string, string][] =>
    typeof value === 'string' ? [[fieldNameOf(key), value]] : [],
  );
  return Object.fromEntries(texts);
}

/** The process that may open the agent's own socket is root's or the agent itself: the system's administrator. */
const operator: PolicyCredentials = {
  roles: ['admin', 'member', 'reader'],
  scope: 'system',
  userId: 'operator',
  projectId: '',
  domainId: '',
  projectDomainId: '',
};

function operatorContext(requestId: string, signal: AbortSignal, permissions: Permissions): RequestContext {
  const { userId } = operator;
  return { requestId, userId, userName: userId, userDomainId: '', projectId: '', permissions, signal };
}
