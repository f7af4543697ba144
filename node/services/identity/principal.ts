/** Who a verified token speaks for, and within what scope. */
export interface Principal {
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  readonly userDomainName: string;
  /** Scope: a project, a domain, the system, or none of them (unscoped). */
  readonly projectId: string;
  readonly projectName: string;
  readonly projectDomainId: string;
  readonly projectDomainName: string;
  readonly domainId: string;
  readonly domainName: string;
  /** The scope is the system: the cloud as a whole. */
  readonly isSystem: boolean;
  /** Role names, and ids beside them in the same order. */
  readonly roles: readonly string[];
  readonly roleIds: readonly string[];
  /** How it was authenticated: "password", "token". */
  readonly methods: readonly string[];
  /** The token's own audit id first, then that of the token it came from. */
  readonly auditIds: readonly string[];
  readonly issuedMs: number;
  readonly expiresMs: number;
}
