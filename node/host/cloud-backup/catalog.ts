/** The backups of the cloud that a store has: which there are, whether one is whole, and which go. */
import type { BackupStore } from '../../../drivers/backup/store.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { CloudBackupCatalog } from '../../services/kit/dependencies.ts';
import { type BackupName, cloudKeys, nameOfKey } from './objects.ts';
import { openCloudBackup, readManifest } from './read.ts';

/** Backups that a list shows at most, the newest. */
const shownMax = 1_000;
/** What has no manifest for so long was never finished, ms. */
const unfinishedMs = 86_400_000;

/** A backup in a store, whole or not. */
interface StoredBackup extends BackupName {
  readonly isWhole: boolean;
  readonly keys: readonly string[];
}

/** The backups of a mesh, or of all of them, the newest first: what can be told without a key. */
export async function listCloudBackups(
  store: BackupStore,
  meshId: string | undefined,
  signal: AbortSignal,
): Promise<readonly shoal.v1.CloudBackupView[]> {
  const whole = (await storedBackups(store, meshId, signal)).filter(({ isWhole }) => isWhole);
  const views: shoal.v1.CloudBackupView[] = [];
  for (const name of whole.slice(0, shownMax)) views.push(await viewOf(store, name, signal));
  return views;
}

/** Finds a backup by its id, or the newest. Throws `NOT_FOUND`, naming where it was looked for. */
export async function findCloudBackup(
  store: BackupStore,
  wanted: { readonly meshId?: string; readonly backupId: string },
  signal: AbortSignal,
): Promise<BackupName> {
  const whole = (await storedBackups(store, wanted.meshId, signal)).filter(({ isWhole }) => isWhole);
  const found = wanted.backupId === '' ? whole[0] : whole.find(({ backupId }) => backupId === wanted.backupId);
  if (found !== undefined) return { meshId: found.meshId, backupId: found.backupId };
  const which = wanted.backupId === '' ? 'backup of the cloud' : `backup ${wanted.backupId} of the cloud`;
  throw new ShoalError('NOT_FOUND', `The store ${store.url} has no ${which}.`);
}

/** Reads one from its first byte to its last. Throws as `openCloudBackup`. */
export async function verifyCloudBackup(
  store: BackupStore,
  name: BackupName,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<shoal.v1.VerifyCloudBackupResponse> {
  const shown = await readManifest(store, name, signal);
  const { manifest, machine } = await openCloudBackup(store, name, shown, key, signal);
  const { backupId, revision, contentBytes } = manifest;
  return new shoal.v1.VerifyCloudBackupResponse({ backupId, revision, contentBytes, keys: machine.keyCount });
}

/**
 * Removes the backups of a mesh beyond the newest `keep`, manifest first, and what was begun more than a day ago and never finished.
 * The newest whole one stays in any case.
 */
export async function expireCloudBackups(
  store: BackupStore,
  options: { readonly meshId: string; readonly keep: number; readonly nowMs: number },
  signal: AbortSignal,
): Promise<number> {
  const all = await storedBackups(store, options.meshId, signal);
  const old = all.filter(({ isWhole }) => isWhole).slice(Math.max(1, options.keep));
  const unfinished = all.filter(({ isWhole, backupId }) => !isWhole && options.nowMs - timeOf(backupId) > unfinishedMs);
  for (const { keys } of [...old, ...unfinished]) {
    const manifestFirst = [...keys].sort((a, b) => Number(b.endsWith('/manifest')) - Number(a.endsWith('/manifest')));
    for (const key of manifestFirst) await store.remove(key, signal);
  }
  return old.length;
}

async function storedBackups(
  store: BackupStore,
  meshId: string | undefined,
  signal: AbortSignal,
): Promise<readonly StoredBackup[]> {
  const found = new Map<string, StoredBackup & { isWhole: boolean; readonly keys: string[] }>();
  for await (const key of store.list(meshId === undefined ? cloudKeys.root : cloudKeys.mesh(meshId), signal)) {
    const name = nameOfKey(key);
    if (name === undefined) continue;
    const { isManifest, ...rest } = name;
    const backup = found.get(`${rest.meshId}/${rest.backupId}`) ?? { ...rest, isWhole: false, keys: [] };
    backup.keys.push(key);
    backup.isWhole ||= isManifest;
    found.set(`${rest.meshId}/${rest.backupId}`, backup);
  }
  return [...found.values()].sort((a, b) => (a.backupId < b.backupId ? 1 : -1));
}

async function viewOf(store: BackupStore, name: BackupName, signal: AbortSignal): Promise<shoal.v1.CloudBackupView> {
  try {
    const { manifest } = await readManifest(store, name, signal);
    const { meshName, createdMs, revision, version, contentBytes } = manifest;
    return new shoal.v1.CloudBackupView({ ...name, meshName, createdMs, revision, version, contentBytes });
  } catch (caught) {
    if (!ShoalError.is(caught, 'IDENTITY_MISMATCH', 'INVALID_ARGUMENT', 'NOT_FOUND', 'TOO_LARGE')) throw caught;
    return new shoal.v1.CloudBackupView({ ...name, createdMs: timeOf(name.backupId), fault: caught.message });
  }
}

/** When a backup was begun, by its name: `20261130t190912z-...`. */
function timeOf(backupId: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z/.exec(backupId) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** Reads backups in the stores that this host reaches. */
export function cloudBackupCatalog(storeOf: (url: string) => BackupStore): CloudBackupCatalog {
  return {
    list: (storeUrl, meshId, signal) => listCloudBackups(storeOf(storeUrl), meshId, signal),
    verify: async (storeUrl, wanted, key, signal) => {
      const store = storeOf(storeUrl);
      return verifyCloudBackup(store, await findCloudBackup(store, wanted, signal), key, signal);
    },
  };
}
