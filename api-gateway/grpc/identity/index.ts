import type { Handlers } from '../../../node/rpc/server.ts';
import type { IdentityDirectory } from '../../../node/services/identity/directory.ts';
import type { IdentityService } from '../../../node/services/identity/identity.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { PasswordLimiter } from '../../rest/identity/password-limiter.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { projectHandlers } from './projects.ts';
import { assignmentHandlers, roleHandlers } from './roles.ts';
import { tokenHandlers } from './tokens.ts';
import { userHandlers } from './users.ts';

/** What the identity service is made with. */
interface IdentityHandlerDependencies {
  readonly identity: IdentityService;
  readonly directory: IdentityDirectory;
  /** The one that REST has, too: attempts by both doors count together. */
  readonly limiter: PasswordLimiter;
}

/** `shoal.v1.IdentityService`: the same people and rights as the identity API's, natively. */
export function identityHandlers(
  callers: Callers,
  deps: IdentityHandlerDependencies,
): Handlers<shoal.v1.IdentityService, Caller> {
  const { directory } = deps;
  return {
    ...tokenHandlers(callers, deps),
    ...projectHandlers(callers, directory),
    ...userHandlers(callers, deps),
    ...roleHandlers(callers, directory),
    ...assignmentHandlers(callers, directory),
  };
}
