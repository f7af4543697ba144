/** The stores that this host reads and writes backups of, by the URL that records name. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FolderBackupStore } from '../../drivers/backup/folder-store.ts';
import { S3BackupStore } from '../../drivers/backup/s3-store.ts';
import type { BackupStore } from '../../drivers/backup/store.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Config } from '../config/options.ts';

/** Gives the store of a URL. Throws `UNAVAILABLE` for one that this host cannot reach as it is configured. */
export function backupStores(clock: Pick<Clock, 'nowMs'>, config: Config['backups']): (url: string) => BackupStore {
  return (url) => {
    if (url.startsWith('file:///')) return new FolderBackupStore(fileURLToPath(url));
    const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{2,62})(?:\/([A-Za-z0-9._/-]*))?$/.exec(url) ?? [];
    if (bucket === undefined)
      throw new ShoalError('UNAVAILABLE', `The backup store "${url}" is of no kind known here.`);
    if (config.s3Endpoint === '' || config.s3CredentialsPath === '') {
      throw new ShoalError(
        'UNAVAILABLE',
        `This host is not configured for ${url}: set backups.s3Endpoint and backups.s3CredentialsPath.`,
      );
    }
    const [accessKeyId, secretAccessKey] = credentials(config.s3CredentialsPath);
    const { s3Endpoint: endpoint, s3Region: region } = config;
    return new S3BackupStore(
      { fetch: (input, init) => fetch(input, init), nowMs: () => clock.nowMs() },
      { endpoint, region, bucket, prefix: folder(prefix), accessKeyId, secretAccessKey },
    );
  };
}

/** Two lines: the id of the access key, and its secret. Read each time, so that they can be changed. */
function credentials(path: string): readonly [string, string] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (caught) {
    throw ShoalError.from(caught, 'UNAVAILABLE', `reading the credentials of the backup store`);
  }
  const [id = '', secret = ''] = text.split('\n').map((line) => line.trim());
  if (id !== '' && secret !== '') return [id, secret];
  throw new ShoalError('UNAVAILABLE', `${path} must have two lines: the id of an access key, and its secret.`);
}

function folder(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}
