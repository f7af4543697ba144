/** Guests of every shape, whose arguments are kept as text beside this file. */
import { type MachineSettings, qemuArguments } from '../../../../drivers/qemu/arguments.ts';
import type { GuestPaths } from '../../../../drivers/qemu/confinement/run-files.ts';
import type { GuestDisk, GuestHardware, GuestSpec, NicSpec } from '../../../../drivers/types.ts';
import type { PortId, ServerId, VolumeId } from '../../../../node/base/ids.ts';

/** Where one folder holds all that QEMU opens. */
export function pathsIn(folder: string): GuestPaths {
  return {
    pidFile: `${folder}/pid`,
    qmpSocket: `${folder}/qmp`,
    peopleQmpSocket: `${folder}/people`,
    serialSocket: `${folder}/serial`,
    vncSocket: `${folder}/vnc`,
    agentSocket: `${folder}/agent`,
    consoleLog: `${folder}/console.log`,
    variables: `${folder}/variables.fd`,
  };
}

const id = (digit: string): string => `6f1c5f0e-0000-4000-8000-00000000000${digit}`;

function disk(digit: string, more: Partial<GuestDisk> = {}): GuestDisk {
  return {
    volumeId: id(digit) as VolumeId,
    source: { kind: 'file', path: `/r/${digit}.qcow2`, format: 'qcow2' },
    ...more,
  };
}

const nic = (digit: string, more: Partial<NicSpec> = {}): NicSpec => ({
  portId: id(digit) as PortId,
  mac: `52:54:00:00:00:0${digit}`,
  mtu: 1450,
  tapName: `tap${digit}`,
  ...more,
});

const plain: GuestSpec = {
  serverId: id('1') as ServerId,
  generation: 7,
  name: 'web',
  vcpus: 4,
  memoryMib: 256,
  disks: [disk('a', { bootIndex: 0 })],
  nics: [nic('c')],
};

const pc = 'pc-i440fx-7.2';
const q35 = 'pc-q35-7.2';
const firmware = {
  uefi: { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  secure: { code: '/usr/share/OVMF/OVMF_CODE_4M.ms.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd' },
};

interface Shape {
  readonly spec: GuestSpec;
  readonly machine: string;
  readonly accelerator: 'kvm' | 'tcg';
}

const shape = (hardware: GuestHardware, more: Partial<GuestSpec> = {}, machine = pc): Shape => ({
  spec: { ...plain, ...more, ...(Object.keys(hardware).length === 0 ? {} : { hardware }) },
  machine,
  accelerator: 'tcg',
});

const everyDevice: GuestHardware = {
  bootMenu: true,
  clock: 'localtime',
  hpet: false,
  rng: { bytes: 4096, periodMs: 500 },
  serialPorts: 3,
  tablet: 'virtio',
  video: { model: 'virtio' },
  watchdog: 'poweroff',
};

/** By name of the file. */
export const shapes: Readonly<Record<string, Shape>> = {
  'pc-plain': shape({}),
  'pc-kvm': { ...shape({ pmu: false, hidesHypervisor: true }), accelerator: 'kvm' },
  'pc-scsi-disks': shape({}, { disks: [disk('a', { bus: 'scsi', bootIndex: 0 }), disk('b', { bus: 'scsi' })] }),
  'pc-ide-disks': shape({}, { disks: ['a', 'b', 'd'].map((digit) => disk(digit, { bus: 'ide' })) }),
  'pc-sata-disks': shape({}, { disks: ['a', 'b'].map((digit) => disk(digit, { bus: 'sata' })) }),
  'pc-encrypted-disk': shape(
    {},
    {
      disks: [
        disk('a', { encryption: { format: 'luks', passphrase: 'secret', cipher: 'aes-xts-plain64', keyBits: 256 } }),
      ],
    },
  ),
  'pc-e1000': shape({}, { nics: [nic('c', { model: 'e1000' }), nic('d')] }),
  'pc-rtl8139': shape({}, { nics: [nic('c', { model: 'rtl8139', queues: 4 })] }),
  'pc-multiqueue': shape({}, { nics: [nic('c', { queues: 4 })] }),
  'pc-no-agent-no-rng': shape({ agent: false, rng: 'none' }),
  'pc-every-device': shape(everyDevice),
  'pc-usb-tablet-cirrus': shape({ tablet: 'usb', video: { model: 'cirrus', memoryMib: 8 } }),
  'pc-no-display': shape({ video: { model: 'none' } }, { nics: [] }),
  'pc-topology': shape({ topology: { sockets: 1, cores: 2, threads: 2 } }),
  'pc-uefi': shape({ firmware: 'uefi' }),
  'pc-io-threads': shape({ ioThreads: true }, { disks: [disk('a', { bootIndex: 0 }), disk('b')] }),
  'pc-huge-pages': shape({ pageKib: 2048 }),
  'pc-numa': shape({
    numa: [
      { cpus: [0, 1], memoryMib: 128, hostNode: 0 },
      { cpus: [2, 3], memoryMib: 128 },
    ],
  }),
  'pc-numa-huge-pages': shape({
    pageKib: 1_048_576,
    pinnedCpus: [4, 5, 6, 7],
    numa: [{ cpus: [0, 1, 2, 3], memoryMib: 256, hostNode: 1 }],
  }),
  'q35-plain': shape({ machine: q35 }, {}, q35),
  'q35-uefi-secure-boot': shape({ firmware: 'uefi', secureBoot: true }, {}, q35),
  'q35-sata-e1000e': shape(
    {},
    { disks: [disk('a', { bus: 'sata' }), disk('b')], nics: [nic('c', { model: 'e1000e' })] },
    q35,
  ),
  'q35-e1000-every-device': shape(everyDevice, { nics: [nic('c', { model: 'e1000' })] }, q35),
};

/** The arguments of one, with what they open in `folder`. */
export function argumentsOf({ spec, machine, accelerator }: Shape, folder: string): readonly string[] {
  const settings: MachineSettings = { binary: 'qemu', machine, accelerator, firmware };
  return qemuArguments(spec, pathsIn(folder), settings);
}
