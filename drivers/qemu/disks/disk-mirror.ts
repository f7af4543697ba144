/**
 * A disk of a guest that runs is copied to another place, and the guest goes over to it. The copy is a job of QEMU's own, which
 * goes on while no agent runs; what is known of it is read from QEMU alone:
 *
 *     no job         it has not begun; or it is over, and the device says which of the two disks it reads
 *     running        the target fills, and writes of the guest are noted, or go to both
 *     ready          the target holds what the source holds, but for what is written at this moment
 *     pending        both hold the same, and the guest's writes wait: the records decide, then it is finalized or cancelled
 *     concluded      the guest reads the one or the other; what is left of the job and of the other disk goes
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { storageRefusal } from '../../storage-refusal.ts';
import type { GuestDisk, MirrorSteps } from '../../types.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { listOf } from '../guest/hot-plug.ts';
import { diskNodes, type NodeSet, nodeName } from './disk-nodes.ts';
import { addNodes, deviceOf, dropNodes, limitDisk, nodesOf, pluggedDisks } from './guest-disks.ts';
import { isOpenFrom } from './open-source.ts';

/** How often a copy that goes on is looked at, and one that is about to end. */
const lookMs = 500;
const endLookMs = 20;
/** From `job-complete` to a job that waits, and from there to its end: what was in flight is written, and no more. */
const endTimeoutMs = 30_000;
/**
 * A copy that has gone over all of the disk and gets no nearer to its end for so long does not end by itself: the guest writes
 * faster than the target. From then on its writes wait for both.
 */
const stuckMs = 30_000;

/** What QEMU says of a job. */
interface Job {
  readonly id: string;
  readonly status: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly error: string | undefined;
}

/** What the driver gives to one mirror. */
export interface MirrorPorts {
  /** Does it to the guest, behind what else is asked of it. Throws `NOT_FOUND` when it does not run. */
  readonly turn: <T>(work: (guest: QemuGuest) => Promise<T>) => Promise<T>;
  /** Lets the guest see the target's files; returns the target as its QEMU names it. */
  readonly show: (guest: QemuGuest) => Promise<GuestDisk>;
  /** Opens the target with what it proves itself with to another host. */
  readonly withCredentials: (guest: QemuGuest, set: NodeSet, work: () => Promise<void>) => Promise<void>;
  /** Takes away what the guest saw of one of the two. */
  readonly hide: (guest: QemuGuest, which: 'source' | 'target') => Promise<void>;
}

/** One mirror, as one call of the driver sees it. */
export class DiskMirror {
  readonly #ports: MirrorPorts;
  readonly #volumeId: VolumeId;
  readonly #target: GuestDisk;

  constructor(ports: MirrorPorts, volumeId: VolumeId, target: GuestDisk) {
    this.#ports = ports;
    this.#volumeId = volumeId;
    this.#target = target;
  }

  /** Begins, or goes on with what an agent before began, until the guest reads the target. As `ComputeDriver.mirrorDisk`. */
  async carryThrough({ progress, switchOver }: MirrorSteps, signal: AbortSignal): Promise<void> {
    const pace = new Pace();
    for (;;) {
      if (signal.aborted)
        throw new ShoalError('CANCELLED', `mirroring disk ${this.#volumeId}: nobody waits for it any more`);
      const state = await this.#ports.turn((guest) => this.#step(guest, pace, progress, switchOver, signal));
      if (state === 'over') return;
      await delay(state === 'ending' ? endLookMs : lookMs, undefined, { ref: true });
    }
  }

  /** Ends it, with the guest on the source. `CONFLICT` when it is on the target already. */
  async abandon(): Promise<void> {
    await this.#ports.turn(async (guest) => {
      if (await this.#isOnTarget(guest)) {
        throw new ShoalError('CONFLICT', `guest ${guest.serverId} has gone over to the new disk already`);
      }
      await this.#takeBack(guest);
    });
  }

  /** One look, and what is to be done now. */
  async #step(
    guest: QemuGuest,
    pace: Pace,
    progress: MirrorSteps['progress'],
    switchOver: MirrorSteps['switchOver'],
    signal: AbortSignal,
  ): Promise<'over' | 'ending' | 'goes on'> {
    const job = await this.#job(guest);
    if (await this.#isOnTarget(guest)) {
      await this.#tidy(guest, job);
      progress(100);
      return 'over';
    }
    if (job === undefined) {
      await this.#begin(guest, 'background', signal);
      return 'goes on';
    }
    if (!(await this.#isOfTarget(guest))) {
      // An earlier attempt had another target.
      await this.#takeBack(guest);
      return 'goes on';
    }
    switch (job.status) {
      case 'ready':
        await guest.execute('job-complete', { id: job.id }, signal);
        return 'ending';
      case 'pending':
        return this.#decide(guest, job, switchOver);
      case 'concluded':
        throw await this.#failed(guest, job);
      default:
        progress(percentOf(job));
        if (pace.isStuck(job) && !job.id.endsWith(slowSuffix)) {
          await endJob(guest, job);
          await this.#begin(guest, 'write-blocking', signal);
        }
        return job.status === 'waiting' ? 'ending' : 'goes on';
    }
  }

  /** Both hold the same and nothing is written: who is right is the caller's to record. */
  async #decide(guest: QemuGuest, job: Job, switchOver: MirrorSteps['switchOver']): Promise<'over' | 'ending'> {
    if (!(await switchOver())) {
      await this.#takeBack(guest);
      throw new ShoalError('CONFLICT', `disk ${this.#volumeId} was not to go over any more`);
    }
    await guest.execute('job-finalize', { id: job.id });
    await waitFor(guest, this.#volumeId, (now) => now === undefined || now.status === 'concluded');
    if (await this.#isOnTarget(guest)) {
      await this.#tidy(guest, await this.#job(guest));
      return 'over';
    }
    // QEMU could not; the records say the target by now, so it is tried again from the beginning.
    await this.#takeBack(guest);
    return 'ending';
  }

  async #begin(guest: QemuGuest, copyMode: 'background' | 'write-blocking', signal: AbortSignal): Promise<void> {
    const { top, sizeBytes } = await deviceOf(guest, this.#volumeId, signal);
    const set = this.#targetSet(top);
    await dropNodes(guest, this.#target.volumeId, set, signal);
    try {
      const shown = await this.#ports.show(guest);
      // A disk that the guest may only read is written by the copy; the device stays as it is.
      const opened = diskNodes({ ...shown, readOnly: false }, set);
      await this.#ports.withCredentials(guest, set, async () => {
        await addNodes(guest, opened, shown.volumeId, set, signal);
      });
      const target = (await nodesOf(guest, signal)).find(({ name }) => name === opened.top);
      if (target === undefined || target.sizeBytes < sizeBytes) {
        throw new ShoalError('CONFLICT', `disk ${shown.volumeId} is smaller than disk ${this.#volumeId}`, {
          facts: { sizeBytes, targetBytes: target?.sizeBytes },
        });
      }
      await guest.execute(
        'blockdev-mirror',
        {
          'job-id': jobId(this.#volumeId) + (copyMode === 'background' ? '' : slowSuffix),
          device: top,
          target:
            target.sizeBytes === sizeBytes ? opened.top : await this.#addWindow(guest, opened.top, set, sizeBytes),
          sync: 'full',
          'copy-mode': copyMode,
          'auto-finalize': false,
          'auto-dismiss': false,
        },
        signal,
      );
    } catch (caught) {
      if ((await this.#job(guest)) === undefined) await this.#closeTarget(guest);
      throw caught;
    }
  }

  /** QEMU copies between disks of one size: of a larger one the copy sees only so much. */
  async #addWindow(guest: QemuGuest, file: string, set: NodeSet, sizeBytes: number): Promise<string> {
    const name = nodeName(this.#target.volumeId, 'win', set);
    await guest.execute('blockdev-add', { driver: 'raw', 'node-name': name, file, size: sizeBytes, discard: 'unmap' });
    return name;
  }

  /** The guest sees all of the disk. */
  async #openWindow(guest: QemuGuest, top: string): Promise<void> {
    if (!top.endsWith('-win')) return;
    const below = ['key', 'fmt'].map((layer) => top.replace(/win$/, layer));
    const all = await nodesOf(guest);
    const whole = below.map((name) => all.find((node) => node.name === name)).find((node) => node !== undefined);
    if (whole === undefined) throw new ShoalError('CANNOT_TELL', `QEMU does not tell what lies below ${top}`);
    const options = [{ driver: 'raw', 'node-name': top, file: whole.name, discard: 'unmap' }];
    await guest.execute('blockdev-reopen', { options });
    await guest.execute('block_resize', { 'node-name': top, size: whole.sizeBytes });
  }

  async #failed(guest: QemuGuest, job: Job): Promise<ShoalError> {
    await this.#takeBack(guest);
    const what = `copying disk ${this.#volumeId} while its guest runs`;
    if (/No space left/i.test(job.error ?? '')) return storageRefusal('full', `${what}: the target is full`);
    return new ShoalError('DRIVER_FAILED', `${what}: ${job.error ?? 'it was cancelled'}`);
  }

  /** The guest stays on the source: the job, the target's nodes and what the guest saw of it go. */
  async #takeBack(guest: QemuGuest): Promise<void> {
    const job = await this.#job(guest);
    if (job !== undefined) await endJob(guest, job);
    await this.#closeTarget(guest);
  }

  async #closeTarget(guest: QemuGuest): Promise<void> {
    const { top } = await deviceOf(guest, this.#volumeId);
    await dropNodes(guest, this.#target.volumeId, this.#targetSet(top));
    await this.#ports.hide(guest, 'target');
  }

  /** The guest is on the target: the job, the source's nodes and what the guest saw of it go. Safe to do twice. */
  async #tidy(guest: QemuGuest, job: Job | undefined): Promise<void> {
    const { volumeId, limits } = this.#target;
    if (job !== undefined) await endJob(guest, job);
    const { top } = await deviceOf(guest, volumeId);
    const isSame = this.#volumeId === volumeId;
    for (const set of ['d', 'e'] as const) {
      if (isSame && top.startsWith(set)) continue;
      await dropNodes(guest, this.#volumeId, set);
    }
    await this.#ports.hide(guest, 'source');
    // The device keeps its limits; those of the new disk replace them. One that is larger is told to the guest.
    if (limits !== undefined) await limitDisk(guest, volumeId, limits);
    await this.#openWindow(guest, top);
  }

  /** Whether the device reads the target. */
  async #isOnTarget(guest: QemuGuest): Promise<boolean> {
    const { volumeId, source } = this.#target;
    if (!(await pluggedDisks(guest)).includes(volumeId)) {
      // Throws when the guest has neither.
      await deviceOf(guest, this.#volumeId);
      return false;
    }
    const { top } = await deviceOf(guest, volumeId);
    return isOpenFrom(await this.#sourceNode(guest, top.startsWith('e') ? 'e' : 'd'), volumeId, source);
  }

  /** Whether the copy that is under way is to this target, and to no other. */
  async #isOfTarget(guest: QemuGuest): Promise<boolean> {
    const { top } = await deviceOf(guest, this.#volumeId);
    const { volumeId, source } = this.#target;
    return isOpenFrom(await this.#sourceNode(guest, this.#targetSet(top)), volumeId, source);
  }

  async #sourceNode(guest: QemuGuest, set: NodeSet): Promise<string | undefined> {
    const name = nodeName(this.#target.volumeId, 'src', set);
    return (await nodesOf(guest)).find((node) => node.name === name)?.file;
  }

  /** A disk that goes to another place has its names twice; another disk has names of its own. */
  #targetSet(top: string): NodeSet {
    if (this.#target.volumeId !== this.#volumeId) return 'd';
    return top.startsWith('d') ? 'e' : 'd';
  }

  #job(guest: QemuGuest): Promise<Job | undefined> {
    return jobOf(guest, this.#volumeId);
  }
}

/** Ends every mirror of the disk; nothing of it stays in QEMU but what the device reads. None: success. */
export async function endMirrorsOf(guest: QemuGuest, volumeId: string): Promise<void> {
  const job = await jobOf(guest, volumeId);
  if (job !== undefined) await endJob(guest, job);
}

const slowSuffix = '-slow';

function jobId(volumeId: string): string {
  return `mirror-${volumeId}`;
}

async function jobOf(guest: QemuGuest, volumeId: string): Promise<Job | undefined> {
  const id = jobId(volumeId);
  for (const entry of await listOf(guest, 'query-jobs')) {
    if (entry['id'] !== id && entry['id'] !== id + slowSuffix) continue;
    return {
      id: String(entry['id']),
      status: String(entry['status']),
      doneBytes: Number(entry['current-progress']),
      totalBytes: Number(entry['total-progress']),
      error: typeof entry['error'] === 'string' ? entry['error'] : undefined,
    };
  }
  return undefined;
}

/** Cancels what has not ended, and has QEMU forget it. */
async function endJob(guest: QemuGuest, { id, status }: Job): Promise<void> {
  const volumeId = id.slice(jobId('').length).replace(slowSuffix, '');
  if (status !== 'concluded') await guest.execute('job-cancel', { id });
  await waitFor(guest, volumeId, (now) => now === undefined || now.status === 'concluded');
  if ((await jobOf(guest, volumeId)) !== undefined) await guest.execute('job-dismiss', { id });
}

async function waitFor(guest: QemuGuest, volumeId: string, holds: (job: Job | undefined) => boolean): Promise<void> {
  const deadlineMs = performance.now() + endTimeoutMs;
  while (!holds(await jobOf(guest, volumeId))) {
    if (performance.now() > deadlineMs) {
      throw new ShoalError(
        'UNAVAILABLE',
        `the copy of disk ${volumeId} does not come to its end in ${endTimeoutMs} ms`,
      );
    }
    await delay(endLookMs);
  }
}

function percentOf({ doneBytes, totalBytes }: Job): number {
  // All of it is said when the guest has gone over.
  return totalBytes > 0 ? Math.min(99, Math.floor((doneBytes / totalBytes) * 100)) : 0;
}

/** Whether a copy comes nearer to its end. */
class Pace {
  #leastBytes = Number.POSITIVE_INFINITY;
  #sinceMs = performance.now();
  #firstTotalBytes: number | undefined;

  isStuck({ doneBytes, totalBytes }: Job): boolean {
    this.#firstTotalBytes ??= totalBytes;
    const leftBytes = totalBytes - doneBytes;
    const nowMs = performance.now();
    if (leftBytes < this.#leastBytes || doneBytes < this.#firstTotalBytes) {
      this.#leastBytes = Math.min(leftBytes, this.#leastBytes);
      this.#sinceMs = nowMs;
      return false;
    }
    return nowMs - this.#sinceMs > stuckMs;
  }
}
