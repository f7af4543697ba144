/** Volumes plugged into a guest that runs, and out of it. */
import type { GuestFound } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ServerId, VolumeId } from '../../../../base/ids.ts';
import { isGuestUp } from '../../../plan/guest-up.ts';
import { closeDisk, openDisk } from './disks.ts';
import type { ServerTools } from './tools.ts';

const failpointAttachDiskOpened = failpoint('attach.disk-opened', 'a volume is locked for a guest that has it not yet');
const failpointAttachPlugged = failpoint('attach.plugged', 'a volume is plugged in, and no record says so');
const failpointDetachUnplugged = failpoint('detach.unplugged', 'a guest has let go of a volume that is still locked');
const failpointDetachClosed = failpoint('detach.closed', 'a volume is closed, and recorded as attached');

/** The disk as the server's record has it. Throws `NOT_FOUND`: it is not the server's any more. */
export function diskOf(server: shoal.v1.Server, volumeId: string): shoal.v1.ServerDisk {
  const disk = server.disks.find((one) => one.volumeId === volumeId);
  if (disk === undefined) throw new ShoalError('NOT_FOUND', `server ${server.id} has no disk ${volumeId}`);
  return disk;
}

/**
 * Opens the volume and plugs it into the guest. A guest that is off is left alone: it gets the volume when it starts. Throws
 * `UNAVAILABLE` when the guest goes off meanwhile.
 */
export async function plugIn(server: shoal.v1.Server, disk: shoal.v1.ServerDisk, tools: ServerTools): Promise<void> {
  const before = await guestOf(server, tools);
  if (!isGuestUp(before)) return;
  const open = await openDisk(server, disk, tools);
  failpointAttachDiskOpened();
  try {
    await tools.compute.attachDisk(server.id as ServerId, open, tools.signal);
  } catch (caught) {
    const isRefusal = ShoalError.is(caught, 'NOT_FOUND', 'CONFLICT');
    if (!isRefusal || isGuestUp(await guestOf(server, tools))) throw caught;
    throw new ShoalError('UNAVAILABLE', 'the guest went off while the volume was plugged in', { cause: caught });
  }
  // One that had it before, by an earlier try, has the limits of that time.
  const isFresh = before.disks?.some((volumeId) => volumeId === disk.volumeId) === false;
  if (isFresh) tools.appliedLimits.note(server.id, disk.volumeId, open.limits);
  failpointAttachPlugged();
}

/** Has the guest let go of the volume, and closes it. Done already, or no guest: success. */
export async function pullOut(server: shoal.v1.Server, disk: shoal.v1.ServerDisk, tools: ServerTools): Promise<void> {
  await tools.compute.detachDisk(server.id as ServerId, disk.volumeId as VolumeId, tools.signal);
  failpointDetachUnplugged();
  tools.appliedLimits.forget(server.id, disk.volumeId);
  await closeDisk(server, disk, tools);
  failpointDetachClosed();
}

/**
 * The lock of a volume that could not be plugged in goes back. False: the guest has the volume, or may have it; the next try
 * goes on from there.
 */
export async function giveBackUnplugged(
  server: shoal.v1.Server,
  disk: shoal.v1.ServerDisk,
  tools: ServerTools,
): Promise<boolean> {
  const guest = await guestOf(server, tools);
  const mayHaveIt = guest?.disks === undefined || guest.disks.some((volumeId) => volumeId === disk.volumeId);
  if (isGuestUp(guest) && mayHaveIt) return false;
  await closeDisk(server, disk, tools);
  return true;
}

function guestOf(server: shoal.v1.Server, { compute, signal }: ServerTools): Promise<GuestFound | undefined> {
  return compute.find(server.id as ServerId, signal);
}
