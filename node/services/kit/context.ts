import type { StateReader } from '../../state/types.ts';

/**
 * What the caller may do, as the gateway's policies have it. A service is told no role: it says which rule it is about and whose
 * the thing is, and the rule decides.
 */
export interface Permissions {
  /** The rule that let the operation in that is under way, for example `os_compute_api:servers:show`. */
  readonly operation: string;
  /**
   * Whether a rule holds for a thing.
   * @param rule a name of `api-gateway/policies`; no other ever holds.
   * @param target the thing's fields by the names that rules use: `project_id`, `user_id`. Absent: something of the caller's
   *   own project. Empty: any thing, whosoever it is.
   */
  allows(rule: string, target?: Readonly<Record<string, string>>): boolean;
}

/** Who asks, and for what project. Made by a gateway from a verified token; services decide by it. */
export interface RequestContext {
  /** `req-` and a UUID; in every log line and in the answer's headers. */
  readonly requestId: string;
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  /** Empty: the token has no project. */
  readonly projectId: string;
  readonly permissions: Permissions;
  /** Ends when the caller goes away or the request's time runs out. */
  readonly signal: AbortSignal;
  /** A condition that the caller sets on his change: throws when the view that the change is planned from does not meet it. */
  readonly requires?: (reader: StateReader) => void;
}
