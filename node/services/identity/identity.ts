/**
 * Who is asking: passwords and tokens against the records of users, projects and roles.
 *
 * Issuing and verifying a token write nothing and ask nobody, so both work on any agent without quorum. Every
 * verification goes by the records: a user or project that is disabled, a role that is taken away or a token that is
 * revoked counts from the moment this agent's replica knows of it.
 */
import { randomBytes } from 'node:crypto';
import { shoal } from '../../../proto/messages.ts';
import { isOutage, ShoalError } from '../../base/errors.ts';
import { indexKey } from '../../state/table.ts';
import { domainTable, projectTable, revokedTokenTable, userTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { PasswordLogIn, type PasswordRules } from './password-log-in.ts';
import type { Principal } from './principal.ts';
import { assignmentsOf, rolesOf, systemScope } from './roles.ts';
import { ofTheFuture, refused, type TokenClaims, tokenEpoch } from './token.ts';
import type { TokenKeys } from './token-keys.ts';

/** How long a token lasts, milliseconds: Keystone's customary hour. */
const tokenLifetimeMsDefault = 3_600_000;
/** A token may seem issued so far in the future, milliseconds: hosts' clocks differ. */
const clockSkewMsMax = 300_000;
/** Keys that may have been drawn since this replica last heard, and how often it asks, milliseconds. */
const epochsAheadMax = 8;
const askForKeysEveryMs = 1_000;
/** Expired rows removed with each revocation, so that the table needs no sweeper. */
const expiredRowsRemovedMax = 16;

/** A domain by id or by name. */
export interface DomainReference {
  readonly id?: string;
  readonly name?: string;
}

/** A user or project by id, or by name within a domain. */
export interface NamedReference extends DomainReference {
  readonly domain?: DomainReference;
}

/** What a token is asked for. Absent: the user's default project if there is one, else nothing. */
export type ScopeRequest =
  | { readonly kind: 'project'; readonly project: NamedReference }
  | { readonly kind: 'domain'; readonly domain: DomainReference }
  | { readonly kind: 'system' }
  | { readonly kind: 'unscoped' };

/** How the caller proves who they are: every part given must hold, for one and the same user. */
export interface AuthenticationRequest {
  readonly password?: { readonly user: NamedReference; readonly password: string };
  /** A token that is still good; the new one does not outlive it. */
  readonly token?: string;
  readonly scope?: ScopeRequest;
}

/** A new token and what it stands for. */
interface IssuedToken {
  readonly token: string;
  readonly principal: Principal;
}

interface IdentityOptions {
  /** The same on every agent of the mesh. */
  readonly tokenKeys: TokenKeys;
  /**
   * How long a token lasts, milliseconds. A token with a longer life is refused, whatever agent signed it, so agents
   * that differ refuse each other's longer ones.
   */
  readonly tokenLifetimeMs?: number;
  /** The same on every agent. Default: Keystone's, none. */
  readonly passwordRules?: PasswordRules;
}

/** Issues, verifies and revokes tokens. */
export class IdentityService {
  readonly logIn: PasswordLogIn;
  readonly #deps: ServiceDependencies;
  readonly #keys: TokenKeys;
  readonly #lifetimeMs: number;
  /** When this agent last asked for a newer view because a token names a key that it does not know, monotonic. */
  #askedForKeysMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ServiceDependencies, options: IdentityOptions) {
    this.#deps = deps;
    this.#keys = options.tokenKeys;
    this.logIn = new PasswordLogIn(deps, options.passwordRules);
    this.#lifetimeMs = options.tokenLifetimeMs ?? tokenLifetimeMsDefault;
  }

  /**
   * A token for the user that the request proves to be. Throws `UNAUTHENTICATED`, in the same words whatever was wrong,
   * and `NOT_FOUND` for a token that is not good.
   */
  async issue(reader: StateReader, request: AuthenticationRequest, signal: AbortSignal): Promise<IssuedToken> {
    let user: shoal.v1.User | undefined;
    let parent: Principal | undefined;
    const methods: string[] = [];
    if (request.password !== undefined) {
      const named = findUser(reader, request.password.user);
      // The hash is computed for a user who does not exist, too, and before anything else is looked at.
      const correct = await this.logIn.check(named, request.password.password, signal);
      if (!correct || named === undefined) throw refused();
      user = named;
      methods.push('password');
    }
    if (request.token !== undefined) {
      parent = await this.#parentOf(request.token, signal);
      if (user !== undefined && user.id !== parent.userId) throw refused();
      user = userTable.get(reader, parent.userId)?.record;
      methods.push('token');
    }
    if (user === undefined || !isUsable(reader, user)) throw refused();
    const nowMs = Math.max(this.#deps.clock.nowMs(), user.tokensValidAfterMs);
    const scope = this.#scopeClaims(reader, user, request.scope);
    const claims: TokenClaims = {
      ...userClaims(reader, user),
      ...scope,
      k: epochsOf(reader, user, scope),
      m: methods,
      a: [auditId(), ...(parent?.auditIds.slice(-1) ?? [])],
      i: nowMs,
      e: Math.min(nowMs + this.#lifetimeMs, parent?.expiresMs ?? Number.POSITIVE_INFINITY),
      v: reader.revision,
    };
    return { token: this.#keys.signing(reader).sign(claims), principal: principalOf(claims) };
  }

  /**
   * Whether a token is one of this mesh and in its time; says nothing of what the records think of it. Throws
   * `UNAUTHENTICATED`. One that names a key which this replica does not have yet passes: `authenticate` decides on it.
   */
  checkSignature(token: string): void {
    const reader = this.#deps.state.local;
    if (!this.#isNewer(reader, token)) this.#claimsOf(reader, token);
  }

  #isNewer(reader: StateReader, token: string): boolean {
    const epoch = tokenEpoch(token);
    const current = this.#keys.epoch(reader);
    return epoch !== undefined && epoch > current && epoch <= current + epochsAheadMax;
  }

  #claimsOf(reader: StateReader, token: string): TokenClaims {
    const epoch = tokenEpoch(token);
    const key = epoch === undefined ? undefined : this.#keys.verifying(reader, epoch);
    if (key === undefined) throw refused();
    const claims = key.codec.verify(token);
    const nowMs = this.#deps.clock.nowMs();
    if (claims.i > nowMs + clockSkewMsMax) throw ofTheFuture(claims.i - nowMs);
    if (claims.e <= nowMs) throw refused();
    // No agent issues these: their maker has the key and should not.
    if (claims.e - claims.i > this.#lifetimeMs) throw refused();
    if (claims.i >= key.issuedBeforeMs || nowMs >= key.goodUntilMs) throw refused();
    return claims;
  }

  /** A reader that knows the key of a token, if asking for a newer view brings it; asks once a second at most. */
  async #readerFor(token: string, signal: AbortSignal): Promise<StateReader> {
    const { state, clock } = this.#deps;
    if (!this.#isNewer(state.local, token)) return state.local;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#askedForKeysMs < askForKeysEveryMs) return state.local;
    this.#askedForKeysMs = nowMs;
    try {
      return await state.fresh(signal);
    } catch (error) {
      if (!ShoalError.of(error, isOutage) && !ShoalError.is(error, 'UNAVAILABLE')) throw error;
      return state.local;
    }
  }

  /** Who a token speaks for, by the records this agent has. Throws `UNAUTHENTICATED`. */
  async authenticate(token: string, signal: AbortSignal): Promise<Principal> {
    let reader = await this.#readerFor(token, signal);
    const claims = this.#claimsOf(reader, token);
    if (reader.revision < claims.v) {
      try {
        reader = await this.#deps.state.fresh(signal);
      } catch (error) {
        if (!ShoalError.of(error, isOutage) && !ShoalError.is(error, 'UNAVAILABLE')) throw error;
        // This replica lags behind the agent that issued the token and cannot catch up: what the token says is newer
        // than what is known here, except that it may have been revoked.
        if (this.#isRevoked(reader, claims)) throw refused();
        return principalOf(claims);
      }
    }
    return principalOf(this.#current(reader, claims));
  }

  /** Who a token speaks for that another one is asked for by. Throws `NOT_FOUND`, as Keystone says it of a bad one. */
  async #parentOf(token: string, signal: AbortSignal): Promise<Principal> {
    try {
      return await this.authenticate(token, signal);
    } catch (error) {
      if (!ShoalError.is(error, 'UNAUTHENTICATED')) throw error;
      throw new ShoalError('NOT_FOUND', 'Could not find the token: it is unknown, expired or revoked.', {
        cause: error,
      });
    }
  }

  /** Makes a token useless from now on. Whose it is has been checked. */
  async revoke(context: RequestContext, principal: Principal): Promise<void> {
    const id = principal.auditIds[0] ?? '';
    await transact(this.#deps, context, ({ reader, change }) => {
      if (revokedTokenTable.get(reader, id) !== undefined) return;
      revokedTokenTable.insert(change, new shoal.v1.RevokedToken({ id, expiresMs: principal.expiresMs }));
      const nowMs = this.#deps.clock.nowMs();
      const expired = revokedTokenTable.list(reader).filter((row) => row.record.expiresMs + clockSkewMsMax < nowMs);
      for (const row of expired.slice(0, expiredRowsRemovedMax)) revokedTokenTable.remove(change, row);
    });
  }

  /** The claims as the records have them now. Throws `UNAUTHENTICATED` when they no longer hold. */
  #current(reader: StateReader, claims: TokenClaims): TokenClaims {
    if (this.#isRevoked(reader, claims)) throw refused();
    const user = userTable.get(reader, claims.sub)?.record;
    if (user === undefined || !isUsable(reader, user) || claims.i < user.tokensValidAfterMs) throw refused();
    const epochs = epochsOf(reader, user, claims);
    if (!(claims.k ?? [0, 0, 0, 0]).every((epoch, i) => epoch === epochs[i])) throw refused();
    const scope: ScopeRequest =
      claims.p !== ''
        ? { kind: 'project', project: { id: claims.p } }
        : claims.d !== ''
          ? { kind: 'domain', domain: { id: claims.d } }
          : { kind: claims.y === true ? 'system' : 'unscoped' };
    return { ...claims, ...userClaims(reader, user), ...this.#scopeClaims(reader, user, scope) };
  }

  #isRevoked(reader: StateReader, claims: TokenClaims): boolean {
    return revokedTokenTable.get(reader, claims.a[0] ?? '') !== undefined;
  }

  #scopeClaims(reader: StateReader, user: shoal.v1.User, scope: ScopeRequest | undefined) {
    if (scope === undefined) {
      // Asked for nothing: the default project if it is to be had, else no scope, and no complaint.
      const project = usableProject(reader, projectTable.get(reader, user.defaultProjectId)?.record);
      const roles = project === undefined ? [] : rolesOf(reader, user.id, { projectId: project.id, domainId: '' });
      return project === undefined || roles.length === 0 ? noScope : projectClaims(reader, project, roles);
    }
    switch (scope.kind) {
      case 'unscoped':
        return noScope;
      case 'project': {
        const project = usableProject(reader, findProject(reader, scope.project));
        const roles = project === undefined ? [] : rolesOf(reader, user.id, { projectId: project.id, domainId: '' });
        if (project === undefined || roles.length === 0) throw refused();
        return projectClaims(reader, project, roles);
      }
      case 'domain': {
        const domain = findDomain(reader, scope.domain);
        const roles = domain?.enabled ? rolesOf(reader, user.id, { projectId: '', domainId: domain.id }) : [];
        if (domain === undefined || roles.length === 0) throw refused();
        return { ...noScope, d: domain.id, dn: domain.name, ...roleClaims(roles) };
      }
      case 'system': {
        const roles = rolesOf(reader, user.id, systemScope);
        if (roles.length === 0) throw refused();
        return { ...noScope, y: true, ...roleClaims(roles) };
      }
    }
  }

  /** Projects a user may have a token for. */
  projectsOf(reader: StateReader, userId: string): readonly shoal.v1.Project[] {
    const ids = new Set(assignmentsOf(reader, userId).map((assignment) => assignment.projectId));
    return [...ids]
      .map((id) => usableProject(reader, projectTable.get(reader, id)?.record))
      .filter((project) => project !== undefined);
  }

  /** Whether a user may have a token for the system. */
  hasSystem(reader: StateReader, userId: string): boolean {
    return rolesOf(reader, userId, systemScope).length > 0;
  }

  /** Domains a user may have a token for. */
  domainsOf(reader: StateReader, userId: string): readonly shoal.v1.Domain[] {
    const ids = new Set(assignmentsOf(reader, userId).map((assignment) => assignment.domainId));
    return [...ids]
      .map((id) => domainTable.get(reader, id)?.record)
      .filter((domain) => domain !== undefined)
      .filter((domain) => domain.enabled);
  }
}

/**
 * How often the user, their domain, the scope and its domain were disabled (or the password was changed) so far. A token
 * carries them: what was void once does not come back with the thing, and no clock has to agree with another.
 */
function epochsOf(
  reader: StateReader,
  user: shoal.v1.User,
  scope: { readonly p: string; readonly pd: string; readonly d: string },
): number[] {
  const ofDomain = (id: string): number => domainTable.get(reader, id)?.record.tokenEpoch ?? 0;
  const ofScope = scope.p === '' ? ofDomain(scope.d) : (projectTable.get(reader, scope.p)?.record.tokenEpoch ?? 0);
  return [user.tokenEpoch, ofDomain(user.domainId), ofScope, ofDomain(scope.pd)];
}

const noScope = { p: '', pn: '', pd: '', pdn: '', d: '', dn: '', y: false, r: [] as string[], rn: [] as string[] };

function roleClaims(roles: readonly shoal.v1.Role[]) {
  return { r: roles.map((role) => role.id), rn: roles.map((role) => role.name) };
}

function projectClaims(reader: StateReader, project: shoal.v1.Project, roles: readonly shoal.v1.Role[]) {
  const domainName = domainTable.get(reader, project.domainId)?.record.name ?? '';
  return {
    ...noScope,
    p: project.id,
    pn: project.name,
    pd: project.domainId,
    pdn: domainName,
    ...roleClaims(roles),
  };
}

function userClaims(reader: StateReader, user: shoal.v1.User) {
  const domainName = domainTable.get(reader, user.domainId)?.record.name ?? '';
  return { sub: user.id, un: user.name, ud: user.domainId, udn: domainName };
}

function principalOf(claims: TokenClaims): Principal {
  return {
    userId: claims.sub,
    userName: claims.un,
    userDomainId: claims.ud,
    userDomainName: claims.udn,
    projectId: claims.p,
    projectName: claims.pn,
    projectDomainId: claims.pd,
    projectDomainName: claims.pdn,
    domainId: claims.d,
    domainName: claims.dn,
    isSystem: claims.y === true,
    roles: claims.rn,
    roleIds: claims.r,
    methods: claims.m,
    auditIds: claims.a,
    issuedMs: claims.i,
    expiresMs: claims.e,
  };
}

/** A domain by reference; undefined when there is none. */
export function findDomain(reader: StateReader, reference: DomainReference): shoal.v1.Domain | undefined {
  if (reference.id !== undefined) return domainTable.get(reader, reference.id)?.record;
  return reference.name === undefined ? undefined : domainTable.one(reader, 'name', indexKey(reference.name))?.record;
}

/** The domain that a name is looked up in; without one there is no finding anything by name. */
function domainIdOf(reader: StateReader, reference: NamedReference): string | undefined {
  return reference.domain === undefined ? undefined : findDomain(reader, reference.domain)?.id;
}

/** A user by reference; undefined when there is none. */
export function findUser(reader: StateReader, reference: NamedReference): shoal.v1.User | undefined {
  if (reference.id !== undefined) return userTable.get(reader, reference.id)?.record;
  const domainId = domainIdOf(reader, reference);
  if (domainId === undefined || reference.name === undefined) return undefined;
  return userTable.one(reader, 'name', indexKey(domainId, reference.name))?.record;
}

function findProject(reader: StateReader, reference: NamedReference): shoal.v1.Project | undefined {
  if (reference.id !== undefined) return projectTable.get(reader, reference.id)?.record;
  const domainId = domainIdOf(reader, reference);
  if (domainId === undefined || reference.name === undefined) return undefined;
  return projectTable.one(reader, 'name', indexKey(domainId, reference.name))?.record;
}

function isUsable(reader: StateReader, user: shoal.v1.User): boolean {
  return user.enabled && domainTable.get(reader, user.domainId)?.record.enabled === true;
}

function usableProject(reader: StateReader, project: shoal.v1.Project | undefined): shoal.v1.Project | undefined {
  if (project === undefined || !project.enabled) return undefined;
  return domainTable.get(reader, project.domainId)?.record.enabled === true ? project : undefined;
}

function auditId(): string {
  return randomBytes(16).toString('base64url');
}
