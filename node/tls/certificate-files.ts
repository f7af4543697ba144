/** An operator's own certificate and key for the API. Files that change are taken up while the agent runs. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { ShoalError } from '../base/errors.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { shownFingerprint } from '../mesh/identity/authority.ts';
import type { ApiTlsSource } from './api-tls-source.ts';
import { Changes } from './changes.ts';

/** Largest file read, bytes: a chain of a dozen certificates fits. */
const fileBytesMax = 256 * 1024;

interface CertificateFilesOptions {
  /** PEM: the certificate, then the intermediate ones. */
  readonly certificatePath: string;
  /** PEM, without a passphrase. */
  readonly privateKeyPath: string;
}

interface Loaded {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** What the files looked like. */
  readonly mark: string;
}

/** See above. */
export class CertificateFiles implements ApiTlsSource {
  readonly #logger: Logger;
  readonly #options: CertificateFilesOptions;
  readonly #changes = new Changes();
  #loaded: Loaded;
  /** The files that could not be used last, so that it is said once. */
  #refusedMark = '';

  /** Throws `CONFIG_INVALID` when the files cannot be read or do not belong together: an agent must not start with these. */
  constructor(logger: Logger, options: CertificateFilesOptions) {
    this.#logger = logger;
    this.#options = options;
    this.#loaded = load(options);
  }

  get fingerprint(): string {
    return shownFingerprint(this.#loaded.certificatePem);
  }

  current(): SecureContextOptions {
    return { cert: this.#loaded.certificatePem, key: this.#loaded.privateKeyPem };
  }

  subscribe(changed: () => void): () => void {
    return this.#changes.subscribe(changed);
  }

  /** Takes up files that changed. When they cannot be used (one of the two is not written yet) the old ones stay. */
  async check(): Promise<void> {
    let mark = '';
    try {
      mark = markOf(this.#options);
      if (mark === this.#loaded.mark) return;
      this.#loaded = load(this.#options);
    } catch (caught) {
      if (mark === this.#refusedMark) return;
      this.#refusedMark = mark;
      this.#logger.error({ err: caught }, 'the new certificate of the API cannot be used; the old one stays');
      return;
    }
    this.#logger.info({ fingerprint: this.fingerprint }, 'another certificate of the API is in use');
    this.#changes.announce();
  }
}

function load({ certificatePath, privateKeyPath }: CertificateFilesOptions): Loaded {
  const mark = markOf({ certificatePath, privateKeyPath });
  const certificatePem = read('api.certificatePath', certificatePath);
  const privateKeyPem = read('api.privateKeyPath', privateKeyPath);
  let belongs: boolean;
  try {
    belongs = new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    // The cause may quote what it could not parse, so it is not kept.
    throw new ShoalError(
      'CONFIG_INVALID',
      `${certificatePath} or ${privateKeyPath} is no PEM certificate, or no PEM key without a passphrase`,
    );
  }
  if (belongs) return { certificatePem, privateKeyPem, mark };
  throw new ShoalError(
    'CONFIG_INVALID',
    `the key in ${privateKeyPath} is not that of the certificate in ${certificatePath}`,
  );
}

function read(setting: string, path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= fileBytesMax) return bytes.toString('utf8');
  } catch (caught) {
    throw ShoalError.from(caught, 'CONFIG_INVALID', `${setting} ${path} cannot be read`);
  }
  throw new ShoalError('CONFIG_INVALID', `${setting} ${path} is larger than ${fileBytesMax} bytes`);
}

function markOf({ certificatePath, privateKeyPath }: CertificateFilesOptions): string {
  return [certificatePath, privateKeyPath]
    .map((path) => {
      try {
        const { mtimeMs, ino, size } = statSync(path);
        return `${mtimeMs} ${ino} ${size}`;
      } catch (caught) {
        throw ShoalError.from(caught, 'CONFIG_INVALID', `${path} cannot be read`);
      }
    })
    .join(', ');
}
