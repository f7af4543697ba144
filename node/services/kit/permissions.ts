/**
 * How services ask the policies. A service never looks at a role: what an operation takes, the gateway has asked before; what
 * depends on a record, or on a part of the request that is a right of its own, is asked here.
 */
import type { Permissions, RequestContext } from './context.ts';

/** Whose a record is. */
interface Owned {
  readonly projectId: string;
}

/** For what an agent does of its own accord, as a job's next step: no policy is asked, since no caller is there. */
export const systemPermissions: Permissions = { operation: 'shoal:system', allows: () => true };

/** Whether a rule holds, of a thing of the caller's own project. */
export function isAllowed(context: RequestContext, rule: string): boolean {
  return context.permissions.allows(rule);
}

/** Whether a rule holds, of a project's thing. */
export function isAllowedOn(context: RequestContext, rule: string, thing: Owned): boolean {
  return context.permissions.allows(rule, { project_id: thing.projectId });
}

/**
 * Whether the caller may do the operation under way to this very record: by default to what is his project's, and as an
 * administrator to all. For what the operation is about; what it merely names is asked for by `isOwner`.
 */
export function mayActOn(context: RequestContext, thing: Owned): boolean {
  return isAllowedOn(context, context.permissions.operation, thing);
}

/** Whether the caller may do the operation under way to every project's things: then a list holds all. */
export function mayActOnAll(context: RequestContext): boolean {
  return context.permissions.allows(context.permissions.operation, {});
}

/**
 * Whether a thing is the caller's own to name: his project's, or any for administrators (`admin_or_owner`). False for a token
 * without a project, whatever the thing's `projectId` is.
 */
export function isOwner(context: RequestContext, thing: Owned): boolean {
  return isAllowedOn(context, 'admin_or_owner', thing);
}

/** Whether the caller is an administrator, where OpenStack itself asks that and has no rule for the case (`context_is_admin`). */
export function isAdministrator(context: RequestContext): boolean {
  return context.permissions.allows('context_is_admin', {});
}
