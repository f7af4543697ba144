import type { TlsSource } from '../rpc/listener/listener.ts';

/** Where the API's certificate comes from. */
export interface ApiTlsSource extends TlsSource {
  /** SHA-256 of the certificate that a client has to trust: the authority's, or the configured one itself. Undefined: none yet. */
  readonly fingerprint: string | undefined;
  /** Looks whether there is, or has to be, another one. Called every few seconds; never throws for what may pass by itself. */
  check(): Promise<void>;
}
