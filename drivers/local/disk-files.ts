/** The files of disks and images on this host, what is noted beside them, and whether somebody has one open. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { isMissing } from '../../node/base/system-error.ts';
import type { CommandRunner } from '../command.ts';
import { checkDiskId, isDiskId } from '../disk-spec.ts';
import { checkImageName, imageBelow, isImageSha256 } from '../image/content-name.ts';
import { boundedQemuImg } from '../image/qemu-img.ts';
import { readJsonFile } from '../json-file.ts';
import { endsWithAgent, longWorkTimeoutMs, optionValue } from '../qemu-tools.ts';
import type { DiskFound } from '../types.ts';
import { type Qcow2Header, readQcow2Header } from './qcow2-header.ts';

/** An image that is ready, as remembered beside its content. */
export interface ImageRecord {
  readonly format: 'qcow2' | 'raw';
  readonly virtualSizeBytes: number;
}

/** What is noted of a disk beside it. */
export interface DiskRecord {
  /** Name of the copy of an image that it lies on: a SHA-256, or an image's id where an earlier version made it. */
  readonly imageName?: string;
  /** Its content is LUKS, of which so many bytes come before what a guest sees. */
  readonly luksHeaderBytes?: number;
  /** Name of the unmanaged file that it was. */
  readonly adoptedFrom?: string;
  /** Name of the unmanaged file that it becomes: when that is there, it is whole. */
  readonly releasedTo?: string;
}

/** Who has a disk, at which generation. */
interface DiskLock {
  readonly owner: HostId;
  readonly generation: number;
}

/** Paths and notes of one folder of disks; driver.ts draws it. */
export class DiskFiles {
  readonly imagesDir: string;
  readonly disksDir: string;
  /** Where the operator puts what is to be adopted, and what is released goes. */
  readonly unmanagedDir: string;
  readonly run: CommandRunner;

  constructor(run: CommandRunner, root: string) {
    this.run = run;
    this.imagesDir = join(root, 'images');
    this.disksDir = join(root, 'disks');
    this.unmanagedDir = join(root, 'unmanaged');
  }

  diskPath(volumeId: VolumeId): string {
    checkDiskId(volumeId);
    return join(this.disksDir, `${volumeId}.qcow2`);
  }

  /** Where a disk is while it is made. Another process may still write to what an earlier try left: it is another file. */
  async newDiskPath(volumeId: VolumeId): Promise<string> {
    const path = `${this.diskPath(volumeId)}.tmp`;
    await rm(path, { force: true });
    return path;
  }

  lockPath(volumeId: VolumeId): string {
    return join(this.disksDir, `${volumeId}.lock`);
  }

  #recordPath(volumeId: VolumeId): string {
    return join(this.disksDir, `${volumeId}.json`);
  }

  imagePath(name: string, format: 'qcow2' | 'raw'): string {
    return join(this.imagesDir, `${name}.${format}`);
  }

  /** Undefined when there is no such disk. */
  async find(volumeId: VolumeId): Promise<DiskFound | undefined> {
    const header = await readQcow2Header(this.diskPath(volumeId));
    if (header === undefined) return undefined;
    const { imageName, luksHeaderBytes } = await this.record(volumeId);
    const { sizeBytes, usedBytes } = header;
    return { volumeId, sizeBytes: sizeBytes - (luksHeaderBytes ?? 0), usedBytes, ...imageBelow(imageName) };
  }

  /** `NOT_FOUND` without the disk. */
  async mustFind(volumeId: VolumeId): Promise<DiskFound> {
    const found = await this.find(volumeId);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId} on this host`);
    return found;
  }

  /** The copy of an image that the disk lies on. What is encrypted is a copy of its image, and lies on nothing. */
  async nameBelow(volumeId: VolumeId): Promise<string | undefined> {
    const { imageName, luksHeaderBytes } = await this.record(volumeId);
    return luksHeaderBytes === undefined ? imageName : undefined;
  }

  async ids(): Promise<readonly VolumeId[]> {
    const names = await readdir(this.disksDir);
    return names
      .filter((name) => name.endsWith('.qcow2'))
      .map((name) => name.slice(0, -'.qcow2'.length))
      .filter(isDiskId) as VolumeId[];
  }

  /** What is noted of the disk; empty when there is nothing. */
  async record(volumeId: VolumeId): Promise<DiskRecord> {
    const value = await readJsonFile(this.#recordPath(volumeId));
    if (!isRecord(value)) return {};
    const imageName = value['imageSha256'] ?? value['imageId'];
    const { luksHeaderBytes, adoptedFrom, releasedTo } = value;
    return {
      ...(typeof imageName === 'string' ? { imageName } : {}),
      ...(typeof luksHeaderBytes === 'number' ? { luksHeaderBytes } : {}),
      ...(typeof adoptedFrom === 'string' ? { adoptedFrom } : {}),
      ...(typeof releasedTo === 'string' ? { releasedTo } : {}),
    };
  }

  /** Replaces what is noted of the disk. */
  async note(volumeId: VolumeId, { imageName, ...record }: DiskRecord): Promise<void> {
    const name =
      imageName === undefined ? {} : isImageSha256(imageName) ? { imageSha256: imageName } : { imageId: imageName };
    await writeFileDurably(this.#recordPath(volumeId), JSON.stringify({ ...name, ...record }));
  }

  /** Makes what was written at `path` the disk. Its note comes first: a note without a disk is never read. */
  async publish(path: string, volumeId: VolumeId, record: DiskRecord): Promise<void> {
    await this.note(volumeId, record);
    const file = await open(path, 'r');
    try {
      // Its guest's alone, once there is one.
      await file.chmod(0o600);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, this.diskPath(volumeId));
    await syncFolder(this.disksDir);
  }

  /** Removes the disk first: what describes a disk that is not there is never read. */
  async remove(volumeId: VolumeId): Promise<void> {
    for (const file of [this.diskPath(volumeId), this.lockPath(volumeId), this.#recordPath(volumeId)]) {
      await rm(file, { force: true });
    }
    await syncFolder(this.disksDir);
  }

  /**
   * Throws `DRIVER_FAILED` when the disk's header names another file below or beside it than the image that it was made
   * on. A guest does not reach the header, but its QEMU does: what a broken-into one wrote there must lead nobody to a
   * file of the host, or to an address.
   */
  async mustBeOurs(volumeId: VolumeId): Promise<Qcow2Header | undefined> {
    const header = await readQcow2Header(this.diskPath(volumeId));
    if (header === undefined) return undefined;
    const imageName = await this.nameBelow(volumeId);
    const allowed: readonly (string | undefined)[] =
      imageName === undefined ? [undefined] : ['qcow2', 'raw'].map((format) => imageBeside(imageName, format));
    if (!header.isAlone || !allowed.includes(header.backing)) {
      throw new ShoalError(
        'DRIVER_FAILED',
        `disk ${volumeId} names files that it was not made with; it is not opened`,
        { facts: { volumeId, backing: header.backing?.slice(0, 200), expected: imageName } },
      );
    }
    return header;
  }

  async refuseInUse(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    if (await this.isInUse(volumeId, signal)) throw new ShoalError('CONFLICT', `a guest has disk ${volumeId} open`);
  }

  /** Whether a process holds QEMU's own lock on the file. qemu-img asks for the same lock, so it fails exactly then. */
  async isInUse(volumeId: VolumeId, signal: AbortSignal): Promise<boolean> {
    const path = this.diskPath(volumeId);
    const locked = await this.run(boundedQemuImg('info', '-f', 'qcow2', path), { signal, okStatus: [0, 1] });
    if (locked.status === 0) return false;
    // Readable when locks are ignored: the lock was what failed.
    await this.run(boundedQemuImg('info', '-U', '-f', 'qcow2', path), { signal });
    return true;
  }

  /** Names of the disk's snapshots that are Shoal's, the oldest first. The disk exists; it may be open. */
  async snapshots(volumeId: VolumeId, signal: AbortSignal): Promise<readonly VolumeSnapshotId[]> {
    await this.mustBeOurs(volumeId);
    const argv = boundedQemuImg('info', '-U', '-f', 'qcow2', '--output', 'json', this.diskPath(volumeId));
    return readSnapshots(JSON.parse((await this.run(argv, { signal })).stdout));
  }

  /** Runs `qemu-img` on the disk for as long as it takes; ended with the agent. */
  async qemuImg(
    args: readonly string[],
    options: { readonly signal: AbortSignal; readonly stdin?: string; readonly onOutput?: (text: string) => void },
  ): Promise<void> {
    await this.run(endsWithAgent('qemu-img', args), { ...options, timeoutMs: longWorkTimeoutMs });
  }

  async image(name: string): Promise<ImageRecord | undefined> {
    checkImageName(name);
    const path = join(this.imagesDir, `${name}.json`);
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
      await stat(this.imagePath(name, value['format']));
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking for image ${name}`);
    }
    return { format: value['format'], virtualSizeBytes: value['virtualSizeBytes'] };
  }

  async lock(volumeId: VolumeId): Promise<DiskLock | undefined> {
    const value = await readJsonFile(this.lockPath(volumeId));
    if (value === undefined) return undefined;
    if (isRecord(value) && typeof value['owner'] === 'string' && typeof value['generation'] === 'number') {
      return { owner: value['owner'] as HostId, generation: value['generation'] };
    }
    throw new ShoalError('FENCE_UNPROVEN', `the lock of disk ${volumeId} is not understood`);
  }
}

/** An image as its disks name it. */
export function imageBeside(name: string, format: string): string {
  return join('..', 'images', `${name}.${format}`);
}

/** QEMU's options that open a qcow2 file as it is: what a guest sees, or the LUKS that holds it. */
export function qcow2Options(path: string, prefix = ''): string {
  return `${prefix}driver=qcow2,${prefix}file.driver=file,${prefix}file.filename=${optionValue(path)}`;
}

function readSnapshots(info: unknown): readonly VolumeSnapshotId[] {
  const listed = isRecord(info) ? (info['snapshots'] ?? []) : undefined;
  if (!Array.isArray(listed)) throw new ShoalError('CANNOT_TELL', 'qemu-img does not tell the snapshots of a disk');
  const found = (listed as readonly unknown[]).map((entry) => {
    if (!isRecord(entry) || typeof entry['name'] !== 'string' || typeof entry['id'] !== 'string') {
      throw new ShoalError('CANNOT_TELL', 'qemu-img does not tell the name of a snapshot');
    }
    return { name: entry['name'], number: Number(entry['id']) };
  });
  found.sort((left, right) => left.number - right.number);
  return found.map(({ name }) => name).filter(isDiskId) as VolumeSnapshotId[];
}
