/** Reads a backup of the cloud, and believes nothing in it before the key has vouched for it. */
import { createHash } from 'node:crypto';
import type { BackupStore } from '../../../drivers/backup/store.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { mibBytes } from '../../base/units.ts';
import { checkedOrigin } from '../../services/cluster/cloud-backups.ts';
import { digestText } from '../../state/digest.ts';
import { SnapshotDecoder } from '../../state/snapshot.ts';
import { StateMachine } from '../../state/state-machine.ts';
import { objectBytesMax, openObject } from '../backup/object-box.ts';
import { type BackupName, cloudKeys, cloudLabels, mustBeBackupName } from './objects.ts';
import { chunksMax, formatNow } from './write.ts';

/** Each chunk takes 34 bytes in it. */
const manifestBytesMax = chunksMax * 34 + mibBytes;
const secretsBytesMax = mibBytes;
const chunkBytesMax = 64 * mibBytes;
const hashBytes = 32;

/** A manifest as it lies in the store; nothing of it is proved. */
export interface ShownManifest {
  readonly manifest: shoal.v1.CloudBackupManifest;
  /** As stored: what `sealed` vouches for. */
  readonly bytes: Uint8Array;
  readonly sealed: Uint8Array;
}

/** What a whole backup holds. */
export interface OpenedBackup {
  readonly manifest: shoal.v1.CloudBackupManifest;
  readonly machine: StateMachine;
  readonly meshKeys: ReadonlyMap<number, Uint8Array>;
}

/** Reads the manifest alone, without a key. Throws `NOT_FOUND`, `IDENTITY_MISMATCH` (damaged, or of a later format). */
export async function readManifest(store: BackupStore, name: BackupName, signal: AbortSignal): Promise<ShownManifest> {
  mustBeBackupName(name);
  const stored = await store.get(cloudKeys.manifest(name), manifestBytesMax, signal);
  let shown: ShownManifest;
  try {
    const file = shoal.v1.CloudBackupFile.decode(stored);
    shown = { manifest: shoal.v1.CloudBackupManifest.decode(file.manifest), bytes: file.manifest, sealed: file.sealed };
  } catch (caught) {
    throw damaged(name, 'its manifest cannot be decoded', caught);
  }
  const fault = faultOf(shown.manifest, name);
  if (fault !== undefined) throw damaged(name, fault);
  return shown;
}

/**
 * Reads all of it: every chunk against its digest and its seal, every row, and the digest of all rows. Throws `NOT_FOUND`,
 * `IDENTITY_MISMATCH` (another key, or damaged), `LOG_CORRUPT` (the state in it cannot be read), and what the store throws.
 */
export async function openCloudBackup(
  store: BackupStore,
  name: BackupName,
  { manifest, bytes, sealed }: ShownManifest,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<OpenedBackup> {
  const secrets = await openSecrets(name, sealed, key);
  if (!createHash('sha256').update(bytes).digest().equals(secrets.manifestSha256)) {
    throw damaged(name, 'its manifest is not the one that was written');
  }
  const machine = new StateMachine();
  const decoder = new SnapshotDecoder();
  let contentBytes = 0;
  for (const [number, sha256] of manifest.objectSha256.entries()) {
    const object = await store.get(cloudKeys.chunk(name, number), objectBytesMax(manifest.chunkBytes) + 64, signal);
    if (!createHash('sha256').update(object).digest().equals(sha256))
      throw damaged(name, `its part ${number} is another`);
    const chunk = await openObject(key, cloudLabels.chunk(name, number), object, manifest.chunkBytes);
    contentBytes += chunk.length;
    for (const row of decoder.push(chunk)) machine.load(row);
  }
  const revision = decoder.finish();
  machine.loaded(revision);
  if (revision !== manifest.revision || contentBytes !== manifest.contentBytes) {
    throw damaged(name, 'it is of another revision or size than its manifest says');
  }
  if (digestText(machine.digest) !== secrets.stateDigest) {
    throw damaged(name, 'its rows are not those of the state that it was made of');
  }
  return {
    manifest,
    machine,
    meshKeys: new Map(secrets.meshKeys.map((one) => [one.epoch ?? 0, one.key ?? new Uint8Array()])),
  };
}

async function openSecrets(
  name: BackupName,
  sealed: Uint8Array,
  key: Uint8Array,
): Promise<shoal.v1.CloudBackupSecrets> {
  let plain: Uint8Array;
  try {
    plain = await openObject(key, cloudLabels.secrets(name), sealed, secretsBytesMax);
  } catch (caught) {
    throw new ShoalError(
      'IDENTITY_MISMATCH',
      `Backup ${name.backupId} does not open: the passphrase or key file is another one, or the manifest is damaged.`,
      { cause: caught },
    );
  }
  const secrets = shoal.v1.CloudBackupSecrets.decode(plain);
  if (secrets.meshKeys.every((one) => one.key?.length === hashBytes)) return secrets;
  throw damaged(name, 'a mesh key in it is none');
}

/** What is wrong with a manifest; undefined: nothing that shows. */
function faultOf(manifest: shoal.v1.CloudBackupManifest, { meshId, backupId }: BackupName): string | undefined {
  const { format, chunkBytes, objectSha256, origin } = manifest;
  if (format !== formatNow) return `its format is ${format}, which this version cannot read`;
  if (manifest.backupId !== backupId || manifest.meshId !== meshId) return 'its manifest is of another backup';
  if (chunkBytes < 1 || chunkBytes > chunkBytesMax || objectSha256.length > chunksMax) return 'its parts are wrong';
  if (objectSha256.some((sha256) => sha256.length !== hashBytes)) return 'its parts have no digests';
  if (origin === null) return 'it does not say how its key is made';
  checkedOrigin(origin);
  return undefined;
}

function damaged({ backupId }: BackupName, why: string, cause?: unknown): ShoalError {
  const message = `Backup ${backupId} of the cloud is damaged: ${why}.`;
  return new ShoalError('IDENTITY_MISMATCH', message, cause === undefined ? {} : { cause });
}
