import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Clock } from '../../../node/base/clock.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import type { Principal } from '../../../node/services/identity/principal.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { PartialAnswer } from '../../kit/api-relay.ts';
import type { GatewayLimits } from '../../kit/limits.ts';
import type { AccessPolicy } from '../../policies/access-policy.ts';
import type { PolicyCredentials, PolicyTarget } from '../../policies/policy.ts';
import type { PolicyRule } from '../../policies/rule.ts';
import type { FaultStyle } from './faults.ts';
import type { Route } from './routes-known.ts';
import type { UnservedPart } from './unserved.ts';

/** One OpenStack service on the gateway: where it lies, how it words errors, and its routes. */
export interface RestModule {
  /** For logs and metrics: "identity", "compute"... */
  readonly name: string;
  /** Paths below the base URL that it owns, without a slash at the end; '' is the root itself. */
  readonly prefixes: readonly string[];
  readonly faults: FaultStyle;
  /**
   * Who may do what. Each route that is not `public` is an operation of one of them, and is refused to callers whom the
   * rule does not allow before the body is read; with a route that no rule names the gateway does not start.
   */
  readonly policies: readonly PolicyRule[];
  /** Headers that carry the request id. All services: `x-openstack-request-id`. */
  readonly requestIdHeaders: readonly string[];
  /** Older names of paths below the prefixes: `/compute/v2` is `/compute/v2.1`. The request's `originalUrl` keeps them. */
  readonly aliases?: Readonly<Record<string, string>>;
  /**
   * Paths below which a project's id may stand, as old catalogs have it: `/volume/v3/PROJECT/volumes` is `/volume/v3/volumes`.
   * `projectOfPath` (project-path.ts) finds it again in `originalUrl`.
   */
  readonly projectPaths?: readonly string[];
  /**
   * What `/` is for who accepts HTML, as browsers do and OpenStack's clients do not: a path below a prefix of the module.
   * Undefined: there is nothing to show, and `/` is the version document for all.
   */
  readonly frontPage?: () => string | undefined;
  /**
   * Its answers say who may do what, so none is made from a part of the records: what an agent does not hold is 503 then.
   * Default: answers to reads may be partial, and are marked.
   */
  readonly decidesRights?: boolean;
  /** Parts of the service that are known and not here: 501 for them, not 404. Default: none. */
  readonly unserved?: readonly UnservedPart[];
  /**
   * Adds routes to an instance that has the prefix, the token check, the faults and the body parser already. Called once
   * a prefix.
   */
  register(app: FastifyInstance, gateway: Gateway): void;
}

/** What routes need of the gateway. Everything here works for the request it is given and for no other. */
export interface Gateway {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: GatewayLimits;
  /** Who asks. Never on a route that is `public`: there is nobody, and asking is a broken invariant. */
  context(request: FastifyRequest): RequestContext;
  /** As `context`, with all that the token says. */
  principal(request: FastifyRequest): Principal;
  credentials(request: FastifyRequest): PolicyCredentials;
  /** Whether a rule of the route's module holds: for what only the handler knows. The route's own rule has held already. */
  allows(request: FastifyRequest, rule: string, target?: PolicyTarget): boolean;
  /** As `allows`, and throws `FORBIDDEN`. */
  enforce(request: FastifyRequest, rule: string, target?: PolicyTarget): void;
  /** Ends when the caller is gone or the request's time is up; also for public routes. */
  signal(request: FastifyRequest): AbortSignal;
  /**
   * `https://host:port` as the caller reached this agent, through trusted proxies too, or `api.publicUrl`, so that links
   * lead back here. No slash at the end. Everything that leads anywhere is made from it.
   */
  baseUrl(request: FastifyRequest): string;
  /** Address of the client, as far as trusted proxies say: what limits go by. */
  clientAddress(request: FastifyRequest): string;
  /**
   * A view to read from: confirmed by the leader where a quorum answers in time; else the local one, in which case the
   * answer carries `X-Shoal-Stale` and a line goes to the log. Never waits longer than `limits.freshWaitMs`.
   */
  readState(request: FastifyRequest): Promise<StateReader>;
  /** How it is answered where no replica can be asked: from the slice of the state that is here. Undefined: from the whole state. */
  partial(request: FastifyRequest): PartialAnswer | undefined;
  /** Asks by the records as they are now whether the caller may still do what the route does: for streams. Throws as at first. */
  recheck(request: FastifyRequest): Promise<void>;
  /** Aborts when the gateway stops: streams end then. */
  readonly stopping: AbortSignal;
  /** Every route that the gateway has, of all modules: all of them once it has started. */
  routes(): readonly Route[];
  /** Whether the answer of this request is marked stale. */
  isStale(request: FastifyRequest): boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** No token needed. */
    public?: boolean;
    /** Answered by the very agent that was asked, replica or not: it is about that agent. */
    local?: boolean;
    /** Names that the only key of the body may have, each an operation of its own: `POST /path#NAME`. */
    actions?: readonly string[];
    /** What the body must be, for the description of the API (`openapi/`). The handler reads the body by the very same schema. */
    body?: TSchema;
    /** Media types of the body where it is no `application/json`. */
    mediaTypes?: readonly string[];
    /** Set by the gateway: what guards the route, and its path within the module. */
    guard?: { readonly access: AccessPolicy; readonly path: string };
    /** Instead of `limits.requestTimeoutMs`; 0: only silence ends it (uploads and downloads). */
    timeoutMs?: number;
  }
}
