/**
 * Image content on this host, and its way here from others: uploads are kept only once they are proved harmless, what a
 * peer sends only when it is what its name says. Replication keeps each image on several hosts without anybody in
 * charge: every host works out by itself whether it is one of the holders.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ImageFormat, isRecognisedImage } from '../../drivers/image/inspect.ts';
import type { Blobs } from '../../drivers/image/store.ts';
import type { ImageFile } from '../../drivers/types.ts';
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId, ImageSha256 } from '../base/ids.ts';
import { ownValue } from '../base/own-value.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { ImageContent, ServiceDependencies, StoredImage } from '../services/kit/dependencies.ts';
import { transact } from '../services/kit/transact.ts';
import { hostTable, imageTable } from '../state/tables/index.ts';
import type { HostStore } from '../store/host/host-store.ts';

/** Hosts that keep each image: one may be lost for good and another be down. */
const imageCopies = 3;
/** Largest image fetched from a peer: what an upload may be, with room. */
const fetchBytesMax = 64 * 1024 ** 3;

const formats: Readonly<Record<string, ImageFormat>> = {
  qcow2: 'qcow2',
  raw: 'raw',
  iso: 'iso',
  vmdk: 'vmdk',
  vdi: 'vdi',
};

/**
 * Content that came here and that no record has been seen to name within this time goes. Longer than a job that makes an image may take:
 * what it has stored it may still record. Unit: ms.
 */
const unnamedMsMax = 2 * 86_400_000;

/** How content is fetched from a peer. */
type FetchBlob = (hostId: HostId, sha256: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** See above. */
export class ImageCache implements ImageContent {
  readonly #blobs: Blobs;
  readonly #hostId: HostId;
  readonly #fetch: FetchBlob;
  readonly #acceptInert: boolean;
  readonly #deps: ServiceDependencies;
  readonly #store: HostStore;
  readonly #logger: Logger;
  /** Fetches under way, by content: two guests of one image wait for one download. */
  readonly #fetching = new Map<string, Promise<void>>();
  #replicating: Promise<void> | undefined;

  constructor(
    deps: ServiceDependencies & { readonly store: HostStore },
    options: {
      readonly blobs: Blobs;
      readonly hostId: HostId;
      readonly fetch: FetchBlob;
      /** Keep bytes that no format's signature is in, whatever they were declared. Default: refuse them. */
      readonly acceptInert?: boolean;
    },
  ) {
    this.#deps = deps;
    this.#store = deps.store;
    this.#logger = deps.logger;
    this.#blobs = options.blobs;
    this.#hostId = options.hostId;
    this.#fetch = options.fetch;
    this.#acceptInert = options.acceptInert === true;
  }

  async store(
    body: Readable,
    declared: { readonly diskFormat: string; readonly bytesMax: number },
    signal: AbortSignal,
  ): Promise<StoredImage> {
    const format = ownValue(formats, declared.diskFormat);
    if (format === undefined && !this.#acceptInert) {
      throw unsupported(declared.diskFormat);
    }
    const digests = await this.#blobs.write(body, { bytesMax: declared.bytesMax }, signal);
    try {
      const { bytes: sizeBytes, md5, sha256, sha512 } = digests;
      await this.#noteArrival(sha256);
      const path = this.#blobs.path(sha256);
      const stored = { sizeBytes, md5, sha256, sha512 };
      // Empty content, and content that is declared raw, is judged as ever.
      const inert = this.#acceptInert && format !== 'raw' && sizeBytes > 0 && !(await isRecognisedImage(path));
      if (inert) return { ...stored, virtualSizeBytes: 0, inert };
      if (format === undefined) throw unsupported(declared.diskFormat);
      const { virtualSizeBytes } = await this.#blobs.inspect(sha256, format);
      return { ...stored, virtualSizeBytes, inert };
    } catch (caught) {
      // The same bytes may have been accepted before under another format: those stay.
      const held = imageTable.by(this.#deps.state.local, 'sha256', digests.sha256);
      if (held.length === 0) await this.#blobs.remove(digests.sha256);
      throw caught;
    }
  }

  async open(sha256: string, holderIds: readonly string[], signal: AbortSignal): Promise<Readable> {
    await this.#ensure(sha256, holderIds, signal);
    return Readable.from(this.#blobs.read(sha256, signal));
  }

  /** The image as a local file that a disk can be cloned from. `IMAGE_REFUSED` for formats that guests do not boot from. */
  async file(image: shoal.v1.Image, signal: AbortSignal): Promise<ImageFile> {
    if (image.inert) {
      throw new ShoalError('IMAGE_REFUSED', `The content of image ${image.id} is only kept: no tool opens it.`);
    }
    const format = image.diskFormat === 'iso' ? 'raw' : image.diskFormat;
    if (format !== 'qcow2' && format !== 'raw') {
      throw new ShoalError('IMAGE_REFUSED', `Servers boot from qcow2 and raw images, not from ${image.diskFormat}.`);
    }
    await this.#ensure(image.sha256, image.hostIds, signal);
    return {
      sha256: image.sha256 as ImageSha256,
      path: this.#blobs.path(image.sha256),
      format,
      virtualSizeBytes: image.virtualSizeBytes,
    };
  }

  /** For peers that fetch. */
  read(sha256: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#blobs.read(sha256, signal);
  }

  async sizeOf(sha256: string): Promise<number | undefined> {
    return (await this.#blobs.find(sha256))?.bytes;
  }

  /**
   * Fetches what this host should hold and says so in the records; removes content that no record names. One run at a
   * time; failures are logged and left to the next run.
   */
  replicate(signal: AbortSignal): Promise<void> {
    this.#replicating ??= this.#replicate(signal).finally(() => {
      this.#replicating = undefined;
    });
    return this.#replicating;
  }

  async #replicate(signal: AbortSignal): Promise<void> {
    const { state } = this.#deps;
    const hostIds = hostTable.list(state.local).map((row) => row.record.id);
    for (const { record: image } of imageTable.list(state.local)) {
      if (signal.aborted) return;
      if (image.status !== shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE || image.sha256 === '' || image.deleting) continue;
      if (image.hostIds.includes(this.#hostId) || !holdersOf(image.sha256, hostIds).includes(this.#hostId)) continue;
      try {
        await this.#ensure(image.sha256, image.hostIds, signal);
        await this.#recordHolding(image.id, signal);
      } catch (caught) {
        this.#logger.info({ imageId: image.id, err: caught }, 'an image could not be copied to this host yet');
      }
    }
    await this.#removeUnnamed();
  }

  async #recordHolding(imageId: string, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = imageTable.get(reader, imageId);
      if (row === undefined || row.record.deleting || row.record.hostIds.includes(this.#hostId)) return;
      const hostIds = [...row.record.hostIds, this.#hostId];
      imageTable.update(change, row, new shoal.v1.Image({ ...row.record, hostIds }));
    });
  }

  /**
   * Removes content that a record named once and none does any more: its image was deleted. What was never seen named may be an
   * upload that is about to be, and stays for long; an image that was made and deleted between two rounds is such, too.
   */
  async #removeUnnamed(): Promise<void> {
    const reader = this.#deps.state.local;
    const fresh = new Set<string>();
    for (const { record } of imageTable.list(reader)) {
      if (record.sha256 !== '' && this.#store.get(namedKey(record.sha256)) !== true) fresh.add(record.sha256);
    }
    if (fresh.size > 0) await this.#store.write([...fresh].map((sha256) => ({ key: namedKey(sha256), value: true })));
    const nowMs = this.#deps.clock.nowMs();
    for (const [key, seen] of this.#store.entries('image/')) {
      const sha256 = key.slice('image/'.length);
      if (imageTable.count(reader, 'sha256', sha256) > 0) continue;
      if (typeof seen === 'number' && nowMs - seen < unnamedMsMax) continue;
      await this.#blobs.remove(sha256);
      await this.#store.write([{ key, value: undefined }]);
      this.#logger.info({ sha256 }, 'image content removed: no image has it any more');
    }
  }

  /** From when on somebody may name it. One that was named already stays so. */
  async #noteArrival(sha256: string): Promise<void> {
    const key = namedKey(sha256);
    if (this.#store.get(key) !== undefined) return;
    await this.#store.write([{ key, value: this.#deps.clock.nowMs() }]);
  }

  #ensure(sha256: string, holderIds: readonly string[], signal: AbortSignal): Promise<void> {
    const running = this.#fetching.get(sha256);
    if (running !== undefined) return running;
    const started = this.#ensureAlone(sha256, holderIds, signal).finally(() => this.#fetching.delete(sha256));
    this.#fetching.set(sha256, started);
    return started;
  }

  async #ensureAlone(sha256: string, holderIds: readonly string[], signal: AbortSignal): Promise<void> {
    if ((await this.#blobs.find(sha256)) !== undefined) return;
    const failures: string[] = [];
    for (const hostId of holderIds) {
      if (hostId === this.#hostId) continue;
      try {
        const content = this.#fetch(hostId as HostId, sha256, signal);
        await this.#blobs.write(content, { bytesMax: fetchBytesMax, expectedSha256: sha256 }, signal);
        await this.#noteArrival(sha256);
        return;
      } catch (caught) {
        if (signal.aborted) throw caught;
        failures.push(`${hostId}: ${caught instanceof Error ? caught.message : String(caught)}`);
      }
    }
    throw new ShoalError('UNAVAILABLE', 'No host that holds the image can be reached now.', {
      facts: { sha256, holderIds, failures },
    });
  }
}

function unsupported(diskFormat: string): ShoalError {
  return new ShoalError('IMAGE_REFUSED', `Disk format ${diskFormat} is not supported.`, {
    facts: { supported: Object.keys(formats) },
  });
}

/** Note in the host store: true once a record was seen to name this content; before, when it came here, ms since 1970. */
function namedKey(sha256: string): string {
  return `image/${sha256}`;
}

/** The hosts that should hold a content: the highest of a hash of both (rendezvous hashing; Thaler and Ravishankar, 1998). */
function holdersOf(sha256: string, hostIds: readonly string[]): readonly string[] {
  const rank = (hostId: string): string => createHash('sha256').update(`${sha256}/${hostId}`).digest('hex');
  return hostIds
    .map((hostId) => ({ hostId, rank: rank(hostId) }))
    .sort((a, b) => (a.rank < b.rank ? 1 : -1))
    .slice(0, imageCopies)
    .map((entry) => entry.hostId);
}
