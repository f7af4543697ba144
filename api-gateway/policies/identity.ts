/** Keystone's policy, by Keystone's names, for the identity API and for `shoal.v1.IdentityService`. Administrators write; readers of the system see; people see what is theirs. */
import { anyToken, type Grant, identityAdmin, type PolicyRule, rule } from './rule.ts';

const systemReader = `${identityAdmin.check} or (role:reader and scope:system)`;
const lookers: Grant = { check: systemReader, needs: 'the role admin, or reader in a token for the system' };
const lookersOrSelf: Grant = {
  check: `${systemReader} or user_id:%(user_id)s`,
  needs: `${lookers.needs}, or to be asked by the user it is about`,
};
const lookersOrProject: Grant = {
  check: `${systemReader} or project_id:%(project_id)s`,
  needs: `${lookers.needs}, or a token for that project`,
};
const lookersOrDomain: Grant = {
  check: `${systemReader} or domain_id:%(domain_id)s or project_domain_id:%(domain_id)s`,
  needs: `${lookers.needs}, or a token for that domain or a project in it`,
};
const adminOrSelf: Grant = {
  check: `${identityAdmin.check} or user_id:%(user_id)s`,
  needs: `${identityAdmin.needs}, or to be asked by the user it is about`,
};

const grants = ['projects/:scope', 'domains/:scope'].map((scope) => `/v3/${scope}/users/:user/roles`);

const rpc = (name: string): string => `rpc shoal.v1.IdentityService/${name}`;

/** What needs no token, because it gives one. */
export const publicIdentityMethods: readonly string[] = [rpc('Authenticate')];

/**
 * Every identity operation that needs a token, REST and gRPC. `target` names the path parameter that a rule compares
 * the caller with.
 */
export const identityPolicies: readonly PolicyRule[] = [
  rule('identity:list_domains', lookers, ['GET /v3/domains']),
  rule('identity:get_domain', lookersOrDomain, ['GET /v3/domains/:id'], { domain_id: 'id' }),
  rule('identity:create_domain', identityAdmin, ['POST /v3/domains']),
  rule('identity:update_domain', identityAdmin, ['PATCH /v3/domains/:id']),
  rule('identity:delete_domain', identityAdmin, ['DELETE /v3/domains/:id']),

  rule('identity:list_projects', lookers, ['GET /v3/projects', rpc('ListProjects')]),
  rule('identity:get_project', lookersOrProject, ['GET /v3/projects/:id', rpc('GetProject')], { project_id: 'id' }),
  rule('identity:create_project', identityAdmin, ['POST /v3/projects', rpc('CreateProject')]),
  rule('identity:update_project', identityAdmin, ['PATCH /v3/projects/:id', rpc('UpdateProject')]),
  rule('identity:delete_project', identityAdmin, ['DELETE /v3/projects/:id', rpc('DeleteProject')]),
  rule('identity:list_project_tags', lookersOrProject, ['GET /v3/projects/:id/tags'], { project_id: 'id' }),
  rule('identity:get_project_tag', lookersOrProject, ['GET /v3/projects/:id/tags/:tag'], { project_id: 'id' }),
  rule('identity:update_project_tags', identityAdmin, ['PUT /v3/projects/:id/tags']),
  rule('identity:create_project_tag', identityAdmin, ['PUT /v3/projects/:id/tags/:tag']),
  rule('identity:delete_project_tags', identityAdmin, ['DELETE /v3/projects/:id/tags']),
  rule('identity:delete_project_tag', identityAdmin, ['DELETE /v3/projects/:id/tags/:tag']),

  rule('identity:list_users', lookers, ['GET /v3/users', rpc('ListUsers')]),
  rule('identity:get_user', lookersOrSelf, ['GET /v3/users/:id', rpc('GetUser')], { user_id: 'id' }),
  rule('identity:list_user_projects', lookersOrSelf, ['GET /v3/users/:id/projects', rpc('ListUserProjects')], {
    user_id: 'id',
  }),
  rule('identity:list_groups_for_user', lookersOrSelf, ['GET /v3/users/:id/groups'], { user_id: 'id' }),
  rule('identity:create_user', identityAdmin, ['POST /v3/users', rpc('CreateUser')]),
  rule('identity:update_user', identityAdmin, ['PATCH /v3/users/:id', rpc('UpdateUser')]),
  rule('identity:delete_user', identityAdmin, ['DELETE /v3/users/:id', rpc('DeleteUser')]),

  rule('identity:list_roles', lookers, ['GET /v3/roles', rpc('ListRoles')]),
  rule('identity:get_role', lookers, ['GET /v3/roles/:id', rpc('GetRole')]),
  rule('identity:create_role', identityAdmin, ['POST /v3/roles', rpc('CreateRole')]),
  rule('identity:update_role', identityAdmin, ['PATCH /v3/roles/:id', rpc('UpdateRole')]),
  rule('identity:delete_role', identityAdmin, ['DELETE /v3/roles/:id', rpc('DeleteRole')]),
  rule(
    'identity:list_grants',
    lookers,
    grants.map((path) => `GET ${path}`),
  ),
  rule(
    'identity:check_grant',
    lookers,
    grants.map((path) => `GET ${path}/:role`),
  ),
  rule('identity:create_grant', identityAdmin, [
    ...grants.map((path) => `PUT ${path}/:role`),
    rpc('CreateRoleAssignment'),
  ]),
  rule('identity:revoke_grant', identityAdmin, [
    ...grants.map((path) => `DELETE ${path}/:role`),
    rpc('DeleteRoleAssignment'),
  ]),
  rule('identity:list_system_grants_for_user', lookers, ['GET /v3/system/users/:user/roles']),
  rule('identity:check_system_grant_for_user', lookers, ['GET /v3/system/users/:user/roles/:role']),
  rule('identity:create_system_grant_for_user', identityAdmin, ['PUT /v3/system/users/:user/roles/:role']),
  rule('identity:revoke_system_grant_for_user', identityAdmin, ['DELETE /v3/system/users/:user/roles/:role']),
  rule('identity:list_role_assignments', lookers, ['GET /v3/role_assignments', rpc('ListRoleAssignments')]),

  // Services, endpoints and regions: every token shows them in its catalog anyway.
  rule('identity:list_services', anyToken, ['GET /v3/services']),
  rule('identity:get_service', anyToken, ['GET /v3/services/:id']),
  rule('identity:list_endpoints', anyToken, ['GET /v3/endpoints']),
  rule('identity:get_endpoint', anyToken, ['GET /v3/endpoints/:id']),
  rule('identity:list_regions', anyToken, ['GET /v3/regions']),
  rule('identity:get_region', anyToken, ['GET /v3/regions/:id']),

  rule('identity:get_auth_catalog', anyToken, ['GET /v3/auth/catalog']),
  rule('identity:get_auth_projects', anyToken, ['GET /v3/auth/projects']),
  rule('identity:get_auth_domains', anyToken, ['GET /v3/auth/domains']),
  rule('identity:get_auth_system', anyToken, ['GET /v3/auth/system']),

  // Whose the token asked about is shows only when it has been read: the handlers ask the two rules below.
  rule('shoal:auth:ask_about_a_token', anyToken, [
    'GET /v3/auth/tokens',
    'DELETE /v3/auth/tokens',
    rpc('ValidateToken'),
    rpc('RevokeToken'),
  ]),
  rule('identity:validate_token', lookersOrSelf, []),
  rule('identity:revoke_token', adminOrSelf, []),
];
