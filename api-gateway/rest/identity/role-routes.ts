import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { assignmentId, rolesOf } from '../../../node/services/identity/roles.ts';
import {
  domainTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  userTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { change } from '../kit/lists/collection.ts';
import type { Gateway } from '../kit/module.ts';
import { createRoleBody, updateRoleBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { assignmentFilters, roleFilters } from './filters.ts';
import { addGrantRoutes } from './grant-routes.ts';
import { addIdentityCollection, addIdentityList, isAsked, rootOf } from './lists.ts';
import { roleView } from './views.ts';

/** `/v3/roles` and `/v3/role_assignments`. */
export function addRoleRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  addIdentityCollection(app, gateway, {
    path: '/v3/roles',
    key: 'roles',
    one: 'role',
    table: roleTable,
    filters: roleFilters,
    view: (role, shown) => roleView(rootOf(shown), role),
    create: change(createRoleBody, async ({ role }, { context }) => {
      if (role.domain_id != null) throw new ShoalError('NOT_IMPLEMENTED', 'Roles of one domain are not supported.');
      return directory.createRole(context, {
        name: role.name,
        description: role.description ?? '',
        extras: extrasOf(createRoleBody.properties.role, role),
      });
    }),
    update: change(updateRoleBody, async ({ role }, { context, id }) => {
      const { name, description } = role;
      return directory.updateRole(context, id, {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description: description ?? '' }),
        extras: extrasOf(updateRoleBody.properties.role, role, id),
      });
    }),
    delete: async ({ context, id }) => {
      await directory.deleteRole(context, id);
    },
  });

  addGrantRoutes(app, gateway, directory);

  addIdentityList(app, gateway, {
    path: '/v3/role_assignments',
    key: 'role_assignments',
    items: ({ query, reader }) => {
      const assignments = roleAssignmentTable.list(reader).map((row) => row.record);
      const all = isAsked(query, 'effective')
        ? assignments.flatMap((assignment) => withImplied(reader, assignment))
        : assignments;
      return [...new Map(all.map((assignment) => [assignment.id, assignment])).values()];
    },
    filters: assignmentFilters,
    view: (assignment, listing) =>
      assignmentView(listing.reader, rootOf(listing), assignment, isAsked(listing.query, 'include_names')),
  });
}

/** An assignment and those that its role brings with it. */
function withImplied(reader: StateReader, assignment: shoal.v1.RoleAssignment): readonly shoal.v1.RoleAssignment[] {
  const { projectId, domainId, system } = assignment;
  const scope = { projectId, domainId, system };
  return rolesOf(reader, assignment.userId, scope).map((role) => ({
    ...assignment,
    id: assignmentId(assignment.userId, scope, role.id),
    roleId: role.id,
  }));
}

function assignmentView(
  reader: StateReader,
  root: string,
  assignment: shoal.v1.RoleAssignment,
  names: boolean,
): object {
  const { userId, roleId } = assignment;
  const links = { assignment: `${root}/v3/${scopePath(assignment)}/users/${userId}/roles/${roleId}` };
  const scope = scopeView(reader, assignment, names);
  if (!names) return { user: { id: userId }, role: { id: roleId }, scope, links };
  const user = userTable.find(reader, userId)?.record;
  return {
    user: { id: userId, name: user?.name ?? '', domain: namedDomain(reader, user?.domainId ?? '') },
    role: { id: roleId, name: roleTable.find(reader, roleId)?.record.name ?? '' },
    scope,
    links,
  };
}

function scopePath({ projectId, domainId, system }: shoal.v1.RoleAssignment): string {
  if (system) return 'system';
  return projectId === '' ? `domains/${domainId}` : `projects/${projectId}`;
}

function scopeView(reader: StateReader, assignment: shoal.v1.RoleAssignment, names: boolean): object {
  const { projectId, domainId, system } = assignment;
  if (system) return { system: { all: true } };
  if (projectId === '') return { domain: names ? namedDomain(reader, domainId) : { id: domainId } };
  if (!names) return { project: { id: projectId } };
  const project = projectTable.find(reader, projectId)?.record;
  const domain = namedDomain(reader, project?.domainId ?? '');
  return { project: { id: projectId, name: project?.name ?? '', domain } };
}

function namedDomain(reader: StateReader, id: string): object {
  return { id, name: domainTable.find(reader, id)?.record.name ?? '' };
}
