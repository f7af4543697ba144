import { shoal } from '../../../proto/messages.ts';
import { must } from '../../base/assert.ts';
import { ownValue } from '../../base/own-value.ts';
import { indexKey } from '../../state/table.ts';
import { roleAssignmentTable, roleTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';

/** Roles that come with another, as Keystone's bootstrap sets them up: who may administer may also manage, act, and so look. */
const implied: Readonly<Record<string, readonly string[]>> = {
  admin: ['manager', 'member', 'reader'],
  manager: ['member', 'reader'],
  member: ['reader'],
};

/** What a user is given roles on. Exactly one of the three is set. */
export interface AssignmentScope {
  readonly projectId: string;
  readonly domainId: string;
  /** The cloud as a whole. Default: false. */
  readonly system?: boolean;
}

/** The cloud as a whole, as what roles are given on. */
export const systemScope: AssignmentScope = { projectId: '', domainId: '', system: true };

/** The id of an assignment's record. */
export function assignmentId(userId: string, scope: AssignmentScope, roleId: string): string {
  return `${userId}/${scopeName(scope)}/${roleId}`;
}

function scopeName({ projectId, domainId, system }: AssignmentScope): string {
  if (system === true) return 'system:all';
  return projectId === '' ? `domain:${domainId}` : projectId;
}

/** Assignments of a user, on everything. */
export function assignmentsOf(reader: StateReader, userId: string): readonly shoal.v1.RoleAssignment[] {
  return roleAssignmentTable.by(reader, 'user', indexKey(userId)).map((row) => row.record);
}

/** Roles of a user within a scope, the implied ones after those that were given. By id, each once. */
export function rolesOf(reader: StateReader, userId: string, scope: AssignmentScope): readonly shoal.v1.Role[] {
  const roles = new Map<string, shoal.v1.Role>();
  for (const assignment of assignmentsOf(reader, userId)) {
    if (assignment.projectId !== scope.projectId || assignment.domainId !== scope.domainId) continue;
    if (assignment.system !== (scope.system ?? false)) continue;
    const role = roleTable.find(reader, assignment.roleId)?.record;
    if (role !== undefined) roles.set(role.id, role);
  }
  for (const role of [...roles.values()]) {
    for (const name of ownValue(implied, role.name) ?? []) {
      const other = roleByName(reader, name);
      if (other !== undefined) roles.set(other.id, other);
    }
  }
  return [...roles.values()];
}

/** A role by its name, without regard to case. */
export function roleByName(reader: StateReader, name: string): shoal.v1.Role | undefined {
  return roleTable.one(reader, 'name', indexKey('', name.toLowerCase()))?.record;
}

/** A new assignment's record. */
export function newAssignment(userId: string, scope: AssignmentScope, roleId: string): shoal.v1.RoleAssignment {
  const set = [scope.projectId !== '', scope.domainId !== '', scope.system === true].filter(Boolean).length;
  must(set === 1 ? true : undefined, 'one scope of an assignment');
  return new shoal.v1.RoleAssignment({ id: assignmentId(userId, scope, roleId), userId, roleId, ...scope });
}
