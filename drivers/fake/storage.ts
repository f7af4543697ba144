/**
 * A storage driver without bytes: real code, for tests, for the simulator and for an agent without root.
 *
 * `FakeStorage` is the storage itself, which several hosts' drivers share when it is `shared` (as Ceph) and one holds
 * when not (as local files). It is also the fourth witness that the simulator needs: it remembers who has each disk
 * open (`watchers`), whom it has fenced (`blocked`), and refuses writes of those (`write`).
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId } from '../../node/base/ids.ts';
import { gibBytes } from '../../node/base/units.ts';
import { checkImageName, checkImageSha256 } from '../image/content-name.ts';
import type { DiskFound, DiskSource, DiskSpec, ImageFile, StorageCapabilities, StorageDriver } from '../types.ts';
import { Faults } from './faults.ts';

/** Operations whose next calls can be made to fail. */
type FakeStorageOperation =
  | 'start'
  | 'capacity'
  | 'ensureImage'
  | 'hasImage'
  | 'removeImage'
  | 'ensureDisk'
  | 'findDisk'
  | 'listDisks'
  | 'openDisk'
  | 'closeDisk'
  | 'removeDisk';

interface FakeDisk {
  readonly imageSha256: ImageSha256 | undefined;
  sizeBytes: number;
  lock: { readonly owner: HostId; readonly generation: number } | undefined;
  /** Hosts whose guests have it open. A crashed agent's guest still does. */
  readonly watchers: Set<HostId>;
  /** Who wrote, in order: what a checker compares with who should have. */
  readonly writes: { readonly owner: HostId; readonly generation: number }[];
}

/** The storage behind one or more fake drivers. */
export class FakeStorage {
  readonly faults = new Faults<FakeStorageOperation>();
  readonly shared: boolean;
  totalBytes: number;
  /** False: the storage cannot fence a host, so that no takeover is ever proved. */
  canFence = true;
  readonly images = new Map<string, { readonly virtualSizeBytes: number; readonly format: string }>();
  readonly disks = new Map<VolumeId, FakeDisk>();
  readonly blocked = new Set<HostId>();

  constructor(options: { readonly shared?: boolean; readonly totalBytes?: number } = {}) {
    this.shared = options.shared ?? true;
    this.totalBytes = options.totalBytes ?? 100 * gibBytes;
  }

  /** A guest on `owner`, started at `generation`, writes. False: the storage refused it. */
  write(volumeId: VolumeId, owner: HostId, generation: number): boolean {
    const disk = this.disks.get(volumeId);
    if (disk === undefined || this.blocked.has(owner)) return false;
    disk.writes.push({ owner, generation });
    return true;
  }

  /** The guest that had it open is gone, without its agent saying so. */
  forgetWatcher(volumeId: VolumeId, owner: HostId): void {
    this.disks.get(volumeId)?.watchers.delete(owner);
  }
}

/** What one host's agent holds of fake storage. */
export class FakeStorageDriver implements StorageDriver {
  readonly name = 'fake';
  readonly capabilities: StorageCapabilities;
  readonly #storage: FakeStorage;

  constructor(storage: FakeStorage) {
    this.#storage = storage;
    this.capabilities = { shared: storage.shared, snapshots: false };
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#begin('start', signal);
  }

  async stop(): Promise<void> {}

  async capacity(signal: AbortSignal): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    this.#begin('capacity', signal);
    const { totalBytes } = this.#storage;
    return { totalBytes, freeBytes: Math.max(0, totalBytes - this.#usedBytes()) };
  }

  async ensureImage(image: ImageFile, signal: AbortSignal): Promise<void> {
    this.#begin('ensureImage', signal);
    const { sha256, virtualSizeBytes, format } = image;
    checkImageSha256(sha256);
    const there = this.#storage.images.get(sha256);
    if (there !== undefined && (there.virtualSizeBytes !== virtualSizeBytes || there.format !== format)) {
      throw new ShoalError('CONFLICT', `image ${sha256} is here with another format or size`);
    }
    this.#storage.images.set(sha256, { virtualSizeBytes, format });
  }

  async hasImage(sha256: ImageSha256, signal: AbortSignal): Promise<boolean> {
    this.#begin('hasImage', signal);
    checkImageSha256(sha256);
    return this.#storage.images.has(sha256);
  }

  async removeImage(name: ImageSha256 | ImageId, signal: AbortSignal): Promise<void> {
    this.#begin('removeImage', signal);
    checkImageName(name);
    for (const [volumeId, disk] of this.#storage.disks) {
      if (disk.imageSha256 === name) throw new ShoalError('CONFLICT', `disk ${volumeId} is cloned from image ${name}`);
    }
    this.#storage.images.delete(name);
  }

  async ensureDisk(spec: DiskSpec, signal: AbortSignal): Promise<void> {
    this.#begin('ensureDisk', signal);
    const disk = this.#storage.disks.get(spec.volumeId);
    if (disk !== undefined) {
      if (disk.imageSha256 !== spec.imageSha256) {
        throw new ShoalError('CONFLICT', `disk ${spec.volumeId} exists with other content at its bottom`);
      }
      if (spec.sizeBytes > disk.sizeBytes) {
        this.#mustFit(spec.sizeBytes - disk.sizeBytes);
        disk.sizeBytes = spec.sizeBytes;
      }
      return;
    }
    if (spec.imageSha256 !== undefined) {
      checkImageSha256(spec.imageSha256);
      const image = this.#storage.images.get(spec.imageSha256);
      if (image === undefined) throw new ShoalError('NOT_FOUND', `image ${spec.imageSha256} is not on this storage`);
      if (spec.sizeBytes < image.virtualSizeBytes) {
        throw new ShoalError('INVALID_ARGUMENT', `a disk of ${spec.sizeBytes} bytes is smaller than its image`);
      }
    }
    this.#mustFit(spec.sizeBytes);
    this.#storage.disks.set(spec.volumeId, {
      imageSha256: spec.imageSha256,
      sizeBytes: spec.sizeBytes,
      lock: undefined,
      watchers: new Set(),
      writes: [],
    });
  }

  async findDisk(volumeId: VolumeId, signal: AbortSignal): Promise<DiskFound | undefined> {
    this.#begin('findDisk', signal);
    const disk = this.#storage.disks.get(volumeId);
    return disk === undefined ? undefined : asFound(volumeId, disk);
  }

  async listDisks(signal: AbortSignal): Promise<readonly DiskFound[]> {
    this.#begin('listDisks', signal);
    return [...this.#storage.disks].map(([volumeId, disk]) => asFound(volumeId, disk));
  }

  async openDisk(spec: DiskSpec, owner: HostId, signal: AbortSignal): Promise<DiskSource> {
    this.#begin('openDisk', signal);
    const disk = this.#storage.disks.get(spec.volumeId);
    if (disk === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${spec.volumeId}`);
    const { lock } = disk;
    if (lock !== undefined && lock.generation > spec.generation) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is locked at generation ${lock.generation}`);
    }
    if (lock !== undefined && lock.owner !== owner) {
      if (lock.generation === spec.generation) {
        throw new ShoalError(
          'FENCE_UNPROVEN',
          `disk ${spec.volumeId} has another owner at generation ${lock.generation}`,
        );
      }
      if (!this.#storage.canFence) throw new ShoalError('FENCE_UNPROVEN', `host ${lock.owner} cannot be fenced`);
      this.#storage.blocked.add(lock.owner);
      disk.watchers.delete(lock.owner);
    }
    for (const watcher of disk.watchers) {
      if (watcher !== owner) throw new ShoalError('FENCE_UNPROVEN', `host ${watcher} has disk ${spec.volumeId} open`);
    }
    if (this.#storage.blocked.has(owner)) {
      throw new ShoalError('FENCE_UNPROVEN', `the storage has fenced this host`, { facts: { owner } });
    }
    disk.lock = { owner, generation: spec.generation };
    disk.watchers.add(owner);
    return { kind: 'fake', name: spec.volumeId };
  }

  async closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void> {
    this.#begin('closeDisk', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk?.lock?.owner !== owner || disk.lock.generation !== generation) return;
    disk.watchers.delete(owner);
    disk.lock = undefined;
  }

  async removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.#begin('removeDisk', signal);
    this.#storage.disks.delete(volumeId);
  }

  #begin(operation: FakeStorageOperation, signal: AbortSignal): void {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
    this.#storage.faults.strike(operation);
  }

  #usedBytes(): number {
    let used = 0;
    for (const disk of this.#storage.disks.values()) used += disk.sizeBytes;
    return used;
  }

  #mustFit(bytes: number): void {
    const free = this.#storage.totalBytes - this.#usedBytes();
    if (bytes > free) throw new ShoalError('DRIVER_FAILED', `the storage is full: ${bytes} bytes asked, ${free} free`);
  }
}

function asFound(volumeId: VolumeId, disk: FakeDisk): DiskFound {
  const { sizeBytes, imageSha256 } = disk;
  return { volumeId, sizeBytes, ...(imageSha256 === undefined ? {} : { imageSha256 }) };
}
