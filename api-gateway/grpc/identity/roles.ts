import { ShoalError } from '../../../node/base/errors.ts';
import type { Handlers } from '../../../node/rpc/server.ts';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import type { AssignmentScope } from '../../../node/services/identity/roles.ts';
import { roleAssignmentTable, roleTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { parse } from '../../rest/kit/validation.ts';
import { createRoleBody, updateRoleBody } from '../../rest/schemas/identity.ts';
import { attributesOf } from '../kit/attributes.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { isOr, pageById } from '../kit/page.ts';

type Served = Handlers<shoal.v1.IdentityService, Caller>;

/** Roles, as `/v3/roles` has them. */
export function roleHandlers(
  callers: Callers,
  directory: IdentityDirectory,
): Pick<Served, 'listRoles' | 'getRole' | 'createRole' | 'updateRole' | 'deleteRole'> {
  return {
    listRoles: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const found = roleTable
          .list(reader)
          .map((row) => row.record)
          .filter(({ name }) => isOr(request.name, name));
        const { page, nextPageToken } = pageById(found, request);
        return { roles: page.map(roleView), nextPageToken, stale, revision: reader.revision };
      }),
    getRole: ({ roleId }, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { role: roleView(roleTable.must(reader, roleId).record), stale };
      }),
    createRole: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { name, description } = parse(createRoleBody.properties.role, attributesOf(request), 'request');
        const role = await directory.createRole(context, { name, description: description ?? '' });
        return { role: roleView(role) };
      }),
    updateRole: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const attributes = attributesOf(request, { omitted: ['roleId'] });
        const { name, description } = parse(updateRoleBody.properties.role, attributes, 'request');
        const role = await directory.updateRole(context, request.roleId, {
          ...(name === undefined ? {} : { name }),
          ...(description == null ? {} : { description }),
        });
        return { role: roleView(role) };
      }),
    deleteRole: ({ roleId }, call) =>
      callers.serve(call, async ({ context }) => {
        await directory.deleteRole(context, roleId);
        return {};
      }),
  };
}

/** Who has which role where, as `/v3/role_assignments` and `/v3/{projects,domains,system}/.../roles` have it. */
export function assignmentHandlers(
  callers: Callers,
  directory: IdentityDirectory,
): Pick<Served, 'listRoleAssignments' | 'createRoleAssignment' | 'deleteRoleAssignment'> {
  return {
    listRoleAssignments: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const found = roleAssignmentTable
          .list(reader)
          .map((row) => row.record)
          .filter(
            ({ userId, projectId, domainId, roleId }) =>
              isOr(request.userId, userId) &&
              isOr(request.projectId, projectId) &&
              isOr(request.domainId, domainId) &&
              isOr(request.roleId, roleId),
          );
        const { page, nextPageToken } = pageById(found, request);
        return { roleAssignments: page.map(assignmentView), nextPageToken, stale, revision: reader.revision };
      }),
    createRoleAssignment: (request, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        const scope = scopeOf(request);
        if (scope.system === true) enforce('identity:create_system_grant_for_user');
        await directory.grant(context, request.userId, scope, request.roleId);
        return {};
      }),
    deleteRoleAssignment: (request, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        const scope = scopeOf(request);
        if (scope.system === true) enforce('identity:revoke_system_grant_for_user');
        await directory.revokeGrant(context, request.userId, scope, request.roleId);
        return {};
      }),
  };
}

/** What a role is given on. Throws `INVALID_ARGUMENT` unless it is exactly one thing. */
function scopeOf({ projectId, domainId, system }: Required<AssignmentScope>): AssignmentScope {
  const set = [projectId !== '', domainId !== '', system].filter(Boolean).length;
  if (set === 1) return { projectId, domainId, system };
  throw new ShoalError('INVALID_ARGUMENT', 'Exactly one of project_id, domain_id and system must be set.');
}

function roleView({ id, name, description }: shoal.v1.Role): shoal.v1.RoleView {
  return new shoal.v1.RoleView({ id, name, description });
}

function assignmentView(assignment: shoal.v1.RoleAssignment): shoal.v1.RoleAssignmentView {
  const { userId, roleId, projectId, domainId, system } = assignment;
  return new shoal.v1.RoleAssignmentView({ userId, roleId, projectId, domainId, system });
}
