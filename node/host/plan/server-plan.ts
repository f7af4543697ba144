/**
 * What a host does about one server: the record (wanted) against the guest (found) gives one step, or none. Pure: same
 * input, same step. The steps are in ../kinds/server/steps,
 * and the plan is made again after each, so that none may assume anything about the last one.
 *
 * The order of the questions below is the design:
 *
 * 1. Is it still ours? A server that moved on is released here before anything else, and nothing is started.
 * 2. Is it to go? A committed deletion is the only reason to destroy anything.
 * 3. Did the guest change by itself? What the guest did (powered off) is told to the record, not undone.
 * 4. Else bring the guest to what the record wants, and tell the record when it is there.
 * 5. Then its NICs and its volumes: what is to go is unplugged first, so that nothing is plugged in that is on its way out. Power comes before
 *    them, for an owner who stops or deletes a server waits for no disk that cannot be plugged in.
 *
 * A guest without a record never reaches this function: it is left alone and told (engine/stepped-kind.ts).
 */

import type { GuestFound } from '../../../drivers/types.ts';
import { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';
import { shutdownTimeoutMs } from '../../services/compute/hardware/guest-hardware.ts';
import { isJobTask } from '../../services/compute/machine/job-tasks.ts';
import type { ReportedPower } from '../../services/kit/reporting/host-reporting.ts';
import { isUnreleased, liveMove, mayRemoveKept } from '../../services/kit/server-move.ts';
import { isObserved } from '../../services/kit/server-request.ts';
import { isInRescue, isOwnDisk } from '../../services/volume/kit/disks-of-server.ts';
import { isGuestUp } from './guest-up.ts';
import { type NicStep, planNics } from './server-nics-plan.ts';
import { planSaved, type SavedStep } from './server-saved-plan.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

/** One thing to do about a server. All steps are idempotent. */
export type ServerStep =
  /** Make ports and disk, run QEMU, tell the record. `reason` is for the log. */
  | { readonly kind: 'start'; readonly reason: 'wanted' | 'crashed' }
  /** Power off with `graceMs`, close the disk, tell the record. */
  | { readonly kind: 'stop'; readonly graceMs: number }
  /** The guest powered itself off: let QEMU go, close the disk, and record that it is wanted stopped. */
  | { readonly kind: 'record-shutdown' }
  /** Reset in place (hard) or off and on again (soft); then tell the record that reboot `number` is done. */
  | { readonly kind: 'reboot'; readonly hard: boolean; readonly number: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** An error of a disk has stopped the guest, which has a volume of another host: what failed is tried again. */
  | { readonly kind: 'retry-disks' }
  /** Save the guest's memory, end its process, close its disks, tell the record. */
  | { readonly kind: 'suspend' }
  /** The record does not say yet what is so here. */
  | { readonly kind: 'report'; readonly power: ReportedPower }
  /** Open the volume and plug it into the guest, or leave it to the next start of one that is off; tell the record. */
  | { readonly kind: 'plug'; readonly volumeId: string }
  /** A volume that is recorded as attached has gone from the guest by itself: plug it in again. */
  | { readonly kind: 'replug'; readonly volumeId: string }
  /** Have the guest let go of the volume, close it, and tell the record. */
  | { readonly kind: 'unplug'; readonly volumeId: string }
  /** Tell the guest, which runs, what it may do with a volume from now on. */
  | { readonly kind: 'limit'; readonly volumeId: string }
  | SavedStep
  | NicStep
  /** Guest, ports, disks of its own and record go, in this order; volumes are closed. */
  | { readonly kind: 'destroy' }
  /**
   * The guest of this generation, its ports and locks go; the disks stay, for the next host or for the way back; the record is
   * told.
   */
  | { readonly kind: 'release'; readonly generation: number; readonly graceMs: number }
  /** The guest is to come here while it runs: make it without its memory, and tell the record where it takes that. */
  | { readonly kind: 'receive' }
  /** The guest that was to take the memory here is gone: tell the record that it cannot. */
  | { readonly kind: 'refuse-memory' }
  /** A guest that never ran here, and is not to: it goes, and what it has open is closed. */
  | { readonly kind: 'discard' }
  /** The guest has come with its memory, and is this host's now: take its disks, let it go on, tell the record. */
  | { readonly kind: 'arrive' }
  /** Storage has fenced this host: the guest can write no more, ever, and its process goes before the fence is lifted. */
  | { readonly kind: 'end-fenced' }
  /** The server has moved on for good: what this host kept of it goes; the record is told. */
  | { readonly kind: 'clean' };

/** What is known of the server besides record and guest. */
interface ServerMemory {
  /** Reboots of this generation that this host has carried out, by its own journal. */
  readonly rebootsDone: number;
  /** A step failed lately: the record is in ERROR until its owner asks for something again. */
  readonly failed: boolean;
  /** What is asked of its volumes now has failed, and its owner is about to be told. */
  readonly disksFailed: boolean;
  /** The same of its NICs. Default: it has not. */
  readonly nicsFailed?: boolean;
  /** Its volumes that their host has not made yet: nothing can open them. */
  readonly unmadeVolumeIds: ReadonlySet<string>;
  /** Storage that has a disk of it has fenced this host. Default: no. */
  readonly isFenced?: boolean;
  /** It has a volume that another host serves to it. Default: none. */
  readonly hasServedDisks?: boolean;
  /** Volumes of which its guest has other limits than their types say, or may have. Default: none. */
  readonly staleLimitIds?: ReadonlySet<string>;
  /** Its volumes that a job moves or swaps: which of two disks the guest has of them is the job's to say. Absent: none. */
  readonly movingVolumeIds?: ReadonlySet<string>;
}

/** How long a guest may take to power off when its owner asks for a stop or a soft reboot. */
interface ReconcileOptions {
  readonly stopGraceMs: number;
}

/** The next step for one server on this host; undefined when all is as it should be, or when others must act first. */
export function planServer(
  record: shoal.v1.Server,
  guest: GuestFound | undefined,
  memory: ServerMemory,
  self: HostId,
  { stopGraceMs }: ReconcileOptions,
): ServerStep | undefined {
  const options = { stopGraceMs: shutdownTimeoutMs(record.imageProperties, stopGraceMs) };
  if (record.discardHostId === self) return { kind: 'discard' };
  if (record.lostHostIds.includes(self) && record.hostId !== self) {
    if (guest !== undefined) return { kind: 'release', generation: guest.generation, graceMs: 0 };
    // The former host says so as well, with what it has kept.
    if (record.previousHostId !== self) return { kind: 'clean' };
  }
  const live = liveMove(record);
  if (live !== undefined && record.hostId !== self) return planReceiving(record, live, guest, self);
  if (record.hostId === self && memory.isFenced === true && hasProcess(guest)) return { kind: 'end-fenced' };
  // Its job pauses the guest, and only the record's word lets it go on: no guess of this host's.
  if (live?.phase === 'copying') return undefined;
  // What runs here from before is let go of first, whatever comes then; on one host a resize is a move to itself.
  if (record.previousHostId === self && isUnreleased(record)) {
    return { kind: 'release', generation: record.generation - 1, graceMs: graceOf(guest, options) };
  }
  if (record.hostId !== self) {
    // A host that was given up while it was down may still have the guest when it is back.
    if (record.previousHostId === self && guest !== undefined) {
      return { kind: 'release', generation: guest.generation, graceMs: 0 };
    }
    return record.previousHostId === self && mayRemoveKept(record) ? { kind: 'clean' } : undefined;
  }
  // It came back before this host had let go of it.
  if (guest !== undefined && guest.generation < record.generation) {
    return { kind: 'release', generation: guest.generation, graceMs: graceOf(guest, options) };
  }
  if (record.deleting) return { kind: 'destroy' };
  // The old host still has it: starting now could write one disk from two places.
  if (isUnreleased(record)) return undefined;

  // It stands where the other host has left it, and its disks are nobody's.
  if (hasArrived(record, guest)) return { kind: 'arrive' };
  const saved = planSaved(record, guest, { hasFailed: memory.failed, graceMs: options.stopGraceMs });
  if (saved === 'wait') return undefined;
  const first = saved ?? planPower(record, guest, memory, options);
  if (first !== undefined || !isKnownPower(record.powerWanted)) return first;
  return planNics(record, guest, memory.nicsFailed === true) ?? planDisks(record, guest, memory);
}

/** What the host does that is to have the guest, as long as the record names the other one. */
function planReceiving(
  record: shoal.v1.Server,
  move: shoal.v1.ServerMove,
  guest: GuestFound | undefined,
  self: HostId,
): ServerStep | undefined {
  const isMade = isGuestUp(guest) && guest.generation === record.generation + 1;
  if (move.targetHostId !== self || move.hardware === '' || move.receiverError !== '' || record.deleting)
    return undefined;
  if (move.receiverPort === 0) return { kind: 'receive' };
  return isMade ? undefined : { kind: 'refuse-memory' };
}

/** Whether the guest has come while it ran, and has not gone on here. */
function hasArrived({ move, generation }: shoal.v1.Server, guest: GuestFound | undefined): boolean {
  const isOnItsWay = move?.kind === 'live-migration' && move.phase === 'migrating';
  return isOnItsWay && isGuestUp(guest) && guest.generation === generation;
}

/** Whether the guest has disks open. */
function hasProcess(guest: GuestFound | undefined): boolean {
  return guest !== undefined && guest.power !== 'crashed' && guest.power !== 'suspended';
}

/** A guest that runs gets time to power off. */
function graceOf(guest: GuestFound | undefined, { stopGraceMs }: ReconcileOptions): number {
  return guest?.power === 'running' ? stopGraceMs : 0;
}

function planPower(
  record: shoal.v1.Server,
  guest: GuestFound | undefined,
  memory: ServerMemory,
  options: ReconcileOptions,
): ServerStep | undefined {
  const isUp = guest !== undefined && (guest.power === 'running' || guest.power === 'paused');
  const mayStart = !memory.failed && memory.unmadeVolumeIds.size === 0;
  const rebootWanted = record.rebootsWanted > Math.max(record.rebootsDone, memory.rebootsDone);

  if (guest?.power === 'shutdown') {
    // A soft reboot asked for and a guest that went down: the same thing, seen from two sides.
    if (rebootWanted) return { kind: 'reboot', hard: record.rebootHard, number: record.rebootsWanted };
    return record.powerWanted === PowerWanted.POWER_WANTED_STOPPED
      ? { kind: 'stop', graceMs: 0 }
      : { kind: 'record-shutdown' };
  }

  switch (record.powerWanted) {
    case PowerWanted.POWER_WANTED_STOPPED:
      if (guest !== undefined && guest.power !== 'crashed') return { kind: 'stop', graceMs: options.stopGraceMs };
      // Done until it is told: an agent that died in the middle may have left its disks open.
      return isTold(record, ServerStatus.SERVER_STATUS_SHUTOFF) ? undefined : { kind: 'stop', graceMs: 0 };
    case PowerWanted.POWER_WANTED_PAUSED:
      if (!isUp) return mayStart ? { kind: 'start', reason: guest === undefined ? 'wanted' : 'crashed' } : undefined;
      if (guest.power === 'running') return { kind: 'pause' };
      return isTold(record, ServerStatus.SERVER_STATUS_PAUSED) ? undefined : { kind: 'report', power: 'paused' };
    case PowerWanted.POWER_WANTED_SUSPENDED:
      // Each try stops the guest for a while: one that failed is not made again until it is asked for.
      if (isUp) return memory.failed ? undefined : { kind: 'suspend' };
      // It died before its memory was saved, or the host has lost it: there is nothing to go on from.
      if (guest?.power !== 'suspended') return { kind: 'record-shutdown' };
      // Done again until it is told: an agent that died in the middle may have left its disks open.
      return isTold(record, ServerStatus.SERVER_STATUS_SUSPENDED) ? undefined : { kind: 'suspend' };
    case PowerWanted.POWER_WANTED_RUNNING: {
      if (!isUp) {
        // A reboot is what does not go on from a saved memory.
        if (rebootWanted && guest?.power === 'suspended') {
          return { kind: 'reboot', hard: record.rebootHard, number: record.rebootsWanted };
        }
        if (!mayStart) return undefined;
        return { kind: 'start', reason: guest?.power === 'crashed' ? 'crashed' : 'wanted' };
      }
      if (rebootWanted) return { kind: 'reboot', hard: record.rebootHard, number: record.rebootsWanted };
      // QEMU stops a guest by itself on an I/O error; resuming it then would fail again or hide the loss. But a host that serves a
      // volume may be away for a while: what was not written yet is kept by QEMU, and written when the guest goes on.
      if (guest.power === 'paused' && guest.detail === 'io-error' && memory.hasServedDisks === true) {
        return { kind: 'retry-disks' };
      }
      // `postmigrate`: its memory was saved, and it is to go on after all.
      if (guest.power === 'paused' && ['paused', 'postmigrate'].includes(guest.detail)) return { kind: 'resume' };
      const isReported =
        isTold(record, ServerStatus.SERVER_STATUS_ACTIVE) && record.rebootsDone >= record.rebootsWanted;
      return isReported ? undefined : { kind: 'report', power: guest.power === 'paused' ? 'paused' : 'running' };
    }
    default:
      // Written by a newer agent: leave the guest as it is.
      return undefined;
  }
}

/** Whether the record says all that a report would: an operator's word that it is in ERROR is no report's to change. */
function isTold(record: shoal.v1.Server, status: shoal.v1.ServerStatus): boolean {
  const isAtRest = record.taskState === '' || isJobTask(record.taskState);
  // Whether it is on or off: a server in rescue is that.
  const isShelved =
    record.status === ServerStatus.SERVER_STATUS_SHELVED && status === ServerStatus.SERVER_STATUS_SHUTOFF;
  const isSaid = isShelved || record.status === (isInRescue(record) ? ServerStatus.SERVER_STATUS_RESCUE : status);
  return (isSaid || record.heldInError) && isAtRest && isObserved(record);
}

/** Volumes alone: disks of the server's own come and go with its guest. */
function planDisks(
  { disks }: shoal.v1.Server,
  guest: GuestFound | undefined,
  { disksFailed, unmadeVolumeIds, staleLimitIds, movingVolumeIds }: ServerMemory,
): ServerStep | undefined {
  if (disksFailed) return undefined;
  const volumes = disks.filter((disk) => !isOwnDisk(disk));
  const leaving = volumes.find(({ detaching }) => detaching);
  if (leaving !== undefined) return { kind: 'unplug', volumeId: leaving.volumeId };
  const fresh = volumes.find(({ volumeId, attached }) => !attached && !unmadeVolumeIds.has(volumeId));
  if (fresh !== undefined) return { kind: 'plug', volumeId: fresh.volumeId };
  const plugged: readonly string[] | undefined = isGuestUp(guest) ? guest.disks : undefined;
  const isGone = ({ attached, volumeId }: shoal.v1.IServerDisk): boolean =>
    attached === true && plugged?.includes(volumeId ?? '') === false && movingVolumeIds?.has(volumeId ?? '') !== true;
  const gone = volumes.find(isGone);
  if (gone !== undefined) return { kind: 'replug', volumeId: gone.volumeId };
  const stale = volumes.find(
    ({ volumeId, attached }) =>
      attached && plugged?.includes(volumeId) === true && staleLimitIds?.has(volumeId) === true,
  );
  return stale === undefined ? undefined : { kind: 'limit', volumeId: stale.volumeId };
}

/** False: written by a newer agent, whose guest is left as it is. */
function isKnownPower(power: shoal.v1.PowerWanted): boolean {
  return (
    power === PowerWanted.POWER_WANTED_STOPPED ||
    power === PowerWanted.POWER_WANTED_PAUSED ||
    power === PowerWanted.POWER_WANTED_SUSPENDED ||
    power === PowerWanted.POWER_WANTED_RUNNING
  );
}
