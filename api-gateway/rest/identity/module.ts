import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import type { IdentityService } from '../../../node/services/identity/identity.ts';
import { identityPolicies } from '../../policies/identity.ts';
import { keystoneFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { identityVersion, identityVersions } from '../kit/versions.ts';
import { addAuthRoutes } from './auth-routes.ts';
import type { Catalog } from './catalog.ts';
import { addCatalogRoutes } from './catalog-routes.ts';
import { addDomainRoutes } from './domain-routes.ts';
import type { PasswordLimiter } from './password-limiter.ts';
import { addProjectRoutes } from './project-routes.ts';
import { addRoleRoutes } from './role-routes.ts';
import { unservedIdentity } from './unserved.ts';
import { addUserRoutes } from './user-routes.ts';

/** Keystone v3 below `/identity`, and at the root for clients that are given the bare base URL. */
export function identityModule(deps: {
  readonly identity: IdentityService;
  readonly directory: IdentityDirectory;
  readonly catalog: Catalog;
  /** One for both prefixes and for the native API: a second road to the same door must not double the attempts. */
  readonly limiter: PasswordLimiter;
}): RestModule {
  return {
    name: 'identity',
    decidesRights: true,
    prefixes: ['/identity', ''],
    faults: keystoneFaults,
    policies: identityPolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    unserved: unservedIdentity,
    register(app, gateway) {
      const { identity, directory, catalog, limiter } = deps;
      app.get('/', { config: { public: true } }, (request, reply) =>
        reply
          .code(300)
          .header('vary', 'Accept')
          .send(identityVersions(`${gateway.baseUrl(request)}/identity`)),
      );
      app.get('/v3', { config: { public: true } }, (request) => ({
        version: identityVersion(`${gateway.baseUrl(request)}/identity`),
      }));
      addAuthRoutes(app, gateway, { identity, catalog, limiter });
      addDomainRoutes(app, gateway, directory);
      addProjectRoutes(app, gateway, directory);
      addUserRoutes(app, gateway, { directory, identity, limiter });
      addRoleRoutes(app, gateway, directory);
      addCatalogRoutes(app, gateway, catalog);
    },
  };
}
