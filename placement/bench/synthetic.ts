import type { HostId } from '../../node/base/ids.ts';
import type { HostAdvert } from '../index.ts';

/** An ordinary host: 64 vCPUs times 4, 512 GiB, 4 TiB. Fields of `parts` win. */
export function syntheticHost(number: number, parts: Partial<HostAdvert> = {}): HostAdvert {
  return {
    hostId: hostIdOf(number),
    hostName: `host-${number}`,
    cell: 'cell-1',
    epoch: 1,
    sequence: 1,
    address: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    zone: 'nova',
    failureDomain: `rack-${number % 40}`,
    aggregates: [],
    vcpus: { total: 64, reserved: 0, allocationRatio: 4, used: 0 },
    memoryMib: { total: 512 * 1024, reserved: 4096, allocationRatio: 1, used: 0 },
    diskGib: { total: 4096, reserved: 0, allocationRatio: 1, used: 0 },
    traits: ['HW_CPU_X86_AVX2'],
    state: { enabled: true, up: true, disabledReason: '' },
    numInstances: 0,
    ioOps: 0,
    buildFailures: 0,
    metrics: {},
    pciPools: [],
    numaCells: [],
    physicalNetworks: ['physnet1'],
    storagePools: [{ name: 'ceph', shared: true, freeGib: 100_000 }],
    featureLevel: 1,
    hypervisor: {
      type: 'qemu',
      version: 10_000_000,
      cpuArch: 'x86_64',
      supported: [{ arch: 'x86_64', hypervisorType: 'qemu', vmMode: 'hvm' }],
    },
    capabilities: {},
    ...parts,
  };
}

/** A host id in its right form: 32 hex digits. */
export function hostIdOf(number: number): HostId {
  return number.toString(16).padStart(32, '0') as HostId;
}
