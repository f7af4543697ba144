import type { Handlers } from '../../../node/rpc/server.ts';
import { defaultDomainId, type IdentityDirectory } from '../../../node/services/identity/directory.ts';
import type { IdentityService } from '../../../node/services/identity/identity.ts';
import { userTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { parse } from '../../rest/kit/validation.ts';
import { createUserBody, updateUserBody } from '../../rest/schemas/identity.ts';
import { attributesOf } from '../kit/attributes.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { isOr, pageById } from '../kit/page.ts';
import { projectView } from './projects.ts';

type Served = Handlers<shoal.v1.IdentityService, Caller>;

/** Users, as `/v3/users` has them. */
export function userHandlers(
  callers: Callers,
  { directory, identity }: { readonly directory: IdentityDirectory; readonly identity: IdentityService },
): Pick<Served, 'listUsers' | 'getUser' | 'listUserProjects' | 'createUser' | 'updateUser' | 'deleteUser'> {
  return {
    listUsers: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const found = userTable
          .list(reader)
          .map((row) => row.record)
          .filter(({ name, domainId }) => isOr(request.name, name) && isOr(request.domainId, domainId));
        const { page, nextPageToken } = pageById(found, request);
        return { users: page.map(userView), nextPageToken, stale, revision: reader.revision };
      }),
    getUser: ({ userId }, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { user: userView(userTable.must(reader, userId).record), stale };
      }),
    listUserProjects: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const { id } = userTable.must(reader, request.userId).record;
        const { page, nextPageToken } = pageById(identity.projectsOf(reader, id), request);
        return { projects: page.map(projectView), nextPageToken, stale };
      }),
    createUser: (request, call) =>
      callers.serve(call, async ({ context, credentials }) => {
        const attributes = attributesOf(request, { emptyIsNone: ['domainId'] });
        const user = parse(createUserBody.properties.user, attributes, 'request');
        const made = await directory.createUser(context, {
          name: user.name,
          domainId: user.domain_id ?? (credentials.domainId || defaultDomainId),
          defaultProjectId: user.default_project_id ?? '',
          email: user.email ?? '',
          description: user.description ?? '',
          enabled: user.enabled ?? true,
          ...(user.password == null ? {} : { password: user.password }),
        });
        return { user: userView(made) };
      }),
    updateUser: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const attributes = attributesOf(request, { omitted: ['userId'], emptyIsNone: ['defaultProjectId'] });
        const user = parse(updateUserBody.properties.user, attributes, 'request');
        const changed = await directory.updateUser(context, request.userId, {
          ...(user.name === undefined ? {} : { name: user.name }),
          ...(user.default_project_id === undefined ? {} : { defaultProjectId: user.default_project_id ?? '' }),
          ...(user.email == null ? {} : { email: user.email }),
          ...(user.description == null ? {} : { description: user.description }),
          ...(user.enabled === undefined ? {} : { enabled: user.enabled }),
          ...(user.password == null ? {} : { password: user.password }),
        });
        return { user: userView(changed) };
      }),
    deleteUser: ({ userId }, call) =>
      callers.serve(call, async ({ context }) => {
        await directory.deleteUser(context, userId);
        return {};
      }),
  };
}

/** A user as others see them: nothing of their passwords. */
function userView(user: shoal.v1.User): shoal.v1.UserView {
  const { id, name, domainId, description, enabled, email, defaultProjectId } = user;
  return new shoal.v1.UserView({ id, name, domainId, description, enabled, email, defaultProjectId });
}
