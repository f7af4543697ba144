import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import { defaultDomainId, type IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { findUser, type IdentityService } from '../../../node/services/identity/identity.ts';
import { userTable } from '../../../node/state/tables/index.ts';
import { change } from '../kit/lists/collection.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { changePasswordBody, createUserBody, updateUserBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { nobody, projectFilters, userFilters } from './filters.ts';
import { addIdentityCollection, addIdentityList, rootOf } from './lists.ts';
import type { PasswordLimiter } from './password-limiter.ts';
import { projectView, userView } from './views.ts';

type ById = { Params: { id: string } };

/** `/v3/users`. */
export function addUserRoutes(
  app: FastifyInstance,
  gateway: Gateway,
  deps: {
    readonly directory: IdentityDirectory;
    readonly identity: IdentityService;
    readonly limiter: PasswordLimiter;
  },
): void {
  const { directory, identity, limiter } = deps;
  addIdentityCollection(app, gateway, {
    path: '/v3/users',
    key: 'users',
    one: 'user',
    table: userTable,
    filters: userFilters,
    view: (user, shown) => userView(rootOf(shown), user),
    create: change(createUserBody, async ({ user }, { context, request }) => {
      return directory.createUser(context, {
        name: user.name,
        domainId: user.domain_id ?? (gateway.principal(request).domainId || defaultDomainId),
        defaultProjectId: user.default_project_id ?? '',
        email: user.email ?? '',
        description: user.description ?? '',
        enabled: user.enabled ?? true,
        extras: extrasOf(createUserBody.properties.user, user),
        ...(user.password == null ? {} : { password: user.password }),
      });
    }),
    update: change(updateUserBody, async ({ user }, { context, request, id }) => {
      if (user.domain_id !== undefined) {
        const before = userTable.must(await gateway.readState(request), id).record;
        if (before.domainId !== user.domain_id) {
          throw new ShoalError('INVALID_ARGUMENT', 'The domain of a user cannot be changed.');
        }
      }
      return directory.updateUser(context, id, {
        ...userChanges(user),
        extras: extrasOf(updateUserBody.properties.user, user, id),
      });
    }),
    delete: async ({ context, id }) => {
      await directory.deleteUser(context, id);
    },
  });

  addIdentityList(app, gateway, {
    path: '/v3/users/:id/projects',
    key: 'projects',
    items: ({ reader, parameters: { id = '' } }) => {
      userTable.must(reader, id);
      return identity.projectsOf(reader, id);
    },
    filters: projectFilters,
    view: (project, listing) => projectView(rootOf(listing), project),
  });

  // Groups are not there, so nobody is in any.
  addIdentityList(app, gateway, {
    path: '/v3/users/:id/groups',
    key: 'groups',
    isStateless: true,
    items: () => [],
    filters: { name: nobody },
    view: (group) => group,
  });

  // The original password proves who asks, as in Keystone: whose password has run out has no token.
  app.post<ById>(
    '/v3/users/:id/password',
    { config: { body: changePasswordBody, public: true } },
    async (request, reply) => {
      const { id } = request.params;
      const { user } = parse(changePasswordBody, request.body);
      const reader = await gateway.readState(request);
      const signal = gateway.signal(request);
      const userId = findUser(reader, { id })?.id ?? '';
      await limiter.run({ address: gateway.clientAddress(request), userId, signal }, () =>
        directory.changePassword({ signal }, reader, id, { original: user.original_password, wanted: user.password }),
      );
      return reply.code(204).send();
    },
  );
}

function userChanges(user: Static<typeof updateUserBody>['user']) {
  return {
    ...(user.name === undefined ? {} : { name: user.name }),
    ...(user.default_project_id === undefined ? {} : { defaultProjectId: user.default_project_id ?? '' }),
    ...(user.email === undefined ? {} : { email: user.email ?? '' }),
    ...(user.description === undefined ? {} : { description: user.description ?? '' }),
    ...(user.enabled === undefined ? {} : { enabled: user.enabled }),
    ...(user.password === undefined ? {} : { password: user.password }),
  };
}
