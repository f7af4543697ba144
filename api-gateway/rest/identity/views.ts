/** Records as the identity API words them. `root` is `{base}/identity`. */

import type { Principal } from '../../../node/services/identity/principal.ts';
import type { shoal } from '../../../proto/messages.ts';
import { extrasView } from './extras.ts';

/** `2024-01-01T00:00:00.000000Z`: the only forms clients parse have seconds, with or without six decimals. */
function keystoneTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}

/** A domain with the attributes that its maker added (`extras`). Domains have no tags here and no options. */
export function domainView(root: string, domain: shoal.v1.Domain) {
  return {
    ...extrasView(domain.extras),
    id: domain.id,
    name: domain.name,
    description: domain.description,
    enabled: domain.enabled,
    tags: [],
    options: {},
    links: { self: `${root}/v3/domains/${domain.id}` },
  };
}

/**
 * A project with its `extras`. `parent_id` is the domain, as in Keystone for a project at the top: there is no deeper
 * tree.
 */
export function projectView(root: string, project: shoal.v1.Project) {
  return {
    ...extrasView(project.extras),
    id: project.id,
    name: project.name,
    domain_id: project.domainId,
    description: project.description,
    enabled: project.enabled,
    parent_id: project.domainId,
    is_domain: false,
    tags: project.tags,
    options: {},
    links: { self: `${root}/v3/projects/${project.id}` },
  };
}

/**
 * A user with their `extras`; nothing of the password. Empty texts are left out, as Keystone leaves out what was never
 * set.
 */
export function userView(root: string, user: shoal.v1.User) {
  return {
    ...extrasView(user.extras),
    id: user.id,
    name: user.name,
    domain_id: user.domainId,
    enabled: user.enabled,
    ...(user.email === '' ? {} : { email: user.email }),
    ...(user.description === '' ? {} : { description: user.description }),
    ...(user.defaultProjectId === '' ? {} : { default_project_id: user.defaultProjectId }),
    password_expires_at: null,
    options: {},
    links: { self: `${root}/v3/users/${user.id}` },
  };
}

/** A role with its `extras`. `domain_id` is null: all roles are global. */
export function roleView(root: string, role: shoal.v1.Role) {
  return {
    ...extrasView(role.extras),
    id: role.id,
    name: role.name,
    domain_id: null,
    description: role.description === '' ? null : role.description,
    options: {},
    links: { self: `${root}/v3/roles/${role.id}` },
  };
}

/** The `token` object of an answer. `catalog` undefined: not asked for. */
export function tokenView(principal: Principal, catalog: readonly object[] | undefined) {
  const scoped = principal.projectId !== '' || principal.domainId !== '' || principal.isSystem;
  return {
    token: {
      methods: principal.methods,
      user: {
        id: principal.userId,
        name: principal.userName,
        domain: { id: principal.userDomainId, name: principal.userDomainName },
        password_expires_at: null,
      },
      audit_ids: principal.auditIds,
      issued_at: keystoneTime(principal.issuedMs),
      expires_at: keystoneTime(principal.expiresMs),
      ...(principal.projectId === ''
        ? {}
        : {
            project: {
              id: principal.projectId,
              name: principal.projectName,
              domain: { id: principal.projectDomainId, name: principal.projectDomainName },
            },
            is_domain: false,
          }),
      ...(principal.domainId === '' ? {} : { domain: { id: principal.domainId, name: principal.domainName } }),
      ...(principal.isSystem ? { system: { all: true } } : {}),
      ...(scoped ? { roles: principal.roles.map((name, i) => ({ id: principal.roleIds[i] ?? '', name })) } : {}),
      ...(scoped && catalog !== undefined ? { catalog } : {}),
    },
  };
}
