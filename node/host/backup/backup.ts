/** Backups written to a store, read from it, verified and removed. Each is safe to do again after a crash at any point. */
import { createHash } from 'node:crypto';
import type { BackupStore } from '../../../drivers/backup/store.ts';
import type { DiskExport, DiskRange, Progress } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { chunkBytesOf, chunksMax, chunksOf, rangesOf } from './chunks.ts';
import { ManifestDraft, manifestBytesMax, objectKeys, objectLabels, openManifest, sealManifest } from './manifest.ts';
import { objectBytesMax, openObject, sealObject } from './object-box.ts';

const failpointBackupObjectStored = failpoint('backup.object-stored', 'some objects of a backup are stored');
const failpointBackupNoManifest = failpoint(
  'backup.no-manifest',
  'all objects of a backup are stored, and no manifest',
);
const failpointBackupManifestStored = failpoint(
  'backup.manifest-stored',
  'a backup is whole, and recorded as creating',
);
const failpointBackupManifestGone = failpoint('backup-delete.manifest-gone', 'a backup has objects and no manifest');

/** A backup in its store, and what opens it. */
export interface BackupPlace {
  readonly store: BackupStore;
  readonly backupId: string;
  /** 32 bytes. Secret. */
  readonly key: Uint8Array;
}

/** What is backed up. */
interface BackupOf {
  readonly volumeId: string;
  readonly content: DiskExport;
  /** The instant that the content is of, wall clock. */
  readonly dataTimestampMs: number;
  /** The manifest of the backup that this one adds to; absent: a full one. */
  readonly parent?: shoal.v1.BackupManifest;
  /** The content is only what differs from the parent's. */
  readonly isDelta?: boolean;
}

/** What the record says of a backup that is whole. */
interface BackupWritten {
  readonly manifestSha256: string;
  readonly objectCount: number;
  /** Bytes of the objects that are new. */
  readonly storedBytes: number;
}

/** Writes the objects that the store has not, then the manifest: with it, and not before, the backup is whole. */
export async function writeBackup(
  place: BackupPlace,
  of: BackupOf,
  progress: Progress,
  signal: AbortSignal,
): Promise<BackupWritten> {
  const { store, backupId, key } = place;
  const { sizeBytes, ranges } = of.content;
  const chunkBytes = of.parent?.chunkBytes ?? chunkBytesOf(sizeBytes);
  if (sizeBytes > chunkBytes * chunksMax) {
    throw new ShoalError('TOO_LARGE', 'The volume has outgrown the backup that this one adds to: make a full one.');
  }
  const draft = new ManifestDraft(backupId, key, of.parent);
  if (of.isDelta === true) draft.beginAsParent();
  let storedBytes = 0;
  for await (const { number, data } of chunksOf(ranges, chunkBytes, baseOf(place, of, signal))) {
    signal.throwIfAborted();
    progress(Math.floor((99 * number * chunkBytes) / Math.max(1, sizeBytes)));
    if (data === undefined) {
      draft.zero(number);
      continue;
    }
    const sha256 = sha256Of(data);
    if (draft.takeKnown(number, sha256)) continue;
    const object = await sealObject(key, objectLabels.chunk(backupId), data);
    const objectSha256 = sha256Of(object);
    await store.put(objectKeys.chunk(backupId, objectSha256.toString('hex')), object, signal);
    failpointBackupObjectStored();
    storedBytes += object.length;
    draft.take(number, sha256, objectSha256);
  }
  failpointBackupNoManifest();
  const { volumeId, dataTimestampMs } = of;
  const sealed = await sealManifest(draft.finish({ volumeId, sizeBytes, chunkBytes, dataTimestampMs }), key);
  await store.put(objectKeys.manifest(backupId), sealed, signal);
  failpointBackupManifestStored();
  progress(100);
  const manifestSha256 = sha256Of(sealed).toString('hex');
  return { manifestSha256, objectCount: draft.objectCount + 1, storedBytes: storedBytes + sealed.length };
}

/**
 * Reads the manifest. Throws `NOT_FOUND` when the store has none: the backup is not whole, or gone.
 * @param sha256 as recorded, lower-case hex; empty: not known.
 */
export async function readManifest(
  { store, backupId, key }: BackupPlace,
  sha256: string,
  signal: AbortSignal,
): Promise<shoal.v1.BackupManifest> {
  const sealed = await store.get(objectKeys.manifest(backupId), manifestBytesMax, signal);
  if (sha256 !== '' && sha256Of(sealed).toString('hex') !== sha256) {
    throw new ShoalError('IDENTITY_MISMATCH', `The manifest of backup ${backupId} is not the one that was recorded.`);
  }
  return openManifest(backupId, key, sealed);
}

/** The whole content as ranges for a disk of `sizeBytes`, each chunk checked against the manifest. */
export function contentOf(
  store: BackupStore,
  manifest: shoal.v1.BackupManifest,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<DiskRange> {
  if (sizeBytes < manifest.sizeBytes) {
    throw new ShoalError('INVALID_ARGUMENT', `The backup has ${manifest.sizeBytes} bytes, and the disk ${sizeBytes}.`);
  }
  return rangesOf(chunkContents(store, manifest, signal), manifest.chunkBytes, sizeBytes);
}

/** Reads every object. Throws for the first that is missing or damaged. */
export async function verifyBackup(
  store: BackupStore,
  manifest: shoal.v1.BackupManifest,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for await (const { number } of chunkContents(store, manifest, signal)) {
    progress(Math.floor((100 * number * manifest.chunkBytes) / Math.max(1, manifest.sizeBytes)));
  }
}

/** Removes all objects, the manifest first: what is half removed is no backup. Absent is success. */
export async function removeBackup(store: BackupStore, backupId: string, signal: AbortSignal): Promise<void> {
  await store.remove(objectKeys.manifest(backupId), signal);
  failpointBackupManifestGone();
  for await (const key of store.list(objectKeys.prefix(backupId), signal)) await store.remove(key, signal);
}

async function* chunkContents(
  store: BackupStore,
  manifest: shoal.v1.BackupManifest,
  signal: AbortSignal,
): AsyncGenerator<{ readonly number: number; readonly data: Uint8Array }> {
  for (const chunk of manifest.chunks) {
    yield { number: chunk.number, data: await chunkContent(store, manifest, chunk, signal) };
  }
}

async function chunkContent(
  store: BackupStore,
  manifest: shoal.v1.BackupManifest,
  { number, sha256, objectSha256, source: at }: shoal.v1.BackupChunk,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { sources, chunkBytes } = manifest;
  const source = sources[at];
  if (source === undefined) throw new ShoalError('IDENTITY_MISMATCH', `Chunk ${number} of the backup has no source.`);
  const name = Buffer.from(objectSha256).toString('hex');
  const object = await store.get(objectKeys.chunk(source.backupId, name), objectBytesMax(chunkBytes), signal);
  const data = await openObject(source.key, objectLabels.chunk(source.backupId), object, chunkBytes);
  if (data.length !== chunkBytes || Buffer.compare(sha256Of(data), sha256) !== 0) {
    throw new ShoalError('IDENTITY_MISMATCH', `Chunk ${number} of the backup is not what its manifest says.`);
  }
  return data;
}

/** What lies below the ranges of a delta. */
function baseOf(
  { store }: BackupPlace,
  { parent, isDelta }: BackupOf,
  signal: AbortSignal,
): ((number: number) => Promise<Uint8Array | undefined>) | undefined {
  if (parent === undefined || isDelta !== true) return undefined;
  const byNumber = new Map(parent.chunks.map((chunk) => [chunk.number, chunk]));
  return async (number) => {
    const chunk = byNumber.get(number);
    return chunk === undefined ? undefined : chunkContent(store, parent, chunk, signal);
  };
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
