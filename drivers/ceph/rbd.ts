/** What `rbd`, `rados` and `ceph` answer, read into our own words. Pure: tests feed it real output. */
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { imageBelow } from '../image/content-name.ts';
import type { DiskFound } from '../types.ts';

/** Snapshot of an image from which disks are cloned. */
export const baseSnapshot = 'base';

/**
 * Names of Shoal's disks in a pool: UUIDs in lower case. Anything else in the pool is not Shoal's and is left alone.
 */
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `rbd info`. */
export interface RbdInfo {
  /** Ceph's own id: the header object is `rbd_header.ID`. */
  readonly id: string;
  readonly sizeBytes: number;
  /** What it is a clone of, when that is one of Shoal's. */
  readonly below: ReturnType<typeof imageBelow>;
}

/** Who has an image open. */
export interface Watcher {
  /** `IP:PORT/NONCE`, as Ceph names one running client. */
  readonly address: string;
}

/** Who holds the storage lock of a disk. */
export interface LockHolder {
  /** Shoal's host. */
  readonly owner: string;
  readonly generation: number;
  /** Ceph's name of the client that took it, needed to break it. */
  readonly locker: string;
  readonly cookie: string;
  /** `IP:PORT/NONCE` of that client, as the OSD saw it. */
  readonly address: string;
}

function misunderstood(what: string): never {
  throw new ShoalError('CANNOT_TELL', `Ceph's answer about ${what} is not understood`);
}

/** Reads `rbd info --format json`. Throws `CANNOT_TELL` for an answer of another shape. */
export function readInfo(value: unknown, imagesPool?: string): RbdInfo {
  if (!isRecord(value) || typeof value['id'] !== 'string' || typeof value['size'] !== 'number')
    misunderstood('an image');
  return { id: value['id'], sizeBytes: value['size'], below: readParent(value['parent'], imagesPool) };
}

/** Of another disk it is a copy, and on no image. */
function readParent(parent: unknown, imagesPool?: string): ReturnType<typeof imageBelow> {
  if (!isRecord(parent) || typeof parent['image'] !== 'string') return {};
  const isDisk = imagesPool !== undefined && parent['pool'] !== undefined && parent['pool'] !== imagesPool;
  return isDisk ? {} : imageBelow(parent['image']);
}

/** `rbd snap ls`: names, the oldest first. */
export function readSnapshots(value: unknown): readonly string[] {
  if (!Array.isArray(value)) misunderstood('a list of snapshots');
  const found = (value as readonly unknown[]).map((entry) => {
    if (!isRecord(entry) || typeof entry['name'] !== 'string' || typeof entry['id'] !== 'number') {
      misunderstood('a list of snapshots');
    }
    return { id: entry['id'], name: entry['name'] };
  });
  return found.sort((left, right) => left.id - right.id).map(({ name }) => name);
}

/** `rbd children`: each as `POOL/IMAGE`. */
export function readChildren(value: unknown): readonly string[] {
  if (!Array.isArray(value)) misunderstood('a list of clones');
  return (value as readonly unknown[]).map((entry) => {
    if (!isRecord(entry) || typeof entry['pool'] !== 'string' || typeof entry['image'] !== 'string') {
      misunderstood('a list of clones');
    }
    return `${entry['pool']}/${entry['image']}`;
  });
}

/** `rbd diff`, in order of offsets. */
export function readDifferences(
  value: unknown,
): readonly { readonly offsetBytes: number; readonly lengthBytes: number }[] {
  if (!Array.isArray(value)) misunderstood('differences');
  const found = (value as readonly unknown[]).map((entry) => {
    if (!isRecord(entry)) misunderstood('a difference');
    const [offsetBytes, lengthBytes] = [Number(entry['offset']), Number(entry['length'])];
    if (
      !Number.isSafeInteger(offsetBytes) ||
      !Number.isSafeInteger(lengthBytes) ||
      offsetBytes < 0 ||
      lengthBytes <= 0
    ) {
      misunderstood('a difference');
    }
    return { offsetBytes, lengthBytes };
  });
  return found.sort((left, right) => left.offsetBytes - right.offsetBytes);
}

/** `rbd ls -l`: all images, and their snapshots as entries of their own. */
export function readImages(
  value: unknown,
): readonly { readonly image: string; readonly sizeBytes: number; readonly isSnapshot: boolean }[] {
  if (!Array.isArray(value)) misunderstood('a list of images');
  return (value as readonly unknown[]).map((entry) => {
    if (!isRecord(entry) || typeof entry['image'] !== 'string' || typeof entry['size'] !== 'number') {
      misunderstood('a list of images');
    }
    return { image: entry['image'], sizeBytes: entry['size'], isSnapshot: entry['snapshot'] !== undefined };
  });
}

/** `rbd ls -l`: disks of Shoal's, without snapshots. */
export function readList(value: unknown, imagesPool?: string): readonly DiskFound[] {
  if (!Array.isArray(value)) misunderstood('a list of images');
  const found: DiskFound[] = [];
  for (const entry of value as readonly unknown[]) {
    if (!isRecord(entry) || typeof entry['image'] !== 'string' || typeof entry['size'] !== 'number') {
      misunderstood('a list of images');
    }
    if (entry['snapshot'] !== undefined || !uuidPattern.test(entry['image'])) continue;
    found.push({
      volumeId: entry['image'] as VolumeId,
      sizeBytes: entry['size'],
      ...readParent(entry['parent'], imagesPool),
    });
  }
  return found;
}

/** `rbd status`. */
export function readWatchers(value: unknown): readonly Watcher[] {
  const watchers = isRecord(value) ? value['watchers'] : undefined;
  if (!Array.isArray(watchers)) misunderstood('watchers');
  return (watchers as readonly unknown[]).map((watcher) => {
    if (!isRecord(watcher) || typeof watcher['address'] !== 'string') misunderstood('a watcher');
    return { address: watcher['address'] };
  });
}

/** `rados lock info`: the one holder of an exclusive lock; undefined when nobody holds it. */
export function readLock(value: unknown): LockHolder | undefined {
  const { holders } = readLocks(value);
  if (holders.length > 1) misunderstood('a lock');
  return holders[0];
}

/** `rados lock info`: who holds a lock, alone or with others. */
export function readLocks(value: unknown): { readonly isShared: boolean; readonly holders: readonly LockHolder[] } {
  const lockers = isRecord(value) ? value['lockers'] : undefined;
  if (!isRecord(value) || !Array.isArray(lockers)) misunderstood('a lock');
  const holders = (lockers as readonly unknown[]).map(readLocker);
  return { isShared: value['type'] === 'shared', holders };
}

function readLocker(locker: unknown): LockHolder {
  if (!isRecord(locker)) misunderstood('a lock');
  const { name, cookie, description, addr } = locker;
  if (
    typeof name !== 'string' ||
    typeof cookie !== 'string' ||
    typeof description !== 'string' ||
    typeof addr !== 'string' ||
    !/^[0-9]{1,16}$/.test(cookie)
  ) {
    misunderstood('a lock');
  }
  return { owner: description, generation: Number(cookie), locker: name, cookie, address: addr };
}

/**
 * `ceph df`: room for one pool. Throws `UNAVAILABLE` while Ceph has not counted it: its manager does so every few seconds,
 * and a pool that was just made is not in the answer, or is there without figures.
 */
export function readCapacity(
  value: unknown,
  pool: string,
): { readonly totalBytes: number; readonly freeBytes: number } {
  const pools = isRecord(value) ? value['pools'] : undefined;
  if (!Array.isArray(pools)) misunderstood('the room in its pools');
  const found = (pools as readonly unknown[]).find((entry) => isRecord(entry) && entry['name'] === pool);
  const stats = isRecord(found) ? found['stats'] : undefined;
  if (stats === undefined) {
    throw new ShoalError('UNAVAILABLE', `Ceph does not report the free space of pool ${pool} yet.`, {
      facts: { pool },
    });
  }
  if (!isRecord(stats) || typeof stats['stored'] !== 'number' || typeof stats['max_avail'] !== 'number') {
    misunderstood(`the room in pool ${pool}`);
  }
  return { totalBytes: stats['stored'] + stats['max_avail'], freeBytes: stats['max_avail'] };
}

/** `ceph osd dump`: the map's epoch, and the addresses on its blocklist. */
export function readBlocklist(value: unknown): { readonly epoch: number; readonly blocked: readonly string[] } {
  if (!isRecord(value) || typeof value['epoch'] !== 'number' || !isRecord(value['blocklist']))
    misunderstood('the OSD map');
  return { epoch: value['epoch'], blocked: Object.keys(value['blocklist']) };
}

/** The host's part of a client's address: `10.0.0.1` of `10.0.0.1:0/123`, `[fd00::1]` of `[fd00::1]:0/123`. */
export function ipOf(address: string): string {
  // Since Ceph 14 a kind may stand before it (`v1:`, `v2:`, `any:`).
  const plain = address.replace(/^(v1|v2|any):/, '');
  const colon = plain.lastIndexOf(':');
  if (colon <= 0) misunderstood(`the address ${address}`);
  return plain.slice(0, colon);
}
