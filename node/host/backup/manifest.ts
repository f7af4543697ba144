/**
 * The manifest of a backup: which chunks its content has, and whose objects hold them. An incremental backup names the objects of
 * those that it adds to, and is as whole as a full one. Pure but for the sealing.
 */
import { createHash } from 'node:crypto';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { mibBytes } from '../../base/units.ts';
import { chunksMax } from './chunks.ts';
import { openObject, sealObject } from './object-box.ts';

const formatNow = 1;
/** A chunk takes some 75 bytes in it, and a source some 75, too. */
export const manifestBytesMax = chunksMax * 128;
/** Backups that one can add to, one by one. */
const sourcesMax = 1_000;
const keyBytes = 32;
const hashBytes = 32;
const chunkBytesMax = 1024 * mibBytes;

/** Keys of objects in a store. */
export const objectKeys = {
  /** All of a backup. */
  prefix: (backupId: string): string => `${backupId}/`,
  manifest: (backupId: string): string => `${backupId}/manifest`,
  /** Spread over folders by the beginning of its name. */
  chunk: (backupId: string, objectSha256: string): string => `${backupId}/${objectSha256.slice(0, 2)}/${objectSha256}`,
} as const;

/** What an object is sealed as. */
export const objectLabels = {
  manifest: (backupId: string): string => `manifest/${backupId}`,
  chunk: (backupId: string): string => `chunk/${backupId}`,
} as const;

/** SHA-256 of a content, by its chunks in order: two contents are the same when these are. */
function contentSha256(chunks: readonly Pick<shoal.v1.IBackupChunk, 'number' | 'sha256'>[]): Buffer {
  const hash = createHash('sha256');
  const number = Buffer.alloc(8);
  for (const chunk of chunks) {
    number.writeBigUInt64BE(BigInt(chunk.number ?? 0));
    hash.update(number).update(chunk.sha256 ?? new Uint8Array());
  }
  return hash.digest();
}

/** Compressed, and sealed with the backup's key. */
export function sealManifest(manifest: shoal.v1.BackupManifest, key: Uint8Array): Promise<Buffer> {
  const plain = shoal.v1.BackupManifest.encode(manifest).finish();
  return sealObject(key, objectLabels.manifest(manifest.backupId), plain);
}

/**
 * Opens it and checks all that is read from it later. Throws `IDENTITY_MISMATCH` when it is damaged, another backup's, or of a
 * later format.
 */
export async function openManifest(
  backupId: string,
  key: Uint8Array,
  sealed: Uint8Array,
): Promise<shoal.v1.BackupManifest> {
  const plain = await openObject(key, objectLabels.manifest(backupId), sealed, manifestBytesMax);
  let manifest: shoal.v1.BackupManifest;
  try {
    manifest = shoal.v1.BackupManifest.decode(plain);
  } catch (caught) {
    throw damaged(backupId, 'it cannot be decoded', caught);
  }
  const fault = faultOf(manifest, backupId);
  if (fault !== undefined) throw damaged(backupId, fault);
  return manifest;
}

/** What is wrong with it; undefined: nothing. */
function faultOf(manifest: shoal.v1.BackupManifest, backupId: string): string | undefined {
  const { format, sources, chunks, chunkBytes, sizeBytes } = manifest;
  if (format !== formatNow) return `its format is ${format}`;
  if (manifest.backupId !== backupId || sources[0]?.backupId !== backupId) return 'it is of another backup';
  if (sources.length > sourcesMax || sources.some(({ key }) => key.length !== keyBytes)) return 'its sources are wrong';
  if (chunkBytes < 1 || chunkBytes > chunkBytesMax || chunks.length > chunksMax) return 'its chunks are wrong';
  let last = -1;
  for (const { number, sha256, objectSha256, source } of chunks) {
    const isWhole = sha256.length === hashBytes && objectSha256.length === hashBytes && source < sources.length;
    if (!isWhole || number <= last || number * chunkBytes >= sizeBytes) return `its chunk ${number} is wrong`;
    last = number;
  }
  return contentSha256(chunks).equals(manifest.contentSha256) ? undefined : 'its hash is not that of its chunks';
}

function damaged(backupId: string, why: string, cause?: unknown): ShoalError {
  const message = `The manifest of backup ${backupId} is damaged: ${why}.`;
  return new ShoalError('IDENTITY_MISMATCH', message, cause === undefined ? {} : { cause });
}

/** A manifest that is being made. */
export class ManifestDraft {
  readonly #backupId: string;
  readonly #sources: shoal.v1.BackupSource[];
  readonly #chunks = new Map<number, shoal.v1.BackupChunk>();
  readonly #parent: ReadonlyMap<number, shoal.v1.BackupChunk>;
  /** Objects of this backup, by the hash of their content: the same content is stored once. */
  readonly #own = new Map<string, Uint8Array>();

  /** @param parent the manifest of the backup that it adds to; undefined: a full one. */
  constructor(backupId: string, key: Uint8Array, parent: shoal.v1.BackupManifest | undefined) {
    this.#backupId = backupId;
    const own = new shoal.v1.BackupSource({ backupId, key });
    this.#sources = [own, ...(parent?.sources ?? [])];
    this.#parent = new Map((parent?.chunks ?? []).map((chunk) => [chunk.number, chunk]));
  }

  /** Objects that are this backup's own. */
  get objectCount(): number {
    return this.#own.size;
  }

  /** Takes over all chunks of the parent: what differs is said afterwards. */
  beginAsParent(): void {
    for (const [number, chunk] of this.#parent) this.#chunks.set(number, this.#ofParent(chunk));
  }

  /** The chunk is zeros. */
  zero(number: number): void {
    this.#chunks.delete(number);
  }

  /** Whether the chunk needs no object of its own: the parent has the same content there, or this backup has it somewhere. */
  takeKnown(number: number, sha256: Uint8Array): boolean {
    const parent = this.#parent.get(number);
    if (parent !== undefined && Buffer.compare(parent.sha256, sha256) === 0) {
      this.#chunks.set(number, this.#ofParent(parent));
      return true;
    }
    const objectSha256 = this.#own.get(Buffer.from(sha256).toString('hex'));
    if (objectSha256 === undefined) return false;
    this.#chunks.set(number, new shoal.v1.BackupChunk({ number, sha256, objectSha256, source: 0 }));
    return true;
  }

  /** The chunk is in this object of the backup's own. */
  take(number: number, sha256: Uint8Array, objectSha256: Uint8Array): void {
    this.#own.set(Buffer.from(sha256).toString('hex'), objectSha256);
    this.#chunks.set(number, new shoal.v1.BackupChunk({ number, sha256, objectSha256, source: 0 }));
  }

  finish(
    of: Pick<shoal.v1.BackupManifest, 'volumeId' | 'sizeBytes' | 'chunkBytes' | 'dataTimestampMs'>,
  ): shoal.v1.BackupManifest {
    const chunks = [...this.#chunks.values()].sort((a, b) => a.number - b.number);
    return new shoal.v1.BackupManifest({
      format: formatNow,
      backupId: this.#backupId,
      ...of,
      sources: this.#sources,
      chunks,
      contentSha256: contentSha256(chunks),
    });
  }

  #ofParent(chunk: shoal.v1.BackupChunk): shoal.v1.BackupChunk {
    return new shoal.v1.BackupChunk({ ...chunk, source: chunk.source + 1 });
  }
}
