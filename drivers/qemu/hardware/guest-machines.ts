/** Which machine each guest of this host has, kept from its first start on. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { GuestSpec } from '../../types.ts';
import type { RunFiles } from '../confinement/run-files.ts';
import { type MachineTypes, machineFor } from './machine-type.ts';

/** What guests had before machines were noted, on every host. */
const machineOfEarlierVersions = 'pc-i440fx-7.2';

/** For all guests of a driver. */
export class GuestMachines {
  readonly #files: RunFiles;
  readonly #host: { readonly machine: string; readonly types: MachineTypes };

  /** What was read of those that run: it changes with a start alone. */
  readonly #running = new Map<ServerId, string>();

  constructor(files: RunFiles, host: { readonly machine: string; readonly types: MachineTypes }) {
    this.#files = files;
    this.#host = host;
  }

  /** The machine that the guest is to be started with. `DRIVER_FAILED` when this host's QEMU does not have it. */
  async of({ serverId, hardware }: GuestSpec): Promise<string> {
    return machineFor(hardware, await this.#noted(serverId), this.#host);
  }

  /** Whether this host's QEMU makes this machine. */
  has(machine: string): boolean {
    return machine === this.#host.machine || this.#host.types.names.has(machine);
  }

  /** Notes what the guest is started with. */
  async note(serverId: ServerId, machine: string): Promise<void> {
    await this.#files.noteMachine(serverId, machine);
    this.#running.set(serverId, machine);
  }

  /** The machine of a guest that runs here. */
  async ofRunning(serverId: ServerId): Promise<string> {
    const known = this.#running.get(serverId) ?? (await this.#noted(serverId)) ?? this.#host.machine;
    this.#running.set(serverId, known);
    return known;
  }

  async #noted(serverId: ServerId): Promise<string | undefined> {
    const noted = await this.#files.notedMachine(serverId);
    if (noted !== undefined) return noted;
    try {
      await access(join(this.#files.folder(serverId), 'spec.json'));
      return machineOfEarlierVersions;
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking for an earlier start of ${serverId}`);
    }
  }
}
