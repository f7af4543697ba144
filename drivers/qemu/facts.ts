/** What a QEMU driver found out when it started, for the host's report. */
import type { Confinement } from './confinement/confinement.ts';
import type { Privileges } from './confinement/privileges.ts';
import type { FirmwareFiles } from './hardware/firmware.ts';
import type { MachineTypes } from './hardware/machine-type.ts';

export interface QemuFacts {
  readonly accelerator: 'kvm' | 'tcg';
  readonly acceleratorReason: string;
  /** Of guests that ask for none. */
  readonly machine: string;
  readonly machineTypes: MachineTypes;
  readonly firmware: FirmwareFiles;
  readonly qemuVersion: string;
  readonly privileges: Privileges;
  /** Whether each guest has a mount namespace of its own, and why not. */
  readonly confinement: Confinement;
  /** What bounds its memory and threads, and what is missing for that, for people. */
  readonly limits: string;
}
