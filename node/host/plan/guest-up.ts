import type { GuestFound } from '../../../drivers/types.ts';

/** Whether there is a guest that a disk or a NIC can be plugged into. */
export function isGuestUp(guest: GuestFound | undefined): guest is GuestFound {
  return guest !== undefined && (guest.power === 'running' || guest.power === 'paused');
}
