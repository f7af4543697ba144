import type { StateReader } from '../../state/types.ts';

/** Who asks, and for what project. Made by a gateway from a verified token; services decide by it. */
export interface RequestContext {
  /** `req-` and a UUID; in every log line and in the answer's headers. */
  readonly requestId: string;
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  /** Empty: the token has no project. */
  readonly projectId: string;
  readonly roles: readonly string[];
  /** Has the role `admin`. */
  readonly isAdmin: boolean;
  /** Ends when the caller goes away or the request's time runs out. */
  readonly signal: AbortSignal;
  /** A condition that the caller sets on his change: throws when the view that the change is planned from does not meet it. */
  readonly requires?: (reader: StateReader) => void;
}
