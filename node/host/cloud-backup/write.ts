/**
 * Writes a backup of the cloud: a snapshot of the state, chunk by chunk, each compressed and sealed on its own, and the manifest
 * last. What has no manifest is no backup.
 */
import { createHash } from 'node:crypto';
import type { BackupStore } from '../../../drivers/backup/store.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { mibBytes } from '../../base/units.ts';
import { digestText } from '../../state/digest.ts';
import { encodeSnapshot } from '../../state/snapshot.ts';
import type { StateView } from '../../state/state-machine.ts';
import { meshTable } from '../../state/tables/index.ts';
import { sealObject } from '../backup/object-box.ts';
import { type BackupName, cloudKeys, cloudLabels, mustBeBackupName } from './objects.ts';

/** Bytes of a chunk before it is compressed. */
const chunkBytes = 4 * mibBytes;
/** Chunks of one backup: 256 GiB of state, far beyond what a replica holds in memory. */
export const chunksMax = 65_536;
/** The format that this version writes, and reads. */
export const formatNow = 1;

/** What a backup is made of. */
interface CloudBackupContent {
  readonly backupId: string;
  /** Of one revision. */
  readonly view: StateView;
  /** Mesh keys that open something in it. */
  readonly meshKeys: readonly { readonly epoch: number; readonly key: Uint8Array }[];
  readonly origin: shoal.v1.ICloudBackupKeyOrigin;
  /** 32 bytes. Secret. */
  readonly key: Uint8Array;
  readonly nowMs: number;
  readonly version: string;
}

/** Writes it; durable when it resolves. Throws what the store throws, `NOT_FOUND` for a state that has no mesh yet. */
export async function writeCloudBackup(
  store: BackupStore,
  content: CloudBackupContent,
  signal: AbortSignal,
): Promise<shoal.v1.CloudBackupMade> {
  const { view, backupId, key, nowMs, version, origin } = content;
  const { record: mesh } = meshTable.must(view.reader, 'mesh');
  const name: BackupName = { meshId: mesh.meshId, backupId };
  mustBeBackupName(name);
  const { objectSha256, contentBytes, storedBytes } = await writeChunks(store, name, content, signal);
  const manifest = shoal.v1.CloudBackupManifest.encode({
    format: formatNow,
    ...name,
    meshName: mesh.name,
    createdMs: nowMs,
    revision: view.appliedIndex,
    version,
    featureLevel: mesh.featureLevel,
    origin,
    contentBytes,
    chunkBytes,
    objectSha256,
  }).finish();
  const secrets = shoal.v1.CloudBackupSecrets.encode({
    manifestSha256: createHash('sha256').update(manifest).digest(),
    stateDigest: digestText(view.digest),
    meshKeys: content.meshKeys.map((one) => new shoal.v1.CloudBackupMeshKey(one)),
  }).finish();
  const sealed = await sealObject(key, cloudLabels.secrets(name), secrets);
  const file = shoal.v1.CloudBackupFile.encode({ manifest, sealed }).finish();
  await store.put(cloudKeys.manifest(name), file, signal);
  return new shoal.v1.CloudBackupMade({
    backupId,
    createdMs: nowMs,
    revision: view.appliedIndex,
    storedBytes: storedBytes + file.length,
  });
}

async function writeChunks(
  store: BackupStore,
  name: BackupName,
  { view, key }: CloudBackupContent,
  signal: AbortSignal,
): Promise<{ readonly objectSha256: Uint8Array[]; readonly contentBytes: number; readonly storedBytes: number }> {
  const objectSha256: Uint8Array[] = [];
  let contentBytes = 0;
  let storedBytes = 0;
  for (const chunk of encodeSnapshot(view, chunkBytes)) {
    signal.throwIfAborted();
    const number = objectSha256.length;
    if (number >= chunksMax) throw new ShoalError('TOO_LARGE', 'The state is too large for a backup of the cloud.');
    const object = await sealObject(key, cloudLabels.chunk(name, number), chunk);
    await store.put(cloudKeys.chunk(name, number), object, signal);
    objectSha256.push(createHash('sha256').update(object).digest());
    contentBytes += chunk.length;
    storedBytes += object.length;
  }
  return { objectSha256, contentBytes, storedBytes };
}
