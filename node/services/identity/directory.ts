/** Domains, projects, users, roles and who has which role where: the records behind identity, changed by administrators. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row, type Table } from '../../state/table.ts';
import { domainTable, projectTable, roleAssignmentTable, roleTable, userTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { type Change, transact } from '../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../kit/transact-in-pieces.ts';
import { type Extras, mergedExtras } from './extras.ts';
import { noFailures, type PasswordLogIn } from './password-log-in.ts';
import { type AssignmentScope, assignmentId, newAssignment } from './roles.ts';

/** Domain that everything belongs to unless it says otherwise. Clients count on this id. */
export const defaultDomainId = 'default';

interface DomainFields {
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  /** At a change: these are set, the others stay. */
  readonly extras?: Extras;
}

interface ProjectFields {
  readonly name: string;
  readonly domainId: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly tags: readonly string[];
  /** At a change: these are set, the others stay. */
  readonly extras?: Extras;
}

interface UserFields {
  readonly name: string;
  readonly domainId: string;
  readonly defaultProjectId: string;
  readonly email: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Absent: left as it is; at creation, none. */
  readonly password?: string;
  /** At a change: these are set, the others stay. */
  readonly extras?: Extras;
}

interface RoleFields {
  readonly name: string;
  readonly description: string;
  /** At a change: these are set, the others stay. */
  readonly extras?: Extras;
}

/** Reads are done on the tables; this makes the changes. Who may ask for them is the gateway's policy. */
export class IdentityDirectory {
  readonly #deps: ServiceDependencies;
  readonly #logIn: PasswordLogIn;

  constructor(deps: ServiceDependencies, logIn: PasswordLogIn) {
    this.#deps = deps;
    this.#logIn = logIn;
  }

  createDomain(context: RequestContext, fields: DomainFields): Promise<shoal.v1.Domain> {
    return transact(this.#deps, context, ({ reader, change }) => {
      mustBeFree(domainTable, reader, indexKey(fields.name), `A domain named ${fields.name} exists already.`);
      const domain = new shoal.v1.Domain({ id: this.#newId(), ...fields, extras: mergedExtras({}, fields.extras) });
      domainTable.insert(change, domain);
      return domain;
    });
  }

  updateDomain(context: RequestContext, id: string, fields: Partial<DomainFields>): Promise<shoal.v1.Domain> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = domainTable.must(reader, id);
      const next = new shoal.v1.Domain({
        ...row.record,
        ...fields,
        extras: mergedExtras(row.record.extras, fields.extras),
      });
      if (id === defaultDomainId && !next.enabled) {
        throw new ShoalError('FORBIDDEN', 'The default domain cannot be disabled: nobody could log in any more.');
      }
      if (next.name !== row.record.name) {
        mustBeFree(domainTable, reader, indexKey(next.name), `A domain named ${next.name} exists already.`);
      }
      if (row.record.enabled && !next.enabled) next.tokenEpoch += 1;
      domainTable.update(change, row, next);
      return next;
    });
  }

  /**
   * Removes a domain with its projects, users and their roles. It must have been disabled first, as in Keystone. A large one
   * goes in pieces: when it fails in between, the domain is there, disabled, and the same request goes on.
   */
  async deleteDomain(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, ({ reader, change }) => {
      const row = domainTable.must(reader, id);
      if (row.record.enabled) {
        throw new ShoalError('FORBIDDEN', `Domain ${row.record.name} is enabled; disable it before it is deleted.`);
      }
      const gone = new AssignmentRemoval(reader, change);
      for (const project of projectTable.list(reader)) {
        if (project.record.domainId !== id) continue;
        if (!gone.ofProject(project.record.id)) return unfinished;
        projectTable.remove(change, project);
      }
      for (const user of userTable.list(reader)) {
        if (user.record.domainId !== id) continue;
        if (!gone.ofUser(user.record.id)) return unfinished;
        userTable.remove(change, user);
      }
      if (!gone.where((assignment) => assignment.domainId === id)) return unfinished;
      domainTable.remove(change, row);
      return undefined;
    });
  }

  createProject(context: RequestContext, fields: ProjectFields): Promise<shoal.v1.Project> {
    return transact(this.#deps, context, ({ reader, change }) => {
      // The domain must still be there when the project comes.
      domainTable.unchanged(change, mustHaveDomain(reader, fields.domainId));
      this.#freeProjectName(reader, fields);
      const project = new shoal.v1.Project({
        ...fields,
        id: this.#newId(),
        tags: [...fields.tags],
        extras: mergedExtras({}, fields.extras),
      });
      projectTable.insert(change, project);
      return project;
    });
  }

  updateProject(
    context: RequestContext,
    id: string,
    fields: Partial<Omit<ProjectFields, 'domainId'>>,
  ): Promise<shoal.v1.Project> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = projectTable.must(reader, id);
      const next = new shoal.v1.Project({
        ...row.record,
        ...fields,
        tags: [...(fields.tags ?? row.record.tags)],
        extras: mergedExtras(row.record.extras, fields.extras),
      });
      if (row.record.enabled && !next.enabled) next.tokenEpoch += 1;
      if (next.name !== row.record.name) this.#freeProjectName(reader, next);
      projectTable.update(change, row, next);
      return next;
    });
  }

  /** Replaces a project's tags by what `change` makes of those it has. */
  async changeTags(
    context: RequestContext,
    id: string,
    changeTags: (tags: readonly string[]) => readonly string[],
  ): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = projectTable.must(reader, id);
      projectTable.update(change, row, new shoal.v1.Project({ ...row.record, tags: [...changeTags(row.record.tags)] }));
    });
  }

  /**
   * Removes a project and the roles on it. What the project owns elsewhere stays for administrators to remove. One with many
   * roles is disabled first: when it fails in between, that is how it stays, and the same request goes on.
   */
  async deleteProject(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, ({ reader, change }) => {
      const row = projectTable.must(reader, id);
      const { record } = row;
      if (!new AssignmentRemoval(reader, change).ofProject(id)) {
        if (record.enabled) {
          const next = { ...record, enabled: false, tokenEpoch: record.tokenEpoch + 1 };
          projectTable.update(change, row, new shoal.v1.Project(next));
        }
        return unfinished;
      }
      projectTable.remove(change, row);
      return undefined;
    });
  }

  async createUser(context: RequestContext, fields: UserFields): Promise<shoal.v1.User> {
    const { password, ...rest } = fields;
    const passwordHash = password === undefined ? '' : await this.#logIn.passwords.hash(password);
    return transact(this.#deps, context, ({ reader, change }) => {
      domainTable.unchanged(change, mustHaveDomain(reader, fields.domainId));
      this.#freeUserName(reader, fields);
      const user = new shoal.v1.User({
        ...rest,
        id: this.#newId(),
        passwordHash,
        extras: mergedExtras({}, fields.extras),
      });
      userTable.insert(change, user);
      return user;
    });
  }

  /** A new password, null for none, or being disabled ends the user's tokens. */
  async updateUser(
    context: Pick<RequestContext, 'signal'>,
    id: string,
    fields: Partial<Omit<UserFields, 'domainId' | 'password'>> & { readonly password?: string | null },
  ): Promise<shoal.v1.User> {
    const { password, ...rest } = fields;
    // As of a user who was made without one: no text fits it.
    const none = password === null ? '' : undefined;
    const passwordHash = password == null ? none : await this.#logIn.passwords.hash(password);
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = userTable.must(reader, id);
      const next = new shoal.v1.User({
        ...row.record,
        ...rest,
        extras: mergedExtras(row.record.extras, fields.extras),
      });
      if (passwordHash !== undefined) {
        next.passwordHash = passwordHash;
        next.formerPasswordHashes = this.#logIn.formerHashes(row.record);
      }
      // Either way an administrator lets in again who was locked out.
      if (passwordHash !== undefined || rest.enabled === true) Object.assign(next, noFailures);
      if (passwordHash !== undefined || (row.record.enabled && !next.enabled)) {
        next.tokensValidAfterMs = this.#deps.clock.nowMs();
        next.tokenEpoch += 1;
      }
      if (next.name !== row.record.name) this.#freeUserName(reader, next);
      userTable.update(change, row, next);
      return next;
    });
  }

  /** A user's own change of password. Throws `UNAUTHENTICATED` when `original` is not the one they have. The rules of history bind here, not an administrator. */
  async changePassword(
    context: Pick<RequestContext, 'signal'>,
    reader: StateReader,
    id: string,
    passwords: { readonly original: string; readonly wanted: string },
  ): Promise<void> {
    const user = userTable.get(reader, id)?.record;
    if (!(await this.#logIn.check(user, passwords.original, context.signal)) || user === undefined) {
      throw new ShoalError('UNAUTHENTICATED', 'The original password is not right.');
    }
    await this.#logIn.mustBeNew(user, passwords.wanted);
    await this.updateUser(context, id, { password: passwords.wanted });
  }

  /** Removes a user and their roles. One with many is disabled first, as a project is. */
  async deleteUser(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, ({ reader, change }) => {
      const row = userTable.must(reader, id);
      const { record } = row;
      if (!new AssignmentRemoval(reader, change).ofUser(id)) {
        if (record.enabled) {
          const tokensValidAfterMs = this.#deps.clock.nowMs();
          const next = { ...record, enabled: false, tokensValidAfterMs, tokenEpoch: record.tokenEpoch + 1 };
          userTable.update(change, row, new shoal.v1.User(next));
        }
        return unfinished;
      }
      userTable.remove(change, row);
      return undefined;
    });
  }

  createRole(context: RequestContext, fields: RoleFields): Promise<shoal.v1.Role> {
    return transact(this.#deps, context, ({ reader, change }) => {
      this.#freeRoleName(reader, fields.name);
      const role = new shoal.v1.Role({ id: this.#newId(), ...fields, extras: mergedExtras({}, fields.extras) });
      roleTable.insert(change, role);
      return role;
    });
  }

  updateRole(context: RequestContext, id: string, fields: Partial<RoleFields>): Promise<shoal.v1.Role> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = roleTable.must(reader, id);
      const next = new shoal.v1.Role({
        ...row.record,
        ...fields,
        extras: mergedExtras(row.record.extras, fields.extras),
      });
      if (next.name.toLowerCase() !== row.record.name.toLowerCase()) this.#freeRoleName(reader, next.name);
      roleTable.update(change, row, next);
      return next;
    });
  }

  /** Removes a role and takes it from all who have it; from very many in pieces, and the role last. */
  async deleteRole(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, ({ reader, change }) => {
      const row = roleTable.must(reader, id);
      if (!new AssignmentRemoval(reader, change).ofRole(id)) return unfinished;
      roleTable.remove(change, row);
      return undefined;
    });
  }

  /** Gives a role; giving it again changes nothing. Throws `NOT_FOUND` for an unknown user, role or scope. */
  async grant(context: RequestContext, userId: string, scope: AssignmentScope, roleId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const user = userTable.must(reader, userId);
      const role = roleTable.must(reader, roleId);
      if (roleAssignmentTable.get(reader, assignmentId(userId, scope, roleId)) !== undefined) {
        mustHaveScope(reader, scope);
        return;
      }
      userTable.unchanged(change, user);
      roleTable.unchanged(change, role);
      const held = mustHaveScope(reader, scope);
      if (held !== undefined) change.compare({ key: held.table.key(held.row.record.id), revision: held.row.revision });
      roleAssignmentTable.insert(change, newAssignment(userId, scope, roleId));
    });
  }

  /** Takes a role away. Throws `NOT_FOUND` when the user does not have it. */
  async revokeGrant(context: RequestContext, userId: string, scope: AssignmentScope, roleId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const id = assignmentId(userId, scope, roleId);
      roleAssignmentTable.remove(change, roleAssignmentTable.must(reader, id));
    });
  }

  /** Keystone's form of an id: a UUID without dashes. */
  #newId(): string {
    return this.#deps.newId().replaceAll('-', '');
  }

  #freeProjectName(reader: StateReader, project: { readonly domainId: string; readonly name: string }): void {
    const key = indexKey(project.domainId, project.name);
    mustBeFree(projectTable, reader, key, `A project named ${project.name} exists already in this domain.`);
  }

  #freeUserName(reader: StateReader, user: { readonly domainId: string; readonly name: string }): void {
    const key = indexKey(user.domainId, user.name);
    mustBeFree(userTable, reader, key, `A user named ${user.name} exists already in this domain.`);
  }

  #freeRoleName(reader: StateReader, name: string): void {
    mustBeFree(roleTable, reader, indexKey('', name.toLowerCase()), `A role named ${name} exists already.`);
  }
}

/** Removes assignments, each once however many reasons there are for it. False: some are left, for want of room. */
class AssignmentRemoval {
  readonly #reader: StateReader;
  readonly #change: Change;

  constructor(reader: StateReader, change: Change) {
    this.#reader = reader;
    this.#change = change;
  }

  ofUser(id: string): boolean {
    return this.#remove(roleAssignmentTable.by(this.#reader, 'user', indexKey(id)));
  }

  ofProject(id: string): boolean {
    return this.#remove(roleAssignmentTable.by(this.#reader, 'project', indexKey(id)));
  }

  ofRole(id: string): boolean {
    return this.#remove(roleAssignmentTable.by(this.#reader, 'role', indexKey(id)));
  }

  where(holds: (assignment: shoal.v1.RoleAssignment) => boolean): boolean {
    return this.#remove(roleAssignmentTable.list(this.#reader).filter((row) => holds(row.record)));
  }

  #remove(rows: readonly Row<shoal.v1.RoleAssignment>[]): boolean {
    const change = this.#change;
    return (
      editWhileRoom({ change }, rows, (row) => {
        if (change.take(roleAssignmentTable.key(row.record.id))) roleAssignmentTable.remove(change, row);
      }) && change.hasRoom
    );
  }
}

function mustBeFree<T extends object>(table: Table<T>, reader: StateReader, key: string, message: string): void {
  if (table.one(reader, 'name', key) !== undefined) {
    throw new ShoalError('CONFLICT', message, { facts: { table: table.definition.name } });
  }
}

function mustHaveDomain(reader: StateReader, id: string): Row<shoal.v1.Domain> {
  return domainTable.must(reader, id);
}

/** The record that a scope is; undefined for the system, which is always there. */
function mustHaveScope(reader: StateReader, scope: AssignmentScope) {
  if (scope.system === true) return undefined;
  return scope.projectId !== ''
    ? { table: projectTable, row: projectTable.must(reader, scope.projectId) }
    : { table: domainTable, row: domainTable.must(reader, scope.domainId) };
}
