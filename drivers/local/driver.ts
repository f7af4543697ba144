/**
 * Disks as qcow2 files on this host: the storage where there is no Ceph.
 *
 *     ROOT/images/SHA256.qcow2|.raw  an image's content, never changed (a hard link to the blob where that works)
 *     ROOT/images/SHA256.json        there once the content is whole
 *     ROOT/disks/VOLUME.qcow2        the disk: what the guest wrote, above the image
 *     ROOT/disks/VOLUME.json         what is at its bottom; written before the disk
 *     ROOT/disks/VOLUME.lock         who has it open, at which generation
 *     ROOT/unmanaged/NAME            what an operator puts here may be adopted; what is released comes here
 *     ROOT/pool.json                 whose the folder is, where an operator has named it (folder-mark.ts)
 *
 * Every file appears by rename after a sync. So each call may be repeated after a crash at any point: it finds either
 * nothing or the whole thing. Names ending in `.tmp` are unfinished work of an earlier agent, removed at start.
 *
 * A disk names its image by a relative path, so that ROOT may be moved as a whole. Its snapshots are inside it (qcow2's own);
 * a copy is a full copy. An encrypted disk is LUKS inside qcow2: what keeps, grows and copies it needs no key.
 */
import { chmod, constants, copyFile, link, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { type CommandRunner, runCommand } from '../command.ts';
import { checkDiskId, checkDiskSpec, notServedHere } from '../disk-spec.ts';
import { checkImageName, checkImageSha256, mustBeContent } from '../image/content-name.ts';
import { boundedQemuImg } from '../image/qemu-img.ts';
import type { DiskExports } from '../nbd/exports/disk-exports.ts';
import { servedNode } from '../nbd/exports/export-command.ts';
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
  Progress,
  StorageCapabilities,
  StorageDriver,
  UnmanagedDisk,
} from '../types.ts';
import { copyDisk, exportDisk, importDisk } from './copies.ts';
import { DiskFiles, type ImageRecord, qcow2Options } from './disk-files.ts';
import { localFailure } from './failure.ts';
import { FolderMark, type FolderOwner } from './folder-mark.ts';
import { makeDisk } from './make-disk.ts';
import { sectorBytes } from './qcow2-header.ts';
import { adoptDisk, listUnmanaged, releaseDisk } from './unmanaged.ts';

/** How the driver is set up on a host. */
interface LocalStorageOptions {
  /** Folder of this driver's own. */
  readonly root: string;
  /** Whether guests' users must get through the folders to their disks: where they have no mount namespace. Default true. */
  readonly passable?: boolean;
  /** Group of all guests, which may read images. Default: everybody may. */
  readonly imagesGid?: number;
  /** Absent: the folder is part of the agent's data folder, and needs no mark. */
  readonly owner?: FolderOwner;
}

/** What the driver works with. */
interface LocalStorageDeps {
  readonly log: Logger;
  readonly run?: CommandRunner;
  /** What serves disks to other hosts; the driver starts and stops it. Absent: they are for this host's guests alone. */
  readonly exports?: DiskExports;
}

/**
 * Needs `qemu-img` and `qemu-nbd`. Disks are on this host alone; with `exports` they can be served to guests of other hosts. Sizes
 * are bytes, as everywhere in `StorageDriver`.
 */
export class LocalStorageDriver implements StorageDriver {
  readonly name = 'local';
  readonly capabilities: StorageCapabilities;
  readonly #log: Logger;
  readonly #run: CommandRunner;
  readonly #options: LocalStorageOptions;
  readonly #files: DiskFiles;
  readonly #exports: DiskExports | undefined;
  readonly #mark: FolderMark | undefined;

  constructor(deps: LocalStorageDeps, options: LocalStorageOptions) {
    this.#log = deps.log;
    this.#exports = deps.exports;
    this.capabilities = {
      shared: false,
      snapshots: true,
      clones: false,
      // Two QEMUs that write one qcow2 file would destroy it.
      multiAttach: false,
      encryption: ['luks'],
      exports: deps.exports !== undefined,
    };
    const run = deps.run ?? runCommand;
    this.#run = (argv, how) => told(() => run(argv, how));
    this.#options = options;
    this.#files = new DiskFiles(this.#run, options.root);
    this.#mark = options.owner === undefined ? undefined : new FolderMark(options.root, options.owner);
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#run(boundedQemuImg('--version'), { signal });
    await told(async () => this.#mark?.take());
    const mode = (this.#options.passable ?? true) ? 0o711 : 0o700;
    const { imagesDir, disksDir, unmanagedDir } = this.#files;
    for (const folder of [imagesDir, disksDir]) await mkdir(folder, { recursive: true, mode });
    await mkdir(unmanagedDir, { recursive: true, mode: 0o700 });
    // Those of an earlier version too.
    for (const folder of [this.#options.root, imagesDir, disksDir]) await chmod(folder, mode);
    for (const folder of [imagesDir, disksDir, unmanagedDir]) {
      for (const name of await readdir(folder)) {
        if (!name.endsWith('.tmp')) continue;
        this.#log.info({ folder, name }, 'removing what a crash left unfinished');
        await rm(join(folder, name), { force: true });
      }
    }
    for (const name of await readdir(imagesDir)) {
      if (/\.(qcow2|raw)$/.test(name)) await this.#shareImage(join(imagesDir, name));
    }
    await this.#exports?.start(signal);
  }

  async stop(): Promise<void> {
    await this.#exports?.stop();
  }

  async capacity(signal: AbortSignal): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    refuseAborted(signal);
    const space = await told(() => statfs(this.#files.disksDir));
    return { totalBytes: space.blocks * space.bsize, freeBytes: space.bavail * space.bsize };
  }

  async ensureImage(image: ImageFile, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    const { sha256, format, virtualSizeBytes } = image;
    checkImageSha256(sha256);
    const there = await this.#files.image(sha256);
    if (there !== undefined) {
      if (there.format === format && there.virtualSizeBytes === virtualSizeBytes) return;
      throw new ShoalError('CONFLICT', `image ${sha256} is here with another format or size`, {
        facts: { here: there, asked: { format, virtualSizeBytes } },
      });
    }
    await mustBeContent(image.path, sha256, signal);
    const path = this.#files.imagePath(sha256, format);
    const beside = `${path}.tmp`;
    await rm(beside, { force: true });
    try {
      await link(image.path, beside);
    } catch (caught) {
      if (!['EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP'].includes(errnoOf(caught) ?? '')) {
        throw ShoalError.from(caught, isMissing(caught) ? 'NOT_FOUND' : 'DRIVER_FAILED', `linking ${image.path}`);
      }
      await copyFile(image.path, beside, constants.COPYFILE_FICLONE);
    }
    await this.#shareImage(beside);
    await rename(beside, path);
    const record: ImageRecord = { format, virtualSizeBytes };
    await writeFileDurably(join(this.#files.imagesDir, `${sha256}.json`), JSON.stringify(record));
  }

  /** Lets guests read an image: their disks lie on it, and QEMU runs as other users. */
  async #shareImage(path: string): Promise<void> {
    const { imagesGid } = this.#options;
    const file = await open(path, 'r');
    try {
      await file.chmod(imagesGid === undefined ? 0o644 : 0o640);
      if (imagesGid !== undefined) await file.chown(process.getuid?.() ?? 0, imagesGid);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async hasImage(sha256: ImageSha256, signal: AbortSignal): Promise<boolean> {
    refuseAborted(signal);
    checkImageSha256(sha256);
    return (await this.#files.image(sha256)) !== undefined;
  }

  async removeImage(name: ImageSha256 | ImageId, signal: AbortSignal): Promise<void> {
    checkImageName(name);
    refuseAborted(signal);
    const users: VolumeId[] = [];
    for (const volumeId of await this.#files.ids()) {
      if ((await this.#files.nameBelow(volumeId)) === name) users.push(volumeId);
    }
    if (users.length > 0) {
      throw new ShoalError('CONFLICT', `image ${name} is below ${users.length} disks`, {
        facts: { volumes: users.slice(0, 10) },
      });
    }
    // The record first: without it the content counts as never imported.
    await rm(join(this.#files.imagesDir, `${name}.json`), { force: true });
    for (const format of ['qcow2', 'raw'] as const) await rm(this.#files.imagePath(name, format), { force: true });
    await syncFolder(this.#files.imagesDir);
  }

  async ensureDisk(spec: DiskSpec, signal: AbortSignal): Promise<void> {
    const found = await this.findDisk(spec.volumeId, signal);
    const room = found === undefined ? { totalBytes: (await this.capacity(signal)).totalBytes } : {};
    checkDiskSpec(spec, { capabilities: this.capabilities, ...room });
    const sizeBytes = wholeSectors(spec.sizeBytes);
    if (found === undefined) {
      await told(() => makeDisk(this.#files, spec, sizeBytes, signal));
      return;
    }
    // What an earlier version made is this volume's own, by its id; of its image only the name is known.
    if (found.legacyImageId === undefined && found.imageSha256 !== spec.imageSha256) {
      throw new ShoalError('CONFLICT', `disk ${spec.volumeId} exists with other content at its bottom`, {
        facts: { exists: found.imageSha256, asked: spec.imageSha256 },
      });
    }
    await this.#grow(found, sizeBytes, signal);
  }

  async #grow({ volumeId, sizeBytes: now }: DiskFound, sizeBytes: number, signal: AbortSignal): Promise<void> {
    if (now >= sizeBytes) return;
    await this.#files.refuseInUse(volumeId, signal);
    await this.#files.mustBeOurs(volumeId);
    const { luksHeaderBytes } = await this.#files.record(volumeId);
    const wholeBytes = sizeBytes + (luksHeaderBytes ?? 0);
    const argv = boundedQemuImg('resize', '-q', '-f', 'qcow2', this.#files.diskPath(volumeId), String(wholeBytes));
    await this.#run(argv, { signal });
  }

  async findDisk(volumeId: VolumeId, signal: AbortSignal): Promise<DiskFound | undefined> {
    refuseAborted(signal);
    const found = await this.#files.find(volumeId);
    // A folder that is not there has no disks either.
    if (found === undefined) await this.#mark?.mustBeThere();
    return found;
  }

  async listDisks(signal: AbortSignal): Promise<readonly DiskFound[]> {
    await this.#mark?.mustBeThere();
    const found: DiskFound[] = [];
    for (const volumeId of await told(() => this.#files.ids())) {
      const disk = await this.findDisk(volumeId, signal);
      if (disk !== undefined) found.push(disk);
    }
    return found;
  }

  async openDisk(spec: DiskSpec, owner: HostId, signal: AbortSignal): Promise<DiskSource> {
    const served = await this.#exports?.find(spec.volumeId);
    if (served !== undefined) {
      throw new ShoalError(
        'FENCE_UNPROVEN',
        `disk ${spec.volumeId} is served to another host at generation ${served.generation}`,
        { facts: { ...served } },
      );
    }
    return this.#lockAndOpen(spec, owner, signal);
  }

  async #lockAndOpen(
    spec: DiskSpec,
    owner: HostId,
    signal: AbortSignal,
  ): Promise<DiskSource & { readonly kind: 'file' }> {
    if ((await this.findDisk(spec.volumeId, signal)) === undefined) {
      throw new ShoalError('NOT_FOUND', `there is no disk ${spec.volumeId} on this host`);
    }
    checkDiskSpec(spec, { capabilities: this.capabilities });
    await this.#files.mustBeOurs(spec.volumeId);
    const { luksHeaderBytes } = await this.#files.record(spec.volumeId);
    if ((luksHeaderBytes === undefined) !== (spec.encryption === undefined)) {
      const is = luksHeaderBytes === undefined ? 'is not' : 'is';
      throw new ShoalError('CONFLICT', `disk ${spec.volumeId} ${is} encrypted`);
    }
    const lock = await this.#files.lock(spec.volumeId);
    const isMine = lock?.owner === owner && lock.generation === spec.generation;
    if (lock !== undefined && !isMine) {
      if (lock.generation >= spec.generation) {
        throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is locked at generation ${lock.generation}`, {
          facts: { owner: lock.owner, generation: lock.generation },
        });
      }
      // Files are on this host alone, so what has it open is a process here, and QEMU's own lock shows it.
      if (await this.#files.isInUse(spec.volumeId, signal)) {
        throw new ShoalError('FENCE_UNPROVEN', `a process of this host has disk ${spec.volumeId} open`);
      }
    }
    if (!isMine) {
      await writeFileDurably(
        this.#files.lockPath(spec.volumeId),
        JSON.stringify({ owner, generation: spec.generation }),
        {
          mode: 0o600,
        },
      );
    }
    const name = await this.#files.nameBelow(spec.volumeId);
    const image = name === undefined ? undefined : await this.#files.image(name);
    return {
      kind: 'file',
      path: this.#files.diskPath(spec.volumeId),
      format: 'qcow2',
      ...(name === undefined || image === undefined
        ? {}
        : { backingPath: this.#files.imagePath(name, image.format), backingFormat: image.format }),
    };
  }

  async closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    const lock = await this.#files.lock(volumeId);
    if (lock?.owner !== owner || lock.generation !== generation) return;
    await rm(this.#files.lockPath(volumeId), { force: true });
    await syncFolder(this.#files.disksDir);
  }

  async serveDisk(spec: DiskSpec, owner: HostId, serving: DiskServing, signal: AbortSignal): Promise<DiskServed> {
    const { volumeId, generation } = spec;
    if (this.#exports === undefined) throw notServedHere(volumeId);
    const served = await this.#exports.find(volumeId);
    if (served !== undefined && served.generation > generation) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is served at generation ${served.generation}`);
    }
    if (served !== undefined && served.generation < generation) await this.unserveDisk(volumeId, owner, signal);
    // Locked by this call before, maybe, and open by what serves it.
    const source = await this.#lockAndOpen(spec, owner, signal);
    if (served?.generation !== generation) await this.#files.refuseInUse(volumeId, signal);
    return this.#exports.serve({ volumeId, source, generation, owner }, serving, signal);
  }

  async unserveDisk(volumeId: VolumeId, owner: HostId, signal: AbortSignal): Promise<void> {
    checkDiskId(volumeId);
    await this.#exports?.end(
      volumeId,
      async ({ generation }) => this.closeDisk(volumeId, owner, generation, signal),
      signal,
    );
  }

  async listServed(signal: AbortSignal): Promise<readonly DiskServed[]> {
    refuseAborted(signal);
    return (await this.#exports?.list()) ?? [];
  }

  async removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    if ((await this.findDisk(volumeId, signal)) !== undefined) {
      await this.#files.refuseInUse(volumeId, signal);
      const snapshots = await this.#snapshotsToKeep(volumeId, signal);
      if (snapshots > 0) throw new ShoalError('CONFLICT', `disk ${volumeId} has ${snapshots} snapshots`);
    }
    await this.#files.remove(volumeId);
  }

  /** A disk that names other files than its own is not looked into, and goes. */
  async #snapshotsToKeep(volumeId: VolumeId, signal: AbortSignal): Promise<number> {
    try {
      return (await this.#files.snapshots(volumeId, signal)).length;
    } catch (caught) {
      if (!ShoalError.is(caught, 'DRIVER_FAILED')) throw caught;
      this.#log.warn({ volumeId, err: caught }, 'removing a disk of which the snapshots cannot be told');
      return 0;
    }
  }

  async createSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    checkDiskId(snapshotId);
    await this.#files.mustFind(volumeId);
    if ((await this.#files.snapshots(volumeId, signal)).includes(snapshotId)) return;
    if (await this.#asServed(volumeId, 'blockdev-snapshot-internal-sync', snapshotId, signal)) return;
    await this.#changeSnapshots(volumeId, ['-c', snapshotId], signal);
  }

  async removeSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    checkDiskId(snapshotId);
    if (!(await this.listSnapshots(volumeId, signal)).includes(snapshotId)) return;
    if (await this.#asServed(volumeId, 'blockdev-snapshot-delete-internal-sync', snapshotId, signal)) return;
    await this.#changeSnapshots(volumeId, ['-d', snapshotId], signal);
  }

  async listSnapshots(volumeId: VolumeId, signal: AbortSignal): Promise<readonly VolumeSnapshotId[]> {
    const found = await this.findDisk(volumeId, signal);
    return found === undefined ? [] : this.#files.snapshots(volumeId, signal);
  }

  async revertDisk(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    const { sizeBytes } = await this.#files.mustFind(volumeId);
    if (!(await this.#files.snapshots(volumeId, signal)).includes(snapshotId)) {
      throw new ShoalError('NOT_FOUND', `disk ${volumeId} has no snapshot ${snapshotId}`);
    }
    await this.#changeSnapshots(volumeId, ['-a', snapshotId], signal);
    // qcow2 puts the size back, too.
    await this.#grow(await this.#files.mustFind(volumeId), sizeBytes, signal);
  }

  async copyDisk(from: DiskOrigin, spec: DiskSpec, progress: Progress, signal: AbortSignal): Promise<void> {
    const found = await this.findDisk(spec.volumeId, signal);
    const { totalBytes, freeBytes } = await this.capacity(signal);
    const room = found === undefined ? { totalBytes } : {};
    checkDiskSpec(spec, { capabilities: this.capabilities, isCopy: true, ...room });
    const sizeBytes = wholeSectors(spec.sizeBytes);
    if (found === undefined) {
      await told(() => copyDisk(this.#files, from, spec, { sizeBytes, freeBytes, progress, signal }));
      return;
    }
    await this.#grow(found, sizeBytes, signal);
    progress(100);
  }

  exportDisk(
    from: DiskOrigin,
    sinceSnapshotId: VolumeSnapshotId | undefined,
    signal: AbortSignal,
  ): Promise<DiskExport> {
    return told(() => exportDisk(this.#files, from, sinceSnapshotId, signal));
  }

  importDisk(spec: DiskSpec, ranges: AsyncIterable<DiskRange>, progress: Progress, signal: AbortSignal): Promise<void> {
    return told(() => importDisk(this.#files, spec, ranges, { progress, signal }));
  }

  async listUnmanaged(signal: AbortSignal): Promise<readonly UnmanagedDisk[]> {
    refuseAborted(signal);
    return listUnmanaged(this.#files);
  }

  async adoptDisk(name: string, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    await told(() => adoptDisk(this.#files, name, volumeId, signal));
  }

  async releaseDisk(volumeId: VolumeId, name: string, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    await told(() => releaseDisk(this.#files, volumeId, name, signal));
  }

  /** Has what serves the disk make or remove a snapshot of it; false: nothing serves it. */
  async #asServed(
    volumeId: VolumeId,
    command: string,
    snapshotId: VolumeSnapshotId,
    signal: AbortSignal,
  ): Promise<boolean> {
    if ((await this.#exports?.find(volumeId)) === undefined) return false;
    await this.#exports?.command(volumeId, command, { device: servedNode, name: snapshotId }, signal);
    return true;
  }

  /** Of a disk that nobody has open: what QEMU has open it must change itself. */
  async #changeSnapshots(volumeId: VolumeId, change: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#files.refuseInUse(volumeId, signal);
    const path = this.#files.diskPath(volumeId);
    await this.#files.qemuImg(['snapshot', '-q', ...change, '--image-opts', qcow2Options(path)], { signal });
  }
}

/** What the file system or a program refused, as the reason that callers decide by. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (caught) {
    throw localFailure(caught);
  }
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / sectorBytes) * sectorBytes;
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
}
