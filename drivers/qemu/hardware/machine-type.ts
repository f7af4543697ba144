/**
 * The machine of a guest. QEMU's `q35` means another machine with every release; a guest is given the versioned name once, and keeps
 * it: an upgrade of QEMU changes no guest.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import type { CommandRunner } from '../../command.ts';
import { type GuestHardware, type MachineFamily, machineFamilies } from '../../types/hardware.ts';

/** The machines of one QEMU. */
export interface MachineTypes {
  /** The newest of each family, by its versioned name. */
  readonly newest: Readonly<Partial<Record<MachineFamily, string>>>;
  /** Every versioned name that it has. */
  readonly names: ReadonlySet<string>;
}

/** Longest name of a machine that is taken from a record. Characters. */
const nameCharactersMax = 64;

/** Asks QEMU for its machines. Throws `COMMAND_MISSING`, `COMMAND_FAILED`. */
export async function readMachineTypes(run: CommandRunner, binary: string, signal: AbortSignal): Promise<MachineTypes> {
  const { stdout } = await run([binary, '-machine', 'help'], { signal });
  return parseMachineHelp(stdout);
}

/** What `-machine help` prints: `q35   Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)`. */
export function parseMachineHelp(text: string): MachineTypes {
  const names = new Set<string>();
  const newest: Partial<Record<MachineFamily, string>> = {};
  for (const line of text.split('\n')) {
    const name = /^(\S+)\s/.exec(line)?.[1];
    if (name === undefined) continue;
    if (familyOf(name) !== undefined) names.add(name);
    const family = machineFamilies.find((one) => one === name);
    const meant = /\(alias of (\S+)\)/.exec(line)?.[1];
    if (family !== undefined && meant !== undefined) newest[family] = meant;
  }
  return { newest, names };
}

/** The family of a versioned name; undefined for any other name. */
export function familyOf(machine: string): MachineFamily | undefined {
  if (/^pc-i440fx-\d+(\.\d+){1,2}$/.test(machine)) return 'pc';
  return /^pc-q35-\d+(\.\d+){1,2}$/.test(machine) ? 'q35' : undefined;
}

/**
 * The versioned machine of a guest: what its record pins, else what this host noted at an earlier start, else the newest of the family
 * that is asked for, else the host's own. `DRIVER_FAILED` where this QEMU does not have it: nobody is given another.
 */
export function machineFor(
  hardware: GuestHardware | undefined,
  noted: string | undefined,
  host: { readonly machine: string; readonly types: MachineTypes },
): string {
  const family = hardware?.family;
  const kept = [hardware?.machine, noted].find((name) => name !== undefined && (!family || familyOf(name) === family));
  const machine = kept ?? (family === undefined ? host.machine : host.types.newest[family]);
  if (machine === undefined) throw new ShoalError('DRIVER_FAILED', `this host's QEMU has no machine ${family}`);
  if (machine === host.machine || host.types.names.has(machine)) return machine;
  throw new ShoalError(
    'DRIVER_FAILED',
    `this host's QEMU has no machine ${machine.slice(0, nameCharactersMax)}, which the guest is pinned to`,
  );
}
