/**
 * What flavors (extra specs), images (properties) and callers (scheduler hints) may ask of a server, name by name, and what
 * implements it. An attribute that nothing implements is refused when a server is made: one that is taken and then ignored
 * shows only when it hurts. Setting it on a flavor or an image is allowed, as in Nova and Glance.
 */
import { extraResources, resourceClasses, resourceSpecPrefix } from '../../../placement/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { flavorDiskLimits } from './hardware/disk-quota.ts';
import { guestHardware, keptProperties } from './hardware/guest-hardware.ts';
import { badRequest } from './kit/refusals.ts';

/** One kind of attribute. */
export interface AttributeRule {
  /** The names that it is for. */
  readonly names: RegExp;
  /** Values that are honoured. Absent: all. */
  readonly values?: RegExp;
  /**
   * What implements it: a placement filter, which must be enabled; the hardware that a guest is given for it (hardware/); or a sentence on
   * what every server is anyway, which is also what to do about it.
   */
  readonly by: { readonly filter: string } | { readonly gives: string } | { readonly always: string };
}

const filter = (name: string) => ({ filter: name });
const always = (text: string) => ({ always: text });
const gives = (text: string) => ({ gives: text });
/** A name that is known, and that no value of can be honoured; the sentence says what to do. */
const never = (names: RegExp, text: string): AttributeRule => ({ names, values: /(?!)/, by: always(text) });
const traits: AttributeRule = {
  names: /^trait:[A-Z][A-Z0-9_]*$/,
  values: /^(required|forbidden)$/,
  by: filter('RequiredTraitsFilter'),
};
const no = /^(false|no|0)$/i;
const flag = /^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i;
const count = /^[1-9]\d{0,2}$/;
const secureBoot = /^(disabled|optional|required)$/;
const action = /^(disabled|none|pause|poweroff|reset)$/;

/** Of flavors. Names without a scope are an operator's own: filters look at them where a host or an aggregate has them. */
export const extraSpecRules: readonly AttributeRule[] = [
  traits,
  { names: /^capabilities:./, by: filter('ComputeCapabilitiesFilter') },
  { names: /^aggregate_instance_extra_specs:./, by: filter('AggregateInstanceExtraSpecsFilter') },
  {
    names: new RegExp(
      `^${resourceSpecPrefix}(${extraResources.map((name) => resourceClasses[name].placementName).join('|')})$`,
    ),
    values: /^(0|[1-9]\d{0,8})$/,
    by: filter('ResourceClassFilter'),
  },
  { names: /^[^:]+$/, by: filter('ComputeCapabilitiesFilter') },
  { names: /^hw_rng:allowed$/, values: flag, by: gives('a virtio random number generator, or none') },
  { names: /^hw_rng:rate_(bytes|period)$/, values: /^\d{1,6}$/, by: gives('how much of it there is in a period (ms)') },
  {
    names: /^hw_video:ram_max_mb$/,
    values: /^\d{1,3}$/,
    by: gives('the most that an image may ask for as video memory'),
  },
  { names: /^hw:cpu_(max_)?(sockets|cores|threads)$/, values: count, by: gives('how the CPUs look') },
  { names: /^hw:(pmu|boot_menu|hide_hypervisor_id)$/, values: flag, by: gives('counters, a boot menu, a hidden KVM') },
  { names: /^hw:serial_port_count$/, values: /^[1-4]$/, by: gives('serial ports; the first is the console') },
  { names: /^hw:watchdog_action$/, values: action, by: gives('a watchdog that does this') },
  { names: /^os:secure_boot$/, values: secureBoot, by: gives('UEFI that starts what is signed') },
  {
    names: /^quota:disk_(total|read|write)_(bytes|iops)_sec$/,
    values: /^\d{1,15}$/,
    by: gives('limits of the disks that are not volumes'),
  },
  never(
    /^quota:((cpu|memory|disk_io)_.+|vif_.+)$/,
    'hosts share CPU and memory alike; for NICs use a QoS policy of the network, for volumes QoS specs of their type',
  ),
  { names: /^hw:cpu_policy$/, values: /^shared$/, by: always('vCPUs float over the CPUs of their host') },
  { names: /^hw:mem_page_size$/, values: /^(small|any)$/, by: always('memory is in ordinary pages') },
  {
    names: /^hw:(mem_encryption|pmem|locked_memory|cpu_realtime|virtio_packed_ring|ephemeral_encryption)$/,
    values: no,
    by: always('guests have none: take it from the flavor'),
  },
  {
    names: /^hw:vif_multiqueue_enabled$/,
    values: no,
    by: always('taps have one queue: take it from the flavor'),
  },
  never(
    /^hw:(tpm_.+|viommu_model|sound_model|mem_encryption_model|ephemeral_encryption_format)$/,
    'guests have no such device: take it from the flavor',
  ),
  never(
    /^hw:(cpu_thread_policy|cpu_realtime_mask|cpu_dedicated_mask|emulator_threads_policy|numa_.+|pci_numa_affinity_policy)$/,
    'vCPUs and memory float over their host: take it from the flavor, or keep hosts apart by aggregates',
  ),
  {
    names: /^hw:usb_model$/,
    values: /^(none|qemu-xhci)$/,
    by: always('it is there for a pointer that an image asks for'),
  },
  { names: /^hw:redirected_usb_ports$/, values: /^0$/, by: always('none is redirected') },
];

/** Of images. Names of no scope that Glance or Nova give a meaning to describe the content and ask for nothing. */
export const imagePropertyRules: readonly AttributeRule[] = [
  traits,
  {
    names:
      /^(hw_architecture|architecture|img_hv_type|hypervisor_type|hw_vm_mode|vm_mode|img_hv_requested_version|hypervisor_version_requires)$/,
    by: filter('ImagePropertiesFilter'),
  },
  { names: /^hw_disk_bus$/, values: /^(virtio|scsi|sata|ide)$/, by: gives('the disks that are not volumes') },
  { names: /^hw_scsi_model$/, values: /^virtio-scsi$/, by: always('SCSI disks are at a virtio controller') },
  {
    names: /^hw_vif_model$/,
    values: /^(virtio|e1000|e1000e|ne2k_pci|pcnet|rtl8139|vmxnet3)$/,
    by: gives('the NICs'),
  },
  { names: /^hw_rng_model$/, values: /^virtio$/, by: always('the random number generator is virtio') },
  {
    names: /^hw_machine_type$/,
    values: /^(pc|q35|pc-(i440fx|q35)-\d{1,2}(\.\d{1,2}){1,2})$/,
    by: gives('the machine, which is pinned at the first start'),
  },
  { names: /^hw_firmware_type$/, values: /^(bios|uefi)$/, by: gives('the firmware') },
  { names: /^os_secure_boot$/, values: secureBoot, by: gives('UEFI that starts what is signed') },
  { names: /^hw_watchdog_action$/, values: action, by: gives('a watchdog that does this') },
  {
    names: /^hw_video_model$/,
    values: /^(vga|cirrus|vmvga|virtio|bochs|none)$/,
    by: gives('the display'),
  },
  { names: /^hw_video_ram$/, values: /^([1-9]\d?|1\d\d|2[0-4]\d|25[0-6])$/, by: gives('the memory of the display') },
  { names: /^hw_serial_port_count$/, values: /^[1-4]$/, by: gives('serial ports; the first is the console') },
  { names: /^hw_pointer_model$/, values: /^(usbtablet|ps2mouse)$/, by: gives('a pointer that knows its place') },
  { names: /^hw_input_bus$/, values: /^(usb|virtio)$/, by: gives('where that pointer is plugged in') },
  { names: /^hw_cpu_(max_)?(sockets|cores|threads)$/, values: count, by: gives('how the CPUs look') },
  { names: /^hw_(boot_menu|pmu|time_hpet)$/, values: flag, by: gives('a boot menu, counters, a timer') },
  { names: /^img_hide_hypervisor_id$/, values: flag, by: gives('a hidden KVM') },
  { names: /^hw_qemu_guest_agent$/, values: flag, by: gives('the channel of the guest agent') },
  {
    names: /^os_require_quiesce$/,
    values: flag,
    by: gives('snapshots that are refused unless the guest agent freezes'),
  },
  {
    names: /^os_shutdown_timeout$/,
    values: /^([1-9]\d?|[1-5]\d\d|600)$/,
    by: gives('the time that a guest may take to power off, in seconds'),
  },
  { names: /^os_type$/, by: gives('the clock: windows has it in local time') },
  {
    names: /^hw_rescue_(device|bus)$/,
    values: /^(disk|virtio|scsi)$/,
    by: gives('the disk of a rescue with this image'),
  },
  { names: /^hw_cdrom_bus$/, by: always('it is of CD-ROM drives, of which guests have none') },
  { names: /^hw_cpu_policy$/, values: /^shared$/, by: always('vCPUs float over the CPUs of their host') },
  { names: /^hw_mem_page_size$/, values: /^(small|any)$/, by: always('memory is in ordinary pages') },
  { names: /^img_config_drive$/, values: /^optional$/, by: always('the metadata service has the same') },
  {
    names: /^hw_(mem_encryption|locked_memory|virtio_packed_ring|ephemeral_encryption|firmware_stateless|ipxe_boot)$/,
    values: no,
    by: always('guests have none: take it from the image'),
  },
  { names: /^hw_vif_multiqueue_enabled$/, values: no, by: always('taps have one queue: take it from the image') },
  { names: /^hw_usb_model$/, values: /^(none|qemu-xhci)$/, by: always('it is there for a pointer that is asked for') },
  { names: /^hw_redirected_usb_ports$/, values: /^0$/, by: always('none is redirected') },
  never(
    /^(hw_(tpm_.+|viommu_model|sound_model|floppy_bus|mem_encryption_.+|ephemeral_encryption_.+|disk_type|maxphysaddr_.+)|os_command_line)$/,
    'guests have no such device: take it from the image',
  ),
  never(
    /^hw_(cpu_thread_policy|cpu_realtime_mask|emulation_architecture|emulator_threads_policy|numa_.+|pci_numa_affinity_policy)$/,
    'vCPUs and memory float over their host: take it from the image, or keep hosts apart by aggregates',
  ),
  never(
    /^img_signature.*$/,
    'signatures are not checked here: upload the image without, and compare its os_hash_value',
  ),
  {
    names: /^(os_(distro|version|admin_user|hash_.*|skip_agent_.*)|img_(linked_clone|use_agent|version|owner_id))$/,
    by: always('they describe the content'),
  },
  { names: /^(?!hw_|img_|os_|trait:|hw:|os:)./, by: always('they describe the content') },
];

/** Of callers. `group`, and what names servers, is resolved to hosts before. */
export const schedulerHintRules: readonly AttributeRule[] = [
  { names: /^group$/, by: filter('ServerGroupAffinityFilter') },
  { names: /^different_host$/, by: filter('DifferentHostFilter') },
  { names: /^same_host$/, by: filter('SameHostFilter') },
  { names: /^(build_near_host_ip|cidr)$/, by: filter('SimpleCIDRAffinityFilter') },
  { names: /^query$/, by: filter('JsonFilter') },
];

/**
 * Checks the attributes of a flavor and an image. Throws 400 that names the first that nothing implements, and why, or what does not go
 * together.
 */
export function checkAttributes(
  flavor: shoal.v1.Flavor,
  image: shoal.v1.Image | undefined,
  enabledFilters: ReadonlySet<string>,
): void {
  checkEach(`extra spec of flavor ${flavor.name}`, flavor.extraSpecs, extraSpecRules, enabledFilters);
  if (image !== undefined) {
    checkEach(`property of image ${image.id}`, image.properties, imagePropertyRules, enabledFilters);
  }
  mustGoTogether(flavor, image?.properties ?? {});
}

/** As above, of a server that boots from a volume: what the volume's image says. */
export function checkRootVolume(
  flavor: shoal.v1.Flavor,
  properties: Readonly<Record<string, string>>,
  enabledFilters: ReadonlySet<string>,
): void {
  checkEach("property of the root volume's image", properties, imagePropertyRules, enabledFilters);
  mustGoTogether(flavor, properties);
}

function mustGoTogether({ vcpus, extraSpecs }: shoal.v1.Flavor, properties: Readonly<Record<string, string>>): void {
  flavorDiskLimits(extraSpecs);
  guestHardware({ vcpus, extraSpecs, imageProperties: keptProperties(properties) });
}

/** Checks scheduler hints. As above. */
export function checkHintNames(names: readonly string[], enabledFilters: ReadonlySet<string>): void {
  const hints = Object.fromEntries(names.map((name) => [name, '']));
  checkEach('scheduler hint', hints, schedulerHintRules, enabledFilters);
}

function checkEach(
  what: string,
  attributes: Readonly<Record<string, string>>,
  rules: readonly AttributeRule[],
  enabledFilters: ReadonlySet<string>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    const rule = rules.find(({ names }) => names.test(name));
    const said = `The ${what} ${name.slice(0, 255)}${value === '' ? '' : ` = ${value.slice(0, 255)}`}`;
    if (rule === undefined) throw badRequest(`${said} cannot be honoured: this version of Shoal does not know it.`);
    if (rule.values?.test(value) === false) throw badRequest(`${said} cannot be honoured${because(rule)}.`);
    if ('filter' in rule.by && !enabledFilters.has(rule.by.filter)) {
      throw badRequest(`${said} cannot be honoured: it needs the ${rule.by.filter}, which is not enabled here.`);
    }
  }
}

function because({ by, values }: AttributeRule): string {
  return 'always' in by ? `: ${by.always}` : `: its value is ${values?.source ?? 'another'}`;
}
