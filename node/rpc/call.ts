/** What a handler knows of its call, whichever way it came. */

/** A certificate as TLS shows it: name, DER, and SHA-256 of that. */
export interface CallerCertificate {
  readonly subjectaltname?: string | undefined;
  readonly raw: Uint8Array;
  readonly fingerprint256: string;
}

/** What is known of a call before any of its content is read. */
export interface CallHead {
  /** ip:port of the caller. */
  readonly remoteAddress: string;
  /** The caller's certificate; undefined unless one of the server's own roots signed it. */
  readonly certificate: CallerCertificate | undefined;
  /** First value of a request header. */
  header(name: string): string | undefined;
  /** What came with a call that was dispatched; never from outside. */
  readonly handed?: object | undefined;
}

/** What a handler knows of its call. `C` is what `admit` found out about the caller. */
export interface GrpcCall<C> extends CallHead {
  readonly caller: C;
  /** Aborts when the caller goes away, the time allowed has run out, or the agent stops. */
  readonly signal: AbortSignal;
}
