/** Whether a guest of this host has a volume open: then QEMU does what is done to it, and not its storage alone. */
import type { GuestFound } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { isGuestUp } from '../../../plan/guest-up.ts';
import type { VolumePorts } from './tools.ts';

/** What is needed to ask. */
type Asking = Pick<VolumePorts, 'compute'> & { readonly signal: AbortSignal };

/**
 * The guest of this host that has the volume plugged in; undefined: none. Throws `CANNOT_TELL` when a guest that should have it
 * does not say what it has.
 */
export async function guestWith(
  { id, attachments }: Pick<shoal.v1.Volume, 'id' | 'attachments'>,
  { compute, signal }: Asking,
): Promise<GuestFound | undefined> {
  for (const { serverId } of attachments) {
    const guest = serverId === '' ? undefined : await compute.find(serverId as ServerId, signal);
    if (!isGuestUp(guest)) continue;
    if (guest.disks === undefined) {
      throw new ShoalError('CANNOT_TELL', `the guest of server ${serverId} does not say which disks it has`);
    }
    if (guest.disks.some((volumeId) => volumeId === id)) return guest;
  }
  return undefined;
}

/**
 * Does it in the guest that has the volume open, else on the storage. While the volume is attached, a refusal of either may mean
 * that it was opened or closed meanwhile: `UNAVAILABLE`, so that it is tried again.
 */
export async function whereItIs<T>(
  volume: Pick<shoal.v1.Volume, 'id' | 'attachments'>,
  asking: Asking,
  work: { readonly open: (serverId: ServerId) => Promise<T>; readonly closed: () => Promise<T> },
): Promise<T> {
  const guest = await guestWith(volume, asking);
  try {
    return guest === undefined ? await work.closed() : await work.open(guest.serverId);
  } catch (caught) {
    if (volume.attachments.length === 0 || !ShoalError.is(caught, 'CONFLICT', 'NOT_FOUND')) throw caught;
    throw new ShoalError('UNAVAILABLE', `volume ${volume.id} is opened or closed at this moment`, { cause: caught });
  }
}
