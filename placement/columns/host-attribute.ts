import type { HostColumns } from './host-columns.ts';

/** Attributes of a host by the names that Nova's `capabilities:` extra specs and JSON queries use. */
const attributes: Readonly<Record<string, (columns: HostColumns, slot: number) => string | number | boolean>> = {
  host: (c, s) => c.hostNames[s] ?? '',
  hypervisor_hostname: (c, s) => c.hostNames[s] ?? '',
  host_ip: (c, s) => c.addresses[s] ?? '',
  availability_zone: (c, s) => c.profileOf[s]?.zone ?? '',
  free_ram_mb: (c, s) => c.resources.memoryMib.free[s] ?? 0,
  total_usable_ram_mb: (c, s) => c.resources.memoryMib.total[s] ?? 0,
  free_disk_mb: (c, s) => (c.resources.diskGib.free[s] ?? 0) * 1024,
  total_usable_disk_gb: (c, s) => c.resources.diskGib.total[s] ?? 0,
  vcpus_total: (c, s) => c.resources.vcpus.total[s] ?? 0,
  vcpus_used: (c, s) => (c.resources.vcpus.capacity[s] ?? 0) - (c.resources.vcpus.free[s] ?? 0),
  num_instances: (c, s) => c.numInstances[s] ?? 0,
  num_io_ops: (c, s) => c.ioOps[s] ?? 0,
  failed_builds: (c, s) => c.buildFailures[s] ?? 0,
  enabled: (c, s) => c.enabled[s] === 1,
  hypervisor_type: (c, s) => c.profileOf[s]?.hypervisor.type ?? '',
  hypervisor_version: (c, s) => c.profileOf[s]?.hypervisor.version ?? 0,
  cpu_arch: (c, s) => c.profileOf[s]?.hypervisor.cpuArch ?? '',
};

/** The attribute's value: one of the table above, else what the host advertises under that name. */
export function hostAttribute(columns: HostColumns, slot: number, name: string): string | number | boolean | undefined {
  if (Object.hasOwn(attributes, name)) return attributes[name]?.(columns, slot);
  const capabilities = columns.profileOf[slot]?.capabilities ?? {};
  return Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
}
