import type { Config } from '../config/options.ts';
import { apiNames } from './api-names.ts';
import type { ApiTlsSource } from './api-tls-source.ts';
import { CertificateFiles } from './certificate-files.ts';
import { IssuedCertificate, type IssuedCertificateDeps } from './issued-certificate.ts';

/**
 * The certificates of the API as configured: the operator's own, or issued by the mesh's authority; undefined: plain text.
 * Throws `CONFIG_INVALID` for files that cannot be used.
 */
export async function openApiTls(deps: IssuedCertificateDeps, config: Config): Promise<ApiTlsSource | undefined> {
  const { tls, certificatePath, privateKeyPath } = config.api;
  if (tls !== 'on') return undefined;
  if (certificatePath !== '') return new CertificateFiles(deps.logger, { certificatePath, privateKeyPath });
  const { dataDir, name } = config;
  return IssuedCertificate.open(deps, { dataDir, name, names: apiNames(config) });
}
