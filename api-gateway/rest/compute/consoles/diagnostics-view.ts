/** A guest's figures as Nova words them: in one form from 2.48 on, and as libvirt's driver names them before. */
import { shoal } from '../../../../proto/messages.ts';
import type { View } from '../kit/common.ts';

const kibPerMib = 1024;

/** QEMU's own words in Nova's; all others are kinds of standing still. */
const states: ReadonlyMap<string, string> = new Map([
  ['running', 'running'],
  ['shutdown', 'shutdown'],
  ['guest-panicked', 'crashed'],
  ['internal-error', 'crashed'],
  ['inmigrate', 'pending'],
  ['prelaunch', 'pending'],
]);

/** From 2.48 on. Rates are what Nova's libvirt driver does not tell either. */
export function diagnosticsView(server: shoal.v1.Server, figures: shoal.v1.ServerDiagnostics): View {
  const { cpus, disks, nics } = partsOf(figures);
  return {
    state: states.get(figures.state) ?? 'paused',
    // The names that clients take are of a closed list, and this is the one of it for QEMU.
    driver: 'libvirt',
    hypervisor: figures.accelerator === 'kvm' ? 'kvm' : 'qemu',
    hypervisor_os: 'linux',
    uptime: figures.uptimeS,
    config_drive: server.configDrive,
    num_cpus: cpus.length,
    num_disks: disks.length,
    num_nics: nics.length,
    memory_details: { maximum: figures.memoryMib, used: figures.memoryUsedMib },
    cpu_details: cpus.map(({ id, timeNs }) => ({ id, time: timeNs, utilisation: null })),
    disk_details: disks.map((disk) => ({
      read_bytes: disk.readBytes,
      read_requests: disk.readRequests,
      write_bytes: disk.writeBytes,
      write_requests: disk.writeRequests,
      errors_count: disk.errors,
    })),
    nic_details: nics.map((nic) => ({
      mac_address: nic.mac,
      rx_octets: nic.receivedBytes,
      rx_packets: nic.receivedPackets,
      rx_errors: nic.receivedErrors,
      rx_drop: nic.receivedDrops,
      rx_rate: null,
      tx_octets: nic.sentBytes,
      tx_packets: nic.sentPackets,
      tx_errors: nic.sentErrors,
      tx_drop: nic.sentDrops,
      tx_rate: null,
    })),
  };
}

/** Before 2.48: memory in KiB, disks in the order of their letters, NICs in theirs. */
export function plainDiagnosticsView(figures: shoal.v1.ServerDiagnostics): View {
  const { cpus, disks, nics } = partsOf(figures);
  const entries: [string, number][] = cpus.map(({ id, timeNs }) => [`cpu${id}_time`, timeNs]);
  for (const [at, disk] of disks.entries()) {
    const name = `vd${String.fromCharCode('a'.charCodeAt(0) + at)}`;
    entries.push([`${name}_read_req`, disk.readRequests], [`${name}_read`, disk.readBytes]);
    entries.push([`${name}_write_req`, disk.writeRequests], [`${name}_write`, disk.writeBytes]);
    entries.push([`${name}_errors`, disk.errors]);
  }
  for (const [at, nic] of nics.entries()) {
    const name = `vnet${at}`;
    entries.push([`${name}_rx`, nic.receivedBytes], [`${name}_rx_packets`, nic.receivedPackets]);
    entries.push([`${name}_rx_errors`, nic.receivedErrors], [`${name}_rx_drop`, nic.receivedDrops]);
    entries.push([`${name}_tx`, nic.sentBytes], [`${name}_tx_packets`, nic.sentPackets]);
    entries.push([`${name}_tx_errors`, nic.sentErrors], [`${name}_tx_drop`, nic.sentDrops]);
  }
  const memory = { memory: figures.memoryMib * kibPerMib, 'memory-actual': figures.memoryUsedMib * kibPerMib };
  return { ...Object.fromEntries(entries), ...memory };
}

function partsOf({ cpus, disks, nics }: shoal.v1.ServerDiagnostics) {
  return {
    cpus: cpus.map((cpu) => shoal.v1.ServerCpuDiagnostics.create(cpu)),
    disks: disks.map((disk) => shoal.v1.ServerDiskDiagnostics.create(disk)),
    nics: nics.map((nic) => shoal.v1.ServerNicDiagnostics.create(nic)),
  };
}
