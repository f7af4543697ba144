/** How QEMU is set for a copy of a guest's memory. It keeps what it was told last, so every copy says all of it. */
import type { QemuGuest } from '../guest/guest.ts';

/** As fast as the network goes; what the guest may still write meanwhile is QEMU's to see to. Unit: bytes/s. */
const bandwidthBytesPerS = 2 ** 36;
/** How long a guest under KVM may stand still at the end. Unit: ms. */
const downtimeLimitMs = 300;

/** Which end of a copy this is, or `none`: the memory goes to this host's own disk. */
type End = 'sends' | 'takes' | 'none';

/**
 * Sets it. Between hosts the taker confirms what it has (`return-path`) and opens no disk for writing before the guest goes on
 * (`late-block-activate`); under KVM a guest that writes too fast is slowed down (`auto-converge`).
 * @param credentials the object that both ends prove themselves with; absent: none.
 */
export async function setMigration(
  guest: QemuGuest,
  { end, isLive, credentials }: { readonly end: End; readonly isLive: boolean; readonly credentials?: string },
  signal?: AbortSignal,
): Promise<void> {
  const isBetweenHosts = end !== 'none';
  const state = (capability: string, on: boolean): object => ({ capability, state: on });
  const capabilities = [
    state('events', isBetweenHosts),
    state('return-path', isBetweenHosts),
    state('late-block-activate', isBetweenHosts),
    state('auto-converge', end === 'sends' && isLive),
  ];
  await guest.execute('migrate-set-capabilities', { capabilities }, signal);
  const limits = { 'max-bandwidth': bandwidthBytesPerS, 'downtime-limit': downtimeLimitMs };
  await guest.execute('migrate-set-parameters', { ...limits, 'tls-creds': credentials ?? '' }, signal);
}
