import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { IdentityDirectory } from '../../../node/services/identity-directory.ts';
import { type AssignmentScope, assignmentId, rolesOf } from '../../../node/services/identity-roles.ts';
import {
  domainTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  userTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../module.ts';
import { parse } from '../validation.ts';
import { assignmentFilters, roleFilters } from './filters.ts';
import { isAsked, listAnswer, queryOf } from './lists.ts';
import { createRoleBody, updateRoleBody } from './schemas.ts';
import { roleView } from './views.ts';

type ById = { Params: { id: string } };
type ByGrant = { Params: { scope: string; user: string; role: string } };
type ByHolder = { Params: { scope: string; user: string } };

/** `/v3/roles`, the grants below projects and domains, and `/v3/role_assignments`. */
export function addRoleRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/identity`;

  app.get('/v3/roles', async (request) => {
    return listAnswer(gateway, request, {
      key: 'roles',
      items: roleTable.list(await gateway.readState(request)).map((row) => row.record),
      filters: roleFilters,
      view: (role) => roleView(root(request), role),
    });
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
    });
    return reply.code(201).send({ role: roleView(root(request), made) });
  });

  app.patch<ById>('/v3/roles/:id', async (request) => {
    const { name, description } = parse(updateRoleBody, request.body).role;
    const changed = await directory.updateRole(gateway.context(request), request.params.id, {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description: description ?? '' }),
    });
    return { role: roleView(root(request), changed) };
  });

  app.delete<ById>('/v3/roles/:id', async (request, reply) => {
    await directory.deleteRole(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });

  for (const kind of ['projects', 'domains'] as const) {
    const scopeOf = (id: string): AssignmentScope =>
      kind === 'projects' ? { projectId: id, domainId: '' } : { projectId: '', domainId: id };

    app.get<ByHolder>(`/v3/${kind}/:scope/users/:user/roles`, async (request) => {
      const reader = await gateway.readState(request);
      const { scope, user } = request.params;
      userTable.must(reader, user);
      if (kind === 'projects') projectTable.must(reader, scope);
      else domainTable.must(reader, scope);
      const granted = rolesOf(reader, user, scopeOf(scope)).filter(
        (role) => roleAssignmentTable.get(reader, assignmentId(user, scopeOf(scope), role.id)) !== undefined,
      );
      return listAnswer(gateway, request, {
        key: 'roles',
        items: granted,
        filters: {},
        view: (role) => roleView(root(request), role),
      });
    });

    app.head<ByGrant>(`/v3/${kind}/:scope/users/:user/roles/:role`, async (request, reply) => {
      const { scope, user, role } = request.params;
      roleAssignmentTable.must(await gateway.readState(request), assignmentId(user, scopeOf(scope), role));
      return reply.code(204).send();
    });

    app.put<ByGrant>(`/v3/${kind}/:scope/users/:user/roles/:role`, async (request, reply) => {
      const { scope, user, role } = request.params;
      await directory.grant(gateway.context(request), user, scopeOf(scope), role);
      return reply.code(204).send();
    });

    app.delete<ByGrant>(`/v3/${kind}/:scope/users/:user/roles/:role`, async (request, reply) => {
      const { scope, user, role } = request.params;
      await directory.revokeGrant(gateway.context(request), user, scopeOf(scope), role);
      return reply.code(204).send();
    });
  }

  app.get('/v3/role_assignments', async (request) => {
    const query = queryOf(request);
    const reader = await gateway.readState(request);
    const names = isAsked(query, 'include_names');
    const assignments = roleAssignmentTable.list(reader).map((row) => row.record);
    const all = isAsked(query, 'effective')
      ? assignments.flatMap((assignment) => withImplied(reader, assignment))
      : assignments;
    return listAnswer(gateway, request, {
      key: 'role_assignments',
      items: [...new Map(all.map((assignment) => [assignment.id, assignment])).values()],
      filters: assignmentFilters,
      view: (assignment) => assignmentView(reader, root(request), assignment, names),
    });
  });
}

/** An assignment and those that its role brings with it. */
function withImplied(reader: StateReader, assignment: shoal.v1.RoleAssignment): readonly shoal.v1.RoleAssignment[] {
  const scope = { projectId: assignment.projectId, domainId: assignment.domainId };
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
  const { userId, roleId, projectId, domainId } = assignment;
  const scopePath = projectId === '' ? `domains/${domainId}` : `projects/${projectId}`;
  const links = { assignment: `${root}/v3/${scopePath}/users/${userId}/roles/${roleId}` };
  if (!names) {
    return {
      user: { id: userId },
      role: { id: roleId },
      scope: projectId === '' ? { domain: { id: domainId } } : { project: { id: projectId } },
      links,
    };
  }
  const domain = (id: string) => ({ id, name: domainTable.find(reader, id)?.record.name ?? '' });
  const user = userTable.find(reader, userId)?.record;
  const project = projectTable.find(reader, projectId)?.record;
  return {
    user: { id: userId, name: user?.name ?? '', domain: domain(user?.domainId ?? '') },
    role: { id: roleId, name: roleTable.find(reader, roleId)?.record.name ?? '' },
    scope:
      projectId === ''
        ? { domain: domain(domainId) }
        : { project: { id: projectId, name: project?.name ?? '', domain: domain(project?.domainId ?? '') } },
    links,
  };
}
