/** The extra specs that Nova knows, with what their values are, as it checks them from 2.86 on. */
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';

/** What a value is: any text, a flag, a whole number within bounds, one of some words, or of a form. */
type Value =
  | { readonly is: 'text' | 'flag' }
  | { readonly is: 'number'; readonly min?: number; readonly max?: number }
  | { readonly is: 'word'; readonly words: readonly string[] }
  | { readonly is: 'form'; readonly form: RegExp };

const anyText: Value = { is: 'text' };
const flag: Value = { is: 'flag' };
const number = (min?: number, max?: number): Value => ({
  is: 'number',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
const word = (...words: readonly string[]): Value => ({ is: 'word', words });
const form = (pattern: RegExp): Value => ({ is: 'form', form: pattern });
/** `0-3,^2`. */
const cpus = form(/^\^?\d{1,9}(-\d{1,9})?(,\^?\d{1,9}(-\d{1,9})?)*$/);
const levels = word('custom', 'high', 'normal', 'low');

/** Scopes in which every name is known: one that is not here is a mistake. */
const scopes =
  /^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|powervm|quota|vmware|resources[a-zA-Z0-9_-]{0,64}|trait[a-zA-Z0-9_-]{0,64}):/;

const known: readonly (readonly [names: RegExp, value: Value])[] = [
  [/^accel:device_profile$/, anyText],
  [/^aggregate_instance_extra_specs:.+$/, anyText],
  [
    /^capabilities:(id|uuid|service_id|host|vcpus|memory_mb|local_gb|vcpus_used|memory_mb_used|local_gb_used|hypervisor_type|hypervisor_version|hypervisor_hostname|free_ram_mb|free_disk_gb|current_workload|running_vms|disk_available_least|host_ip|mapped|cpu_allocation_ratio|ram_allocation_ratio|disk_allocation_ratio|total_usable_ram_mb|total_usable_disk_gb|disk_mb_used|free_disk_mb|vcpus_total|num_instances|num_io_ops|failed_builds|aggregates|cell_uuid|updated)$/,
    anyText,
  ],
  [
    /^capabilities:(cpu_info|metrics|stats|numa_topology|supported_hv_specs|pci_device_pools|nodename|pci_stats|supported_instances|limits|instances)(:\w+)*$/,
    anyText,
  ],
  [
    /^hw:(cpu_realtime|hide_hypervisor_id|locked_memory|boot_menu|vif_multiqueue_enabled|mem_encryption|pmu|virtio_packed_ring|ephemeral_encryption)$/,
    flag,
  ],
  [/^hw:(cpu_realtime_mask|cpu_dedicated_mask|numa_cpus\.\d+)$/, cpus],
  [
    /^hw:(numa_nodes|numa_mem\.\d+|cpu_sockets|cpu_cores|cpu_threads|cpu_max_sockets|cpu_max_cores|cpu_max_threads)$/,
    number(1),
  ],
  [/^hw:cpu_policy$/, word('dedicated', 'shared', 'mixed')],
  [/^hw:cpu_thread_policy$/, word('prefer', 'isolate', 'require')],
  [/^hw:emulator_threads_policy$/, word('isolate', 'share')],
  [/^hw:mem_page_size$/, form(/^(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)$/)],
  [/^hw:pci_numa_affinity_policy$/, word('required', 'preferred', 'legacy', 'socket')],
  [/^hw:mem_encryption_model$/, word('amd-sev', 'amd-sev-es', 'amd-sev-snp', 'intel-tdx')],
  [/^hw:pmem$/, form(/^[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?$/)],
  [/^hw:serial_port_count$/, number(0)],
  [/^hw:tpm_model$/, word('tpm-tis', 'tpm-crb')],
  [/^hw:tpm_version$/, word('1.2', '2.0')],
  [/^hw:tpm_secret_security$/, word('user', 'host', 'deployment')],
  [/^hw:watchdog_action$/, word('none', 'pause', 'poweroff', 'reset', 'disabled')],
  [/^hw:viommu_model$/, word('intel', 'smmuv3', 'virtio', 'auto')],
  [/^hw:sound_model$/, word('sb16', 'es1370', 'pcspk', 'ac97', 'ich6', 'ich9', 'usb', 'virtio')],
  [/^hw:usb_model$/, word('none', 'nec-xhci', 'qemu-xhci')],
  [/^hw:redirected_usb_ports$/, number(0, 15)],
  [/^hw:ephemeral_encryption_format$/, word('plain', 'luks', 'luksv2')],
  [/^hw_rng:allowed$/, flag],
  [/^hw_rng:rate_(bytes|period)$/, number(0)],
  [/^hw_video:ram_max_mb$/, number(0)],
  [/^os:secure_boot$/, word('disabled', 'required')],
  [/^pci_passthrough:alias$/, form(/^[^:,]+:\d+(\s*,\s*[^:,]+:\d+)*$/)],
  [/^quota:(cpu|memory|disk_io|vif)_shares_level$/, levels],
  [/^quota:((cpu|memory|disk_io|vif)_reservation|cpu_quota)$/, number()],
  [/^quota:((cpu|memory|disk_io|vif)_(limit|shares_share)|cpu_(shares|period))$/, number(0)],
  [/^quota:disk_(read|write|total)_(bytes|iops)_sec$/, number(0)],
  [/^quota:vif_(inbound|outbound)_(average|peak|burst)$/, number(0)],
  [/^resources[a-zA-Z0-9_-]{0,64}:[A-Z0-9_]+$/, number(0)],
  [/^trait[a-zA-Z0-9_-]{0,64}:[A-Z0-9_]+$/, word('required', 'forbidden')],
  [/^vmware:(hw_version|storage_policy)$/, anyText],
];

/** Throws `INVALID_ARGUMENT` for a name of one of Nova's scopes that it does not know, and for a value that it does not have. */
export function checkExtraSpec(name: string, value: string): void {
  const found = known.find(([names]) => names.test(name));
  if (found === undefined) {
    if (scopes.test(name)) throw wrong(`extra spec '${shown(name)}' does not exist in its scope`);
    return;
  }
  const [, of] = found;
  switch (of.is) {
    case 'text':
      return;
    case 'flag':
      if (!/^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i.test(value.trim()))
        throw wrong(`'${shown(value)}' is not a valid boolean-like value`);
      return;
    case 'number': {
      const isNumber = /^\s*[+-]?\d{1,15}\s*$/.test(value);
      if (!isNumber) throw wrong(`'${shown(value)}' is not a valid integer value`);
      if (of.min !== undefined && Number(value) < of.min) throw wrong(`'${shown(value)}' is less than ${of.min}`);
      if (of.max !== undefined && Number(value) > of.max) throw wrong(`'${shown(value)}' is greater than ${of.max}`);
      return;
    }
    case 'word':
      if (!of.words.includes(value)) throw wrong(`'${shown(value)}' is not one of: ${of.words.join(', ')}`);
      return;
    case 'form':
      if (!of.form.test(value)) throw wrong(`'${shown(value)}' is not of its format`);
      return;
  }
}

function wrong(what: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Validation failed; ${what}.`);
}
