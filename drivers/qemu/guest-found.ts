/** A guest as the driver tells of it: its state, and what is plugged into it. */
import type { GuestFound } from '../types.ts';
import { pluggedDisks } from './disks/guest-disks.ts';
import type { GuestState, QemuGuest } from './guest/guest.ts';
import { pluggedNics } from './nics/guest-nics.ts';

/** With what is plugged in, where QEMU can be asked. */
export async function withDevices(guest: QemuGuest, state: GuestState, signal: AbortSignal): Promise<GuestFound> {
  const { serverId, generation, identity } = guest;
  if (state.power === 'crashed') return { serverId, generation, ...state };
  const without = { serverId, generation, ...state, pid: identity.pid };
  try {
    const [disks, nics] = [await pluggedDisks(guest, signal), await pluggedNics(guest, signal)];
    return { ...without, disks, nics };
  } catch (caught) {
    if (signal.aborted) throw caught;
    return without; // Its monitor does not answer: `detail` says so.
  }
}
