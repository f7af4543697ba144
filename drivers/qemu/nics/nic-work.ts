/** NICs of guests that run, with the tap that each needs beside its device. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortId } from '../../../node/base/ids.ts';
import type { CommandRunner } from '../../command.ts';
import type { NicSpec } from '../../types.ts';
import type { GuestUsers } from '../confinement/guest-users.ts';
import { sharedUid } from '../confinement/privileges.ts';
import { giveTap } from '../confinement/tap-owner.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { pluggedNics, plugNic, unplugNic } from './guest-nics.ts';
import { checkNic, checkPortId } from './nic-device.ts';

interface NicWorkDeps {
  readonly run: CommandRunner;
  readonly users: GuestUsers;
  /** Whether each guest is a user of its own, to whom its taps are given. */
  readonly isUserPerGuest: boolean;
  /** Words before every QEMU's command line: they enter the network that the taps are in. */
  readonly launchPrefix: readonly string[];
}

/** One for all guests of a driver. Calls for one guest come one after the other. */
export class NicWork {
  readonly #deps: NicWorkDeps;

  constructor(deps: NicWorkDeps) {
    this.#deps = deps;
  }

  /** Gives the guest the tap and plugs the NIC in. */
  async attach(guest: QemuGuest, nic: NicSpec, signal: AbortSignal): Promise<void> {
    const { serverId } = guest;
    checkNic(nic, `guest ${serverId}`);
    if ((await guest.state(signal)).power === 'shutdown') {
      throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
    }
    // A tap that a guest has open can be given to nobody.
    if ((await pluggedNics(guest, signal)).includes(nic.portId)) return;
    const { run, users, isUserPerGuest, launchPrefix } = this.#deps;
    if (sharedUid() === 0) {
      const uid = isUserPerGuest ? await users.uidOf(serverId) : sharedUid();
      await giveTap(run, { tapName: nic.tapName, uid, prefix: launchPrefix }, signal);
    }
    await plugNic(guest, nic, signal);
  }

  async detach(guest: QemuGuest, portId: PortId, signal: AbortSignal): Promise<void> {
    checkPortId(portId, `guest ${guest.serverId}`);
    await unplugNic(guest, portId, signal);
  }
}
