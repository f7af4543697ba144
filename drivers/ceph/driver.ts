/**
 * Disks in Ceph RBD: images in one pool, disks in another as copy-on-write clones of them. QEMU opens them through
 * librbd; this driver manages them with `rbd`.
 *
 *     images/SHA256@base    an image's content; SHA256 appears by rename, when its content is whole
 *     volumes/VOLUME        the disk
 *
 * Several hosts work on the same pools at the same time: the second host finds what the first one made.
 */
import { createHash } from 'node:crypto';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import { type CommandResult, type CommandRunner, runCommand } from '../command.ts';
import { checkDiskSpec, notServedHere } from '../disk-spec.ts';
import { checkImageName, checkImageSha256, imageBelow, mustBeContent } from '../image/content-name.ts';
import { withBlankFile } from '../make-file-system.ts';
import { optionValue } from '../qemu-tools.ts';
import type {
  DiskExport,
  DiskFound,
  DiskOrigin,
  DiskRange,
  DiskSource,
  DiskSpec,
  ImageFile,
  Progress,
  StorageCapabilities,
  StorageDriver,
  StorageRoom,
  StorageWitness,
  UnmanagedDisk,
} from '../types.ts';
import { openWaiting, takeArrived } from './arrival.ts';
import { CephClient, type CephIdentity } from './client.ts';
import { copyDisk, exportDisk, featuresOf, importDisk, makeEncrypted, makeFromFile } from './copies.ts';
import { exitStatus } from './exit-status.ts';
import { Fence, stillWatched } from './fence.ts';
import { conditionOfPool } from './osd-map.ts';
import {
  baseSnapshot,
  ipOf,
  type LockHolder,
  type RbdInfo,
  readCapacity,
  readInfo,
  readList,
  readLock,
  uuidPattern,
} from './rbd.ts';
import { ownSnapshots, type RbdDisk, RbdImages } from './rbd-images.ts';
import { createSnapshot, flattenChildren, removeSnapshot, revertDisk } from './snapshots.ts';
import { adoptDisk, listUnmanaged, releaseDisk } from './unmanaged.ts';
import { RbdWitness } from './witness.ts';

interface RbdDriverOptions {
  readonly identity: CephIdentity;
  /** Default `images`. */
  readonly imagesPool?: string;
  /** Default `volumes`. */
  readonly volumesPool?: string;
  /** Words before every `qemu-nbd`, e.g. to enter a network namespace. Default none. */
  readonly launchPrefix?: readonly string[];
  /** How long Ceph may take to answer before a call fails, at least 1; default 20. Unit: seconds. */
  readonly answerTimeoutS?: number;
}

/** Features of images, and of disks of one guest. */
const features = featuresOf({});
/** The lock by which a host learns its own address goes by itself. Seconds. */
const addressLockS = 10;
/** How old the pool's size may be when a disk is checked against it. */
const totalAgeMsMax = 300_000;

/**
 * Disks that several hosts reach. `start` throws `NOT_FOUND` where a pool is missing. `openDisk` takes the storage lock
 * at the server's generation, and shuts a holder of a lower one out before it breaks that lock.
 */
export class RbdStorageDriver implements StorageDriver {
  readonly name = 'rbd';
  readonly capabilities: StorageCapabilities = {
    shared: true,
    snapshots: true,
    clones: true,
    multiAttach: true,
    encryption: ['luks'],
    // Every host that reaches the pool opens its disks itself.
    exports: false,
  };
  /** Fences hosts and unfences them: for the code that heals. */
  readonly fence: Fence;
  readonly witness: StorageWitness;
  readonly #log: Logger;
  readonly #client: CephClient;
  readonly #images: string;
  readonly #volumes: string;
  readonly #disks: RbdImages;
  readonly #run: CommandRunner;
  #ownIp: string | undefined;
  /** What the pool had in all when it was asked last. Monotonic, ms. */
  #lastTotal: { readonly bytes: number; readonly atMs: number } | undefined;

  constructor(deps: { readonly log: Logger; readonly run?: CommandRunner }, options: RbdDriverOptions) {
    this.#log = deps.log;
    this.#client = new CephClient(options.identity, deps.run, options.answerTimeoutS);
    this.#images = options.imagesPool ?? 'images';
    this.#volumes = options.volumesPool ?? 'volumes';
    this.#run = deps.run ?? runCommand;
    this.fence = new Fence(this.#client, this.#volumes);
    this.witness = new RbdWitness(
      { client: this.#client, fence: this.fence, ownIp: () => this.address },
      this.#volumes,
    );
    this.#disks = new RbdImages(this.#client, this.fence, {
      pool: this.#volumes,
      imagesPool: this.#images,
      prefix: options.launchPrefix ?? [],
    });
  }

  /** This host's address as Ceph sees it: what to put on the blocklist when it must be fenced. Known after `start`. */
  get address(): string {
    if (this.#ownIp === undefined) throw new ShoalError('CANNOT_TELL', 'the RBD driver has not started');
    return this.#ownIp;
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const pool of [this.#images, this.#volumes]) {
      const listed = await this.#client.rbd(['ls', pool], { signal, okStatus: [exitStatus.ok, exitStatus.notFound] });
      if (listed.status !== exitStatus.ok) {
        throw new ShoalError('NOT_FOUND', `Ceph has no pool ${pool}: make it with 'ceph osd pool create ${pool}'`);
      }
    }
    this.#ownIp = await this.#learnAddress(signal);
    this.#log.info({ address: this.#ownIp, user: this.#client.identity.user }, 'RBD driver started');
  }

  async stop(): Promise<void> {}

  async capacity(signal: AbortSignal): Promise<StorageRoom> {
    const [room, map] = await Promise.all([this.#counted(signal), this.#client.cephJson(['osd', 'dump'], { signal })]);
    const condition = conditionOfPool(map, this.#volumes);
    return condition === undefined ? room : { ...room, condition };
  }

  async #counted(signal: AbortSignal): Promise<StorageRoom> {
    const counted = readCapacity(await this.#client.cephJson(['df'], { signal }), this.#volumes);
    this.#lastTotal = { bytes: counted.totalBytes, atMs: performance.now() };
    return counted;
  }

  async ensureImage(image: ImageFile, signal: AbortSignal): Promise<void> {
    checkImageSha256(image.sha256);
    const name = `${this.#images}/${image.sha256}`;
    let there = await this.#info(name, signal);
    if (there === undefined) {
      await mustBeContent(image.path, image.sha256, signal);
      await this.#importImage(image, signal);
      there = await this.#info(name, signal);
    }
    if (there !== undefined && there.sizeBytes !== image.virtualSizeBytes) {
      throw new ShoalError('CONFLICT', `image ${image.sha256} is in Ceph with another size`, {
        facts: { there: there.sizeBytes, asked: image.virtualSizeBytes },
      });
    }
    if (await this.hasImage(image.sha256, signal)) return;
    // Also the way back for an image that was to be removed and could not be, because a disk hung on it.
    const okStatus = [exitStatus.ok, exitStatus.exists];
    await this.#client.rbd(['snap', 'create', `${name}@${baseSnapshot}`, '--no-progress'], { signal, okStatus });
  }

  async hasImage(sha256: ImageSha256, signal: AbortSignal): Promise<boolean> {
    checkImageSha256(sha256);
    return (await this.#info(`${this.#images}/${sha256}@${baseSnapshot}`, signal)) !== undefined;
  }

  async removeImage(content: ImageSha256 | ImageId, signal: AbortSignal): Promise<void> {
    checkImageName(content);
    const name = `${this.#images}/${content}`;
    if ((await this.#info(name, signal)) === undefined) return;
    const children = await this.#client.rbdJson(['children', '--all', name], { signal });
    if (!Array.isArray(children)) throw new ShoalError('CANNOT_TELL', `Ceph does not list the clones of ${name}`);
    if (children.length > 0) throw inUse(content, children.length);
    const okAbsent = [exitStatus.ok, exitStatus.notFound];
    const snapshot = `${name}@${baseSnapshot}`;
    await this.#client.rbd(['snap', 'rm', snapshot, '--no-progress'], { signal, okStatus: okAbsent });
    const okStatus = [...okAbsent, exitStatus.notEmpty];
    const removed = await this.#client.rbd(['rm', name, '--no-progress'], { signal, okStatus, isLong: true });
    // A disk was cloned from it meanwhile: it lives on the removed snapshot, and keeps the image.
    if (removed.status === exitStatus.notEmpty) throw inUse(content, 1);
  }

  async ensureDisk(spec: DiskSpec, signal: AbortSignal): Promise<void> {
    checkId(spec.volumeId);
    checkDiskSpec(spec, { capabilities: this.capabilities });
    if (isPlain(spec) && (await this.#createPlain(spec, signal))) return;
    let found = await this.#disks.find(spec.volumeId, signal);
    if (found === undefined) {
      checkDiskSpec(spec, { capabilities: this.capabilities, ...(await this.#room(signal)) });
      await this.#createDisk(spec, signal);
      found = await this.#disks.find(spec.volumeId, signal);
      if (found === undefined) throw new ShoalError('CONFLICT', `disk ${spec.volumeId} was removed while it was made`);
    }
    // What an earlier version made is this volume's own, by its id; of its image only the name is known.
    const imageSha256 = found.notes.imageSha256 ?? found.below.imageSha256;
    if (found.below.legacyImageId === undefined && imageSha256 !== spec.imageSha256) {
      throw new ShoalError('CONFLICT', `disk ${spec.volumeId} exists with other content at its bottom`, {
        facts: { exists: imageSha256, asked: spec.imageSha256 },
      });
    }
    await this.#grow(spec, found, signal);
  }

  async #grow({ volumeId, sizeBytes }: DiskSpec, found: RbdDisk, signal: AbortSignal): Promise<void> {
    const wholeBytes = sizeBytes + (found.notes.luksHeaderBytes ?? 0);
    if (found.sizeBytes >= wholeBytes) return;
    const argv = ['resize', this.#volume(volumeId), '--size', `${wholeBytes}B`, '--no-progress'];
    await this.#client.rbd(argv, { signal });
  }

  /**
   * Makes an empty disk without looking first: most are made once. False: one is there already, or whether it fits the pool
   * must be asked.
   */
  async #createPlain(spec: DiskSpec, signal: AbortSignal): Promise<boolean> {
    const { totalBytes } = await this.#room(signal);
    if (totalBytes !== undefined && spec.sizeBytes > totalBytes) return false;
    const argv = ['create', this.#volume(spec.volumeId), '--size', `${spec.sizeBytes}B`];
    const okStatus = [exitStatus.ok, exitStatus.exists];
    const made = await this.#client.rbd([...argv, '--image-feature', featuresOf(spec)], { signal, okStatus });
    return made.status === exitStatus.ok;
  }

  /**
   * How much the pool has in all; not known while Ceph has not counted a new one. Asking takes longer than making a disk, and
   * pools grow slowly: an answer of the last minutes will do.
   */
  async #room(signal: AbortSignal): Promise<{ readonly totalBytes?: number }> {
    const last = this.#lastTotal;
    if (last !== undefined && performance.now() - last.atMs < totalAgeMsMax) return { totalBytes: last.bytes };
    try {
      return { totalBytes: (await this.#counted(signal)).totalBytes };
    } catch (caught) {
      if (ShoalError.is(caught, 'UNAVAILABLE')) return {};
      throw caught;
    }
  }

  async findDisk(volumeId: VolumeId, signal: AbortSignal): Promise<DiskFound | undefined> {
    checkId(volumeId);
    const found = await this.#disks.find(volumeId, signal);
    if (found === undefined) return undefined;
    const { luksHeaderBytes, imageSha256 } = found.notes;
    return {
      volumeId,
      sizeBytes: found.sizeBytes - (luksHeaderBytes ?? 0),
      ...found.below,
      ...(imageSha256 === undefined ? {} : imageBelow(imageSha256)),
    };
  }

  async listDisks(signal: AbortSignal): Promise<readonly DiskFound[]> {
    const listed = readList(await this.#client.rbdJson(['ls', '-l', this.#volumes], { signal }), this.#images);
    const found: DiskFound[] = [];
    for (const disk of listed) {
      // Of an encrypted disk the list tells the size with its header, which is no whole number of MiB.
      const known = disk.sizeBytes % mibBytes === 0 ? disk : await this.findDisk(disk.volumeId, signal);
      if (known !== undefined) found.push(known);
    }
    return found;
  }

  async openDisk(spec: DiskSpec, owner: HostId, signal: AbortSignal): Promise<DiskSource> {
    const name = this.#volume(spec.volumeId);
    const { confPath, user } = this.#client.identity;
    const source: DiskSource = { kind: 'rbd', pool: this.#volumes, image: spec.volumeId, user, confPath };
    checkDiskSpec(spec, { capabilities: this.capabilities });
    const [info, watching] = await Promise.all([
      this.#info(name, signal),
      spec.shared === true ? undefined : this.fence.watchersIfThere(spec.volumeId, signal),
    ]);
    if (info === undefined) throw new ShoalError('NOT_FOUND', `there is no disk ${spec.volumeId}`);
    const { isShared, holders } = await this.fence.locks(info.id, signal);
    if (spec.arrival === 'waiting') return openWaiting(spec, holders, source);
    if (spec.shared === true) {
      await this.#openShared(spec, owner, { id: info.id, isShared, holders }, signal);
      return source;
    }
    if (isShared && holders.length > 0) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is open beside others`, { facts: { holders } });
    }
    const [holder] = holders;
    if (holder?.owner === owner && holder.generation === spec.generation) {
      await this.#refuseForeignWatchers(spec.volumeId, signal);
      return source;
    }
    if (spec.arrival === 'going-on') {
      const { address } = this;
      await takeArrived(this.fence, spec, owner, { rbdId: info.id, holders, address }, signal);
      return source;
    }
    if (holder !== undefined && holder.generation >= spec.generation) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${spec.volumeId} is locked at generation ${holder.generation}`, {
        facts: { owner: holder.owner, generation: holder.generation, address: holder.address },
      });
    }
    if (holder === undefined) {
      // Closed cleanly, as most are: nobody has it open, and that is known already.
      if (watching?.length !== 0) await this.#fenceStaleWatchers(spec.volumeId, signal);
    } else await this.#takeOver(spec, owner, info, holder, signal);

    if (!(await this.#takeFreeLock(spec, owner, info, signal))) {
      throw new ShoalError('FENCE_UNPROVEN', `another host took disk ${spec.volumeId} at the same moment`);
    }
    return source;
  }

  /** Takes the lock for this host alone, unless somebody has it: then false. */
  async #takeFreeLock(
    { volumeId, generation }: DiskSpec,
    owner: HostId,
    { id }: RbdInfo,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!(await this.fence.takeLock(id, { owner, generation }, signal))) return false;
    // Nobody could have opened it since with Shoal's leave; someone without it shows here.
    const watchers = await this.fence.watchers(volumeId, signal);
    if (watchers.length > 0) {
      await this.closeDisk(volumeId, owner, generation, signal);
      throw stillWatched(volumeId, watchers);
    }
    return true;
  }

  /** Beside others. Whether somebody watches says nothing then: they may. */
  async #openShared(
    { volumeId, generation }: DiskSpec,
    owner: HostId,
    lock: { readonly id: string; readonly isShared: boolean; readonly holders: readonly LockHolder[] },
    signal: AbortSignal,
  ): Promise<void> {
    const { holders } = lock;
    if (!lock.isShared && holders.length > 0) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is locked by one host alone`, { facts: { holders } });
    }
    if (holders.some((holder) => holder.owner === owner && holder.generation === generation)) return;
    if (!(await this.fence.takeLock(lock.id, { owner, generation, isShared: true }, signal))) {
      throw new ShoalError('FENCE_UNPROVEN', `another host took disk ${volumeId} for itself at the same moment`);
    }
  }

  async closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void> {
    const info = await this.#info(this.#volume(volumeId), signal);
    if (info === undefined) return;
    for (const holder of (await this.fence.locks(info.id, signal)).holders) {
      if (holder.owner === owner && holder.generation === generation) {
        await this.fence.breakLock(info.id, holder, signal);
      }
    }
  }

  async removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    const name = this.#volume(volumeId);
    const snapshots = await this.#disks.snapshots(volumeId, signal);
    if (snapshots.length > 0) throw new ShoalError('CONFLICT', `disk ${volumeId} has ${snapshots.length} snapshots`);
    const { ok, notFound, busy, notEmpty } = exitStatus;
    const okStatus = [ok, notFound, busy, notEmpty];
    const remove = (): Promise<CommandResult> =>
      this.#client.rbd(['rm', name, '--no-progress'], { signal, okStatus, isLong: true });
    let removed = await remove();
    if (removed.status === notEmpty) {
      await flattenChildren(this.#disks, volumeId, signal);
      removed = await remove();
    }
    if (removed.status === busy) throw new ShoalError('CONFLICT', `disk ${volumeId} is open`);
    if (removed.status === notEmpty) throw new ShoalError('CONFLICT', `disk ${volumeId} has snapshots`);
  }

  async serveDisk({ volumeId }: DiskSpec): Promise<never> {
    throw notServedHere(volumeId);
  }

  async unserveDisk(): Promise<void> {}

  async listServed(): Promise<readonly never[]> {
    return [];
  }

  async createSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    await createSnapshot(this.#disks, volumeId, snapshotId, signal);
  }

  async removeSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    await removeSnapshot(this.#disks, volumeId, snapshotId, signal);
  }

  async listSnapshots(volumeId: VolumeId, signal: AbortSignal): Promise<readonly VolumeSnapshotId[]> {
    checkId(volumeId);
    return ownSnapshots(await this.#disks.snapshots(volumeId, signal));
  }

  async revertDisk(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void> {
    await revertDisk(this.#disks, volumeId, snapshotId, signal);
  }

  async copyDisk(from: DiskOrigin, spec: DiskSpec, progress: Progress, signal: AbortSignal): Promise<void> {
    checkId(spec.volumeId);
    const found = await this.#disks.find(spec.volumeId, signal);
    const room = found === undefined ? await this.#room(signal) : {};
    checkDiskSpec(spec, { capabilities: this.capabilities, isCopy: true, ...room });
    if (found === undefined) {
      await copyDisk(this.#disks, from, spec, { progress, signal });
      return;
    }
    await this.#grow(spec, found, signal);
    progress(100);
  }

  exportDisk(
    from: DiskOrigin,
    sinceSnapshotId: VolumeSnapshotId | undefined,
    signal: AbortSignal,
  ): Promise<DiskExport> {
    return exportDisk(this.#disks, from, sinceSnapshotId, signal);
  }

  importDisk(spec: DiskSpec, ranges: AsyncIterable<DiskRange>, progress: Progress, signal: AbortSignal): Promise<void> {
    return importDisk(this.#disks, spec, ranges, { progress, signal });
  }

  listUnmanaged(signal: AbortSignal): Promise<readonly UnmanagedDisk[]> {
    return listUnmanaged(this.#disks, signal);
  }

  adoptDisk(name: string, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    return adoptDisk(this.#disks, name, volumeId, signal);
  }

  releaseDisk(volumeId: VolumeId, name: string, signal: AbortSignal): Promise<void> {
    return releaseDisk(this.#disks, volumeId, name, signal);
  }

  // --------------------------------------------------------------------------------------------------------- takeover

  /**
   * A disk that nobody holds. A clean hand-over ends here: its last owner gave the lock back after its QEMU was gone.
   * If that QEMU crashed, its watch lasts another 30 s; that client is dead by the word of `closeDisk`'s caller, and
   * fencing it ends the watch at once. Anyone else who has the disk open does so without leave.
   */
  async #fenceStaleWatchers(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    const watchers = await this.fence.watchers(volumeId, signal);
    if (watchers.length === 0) return;
    if (watchers.some((watcher) => ipOf(watcher.address) !== this.address)) throw stillWatched(volumeId, watchers);
    for (const { address } of watchers) await this.fence.fenceAddress(address, signal);
    await this.fence.untilNoWatchers(volumeId, signal);
  }

  /** A disk held at a lower generation. The caller's generation is committed, so its holder has lost it. */
  async #takeOver(
    spec: DiskSpec,
    owner: HostId,
    info: RbdInfo,
    holder: LockHolder,
    signal: AbortSignal,
  ): Promise<void> {
    const { volumeId, generation } = spec;
    const facts = {
      volumeId,
      generation,
      from: holder.owner,
      fromGeneration: holder.generation,
      address: holder.address,
    };
    if (holder.owner === owner) {
      // Our own, of an earlier life. A guest of ours that still runs must be stopped first, not fenced.
      const watchers = await this.fence.watchers(volumeId, signal);
      if (watchers.length > 0) throw stillWatched(volumeId, watchers);
    } else {
      const ip = ipOf(holder.address);
      if (ip === this.address) {
        throw new ShoalError(
          'FENCE_UNPROVEN',
          `host ${holder.owner} has our own address ${ip}: fencing it would fence this host`,
          { facts },
        );
      }
      this.#log.warn(facts, 'fencing a host in Ceph to take over its disk');
      await this.fence.fenceAddress(ip, signal);
      await this.fence.untilNoWatchers(volumeId, signal);
    }
    await this.fence.breakLock(info.id, holder, signal);
  }

  async #refuseForeignWatchers(volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    const watchers = await this.fence.watchers(volumeId, signal);
    const foreign = watchers.filter((watcher) => ipOf(watcher.address) !== this.address);
    if (foreign.length > 0) throw stillWatched(volumeId, foreign);
  }

  /** Ceph notes the address of the client that takes a lock; so a host takes one of its own and looks. */
  async #learnAddress(signal: AbortSignal): Promise<string> {
    const target = ['-p', this.#volumes, 'lock'];
    const lock = [`shoal.host.${this.#client.identity.user}`, 'address'];
    // Shared, under a cookie that never repeats: an earlier one that has not run out yet is no hindrance.
    const cookie = String(process.hrtime.bigint()).slice(-15);
    const argv = [
      'get',
      ...lock,
      '--lock-type',
      'shared',
      '--lock-duration',
      String(addressLockS),
      '--lock-cookie',
      cookie,
    ];
    await this.#client.rados([...target, ...argv], { signal });
    const all = await this.#client.radosJson([...target, 'info', ...lock], { signal });
    const lockers =
      typeof all === 'object' && all !== null && 'lockers' in all && Array.isArray(all.lockers) ? all.lockers : [];
    const own = (lockers as readonly { readonly cookie?: unknown }[]).filter((locker) => locker.cookie === cookie);
    const holder = readLock({ lockers: own });
    if (holder === undefined)
      throw new ShoalError('CANNOT_TELL', 'Ceph does not say from which address this host comes');
    return ipOf(holder.address);
  }

  // ------------------------------------------------------------------------------------------------------------ images

  async #importImage(image: ImageFile, signal: AbortSignal): Promise<void> {
    // Under a name of this host's and this pool's own, so that two that import the same image do not meet.
    const { user } = this.#client.identity;
    // RBD takes 96 characters.
    const beside = `incoming-${createHash('sha256').update(`${image.sha256} ${user} ${this.#volumes}`).digest('hex')}`;
    const name = `${this.#images}/${beside}`;
    await this.#client.rbd(['rm', name, '--no-progress'], { signal, okStatus: [0, exitStatus.notFound], isLong: true });
    await this.#client.rbd(['create', name, '--size', `${image.virtualSizeBytes}B`, '--image-feature', features], {
      signal,
    });
    await this.#client.convertInto(image, { pool: this.#images, image: beside }, signal);
    const okStatus = [exitStatus.ok, exitStatus.exists];
    await this.#client.rbd(['rename', name, `${this.#images}/${image.sha256}`], { signal, okStatus });
    // Who comes second keeps its copy under the old name, and is told 0 as often as "exists" (seen on Ceph 16): librbd takes
    // a name that is there already for a repeat of its own request. So whether there is one to remove is found by removing.
    const okAbsent = [exitStatus.ok, exitStatus.notFound];
    await this.#client.rbd(['rm', name, '--no-progress'], { signal, okStatus: okAbsent, isLong: true });
  }

  async #createDisk(spec: DiskSpec, signal: AbortSignal): Promise<void> {
    const name = this.#volume(spec.volumeId);
    const { ok, exists, notFound } = exitStatus;
    const { encryption, contents, imageSha256 } = spec;
    if (contents !== undefined) {
      await withBlankFile(this.#run, { sizeBytes: spec.sizeBytes, contents }, signal, (path) =>
        makeFromFile(this.#disks, spec, path, signal),
      );
      return;
    }
    if (imageSha256 === undefined) {
      if (encryption !== undefined) {
        await makeEncrypted(this.#disks, { ...spec, encryption }, undefined, signal);
        return;
      }
      const argv = ['create', name, '--size', `${spec.sizeBytes}B`, '--image-feature', featuresOf(spec)];
      await this.#client.rbd(argv, { signal, okStatus: [ok, exists] });
      return;
    }
    checkImageSha256(imageSha256);
    const base = `${this.#images}/${spec.imageSha256}@${baseSnapshot}`;
    const image = await this.#info(base, signal);
    if (image === undefined) throw new ShoalError('NOT_FOUND', `image ${spec.imageSha256} is not on this storage`);
    if (spec.sizeBytes < image.sizeBytes) {
      const facts = { asked: spec.sizeBytes, image: image.sizeBytes };
      throw new ShoalError('INVALID_ARGUMENT', `a disk of ${spec.sizeBytes} bytes is smaller than its image`, {
        facts,
      });
    }
    if (encryption !== undefined) {
      // LUKS begins with a header of its own, so it cannot lie on an image: it gets a copy.
      const { confPath, user } = this.#client.identity;
      const at = `file.pool=${optionValue(this.#images)},file.image=${imageSha256},file.snapshot=${baseSnapshot}`;
      const as = `file.user=${optionValue(user)},file.conf=${optionValue(confPath)}`;
      const from = { image: `driver=raw,file.driver=rbd,${at},${as}` };
      await makeEncrypted(this.#disks, { ...spec, encryption }, from, signal);
      return;
    }
    const argv = ['clone', base, name, '--image-feature', featuresOf(spec), '--rbd-default-clone-format=2'];
    const cloned = await this.#client.rbd(argv, { signal, okStatus: [ok, exists, notFound] });
    if (cloned.status === notFound)
      throw new ShoalError('NOT_FOUND', `image ${spec.imageSha256} is not on this storage`);
  }

  /** Undefined only when Ceph was asked and said that there is none. */
  async #info(name: string, signal: AbortSignal): Promise<RbdInfo | undefined> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const answer = await this.#client.rbdJson(['info', name], { signal, okStatus });
    return answer === undefined ? undefined : readInfo(answer, this.#images);
  }

  #volume(volumeId: VolumeId): string {
    checkId(volumeId);
    return `${this.#volumes}/${volumeId}`;
  }
}

/** Empty, as it is. */
function isPlain({ encryption, contents, imageSha256 }: DiskSpec): boolean {
  return encryption === undefined && contents === undefined && imageSha256 === undefined;
}

function inUse(name: string, disks: number): ShoalError {
  return new ShoalError('CONFLICT', `image ${name} is below ${disks} disks`);
}

function checkId(id: string): void {
  if (!uuidPattern.test(id)) throw new ShoalError('INVALID_ARGUMENT', `'${id}' is not a lower-case UUID`);
}
