import type { FastifyInstance } from 'fastify';
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
import { addIdentityList, rootOf } from './lists.ts';
import { roleView } from './views.ts';

type ByGrant = { Params: { scope?: string; user: string; role: string } };

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
  for (const { path, scopeOf, must } of kinds) {
    addIdentityList(app, gateway, {
      path: `${path}/users/:user/roles`,
      key: 'roles',
      items: ({ reader, parameters: { scope = '', user = '' } }) => {
        userTable.must(reader, user);
        must(reader, scope);
        const { projectId, domainId, system = false } = scopeOf(scope);
        return assignmentsOf(reader, user)
          .filter((given) => given.projectId === projectId && given.domainId === domainId && given.system === system)
          .flatMap((given) => roleTable.find(reader, given.roleId)?.record ?? []);
      },
      view: (role, listing) => roleView(rootOf(listing), role),
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
