/** The disks of one pool as `rbd` tells of them: facts, notes beside them, who has one open. */
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { checkDiskId, isDiskId } from '../disk-spec.ts';
import { optionValue } from '../qemu-tools.ts';
import type { CephClient } from './client.ts';
import { exitStatus } from './exit-status.ts';
import type { Fence } from './fence.ts';
import { type RbdInfo, readInfo, readSnapshots } from './rbd.ts';

/** What is noted of a disk in its image-meta. Clones and copies take it along. */
interface DiskNotes {
  /** Its content is LUKS of QEMU's, of which so many bytes come before what a guest sees. */
  readonly luksHeaderBytes?: number;
  /** The image that its content was copied from, where it is no clone of it. */
  readonly imageSha256?: string;
  /** Name of the unmanaged image that it was. */
  readonly adoptedFrom?: string;
}

const keys = {
  luksHeaderBytes: 'shoal.luks_header_bytes',
  imageSha256: 'shoal.image_sha256',
  adoptedFrom: 'shoal.adopted_from',
} as const;

/** A disk as it is kept: `sizeBytes` counts the LUKS header, too. */
export type RbdDisk = RbdInfo & { readonly notes: DiskNotes };

/** One pool of disks. Names are ids, or those of unmanaged images. */
export class RbdImages {
  readonly client: CephClient;
  readonly pool: string;
  readonly imagesPool: string;
  readonly fence: Fence;
  /** Words before every `qemu-nbd`. */
  readonly prefix: readonly string[];

  constructor(
    client: CephClient,
    fence: Fence,
    options: { readonly pool: string; readonly imagesPool: string; readonly prefix: readonly string[] },
  ) {
    this.client = client;
    this.fence = fence;
    this.pool = options.pool;
    this.imagesPool = options.imagesPool;
    this.prefix = options.prefix;
  }

  /** `POOL/IMAGE`, with `@SNAPSHOT`. */
  name(image: string, snapshotId?: VolumeSnapshotId): string {
    if (snapshotId !== undefined) checkDiskId(snapshotId);
    return `${this.pool}/${image}${snapshotId === undefined ? '' : `@${snapshotId}`}`;
  }

  /** Undefined only when Ceph was asked and said that there is none. */
  async info(name: string, signal: AbortSignal): Promise<RbdInfo | undefined> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const answer = await this.client.rbdJson(['info', name], { signal, okStatus });
    return answer === undefined ? undefined : readInfo(answer, this.imagesPool);
  }

  /** A disk with its notes. */
  async find(image: string, signal: AbortSignal): Promise<RbdDisk | undefined> {
    const [info, notes] = await Promise.all([this.info(this.name(image), signal), this.#notes(image, signal)]);
    return info === undefined ? undefined : { ...info, notes };
  }

  async mustFind(volumeId: VolumeId, signal: AbortSignal): Promise<RbdDisk> {
    checkDiskId(volumeId);
    const found = await this.find(volumeId, signal);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
    return found;
  }

  async note(image: string, notes: DiskNotes, signal: AbortSignal): Promise<void> {
    for (const [name, key] of Object.entries(keys)) {
      const value = notes[name as keyof DiskNotes];
      if (value !== undefined) {
        await this.client.rbd(['image-meta', 'set', this.name(image), key, String(value)], { signal });
      }
    }
  }

  /** The disk's own snapshots, the oldest first; empty without the disk. */
  async snapshots(image: string, signal: AbortSignal): Promise<readonly string[]> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const answer = await this.client.rbdJson(['snap', 'ls', this.name(image)], { signal, okStatus });
    return answer === undefined ? [] : readSnapshots(answer);
  }

  async refuseOpen(image: string, signal: AbortSignal): Promise<void> {
    const watchers = await this.fence.watchers(image, signal);
    if (watchers.length === 0) return;
    throw new ShoalError('CONFLICT', `disk ${image} is open`, {
      facts: { watchers: watchers.map(({ address }) => address) },
    });
  }

  /** QEMU's options that open it as it is kept. */
  options(image: string, snapshotId?: VolumeSnapshotId): string {
    const { confPath, user } = this.client.identity;
    const parts = [`driver=rbd`, `pool=${optionValue(this.pool)}`, `image=${image}`, `user=${optionValue(user)}`];
    parts.push(`conf=${optionValue(confPath)}`);
    if (snapshotId !== undefined) parts.push(`snapshot=${snapshotId}`);
    return parts.map((part) => `file.${part}`).join(',');
  }

  async #notes(image: string, signal: AbortSignal): Promise<DiskNotes> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const argv = ['image-meta', 'list', this.name(image), '--format', 'json'];
    const { status, stdout } = await this.client.rbd(argv, { signal, okStatus });
    // An image without any is told in no words at all.
    const answer: unknown = status === exitStatus.ok && stdout.trim() !== '' ? JSON.parse(stdout) : {};
    if (!isRecord(answer))
      throw new ShoalError('CANNOT_TELL', `Ceph's answer about the notes of ${image} is not understood`);
    const headerBytes = Number(answer[keys.luksHeaderBytes] ?? Number.NaN);
    const imageSha256 = answer[keys.imageSha256];
    const adoptedFrom = answer[keys.adoptedFrom];
    return {
      ...(Number.isSafeInteger(headerBytes) && headerBytes > 0 ? { luksHeaderBytes: headerBytes } : {}),
      ...(typeof imageSha256 === 'string' ? { imageSha256 } : {}),
      ...(typeof adoptedFrom === 'string' ? { adoptedFrom } : {}),
    };
  }
}

/** Those that are Shoal's. */
export function ownSnapshots(names: readonly string[]): readonly VolumeSnapshotId[] {
  return names.filter(isDiskId) as VolumeSnapshotId[];
}
