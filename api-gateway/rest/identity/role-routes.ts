import type { FastifyInstance, FastifyRequest } from 'fastify';
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
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { createRoleBody, updateRoleBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { assignmentFilters, roleFilters } from './filters.ts';
import { addGrantRoutes } from './grant-routes.ts';
import { addIdentityList, isAsked, rootOf } from './lists.ts';
import { roleView } from './views.ts';

type ById = { Params: { id: string } };

/** `/v3/roles` and `/v3/role_assignments`. */
export function addRoleRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/identity`;

  addIdentityList(app, gateway, {
    path: '/v3/roles',
    key: 'roles',
    items: ({ reader }) => roleTable.list(reader).map((row) => row.record),
    filters: roleFilters,
    view: (role, listing) => roleView(rootOf(listing), role),
  });

  app.get<ById>('/v3/roles/:id', async (request) => {
    const role = roleTable.must(await gateway.readState(request), request.params.id).record;
    return { role: roleView(root(request), role) };
  });

  app.post('/v3/roles', async (request, reply) => {
    const { role } = parse(createRoleBody, request.body);
    if (role.domain_id != null) throw new ShoalError('NOT_IMPLEMENTED', 'Roles of one domain are not supported.');
    const made = await directory.createRole(gateway.context(request), {
      name: role.name,
      description: role.description ?? '',
      extras: extrasOf(createRoleBody.properties.role, role),
    });
    return reply.code(201).send({ role: roleView(root(request), made) });
  });

  app.patch<ById>('/v3/roles/:id', async (request) => {
    const { role } = parse(updateRoleBody, request.body);
    const { name, description } = role;
    const changed = await directory.updateRole(gateway.context(request), request.params.id, {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description: description ?? '' }),
      extras: extrasOf(updateRoleBody.properties.role, role, request.params.id),
    });
    return { role: roleView(root(request), changed) };
  });

  app.delete<ById>('/v3/roles/:id', async (request, reply) => {
    await directory.deleteRole(gateway.context(request), request.params.id);
    return reply.code(204).send();
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
