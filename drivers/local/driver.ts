/**
 * Disks as qcow2 files on this host: the storage where there is no Ceph.
 *
 *     ROOT/images/SHA256.qcow2|.raw  an image's content, never changed (a hard link to the blob where that works)
 *     ROOT/images/SHA256.json        there once the content is whole
 *     ROOT/disks/VOLUME.qcow2        the disk: what the guest wrote, above the image
 *     ROOT/disks/VOLUME.json         what is at its bottom; written before the disk
 *     ROOT/disks/VOLUME.lock         who has it open, at which generation
 *
 * Every file appears by rename after a sync. So each call may be repeated after a crash at any point: it finds either
 * nothing or the whole thing. Names ending in `.tmp` are unfinished work of an earlier agent, removed at start.
 *
 * A disk names its image by a relative path, so that ROOT may be moved as a whole.
 */
import { chmod, constants, copyFile, link, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { type CommandRunner, runCommand } from '../command.ts';
import { checkImageName, checkImageSha256, imageBelow, mustBeContent } from '../image/content-name.ts';
import { boundedQemuImg } from '../image/qemu-img.ts';
import { readJsonFile } from '../json-file.ts';
import type {
  DiskExport,
  DiskFound,
  DiskSource,
  DiskSpec,
  ImageFile,
  StorageCapabilities,
  StorageDriver,
  UnmanagedDisk,
} from '../types.ts';

/** How the driver is set up on a host. */
interface LocalStorageOptions {
  /** Folder of this driver's own. */
  readonly root: string;
  /** Whether guests' users must get through the folders to their disks: where they have no mount namespace. Default true. */
  readonly passable?: boolean;
  /** Group of all guests, which may read images. Default: everybody may. */
  readonly imagesGid?: number;
}

/** An image that is ready, as remembered beside its content. */
interface ImageRecord {
  readonly format: 'qcow2' | 'raw';
  readonly virtualSizeBytes: number;
}

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** qcow2 keeps sizes in sectors. */
const sectorBytes = 512;

/**
 * Needs `qemu-img`. Disks are on this host alone: a server that lives here cannot move. Sizes are bytes, as everywhere
 * in `StorageDriver`.
 */
export class LocalStorageDriver implements StorageDriver {
  readonly name = 'local';
  readonly capabilities: StorageCapabilities = {
    shared: false,
    snapshots: false,
    clones: false,
    multiAttach: false,
    encryption: [],
  };
  readonly #log: Logger;
  readonly #run: CommandRunner;
  readonly #options: LocalStorageOptions;
  readonly #imagesDir: string;
  readonly #disksDir: string;

  constructor(deps: { readonly log: Logger; readonly run?: CommandRunner }, options: LocalStorageOptions) {
    this.#log = deps.log;
    this.#run = deps.run ?? runCommand;
    this.#options = options;
    this.#imagesDir = join(options.root, 'images');
    this.#disksDir = join(options.root, 'disks');
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#run(boundedQemuImg('--version'), { signal });
    const mode = (this.#options.passable ?? true) ? 0o711 : 0o700;
    for (const folder of [this.#imagesDir, this.#disksDir]) await mkdir(folder, { recursive: true, mode });
    // Those of an earlier version too.
    for (const folder of [this.#options.root, this.#imagesDir, this.#disksDir]) await chmod(folder, mode);
    for (const folder of [this.#imagesDir, this.#disksDir]) {
      for (const name of await readdir(folder)) {
        if (!name.endsWith('.tmp')) continue;
        this.#log.info({ folder, name }, 'removing what a crash left unfinished');
        await rm(join(folder, name), { force: true });
      }
    }
    for (const name of await readdir(this.#imagesDir)) {
      if (/\.(qcow2|raw)$/.test(name)) await this.#shareImage(join(this.#imagesDir, name));
    }
  }

  async stop(): Promise<void> {}

  async capacity(signal: AbortSignal): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    refuseAborted(signal);
    const space = await statfs(this.#disksDir);
    return { totalBytes: space.blocks * space.bsize, freeBytes: space.bavail * space.bsize };
  }

  async ensureImage(image: ImageFile, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    const { sha256, format, virtualSizeBytes } = image;
    checkImageSha256(sha256);
    const there = await this.#readImage(sha256);
    if (there !== undefined) {
      if (there.format === format && there.virtualSizeBytes === virtualSizeBytes) return;
      throw new ShoalError('CONFLICT', `image ${sha256} is here with another format or size`, {
        facts: { here: there, asked: { format, virtualSizeBytes } },
      });
    }
    await mustBeContent(image.path, sha256, signal);
    const path = this.#imagePath(sha256, format);
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
    await writeFileDurably(join(this.#imagesDir, `${sha256}.json`), JSON.stringify(record));
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
    return (await this.#readImage(sha256)) !== undefined;
  }

  async removeImage(name: ImageSha256 | ImageId, signal: AbortSignal): Promise<void> {
    checkImageName(name);
    const disks = await this.listDisks(signal);
    const users = disks.filter((disk) => (disk.imageSha256 ?? disk.legacyImageId) === name);
    if (users.length > 0) {
      throw new ShoalError('CONFLICT', `image ${name} is below ${users.length} disks`, {
        facts: { volumes: users.slice(0, 10).map((disk) => disk.volumeId) },
      });
    }
    // The record first: without it the content counts as never imported.
    await rm(join(this.#imagesDir, `${name}.json`), { force: true });
    for (const format of ['qcow2', 'raw'] as const) await rm(this.#imagePath(name, format), { force: true });
    await syncFolder(this.#imagesDir);
  }

  async ensureDisk(spec: DiskSpec, signal: AbortSignal): Promise<void> {
    if (!Number.isSafeInteger(spec.sizeBytes) || spec.sizeBytes <= 0) {
      throw new ShoalError('INVALID_ARGUMENT', `a disk of ${spec.sizeBytes} bytes`);
    }
    const sizeBytes = Math.ceil(spec.sizeBytes / sectorBytes) * sectorBytes;
    const found = await this.findDisk(spec.volumeId, signal);
    if (found === undefined) {
      await this.#createDisk(spec, sizeBytes, signal);
      return;
    }
    // What an earlier version made is this volume's own, by its id; of its image only the name is known.
    if (found.legacyImageId === undefined && found.imageSha256 !== spec.imageSha256) {
      throw new ShoalError('CONFLICT', `disk ${spec.volumeId} exists with other content at its bottom`, {
        facts: { exists: found.imageSha256, asked: spec.imageSha256 },
      });
    }
    if (found.sizeBytes < sizeBytes) {
      const path = this.#diskPath(spec.volumeId);
      await this.#refuseInUse(spec.volumeId, signal);
      await this.#mustBeOurs(spec.volumeId);
      await this.#run(boundedQemuImg('resize', '-q', '-f', 'qcow2', path, String(sizeBytes)), { signal });
    }
  }

  async findDisk(volumeId: VolumeId, signal: AbortSignal): Promise<DiskFound | undefined> {
    refuseAborted(signal);
    const path = this.#diskPath(volumeId);
    const header = await readQcow2Header(path);
    if (header === undefined) return undefined;
    const { sizeBytes, usedBytes } = header;
    return { volumeId, sizeBytes, usedBytes, ...imageBelow(await this.#nameBelow(volumeId)) };
  }

  /**
   * Throws `DRIVER_FAILED` when the disk's header names another file below or beside it than the image that it was made
   * on. A guest does not reach the header, but its QEMU does: what a broken-into one wrote there must lead nobody to a
   * file of the host, or to an address.
   */
  async #mustBeOurs(volumeId: VolumeId): Promise<void> {
    const header = await readQcow2Header(this.#diskPath(volumeId));
    if (header === undefined) return;
    const name = await this.#nameBelow(volumeId);
    const allowed: readonly (string | undefined)[] =
      name === undefined ? [undefined] : ['qcow2', 'raw'].map((format) => imageBeside(name, format));
    if (!header.isAlone || !allowed.includes(header.backing)) {
      throw new ShoalError(
        'DRIVER_FAILED',
        `disk ${volumeId} names files that it was not made with; it is not opened`,
        {
          facts: { volumeId, backing: header.backing?.slice(0, 200), expected: name },
        },
      );
    }
  }

  /** The name of the copy that the disk lies on; `imageId` is what an earlier version wrote. */
  async #nameBelow(volumeId: VolumeId): Promise<string | undefined> {
    const record = await readJsonFile(join(this.#disksDir, `${volumeId}.json`));
    const name = isRecord(record) ? (record['imageSha256'] ?? record['imageId']) : undefined;
    return typeof name === 'string' ? name : undefined;
  }

  async listDisks(signal: AbortSignal): Promise<readonly DiskFound[]> {
    const found: DiskFound[] = [];
    for (const name of await readdir(this.#disksDir)) {
      const id = name.endsWith('.qcow2') ? name.slice(0, -'.qcow2'.length) : '';
      const disk = idPattern.test(id) ? await this.findDisk(id as VolumeId, signal) : undefined;
      if (disk !== undefined) found.push(disk);
    }
    return found;
  }

  async openDisk(spec: DiskSpec, owner: HostId, signal: AbortSignal): Promise<DiskSource> {
    if ((await this.findDisk(spec.volumeId, signal)) === undefined) {
      throw new ShoalError('NOT_FOUND', `there is no disk ${spec.volumeId} on this host`);
    }
    await this.#mustBeOurs(spec.volumeId);
    const lock = await this.#readLock(spec.volumeId);
    const isMine = lock?.owner === owner && lock.generation === spec.generation;
    if (lock !== undefined && !isMine) {
      if (lock.generation >= spec.generation) {
        throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is locked at generation ${lock.generation}`, {
          facts: { owner: lock.owner, generation: lock.generation },
        });
      }
      // Files are on this host alone, so what has it open is a process here, and QEMU's own lock shows it.
      if (await this.#isInUse(spec.volumeId, signal)) {
        throw new ShoalError('FENCE_UNPROVEN', `a process of this host has disk ${spec.volumeId} open`);
      }
    }
    if (!isMine) {
      await writeFileDurably(this.#lockPath(spec.volumeId), JSON.stringify({ owner, generation: spec.generation }), {
        mode: 0o600,
      });
    }
    const name = await this.#nameBelow(spec.volumeId);
    const image = name === undefined ? undefined : await this.#readImage(name);
    return {
      kind: 'file',
      path: this.#diskPath(spec.volumeId),
      format: 'qcow2',
      ...(name === undefined || image === undefined ? {} : { backingPath: this.#imagePath(name, image.format) }),
    };
  }

  async closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    const lock = await this.#readLock(volumeId);
    if (lock?.owner !== owner || lock.generation !== generation) return;
    await rm(this.#lockPath(volumeId), { force: true });
    await syncFolder(this.#disksDir);
  }

  async removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    refuseAborted(signal);
    const path = this.#diskPath(volumeId);
    if ((await readQcow2Header(path)) !== undefined) await this.#refuseInUse(volumeId, signal);
    // The disk first: what describes a disk that is not there is never read.
    for (const file of [path, this.#lockPath(volumeId), join(this.#disksDir, `${volumeId}.json`)]) {
      await rm(file, { force: true });
    }
    await syncFolder(this.#disksDir);
  }

  createSnapshot(): Promise<void> {
    return notBuilt('createSnapshot');
  }

  removeSnapshot(): Promise<void> {
    return notBuilt('removeSnapshot');
  }

  listSnapshots(): Promise<readonly VolumeSnapshotId[]> {
    return notBuilt('listSnapshots');
  }

  revertDisk(): Promise<void> {
    return notBuilt('revertDisk');
  }

  copyDisk(): Promise<void> {
    return notBuilt('copyDisk');
  }

  exportDisk(): Promise<DiskExport> {
    return notBuilt('exportDisk');
  }

  importDisk(): Promise<void> {
    return notBuilt('importDisk');
  }

  listUnmanaged(): Promise<readonly UnmanagedDisk[]> {
    return notBuilt('listUnmanaged');
  }

  adoptDisk(): Promise<void> {
    return notBuilt('adoptDisk');
  }

  releaseDisk(): Promise<void> {
    return notBuilt('releaseDisk');
  }

  async #createDisk(spec: DiskSpec, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const path = this.#diskPath(spec.volumeId);
    const beside = `${path}.tmp`;
    const args = ['create', '-q', '-f', 'qcow2'];
    const { imageSha256 } = spec;
    if (imageSha256 !== undefined) {
      checkImageSha256(imageSha256);
      const image = await this.#readImage(imageSha256);
      if (image === undefined) throw new ShoalError('NOT_FOUND', `image ${imageSha256} is not on this storage`);
      if (sizeBytes < image.virtualSizeBytes) {
        const facts = { asked: sizeBytes, image: image.virtualSizeBytes };
        throw new ShoalError('INVALID_ARGUMENT', `a disk of ${sizeBytes} bytes is smaller than its image`, { facts });
      }
      args.push('-b', imageBeside(imageSha256, image.format), '-F', image.format);
    }
    await rm(beside, { force: true });
    await writeFileDurably(
      join(this.#disksDir, `${spec.volumeId}.json`),
      JSON.stringify(imageSha256 === undefined ? {} : { imageSha256 }),
    );
    await this.#run(boundedQemuImg(...args, beside, String(sizeBytes)), { signal });
    const file = await open(beside, 'r');
    try {
      // Its guest's alone, once there is one.
      await file.chmod(0o600);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(this.#disksDir);
  }

  async #refuseInUse(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    if (await this.#isInUse(volumeId, signal)) {
      throw new ShoalError('CONFLICT', `a guest has disk ${volumeId} open`);
    }
  }

  /** Whether a process holds QEMU's own lock on the file. qemu-img asks for the same lock, so it fails exactly then. */
  async #isInUse(volumeId: VolumeId, signal: AbortSignal): Promise<boolean> {
    const path = this.#diskPath(volumeId);
    const locked = await this.#run(boundedQemuImg('info', '-f', 'qcow2', path), { signal, okStatus: [0, 1] });
    if (locked.status === 0) return false;
    // Readable when locks are ignored: the lock was what failed.
    await this.#run(boundedQemuImg('info', '-U', '-f', 'qcow2', path), { signal });
    return true;
  }

  async #readImage(name: string): Promise<ImageRecord | undefined> {
    checkImageName(name);
    const path = join(this.#imagesDir, `${name}.json`);
    const value = await readJsonFile(path);
    if (value === undefined) return undefined;
    if (
      !isRecord(value) ||
      (value['format'] !== 'qcow2' && value['format'] !== 'raw') ||
      typeof value['virtualSizeBytes'] !== 'number'
    ) {
      throw new ShoalError('DRIVER_FAILED', `${path} is not an image record`);
    }
    try {
      await stat(this.#imagePath(name, value['format']));
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking for image ${name}`);
    }
    return { format: value['format'], virtualSizeBytes: value['virtualSizeBytes'] };
  }

  async #readLock(volumeId: VolumeId): Promise<{ readonly owner: HostId; readonly generation: number } | undefined> {
    const value = await readJsonFile(this.#lockPath(volumeId));
    if (value === undefined) return undefined;
    if (isRecord(value) && typeof value['owner'] === 'string' && typeof value['generation'] === 'number') {
      return { owner: value['owner'] as HostId, generation: value['generation'] };
    }
    throw new ShoalError('FENCE_UNPROVEN', `the lock of disk ${volumeId} is not understood`);
  }

  #imagePath(name: string, format: 'qcow2' | 'raw'): string {
    return join(this.#imagesDir, `${name}.${format}`);
  }

  #diskPath(volumeId: VolumeId): string {
    checkId(volumeId);
    return join(this.#disksDir, `${volumeId}.qcow2`);
  }

  #lockPath(volumeId: VolumeId): string {
    return join(this.#disksDir, `${volumeId}.lock`);
  }
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
}

function checkId(id: string): void {
  if (!idPattern.test(id)) throw new ShoalError('INVALID_ARGUMENT', `'${id}' is not a lower-case UUID`);
}

/** An image as its disks name it. */
function imageBeside(name: string, format: string): string {
  return join('..', 'images', `${name}.${format}`);
}

/** What the header of a qcow2 file says (QEMU docs/interop/qcow2.rst). */
interface Qcow2Header {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** The file below it, as named. */
  readonly backing?: string;
  /** Whether all that is not below is inside: no external data file. */
  readonly isAlone: boolean;
}

const headerBytes = 104;
const externalData = 4n;
/** Longest name of a backing file, by the format. */
const backingBytesMax = 1023;

/** Reads the header of a disk of our own; undefined when there is none. */
async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const header = Buffer.alloc(headerBytes);
      const { bytesRead } = await file.read(header, 0, header.length, 0);
      if (bytesRead < header.length || header.toString('latin1', 0, 4) !== 'QFI\xfb') {
        throw new ShoalError('DRIVER_FAILED', `${path} is not a qcow2 file`);
      }
      const [backingAt, backingBytes] = [header.readBigUInt64BE(8), header.readUInt32BE(16)];
      const backing = Buffer.alloc(Math.min(backingBytes, backingBytesMax));
      if (backingAt !== 0n) await file.read(backing, 0, backing.length, Number(backingAt));
      const isVersion3 = header.readUInt32BE(4) >= 3;
      const { blocks } = await file.stat();
      return {
        sizeBytes: Number(header.readBigUInt64BE(24)),
        usedBytes: blocks * sectorBytes,
        ...(backingAt === 0n ? {} : { backing: backing.toString('utf8') }),
        isAlone: !isVersion3 || (header.readBigUInt64BE(72) & externalData) === 0n,
      };
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}

async function notBuilt(what: string): Promise<never> {
  throw new ShoalError('NOT_IMPLEMENTED', `local disks: ${what} is not built yet`);
}
