/**
 * What a host does about the NICs of a server whose guest is as it should be: those of its record against those of its guest. Pure.
 * Of a guest that is off nothing is asked but the record: it starts with what that has. One that is suspended goes on with what its
 * memory knows, and its NICs wait for that.
 */
import type { GuestFound } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { arrivingPortIds, portIdsOfStart } from '../../services/kit/servers/server-nics.ts';
import { isGuestUp } from './guest-up.ts';

/** One thing to do about a NIC. */
export type NicStep =
  /** Plug it into the guest, or leave it to the next start of one that is off; tell the record. */
  | { readonly kind: 'plug-nic'; readonly portId: string }
  /** One that is recorded as plugged in has gone from the guest by itself: plug it in again. */
  | { readonly kind: 'replug-nic'; readonly portId: string }
  /** Have the guest let go of it; tell the record. */
  | { readonly kind: 'unplug-nic'; readonly portId: string };

/** The next step; undefined: all is as it should be, or cannot be done now. @param hasFailed what is asked now has failed. */
export function planNics(
  record: shoal.v1.Server,
  guest: GuestFound | undefined,
  hasFailed: boolean,
): NicStep | undefined {
  if (hasFailed || guest?.power === 'suspended') return undefined;
  const isUp = isGuestUp(guest);
  // It may have any of them, and nobody can say.
  if (isUp && guest.nics === undefined) return undefined;
  const plugged: readonly string[] = isUp ? (guest.nics ?? []) : [];
  // A guest that stands still answers no request to let go; what it does not have needs no answer.
  const answers = (portId: string): boolean => guest?.power !== 'paused' || !plugged.includes(portId);
  const leaving = record.leavingPortIds.find(answers);
  if (leaving !== undefined) return { kind: 'unplug-nic', portId: leaving };
  const [arriving] = arrivingPortIds(record);
  if (arriving !== undefined) return { kind: 'plug-nic', portId: arriving };
  if (!isUp) return undefined;
  const gone = portIdsOfStart(record).find((portId) => !plugged.includes(portId));
  if (gone !== undefined) return { kind: 'replug-nic', portId: gone };
  // Its port was taken from the records by a version that did not wait for the guest.
  const stray = plugged.find((portId) => !record.portIds.includes(portId) && answers(portId));
  return stray === undefined ? undefined : { kind: 'unplug-nic', portId: stray };
}
