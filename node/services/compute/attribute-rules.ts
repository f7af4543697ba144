/**
 * What flavors (extra specs), images (properties) and callers (scheduler hints) may ask of a server, name by name, and what
 * implements it. An attribute that nothing implements is refused when a server is made: one that is taken and then ignored
 * shows only when it hurts. Setting it on a flavor or an image is allowed, as in Nova and Glance.
 */
import { extraResources, resourceClasses, resourceSpecPrefix } from '../../../placement/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { badRequest } from './kit/refusals.ts';

/** One kind of attribute. */
export interface AttributeRule {
  /** The names that it is for. */
  readonly names: RegExp;
  /** Values that are honoured. Absent: all. */
  readonly values?: RegExp;
  /** What implements it: a placement filter, which must be enabled, or a sentence on what every server is anyway. */
  readonly by: { readonly filter: string } | { readonly always: string };
}

const filter = (name: string) => ({ filter: name });
const always = (text: string) => ({ always: text });
const traits: AttributeRule = {
  names: /^trait:[A-Z][A-Z0-9_]*$/,
  values: /^(required|forbidden)$/,
  by: filter('RequiredTraitsFilter'),
};
const no = /^(false|no|0)$/i;
const yes = /^(true|yes|1)$/i;

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
  { names: /^hw_rng:allowed$/, values: yes, by: always('every guest has a virtio random number generator') },
  { names: /^hw:cpu_policy$/, values: /^shared$/, by: always('vCPUs float over the CPUs of their host') },
  { names: /^hw:mem_page_size$/, values: /^(small|any)$/, by: always('memory is in ordinary pages') },
  { names: /^hw:watchdog_action$/, values: /^disabled$/, by: always('guests have no watchdog') },
  { names: /^hw:(boot_menu|hide_hypervisor_id|mem_encryption|pmem)$/, values: no, by: always('guests have none') },
];

/** Of images. Names of no scope that Glance or Nova give a meaning to describe the content and ask for nothing. */
export const imagePropertyRules: readonly AttributeRule[] = [
  traits,
  {
    names:
      /^(hw_architecture|architecture|img_hv_type|hypervisor_type|hw_vm_mode|vm_mode|img_hv_requested_version|hypervisor_version_requires)$/,
    by: filter('ImagePropertiesFilter'),
  },
  {
    names: /^hw_(disk_bus|vif_model|rng_model)$/,
    values: /^virtio$/,
    by: always('disks, NICs and the rng are virtio'),
  },
  { names: /^hw_firmware_type$/, values: /^bios$/, by: always('guests boot by BIOS') },
  { names: /^hw_watchdog_action$/, values: /^disabled$/, by: always('guests have no watchdog') },
  { names: /^hw_cpu_policy$/, values: /^shared$/, by: always('vCPUs float over the CPUs of their host') },
  { names: /^hw_mem_page_size$/, values: /^(small|any)$/, by: always('memory is in ordinary pages') },
  { names: /^hw_scsi_model$/, values: /^virtio-scsi$/, by: always('it would be that, had a guest SCSI disks') },
  { names: /^os_secure_boot$/, values: /^(disabled|optional)$/, by: always('guests boot by BIOS') },
  { names: /^img_config_drive$/, values: /^optional$/, by: always('the metadata service has the same') },
  {
    names:
      /^(hw_(qemu_guest_agent|boot_menu|mem_encryption|vif_multiqueue_enabled)|os_require_quiesce|img_hide_hypervisor_id)$/,
    values: no,
    by: always('guests have none'),
  },
  {
    names: /^(os_(type|distro|version|admin_user|hash_.*)|img_(linked_clone|use_agent))$/,
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

/** Checks the attributes of a flavor and an image. Throws 400 that names the first that nothing implements, and why. */
export function checkAttributes(
  flavor: shoal.v1.Flavor,
  image: shoal.v1.Image | undefined,
  enabledFilters: ReadonlySet<string>,
): void {
  checkEach(`extra spec of flavor ${flavor.name}`, flavor.extraSpecs, extraSpecRules, enabledFilters);
  if (image !== undefined) {
    checkEach(`property of image ${image.id}`, image.properties, imagePropertyRules, enabledFilters);
  }
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
