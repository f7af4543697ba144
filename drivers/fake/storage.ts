/**
 * A storage driver without bytes: real code, for tests, for the simulator and for an agent without root.
 *
 * `FakeStorage` is the storage itself, which several hosts' drivers share when it is `shared` (as Ceph) and one holds
 * when not (as local files). It is also the fourth witness that the simulator needs: it remembers who has each disk
 * open (`watchers`), whom it has fenced (`blocked`), and refuses writes of those (`write`).
 *
 * What a disk holds is a word (`content`): every write makes another, a snapshot keeps it, a copy has its origin's. Two disks
 * with the same word hold the same bytes. As bytes (`exportDisk`) it stands at the disk's beginning.
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { gibBytes } from '../../node/base/units.ts';
import { checkDiskSpec, checkUnmanagedName, notServedHere } from '../disk-spec.ts';
import { checkImageName, checkImageSha256 } from '../image/content-name.ts';
import { checkNbdKey } from '../nbd/exports/export-command.ts';
import { storageRefusal } from '../storage-refusal.ts';
import type {
  DiskExport,
  DiskFound,
  DiskOrigin,
  DiskRange,
  DiskServed,
  DiskServing,
  DiskSource,
  DiskSpec,
  ImageFile,
  NbdKey,
  Progress,
  StorageCapabilities,
  StorageCondition,
  StorageDriver,
  StorageRoom,
  StorageWitness,
  UnmanagedDisk,
} from '../types.ts';
import { bytesOfContent, contentOfBytes, halfWritten } from './content.ts';
import { Faults } from './faults.ts';
import { FakeWitness } from './witness.ts';

/** TCP ports that disks are served at. */
const exportPorts = { first: 10_809, count: 1_000 };

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
  | 'removeDisk'
  | 'serveDisk'
  | 'unserveDisk'
  | 'listServed'
  | 'createSnapshot'
  | 'removeSnapshot'
  | 'listSnapshots'
  | 'revertDisk'
  | 'copyDisk'
  | 'exportDisk'
  | 'importDisk'
  | 'listUnmanaged'
  | 'adoptDisk'
  | 'releaseDisk'
  | 'beat'
  | 'lastBeat'
  | 'fenceFormer'
  | 'isFenced'
  | 'unfence';

interface Holder {
  readonly owner: HostId;
  readonly generation: number;
  /** For what serves the disk to another host, and no guest of this one. */
  readonly isToServe?: boolean;
}

interface FakeDisk {
  readonly imageSha256: ImageSha256 | undefined;
  sizeBytes: number;
  /** Empty: zeros. */
  content: string;
  /** Of an encrypted disk: without it nothing is read. */
  readonly passphrase: string | undefined;
  /** Content at each, in the order in which they were made. */
  readonly snapshots: Map<VolumeSnapshotId, string>;
  /** Size at each. */
  readonly snapshotBytes: Map<VolumeSnapshotId, number>;
  /** Who has it for itself. */
  lock: Holder | undefined;
  /** Who has it beside others. */
  readonly sharers: Holder[];
  /** Hosts whose guests have it open. A crashed agent's guest still does. */
  readonly watchers: Set<HostId>;
  /** Hosts on which a guest waits for its memory with the disk open, and its generation there. */
  readonly waiting: Map<HostId, number>;
  /** Served to another host by a process here, which goes on when the agent ends. */
  served: (DiskServed & { readonly owner: HostId; readonly key: NbdKey; readonly readOnly: boolean }) | undefined;
  /** Who wrote, in order: what a checker compares with who should have. */
  readonly writes: { readonly owner: HostId; readonly generation: number }[];
}

/** The storage behind one or more fake drivers. */
export class FakeStorage {
  readonly faults = new Faults<FakeStorageOperation>();
  /** What it says of itself as a place for new disks. */
  condition: StorageCondition | undefined;
  readonly shared: boolean;
  /** Another for each storage that one host reaches. */
  readonly name: string;
  totalBytes: number;
  /** False: the storage cannot fence a host, so that no takeover is ever proved. */
  canFence = true;
  readonly images = new Map<string, { readonly virtualSizeBytes: number; readonly format: string }>();
  readonly disks = new Map<VolumeId, FakeDisk>();
  /** Disks that are there and not Shoal's, by name. */
  readonly unmanaged = new Map<string, { readonly sizeBytes: number; readonly content: string }>();
  /** Where other hosts find what is served of it. */
  readonly address: string;
  #writes = 0;
  readonly blocked = new Set<HostId>();
  /** What each host said last. */
  readonly beats = new Map<HostId, string>();

  constructor(
    options: {
      readonly shared?: boolean;
      readonly totalBytes?: number;
      readonly address?: string;
      readonly name?: string;
    } = {},
  ) {
    this.shared = options.shared ?? true;
    this.address = options.address ?? '127.0.0.1';
    this.name = options.name ?? 'fake';
    this.totalBytes = options.totalBytes ?? 100 * gibBytes;
  }

  /** A guest on `owner`, started at `generation`, writes. False: the storage refused it. */
  write(volumeId: VolumeId, owner: HostId, generation: number): boolean {
    const disk = this.disks.get(volumeId);
    if (disk === undefined || this.blocked.has(owner)) return false;
    disk.writes.push({ owner, generation });
    this.#writes += 1;
    // Another word than any other storage makes.
    disk.content = `write ${this.#writes} at ${this.address}/${this.name}`;
    return true;
  }

  /** The disk that is served at a port to who shows this key. Undefined: nobody listens there, or it is another key. */
  servedAt(port: number, key: NbdKey): DiskServed | undefined {
    for (const { served } of this.disks.values()) {
      if (served?.port === port && served.key.user === key.user && served.key.keyHex === key.keyHex) return served;
    }
    return undefined;
  }

  /** Power cut of a host: what served disks there is gone. The locks stay. */
  reboot(hostId: HostId): void {
    for (const disk of this.disks.values()) if (disk.served?.owner === hostId) disk.served = undefined;
  }

  /** How a guest opens the disk. */
  sourceOf(volumeId: VolumeId): DiskSource {
    return { kind: 'fake', name: `${this.name}/${volumeId}` };
  }

  /** Makes a disk larger; never smaller. `NOT_FOUND` without it; full as `ensureDisk`. */
  grow(volumeId: VolumeId, sizeBytes: number): void {
    const disk = this.disks.get(volumeId);
    if (disk === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
    if (sizeBytes <= disk.sizeBytes) return;
    this.mustFit(sizeBytes - disk.sizeBytes);
    disk.sizeBytes = sizeBytes;
  }

  /** Bytes that all disks have been promised. */
  usedBytes(): number {
    let used = 0;
    for (const disk of this.disks.values()) used += disk.sizeBytes;
    return used;
  }

  /** Throws when so much more has no room. */
  mustFit(bytes: number): void {
    const free = this.totalBytes - this.usedBytes();
    if (bytes > free) throw storageRefusal('full', `the storage is full: ${bytes} bytes asked, ${free} free`);
  }

  /** What the disk holds now, or held at a snapshot; undefined when there is no such disk or snapshot. */
  contentOf(volumeId: VolumeId, snapshotId?: VolumeSnapshotId): string | undefined {
    const disk = this.disks.get(volumeId);
    return snapshotId === undefined ? disk?.content : disk?.snapshots.get(snapshotId);
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
  readonly witness: StorageWitness | undefined;
  readonly #storage: FakeStorage;

  constructor(storage: FakeStorage) {
    this.#storage = storage;
    const { shared } = storage;
    this.capabilities = {
      shared,
      snapshots: true,
      clones: shared,
      multiAttach: shared,
      encryption: ['luks'],
      exports: !shared,
    };
    this.witness = shared ? new FakeWitness(storage) : undefined;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#begin('start', signal);
  }

  async stop(): Promise<void> {}

  async capacity(signal: AbortSignal): Promise<StorageRoom> {
    this.#begin('capacity', signal);
    const { totalBytes, condition } = this.#storage;
    const freeBytes = Math.max(0, totalBytes - this.#storage.usedBytes());
    return { totalBytes, freeBytes, ...(condition === undefined ? {} : { condition }) };
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
    const isNew = disk === undefined;
    checkDiskSpec(spec, {
      capabilities: this.capabilities,
      ...(isNew ? { totalBytes: this.#storage.totalBytes } : {}),
    });
    if (disk !== undefined) {
      if (disk.imageSha256 !== spec.imageSha256) {
        throw new ShoalError('CONFLICT', `disk ${spec.volumeId} exists with other content at its bottom`);
      }
      if (spec.sizeBytes > disk.sizeBytes) mustNotBeServed(spec.volumeId, disk);
      this.#storage.grow(spec.volumeId, spec.sizeBytes);
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
    const made = spec.contents === undefined ? '' : `made as ${spec.contents.format}`;
    this.#make(spec, spec.imageSha256 === undefined ? made : `image ${spec.imageSha256}`);
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
    const disk = this.#mustHave(spec.volumeId);
    if (disk.served !== undefined) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is served to another host`);
    }
    return this.#open(spec, disk, owner);
  }

  #open(spec: DiskSpec, disk: FakeDisk, owner: HostId): DiskSource {
    checkDiskSpec(spec, { capabilities: this.capabilities });
    // It writes nothing before its lock is taken, and is seen as a watcher like any other.
    if (spec.arrival === 'waiting') return this.#openWaiting(spec, disk, owner);
    if (spec.shared === true) return this.#openShared(spec, disk, owner);
    const { lock, sharers } = disk;
    if (sharers.length > 0) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is open beside others`, { facts: { sharers } });
    }
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
    const waiting = [...disk.waiting.keys()].filter((host) => !this.#storage.blocked.has(host));
    for (const watcher of [...disk.watchers, ...waiting]) {
      if (watcher !== owner) throw new ShoalError('FENCE_UNPROVEN', `host ${watcher} has disk ${spec.volumeId} open`);
    }
    if (this.#storage.blocked.has(owner)) {
      throw new ShoalError('FENCE_UNPROVEN', `the storage has fenced this host`, { facts: { owner } });
    }
    disk.lock = { owner, generation: spec.generation };
    disk.watchers.add(owner);
    disk.waiting.delete(owner);
    return this.#storage.sourceOf(spec.volumeId);
  }

  async closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void> {
    this.#begin('closeDisk', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk === undefined) return;
    if (disk.waiting.get(owner) === generation) disk.waiting.delete(owner);
    const at = disk.sharers.findIndex((holder) => holder.owner === owner && holder.generation === generation);
    if (at >= 0) disk.sharers.splice(at, 1);
    if (disk.lock?.owner === owner && disk.lock.generation === generation) disk.lock = undefined;
    else if (at < 0) return;
    if (!disk.sharers.some((holder) => holder.owner === owner)) disk.watchers.delete(owner);
  }

  async serveDisk(
    spec: DiskSpec,
    owner: HostId,
    { key, readOnly, port }: DiskServing,
    signal: AbortSignal,
  ): Promise<DiskServed> {
    this.#begin('serveDisk', signal);
    const { volumeId, generation } = spec;
    if (!this.capabilities.exports) throw notServedHere(volumeId);
    checkNbdKey(key);
    const disk = this.#mustHave(volumeId);
    const { served } = disk;
    if (served?.generation === generation) return asServed(served);
    if (served !== undefined && served.generation > generation) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is served at generation ${served.generation}`);
    }
    if (disk.watchers.size > 0 && disk.lock?.isToServe !== true) {
      const code = disk.lock?.generation === generation ? 'CONFLICT' : 'FENCE_UNPROVEN';
      throw new ShoalError(code, `a guest has disk ${volumeId} open`);
    }
    disk.served = undefined;
    this.#open(spec, disk, owner);
    disk.lock = { owner, generation, isToServe: true };
    const taken = new Set([...this.#storage.disks.values()].map((other) => other.served?.port));
    let free = port !== undefined && port >= exportPorts.first ? port : exportPorts.first;
    while (taken.has(free)) free += 1;
    if (free >= exportPorts.first + exportPorts.count) {
      throw new ShoalError('UNAVAILABLE', `no port is free to serve disk ${volumeId}`);
    }
    disk.served = {
      ...{ volumeId, generation, owner, key, readOnly: readOnly ?? false },
      ...{ address: this.#storage.address, port: free },
    };
    return asServed(disk.served);
  }

  async unserveDisk(volumeId: VolumeId, owner: HostId, signal: AbortSignal): Promise<void> {
    this.#begin('unserveDisk', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk === undefined) return;
    disk.served = undefined;
    if (disk.lock?.owner !== owner || disk.lock.isToServe !== true) return;
    disk.lock = undefined;
    disk.watchers.delete(owner);
  }

  async listServed(signal: AbortSignal): Promise<readonly DiskServed[]> {
    this.#begin('listServed', signal);
    return [...this.#storage.disks.values()].flatMap(({ served }) => (served === undefined ? [] : [asServed(served)]));
  }

  async removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.#begin('removeDisk', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk !== undefined) mustNotBeServed(volumeId, disk);
    if (disk !== undefined && disk.snapshots.size > 0) {
      throw new ShoalError('CONFLICT', `disk ${volumeId} has ${disk.snapshots.size} snapshots`);
    }
    this.#storage.disks.delete(volumeId);
  }

  async createSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    this.#begin('createSnapshot', signal);
    const disk = this.#mustHave(volumeId);
    if (disk.snapshots.has(snapshotId)) return;
    if (!this.#storage.shared && disk.served === undefined) mustBeClosed(volumeId, disk);
    keepSnapshot(disk, snapshotId);
  }

  async removeSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    this.#begin('removeSnapshot', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk?.snapshots.has(snapshotId) !== true) return;
    if (!this.#storage.shared && disk.served === undefined) mustBeClosed(volumeId, disk);
    disk.snapshots.delete(snapshotId);
  }

  async listSnapshots(volumeId: VolumeId, signal: AbortSignal): Promise<readonly VolumeSnapshotId[]> {
    this.#begin('listSnapshots', signal);
    return [...(this.#storage.disks.get(volumeId)?.snapshots.keys() ?? [])];
  }

  async revertDisk(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    this.#begin('revertDisk', signal);
    const disk = this.#mustHave(volumeId);
    mustBeClosed(volumeId, disk);
    disk.content = contentAt(volumeId, disk, snapshotId);
  }

  async copyDisk(from: DiskOrigin, spec: DiskSpec, progress: Progress, signal: AbortSignal): Promise<void> {
    this.#begin('copyDisk', signal);
    checkDiskSpec(spec, { capabilities: this.capabilities, totalBytes: this.#storage.totalBytes, isCopy: true });
    const there = this.#storage.disks.get(spec.volumeId);
    if (there !== undefined) {
      this.#storage.grow(spec.volumeId, spec.sizeBytes);
      progress(100);
      return;
    }
    const origin = this.#mustHave(from.volumeId);
    mustBeReadable(from, origin);
    if (from.snapshotId === undefined) mustBeClosed(from.volumeId, origin);
    const kept = from.snapshotId === undefined ? undefined : origin.snapshotBytes.get(from.snapshotId);
    if (spec.sizeBytes < (kept ?? origin.sizeBytes)) {
      throw new ShoalError('INVALID_ARGUMENT', `a disk of ${spec.sizeBytes} bytes is smaller than its origin`);
    }
    this.#make(spec, contentAt(from.volumeId, origin, from.snapshotId));
    progress(100);
  }

  async exportDisk(
    from: DiskOrigin,
    sinceSnapshotId: VolumeSnapshotId | undefined,
    signal: AbortSignal,
  ): Promise<DiskExport> {
    this.#begin('exportDisk', signal);
    const disk = this.#mustHave(from.volumeId);
    mustBeReadable(from, disk);
    if (from.snapshotId === undefined) mustBeClosed(from.volumeId, disk);
    const content = contentAt(from.volumeId, disk, from.snapshotId);
    const isSame = sinceSnapshotId !== undefined && contentAt(from.volumeId, disk, sinceSnapshotId) === content;
    const { sizeBytes } = disk;
    return {
      sizeBytes,
      ranges: isSame ? nothing() : bytesOfContent(content, sizeBytes, sinceSnapshotId === undefined),
    };
  }

  async importDisk(
    spec: DiskSpec,
    ranges: AsyncIterable<DiskRange>,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    this.#begin('importDisk', signal);
    const disk = this.#mustHave(spec.volumeId);
    mustBeClosed(spec.volumeId, disk);
    mustBeReadable({ volumeId: spec.volumeId, ...(spec.encryption && { encryption: spec.encryption }) }, disk);
    let { content } = disk;
    for await (const range of ranges) {
      if (signal.aborted) throw new ShoalError('CANCELLED', 'writing a disk was cancelled');
      const { offsetBytes, lengthBytes } = range;
      if (offsetBytes + lengthBytes > disk.sizeBytes) {
        throw new ShoalError('INVALID_ARGUMENT', `a range ends behind the ${disk.sizeBytes} bytes of ${spec.volumeId}`);
      }
      if (offsetBytes === 0 && lengthBytes > 0) content = contentOfBytes(range.data);
      // Who is cut off here leaves neither the one nor the other.
      disk.content = halfWritten(content);
      progress(Math.floor(((offsetBytes + lengthBytes) * 100) / disk.sizeBytes));
    }
    disk.content = content;
  }

  async listUnmanaged(signal: AbortSignal): Promise<readonly UnmanagedDisk[]> {
    this.#begin('listUnmanaged', signal);
    return [...this.#storage.unmanaged].map(([name, { sizeBytes }]) => ({ name, sizeBytes }));
  }

  async adoptDisk(name: string, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.#begin('adoptDisk', signal);
    checkUnmanagedName(name);
    const found = this.#storage.unmanaged.get(name);
    if (found === undefined) {
      if (this.#storage.disks.has(volumeId)) return;
      throw new ShoalError('NOT_FOUND', `there is no disk named '${name}' on this storage`);
    }
    if (this.#storage.disks.has(volumeId)) throw new ShoalError('CONFLICT', `disk ${volumeId} exists already`);
    this.#storage.unmanaged.delete(name);
    this.#make({ volumeId, sizeBytes: found.sizeBytes, generation: 0 }, found.content);
  }

  async releaseDisk(volumeId: VolumeId, name: string, signal: AbortSignal): Promise<void> {
    this.#begin('releaseDisk', signal);
    checkUnmanagedName(name);
    const disk = this.#storage.disks.get(volumeId);
    if (disk === undefined) {
      if (this.#storage.unmanaged.has(name)) return;
      throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
    }
    if (this.#storage.unmanaged.has(name)) throw new ShoalError('CONFLICT', `a disk named '${name}' is there already`);
    mustBeClosed(volumeId, disk);
    if (disk.snapshots.size > 0) throw new ShoalError('CONFLICT', `disk ${volumeId} has snapshots`);
    this.#storage.disks.delete(volumeId);
    this.#storage.unmanaged.set(name, { sizeBytes: disk.sizeBytes, content: disk.content });
  }

  /** Without a lock, which another host holds at a lower generation. */
  #openWaiting({ volumeId, generation }: DiskSpec, disk: FakeDisk, owner: HostId): DiskSource {
    if (this.#storage.blocked.has(owner)) {
      throw new ShoalError('FENCE_UNPROVEN', `the storage has fenced this host`, { facts: { owner } });
    }
    const newer = [disk.lock, ...disk.sharers].find((holder) => holder !== undefined && holder.generation > generation);
    if (newer !== undefined) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is locked at generation ${newer.generation}`);
    }
    disk.waiting.set(owner, generation);
    return this.#storage.sourceOf(volumeId);
  }

  /** Beside others who share it too. Who holds it for itself is fenced as by `openDisk`, when its generation is lower. */
  #openShared(spec: DiskSpec, disk: FakeDisk, owner: HostId): DiskSource {
    const { volumeId, generation } = spec;
    if (this.#storage.blocked.has(owner)) {
      throw new ShoalError('FENCE_UNPROVEN', `the storage has fenced this host`, { facts: { owner } });
    }
    if (disk.lock !== undefined) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is locked by one host alone`, {
        facts: { ...disk.lock },
      });
    }
    const isHeld = disk.sharers.some((holder) => holder.owner === owner && holder.generation === generation);
    if (!isHeld) disk.sharers.push({ owner, generation });
    disk.watchers.add(owner);
    disk.waiting.delete(owner);
    return this.#storage.sourceOf(volumeId);
  }

  #mustHave(volumeId: VolumeId): FakeDisk {
    const disk = this.#storage.disks.get(volumeId);
    if (disk === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
    return disk;
  }

  #make(spec: DiskSpec, content: string): void {
    this.#storage.mustFit(spec.sizeBytes);
    this.#storage.disks.set(spec.volumeId, {
      imageSha256: spec.imageSha256,
      sizeBytes: spec.sizeBytes,
      content,
      passphrase: spec.encryption?.passphrase,
      snapshots: new Map(),
      snapshotBytes: new Map(),
      lock: undefined,
      sharers: [],
      watchers: new Set(),
      waiting: new Map(),
      served: undefined,
      writes: [],
    });
  }

  #begin(operation: FakeStorageOperation, signal: AbortSignal): void {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
    this.#storage.faults.strike(operation);
  }
}

/** Keeps what the disk holds, and how large it is. There already: it stays as it is. */
export function keepSnapshot(
  disk: Pick<FakeDisk, 'content' | 'sizeBytes' | 'snapshots' | 'snapshotBytes'>,
  snapshotId: VolumeSnapshotId,
): void {
  if (disk.snapshots.has(snapshotId)) return;
  disk.snapshots.set(snapshotId, disk.content);
  disk.snapshotBytes.set(snapshotId, disk.sizeBytes);
}

function asFound(volumeId: VolumeId, disk: FakeDisk): DiskFound {
  const { sizeBytes, imageSha256 } = disk;
  return { volumeId, sizeBytes, ...(imageSha256 === undefined ? {} : { imageSha256 }) };
}

function asServed({ volumeId, generation, address, port }: DiskServed): DiskServed {
  return { volumeId, generation, address, port };
}

async function* nothing(): AsyncGenerator<DiskRange> {}

function mustBeClosed(volumeId: VolumeId, disk: FakeDisk): void {
  if (disk.watchers.size > 0) throw new ShoalError('CONFLICT', `a guest has disk ${volumeId} open`);
}

function mustNotBeServed(volumeId: VolumeId, { served }: FakeDisk): void {
  if (served !== undefined) throw new ShoalError('CONFLICT', `disk ${volumeId} is served to another host`);
}

function mustBeReadable(from: DiskOrigin, disk: FakeDisk): void {
  if (disk.passphrase === from.encryption?.passphrase) return;
  throw new ShoalError('INVALID_ARGUMENT', `disk ${from.volumeId} cannot be read with the passphrase that was given`);
}

function contentAt(volumeId: VolumeId, disk: FakeDisk, snapshotId: VolumeSnapshotId | undefined): string {
  if (snapshotId === undefined) return disk.content;
  const content = disk.snapshots.get(snapshotId);
  if (content === undefined) throw new ShoalError('NOT_FOUND', `disk ${volumeId} has no snapshot ${snapshotId}`);
  return content;
}
