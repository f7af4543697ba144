/** Names of the objects of the cloud's backups in a store, and what each is sealed as. */
import { ShoalError } from '../../base/errors.ts';

/** A backup of the cloud: which mesh's, and its name among them. */
export interface BackupName {
  readonly meshId: string;
  readonly backupId: string;
}

/** Before all of them: backups of volumes lie in the same stores, each under its own id. */
const root = 'cloud';
const idPattern = /^\d{8}t\d{6}z-[0-9a-f]{8}$/;
const meshIdPattern = /^[a-z0-9][a-z0-9-]{0,99}$/;
const numberDigits = 8;

/** Keys of objects. */
export const cloudKeys = {
  /** Everything of all meshes. */
  root: `${root}/`,
  mesh: (meshId: string): string => `${root}/${meshId}/`,
  manifest: ({ meshId, backupId }: BackupName): string => `${root}/${meshId}/${backupId}/manifest`,
  chunk: ({ meshId, backupId }: BackupName, number: number): string =>
    `${root}/${meshId}/${backupId}/${String(number).padStart(numberDigits, '0')}`,
} as const;

/** What an object is sealed as: it opens nowhere else, and in no other order. */
export const cloudLabels = {
  secrets: ({ meshId, backupId }: BackupName): string => `cloud-backup/${meshId}/${backupId}/manifest`,
  chunk: ({ meshId, backupId }: BackupName, number: number): string => `cloud-backup/${meshId}/${backupId}/${number}`,
} as const;

/** The name of a backup that is made now: names sort by time. @param chance eight hexadecimal digits. */
export function newBackupId(nowMs: number, chance: string): string {
  const time = new Date(nowMs)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  return `${time}-${chance}`;
}

function isBackupId(text: string): boolean {
  return idPattern.test(text);
}

/** Throws `INVALID_ARGUMENT` for a name that is none: it becomes a path. */
export function mustBeBackupName({ meshId, backupId }: BackupName): void {
  if (isBackupId(backupId) && meshIdPattern.test(meshId)) return;
  throw new ShoalError('INVALID_ARGUMENT', `"${backupId}" is no name of a backup of the cloud.`);
}

/** The backup that an object belongs to; undefined: it is none of the cloud's. */
export function nameOfKey(key: string): (BackupName & { readonly isManifest: boolean }) | undefined {
  const [first, meshId = '', backupId = '', object = ''] = key.split('/');
  if (first !== root || !isBackupId(backupId)) return undefined;
  return { meshId, backupId, isManifest: object === 'manifest' };
}
