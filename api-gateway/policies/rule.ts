/** What a policy consists of: who may (a grant), under which name, by which operations. */

/** Who may do something, in the language of `policy.ts`. */
export interface Grant {
  readonly check: string;
  /** The same in words, for a caller who is refused: "it needs ...". */
  readonly needs: string;
}

/**
 * One rule and the operations that it guards, as Nova's and Keystone's own policies are documented. A rule is asked twice:
 * before the handler runs, of the caller's own project, and by the service, of the record that the request is about.
 */
export interface PolicyRule {
  /** OpenStack's name where the operation is OpenStack's; `shoal:...` where it is ours. */
  readonly name: string;
  readonly grant: Grant;
  /**
   * `GET /v2.1/servers` (a route of the REST module that the rule belongs to, without the module's prefix),
   * `POST /v2.1/servers/:id/action#os-start` (an action named by the body's only key) or
   * `rpc shoal.v1.ComputeService/GetServer`. None: asked by a handler for a part of its answer.
   */
  readonly operations: readonly string[];
  /**
   * Fields of the thing acted on that are path parameters: field of the rule -> name of the parameter. A gRPC request has
   * a field of the rule's name.
   */
  readonly target?: Readonly<Record<string, string>>;
}

/** A rule. */
export function rule(
  name: string,
  grant: Grant,
  operations: readonly string[],
  target?: PolicyRule['target'],
): PolicyRule {
  return { name, grant, operations, ...(target === undefined ? {} : { target }) };
}

/**
 * The administrator of the cloud. As in OpenStack the role counts whatever project it was given on; a token for a domain
 * administers identity (`identityAdmin`) and nothing else.
 */
export const cloudAdmin: Grant = {
  check: 'role:admin and (scope:project or scope:system)',
  needs: 'the role admin, in a token for a project or for the system',
};

/** Root at a host of the mesh, by the agent's own socket: no token is enough. */
export const hostOperator: Grant = {
  check: 'role:admin and scope:system and user_id:operator',
  needs: "the agent's own socket, as root at a host (shoal admin)",
};

/**
 * The administrator in a project, which what they make belongs to. A token for the system has none: as in Nova and Neutron
 * it does nothing to what belongs to projects.
 */
const projectAdmin = `(role:admin and scope:project) or (${hostOperator.check})`;

/** Callers who may change things in a project: in their own, and administrators in all. */
export const projectMember: Grant = {
  check: `${projectAdmin} or (role:member and scope:project and project_id:%(project_id)s)`,
  needs: 'the role member, in a token for a project',
};

/** Callers who may move a project's servers, without being told of hosts: its managers, and administrators for all projects. */
export const projectManager: Grant = {
  check: `${cloudAdmin.check} or (role:manager and scope:project and project_id:%(project_id)s)`,
  needs: 'the role manager, in a token for a project',
};

/** Callers who may look at a project's things: readers, and those who may change them, where no role `reader` is left. */
export const projectReader: Grant = {
  check: `${projectAdmin} or ((role:reader or role:member) and scope:project and project_id:%(project_id)s)`,
  needs: 'the role reader or member, in a token for a project',
};

/** Any token that is good, also one without a scope. */
export const anyToken: Grant = { check: '@', needs: 'a token' };

/** An administrator's, whatever the token is for, as a part of a larger right: what else the operation takes, its own rule says. */
export const administrator: Grant = { check: 'rule:context_is_admin', needs: 'the role admin' };

/** The owner of a network, for things on it that belong to others: the target's `project_id` is the network's. */
export const networkOwner: Grant = {
  check: 'rule:admin_or_owner',
  needs: "the network to be your own project's, or the role admin",
};

/** Nobody's business but the administrator's, whatever the token is for: Keystone's `admin_required`. */
export const identityAdmin: Grant = { check: 'role:admin', needs: 'the role admin' };
