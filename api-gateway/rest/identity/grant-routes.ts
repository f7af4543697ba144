import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import {
  type AssignmentScope,
  assignmentId,
  assignmentsOf,
  systemScope,
} from '../../../node/services/identity/roles.ts';
import {
  domainTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  userTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { Gateway } from '../kit/module.ts';
import { listAnswer } from './lists.ts';
import { roleView } from './views.ts';

type ByGrant = { Params: { scope?: string; user: string; role: string } };
type ByHolder = { Params: { scope?: string; user: string } };

/** What roles are given on: its path, the scope of an id in that path, and whether it is there. */
interface Kind {
  readonly path: string;
  readonly scopeOf: (id: string) => AssignmentScope;
  readonly must: (reader: StateReader, id: string) => void;
}

const kinds: readonly Kind[] = [
  {
    path: '/v3/projects/:scope',
    scopeOf: (id) => ({ projectId: id, domainId: '' }),
    must: (reader, id) => projectTable.must(reader, id),
  },
  {
    path: '/v3/domains/:scope',
    scopeOf: (id) => ({ projectId: '', domainId: id }),
    must: (reader, id) => domainTable.must(reader, id),
  },
  { path: '/v3/system', scopeOf: () => systemScope, must: () => undefined },
];

/** The roles of users on projects, domains and the system. */
export function addGrantRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/identity`;

  for (const { path, scopeOf, must } of kinds) {
    app.get<ByHolder>(`${path}/users/:user/roles`, async (request) => {
      const reader = await gateway.readState(request);
      const { scope = '', user } = request.params;
      userTable.must(reader, user);
      must(reader, scope);
      const { projectId, domainId, system = false } = scopeOf(scope);
      const roles = assignmentsOf(reader, user)
        .filter((given) => given.projectId === projectId && given.domainId === domainId && given.system === system)
        .flatMap((given) => roleTable.find(reader, given.roleId)?.record ?? []);
      return listAnswer(gateway, request, {
        key: 'roles',
        items: roles,
        filters: {},
        view: (role) => roleView(root(request), role),
      });
    });

    // HEAD comes with it.
    app.get<ByGrant>(`${path}/users/:user/roles/:role`, async (request, reply) => {
      const { scope = '', user, role } = request.params;
      roleAssignmentTable.must(await gateway.readState(request), assignmentId(user, scopeOf(scope), role));
      return reply.code(204).send();
    });

    app.put<ByGrant>(`${path}/users/:user/roles/:role`, async (request, reply) => {
      const { scope = '', user, role } = request.params;
      await directory.grant(gateway.context(request), user, scopeOf(scope), role);
      return reply.code(204).send();
    });

    app.delete<ByGrant>(`${path}/users/:user/roles/:role`, async (request, reply) => {
      const { scope = '', user, role } = request.params;
      await directory.revokeGrant(gateway.context(request), user, scopeOf(scope), role);
      return reply.code(204).send();
    });
  }
}
