/**
 * What a host tells of its machine and its hypervisor beside amounts: one entry each. `capabilities:NAME` extra specs of a
 * flavor are matched against the one list (ComputeCapabilitiesFilter), `trait:NAME` extra specs and image properties
 * against the other (RequiredTraitsFilter); os-hypervisors shows both. Neither the wire nor placement has to know a new one
 * (placement/README.md, "How to add a host capability").
 *
 * Values are what many hosts have in common: hosts that tell the same are judged together.
 */
import type { Accelerator } from '../../../drivers/types.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Inventory } from './inventory.ts';

/** What is known of the host when it starts. */
interface HostFacts {
  readonly inventory: Inventory;
  readonly accelerator: Accelerator;
  readonly hypervisor: Hypervisor;
}

/** One fact in words. */
interface HostCapability {
  /** As in `capabilities:NAME`; Nova's where it has one. */
  readonly name: string;
  /** Empty: the host does not tell. At most 256 characters. */
  readonly of: (facts: HostFacts) => string;
}

/** One fact that holds or not. */
interface HostTrait {
  /** Its name in os-traits. */
  readonly name: string;
  readonly holds: (facts: HostFacts) => boolean;
}

/** The words. */
const hostCapabilities: readonly HostCapability[] = [
  { name: 'cpu_info:vendor', of: ({ inventory }) => inventory.cpu.vendor },
  { name: 'cpu_info:model', of: ({ inventory }) => inventory.cpu.model },
  { name: 'cpu_info:topology:sockets', of: ({ inventory }) => String(inventory.cpu.sockets) },
  { name: 'cpu_info:topology:cores', of: ({ inventory }) => String(inventory.cpu.cores) },
  { name: 'cpu_info:topology:threads', of: ({ inventory }) => String(inventory.cpu.threads) },
  { name: 'cpu_info:topology:cells', of: ({ inventory }) => String(inventory.numaCells.length || '') },
  { name: 'hypervisor:machine', of: ({ hypervisor }) => hypervisor.machine },
  { name: 'hypervisor:guest_cpu', of: ({ hypervisor }) => hypervisor.guestCpu },
  { name: 'host:operating_system', of: ({ inventory }) => inventory.operatingSystem },
  { name: 'host:kernel', of: ({ inventory }) => inventory.kernel },
];

/** Flags of /proc/cpuinfo that flavors ask for, by the names that os-traits has for them. */
const cpuFlagTraits: Readonly<Record<string, string>> = {
  HW_CPU_X86_ABM: 'abm',
  HW_CPU_X86_AESNI: 'aes',
  HW_CPU_X86_AMX_TILE: 'amx_tile',
  HW_CPU_X86_AVX: 'avx',
  HW_CPU_X86_AVX2: 'avx2',
  HW_CPU_X86_AVX512BW: 'avx512bw',
  HW_CPU_X86_AVX512DQ: 'avx512dq',
  HW_CPU_X86_AVX512F: 'avx512f',
  HW_CPU_X86_AVX512VL: 'avx512vl',
  HW_CPU_X86_AVX512VNNI: 'avx512_vnni',
  HW_CPU_X86_BMI: 'bmi1',
  HW_CPU_X86_BMI2: 'bmi2',
  HW_CPU_X86_CLMUL: 'pclmulqdq',
  HW_CPU_X86_F16C: 'f16c',
  HW_CPU_X86_FMA3: 'fma',
  HW_CPU_X86_PDPE1GB: 'pdpe1gb',
  HW_CPU_X86_SHA: 'sha_ni',
  HW_CPU_X86_SSE: 'sse',
  HW_CPU_X86_SSE2: 'sse2',
  HW_CPU_X86_SSE3: 'pni',
  HW_CPU_X86_SSE41: 'sse4_1',
  HW_CPU_X86_SSE42: 'sse4_2',
  HW_CPU_X86_SSSE3: 'ssse3',
  HW_CPU_X86_SVM: 'svm',
  HW_CPU_X86_VMX: 'vmx',
};

/** Devices of guests that images ask for by name, by QEMU's. */
const deviceNames: Readonly<Record<string, string>> = {
  COMPUTE_STORAGE_BUS_SCSI: 'scsi-hd',
  COMPUTE_STORAGE_BUS_SATA: 'ich9-ahci',
  COMPUTE_STORAGE_BUS_IDE: 'ide-hd',
  COMPUTE_NET_VIF_MODEL_E1000: 'e1000',
  COMPUTE_NET_VIF_MODEL_E1000E: 'e1000e',
  COMPUTE_NET_VIF_MODEL_NE2K_PCI: 'ne2k_pci',
  COMPUTE_NET_VIF_MODEL_PCNET: 'pcnet',
  COMPUTE_NET_VIF_MODEL_RTL8139: 'rtl8139',
  COMPUTE_NET_VIF_MODEL_VMXNET3: 'vmxnet3',
  COMPUTE_GRAPHICS_MODEL_CIRRUS: 'cirrus-vga',
  COMPUTE_GRAPHICS_MODEL_VMVGA: 'vmware-svga',
  COMPUTE_GRAPHICS_MODEL_VIRTIO: 'virtio-vga',
  COMPUTE_GRAPHICS_MODEL_BOCHS: 'bochs-display',
};

/** The traits. What is said of processors is what guests get: under emulation they see QEMU's processor, not the host's. */
const hostTraits: readonly HostTrait[] = [
  { name: 'COMPUTE_ACCEL_KVM', holds: ({ accelerator }) => accelerator === 'kvm' },
  { name: 'COMPUTE_ACCEL_TCG', holds: ({ accelerator }) => accelerator === 'tcg' },
  { name: 'COMPUTE_ACCEL_FAKE', holds: ({ accelerator }) => accelerator === 'fake' },
  { name: 'COMPUTE_NET_VXLAN', holds: () => true },
  ...Object.entries(deviceNames).map(([name, device]) => ({
    name,
    holds: ({ hypervisor }: HostFacts) => hypervisor.devices.includes(device),
  })),
  { name: 'COMPUTE_FIRMWARE_UEFI', holds: ({ hypervisor }) => hypervisor.firmware.uefi },
  { name: 'COMPUTE_SECURITY_UEFI_SECURE_BOOT', holds: ({ hypervisor }) => hypervisor.firmware.secureBoot },
  { name: 'COMPUTE_STORAGE_BUS_VIRTIO', holds: ({ hypervisor }) => hypervisor.devices.includes('virtio-blk-pci') },
  { name: 'COMPUTE_NET_VIF_MODEL_VIRTIO', holds: ({ hypervisor }) => hypervisor.devices.includes('virtio-net-pci') },
  { name: 'COMPUTE_GRAPHICS_MODEL_VGA', holds: ({ hypervisor }) => hypervisor.devices.includes('VGA') },
  ...Object.entries(cpuFlagTraits).map(([name, flag]) => ({
    name,
    holds: ({ accelerator, inventory }: HostFacts) => accelerator === 'kvm' && inventory.cpu.flags.includes(flag),
  })),
];

/** Longest text that an advert may have. */
const textCharactersMax = 256;

/** All that the host tells in words. */
export function capabilitiesOf(facts: HostFacts): Readonly<Record<string, string>> {
  const told = hostCapabilities.map(({ name, of }) => [name, of(facts).slice(0, textCharactersMax)] as const);
  return Object.fromEntries(told.filter(([, value]) => value !== ''));
}

/** The names of all traits that the host has. */
export function traitsOf(facts: HostFacts): readonly string[] {
  return hostTraits.filter(({ holds }) => holds(facts)).map(({ name }) => name);
}
