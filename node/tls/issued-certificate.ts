/**
 * The certificate of this host's API, issued by the mesh's authority: the agent issues it to itself, since every member can
 * open the authority. It names the addresses by which clients reach the host, lasts 90 days and is renewed after 60.
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { writeFileDurably } from '../base/durable-file.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { type ApiNames, apiLifeMs, isDue, type MeshAuthority, shownFingerprint } from '../mesh/identity/authority.ts';
import { createTlsKey } from '../mesh/identity/identity.ts';
import { loadOrCreateSecretFile } from '../mesh/identity/secret-file.ts';
import type { ApiTlsSource } from './api-tls-source.ts';
import { Changes } from './changes.ts';

const keyFileName = 'api-tls.key';
const certificateFileName = 'api-tls.pem';
/** Renewed with so much of its life left, milliseconds. */
const leftMs = apiLifeMs / 3;

/** Given by the agent, which opens the mesh's authority from its replica. */
export interface IssuedCertificateDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The mesh's authority; undefined while this host's replica does not have it yet. */
  readonly authority: () => MeshAuthority | undefined;
  /** The authority's key as the one before it has signed it, PEM, while the authority is being rotated; else empty. */
  readonly crossCertificatePem?: () => string;
}

interface IssuedCertificateOptions {
  readonly dataDir: string;
  /** The host's name: the certificate's subject. */
  readonly name: string;
  readonly names: ApiNames;
}

/** What is shown now. */
interface Shown {
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly crossPem: string;
}

/** Open it, then call `check` now and then: it renews when that is due, and announces the change to its subscribers. */
export class IssuedCertificate implements ApiTlsSource {
  readonly #deps: IssuedCertificateDeps;
  readonly #options: IssuedCertificateOptions;
  readonly #privateKeyPem: string;
  readonly #changes = new Changes();
  #shown: Shown | undefined;

  private constructor(deps: IssuedCertificateDeps, options: IssuedCertificateOptions, privateKeyPem: string) {
    this.#deps = deps;
    this.#options = options;
    this.#privateKeyPem = privateKeyPem;
  }

  /** Takes up the certificate of the last run, or issues one if the authority can be read already. */
  static async open(deps: IssuedCertificateDeps, options: IssuedCertificateOptions): Promise<IssuedCertificate> {
    const key = await loadOrCreateSecretFile(join(options.dataDir, keyFileName), () => createTlsKey().privateKeyPem);
    const opened = new IssuedCertificate(deps, options, key.toString());
    await opened.check();
    return opened;
  }

  get fingerprint(): string | undefined {
    return this.#shown === undefined ? undefined : shownFingerprint(this.#shown.authorityPem);
  }

  current(): SecureContextOptions | undefined {
    if (this.#shown === undefined) return undefined;
    const { certificatePem, authorityPem, crossPem } = this.#shown;
    // The authority goes along, so that its fingerprint can be compared by a client that looks at the connection. What the one
    // before it has signed comes first: a client that trusts that one takes the first issuer that it finds.
    return { cert: certificatePem + crossPem + authorityPem, key: this.#privateKeyPem };
  }

  subscribe(changed: () => void): () => void {
    return this.#changes.subscribe(changed);
  }

  async check(): Promise<void> {
    const authority = this.#deps.authority();
    if (authority === undefined) return;
    const authorityPem = authority.certificatePem;
    const crossPem = this.#deps.crossCertificatePem?.() ?? '';
    const isSame = this.#shown?.authorityPem === authorityPem && this.#shown.crossPem === crossPem;
    if (isSame && this.#shown !== undefined && this.#isGood(this.#shown.certificatePem, authorityPem)) return;
    const path = join(this.#options.dataDir, certificateFileName);
    const kept =
      this.#shown === undefined && existsSync(path) ? readFileSync(path, 'utf8') : this.#shown?.certificatePem;
    const certificatePem = kept !== undefined && this.#isGood(kept, authorityPem) ? kept : this.#issue(authority);
    if (certificatePem !== kept) await writeFileDurably(path, certificatePem);
    this.#shown = { certificatePem, authorityPem, crossPem };
    this.#changes.announce();
  }

  #issue(authority: MeshAuthority): string {
    const { name, names } = this.#options;
    const issued = authority.issueApi(name, this.#publicKey(), names, this.#deps.clock.nowMs());
    const { validTo } = new X509Certificate(issued);
    this.#deps.logger.info({ ...names, validTo }, 'a certificate for the API was issued');
    return issued;
  }

  /** Whether a certificate is this key's, the authority's, names all that it has to, and has time left. */
  #isGood(certificatePem: string, authorityPem: string): boolean {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(certificatePem);
    } catch {
      return false; // A damaged file: another certificate is issued.
    }
    const { dnsNames, addresses } = this.#options.names;
    const certified = new Set((certificate.subjectAltName ?? '').split(', '));
    return (
      certificate.publicKey.export({ format: 'der', type: 'spki' }).equals(this.#publicKey()) &&
      certificate.verify(new X509Certificate(authorityPem).publicKey) &&
      !isDue(certificatePem, this.#deps.clock.nowMs(), leftMs) &&
      dnsNames.every((name) => certified.has(`DNS:${name}`)) &&
      addresses.every((address) => isIP(address) !== 0 && certificate.checkIP(address) !== undefined)
    );
  }

  #publicKey(): Buffer {
    return createPublicKey(this.#privateKeyPem).export({ format: 'der', type: 'spki' });
  }
}
