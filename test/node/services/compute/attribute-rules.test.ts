/** Extra specs, image properties and scheduler hints are honoured or refused, never ignored. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import {
  checkAttributes,
  checkHintNames,
  extraSpecRules,
  imagePropertyRules,
  schedulerHintRules,
} from '../../../../node/services/compute/attribute-rules.ts';
import { defaultFilterNames, filterNames } from '../../../../placement/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { makeComputeWorld } from '../compute-world.ts';

const enabled = new Set<string>(defaultFilterNames);
const everything = new Set<string>(filterNames);

function outcome(run: () => void): string {
  try {
    run();
    return '';
  } catch (caught) {
    if (!ShoalError.is(caught, 'INVALID_ARGUMENT')) throw caught;
    return caught.message;
  }
}
const ofSpec = (name: string, value: string, filters = enabled): string =>
  outcome(() => checkAttributes(new shoal.v1.Flavor({ name: 'f', extraSpecs: { [name]: value } }), undefined, filters));
const ofProperty = (name: string, value: string): string => {
  const image = new shoal.v1.Image({ id: 'i', properties: { [name]: value } });
  return outcome(() => checkAttributes(new shoal.v1.Flavor({ name: 'f' }), image, enabled));
};

void t.test('extra specs', async (t) => {
  for (const [name, value] of [
    ['trait:HW_CPU_X86_AVX2', 'required'],
    ['capabilities:cpu_arch', 's== x86_64'],
    ['ssd', 'true'],
    ['hw_rng:allowed', 'True'],
    ['hw:cpu_policy', 'shared'],
  ] as const) {
    t.equal(ofSpec(name, value), '', `${name}=${value}`);
  }
  for (const [name, value, why] of [
    ['resources:CUSTOM_X', '1', /does not know it/],
    ['resources:VCPU', '0', /does not know it/],
    ['trait:HW_CPU_X86_AVX2', 'preferred', /its value/],
    ['trait:lower', 'required', /does not know it/],
    ['hw:cpu_policy', 'dedicated', /float/],
    ['hw:numa_nodes', '2', /aggregates/],
    ['pci_passthrough:alias', 'gpu:1', /does not know it/],
    ['quota:cpu_quota', '1000', /share CPU/],
    ['accel:device_profile', 'x', /does not know it/],
    ['aggregate_instance_extra_specs:ssd', 'true', /AggregateInstanceExtraSpecsFilter, which is not enabled/],
  ] as const) {
    t.match(ofSpec(name, value), why, `${name}=${value}`);
    t.match(ofSpec(name, value), new RegExp(`^The extra spec of flavor f ${name} = `));
  }
  t.equal(ofSpec('aggregate_instance_extra_specs:ssd', 'true', everything), '');
});

void t.test('image properties', async (t) => {
  for (const [name, value] of [
    ['os_distro', 'debian'],
    ['owner_specified.openstack.md5', 'x'],
    ['description', 'x'],
    ['hw_disk_bus', 'virtio'],
    ['hw_architecture', 'x86_64'],
    ['hw_qemu_guest_agent', 'no'],
  ] as const) {
    t.equal(ofProperty(name, value), '', `${name}=${value}`);
  }
  for (const [name, value] of [
    ['hw_disk_bus', 'usb'],
    ['hw_vif_model', 'lan9118'],
    ['hw_firmware_type', 'coreboot'],
    ['hw_tpm_model', 'tpm-tis'],
    ['img_signature', 'x'],
    ['img_config_drive', 'mandatory'],
    ['hw_something_of_tomorrow', 'x'],
    ['trait:CUSTOM_X', 'maybe'],
  ] as const) {
    t.match(ofProperty(name, value), /^The property of image i .* cannot be honoured/, `${name}=${value}`);
  }
});

void t.test('scheduler hints', async (t) => {
  const hint = (name: string, filters = enabled): string => outcome(() => checkHintNames([name], filters));
  for (const name of ['group', 'same_host', 'different_host', 'cidr', 'build_near_host_ip']) t.equal(hint(name), '');
  t.match(hint('query'), /JsonFilter, which is not enabled/);
  t.equal(hint('query', everything), '');
  t.match(hint('no_such_hint'), /cannot be honoured/);
});

void t.test('the filter that is named for an attribute exists', async (t) => {
  for (const { names, by } of [...extraSpecRules, ...imagePropertyRules, ...schedulerHintRules]) {
    if ('filter' in by) t.ok(everything.has(by.filter), `${names.source}: ${by.filter}`);
    else t.ok(('gives' in by ? by.gives : by.always).length > 0, names.source);
  }
});

void t.test('a create is refused before a host is asked, with the attribute named', async (t) => {
  const world = await makeComputeWorld();
  await world.compute.flavors.setExtraSpecs(world.admin, '1', { 'resources:CUSTOM_X': '1' });
  const draft = { name: 's', flavorId: '1', imageId: 'image-1', networks: 'none' as const };
  await t.rejects(world.compute.servers.create(world.alice, draft), {
    code: 'INVALID_ARGUMENT',
    message: /resources:CUSTOM_X = 1 cannot be honoured/,
  });
  t.equal(world.placer.requests.length, 0);
});

void t.test('what every server is anyway may be asked for, and nothing else in its place', async (t) => {
  const ofKind = { 'extra spec': ofSpec, property: ofProperty };
  for (const [kind, name, good, bad] of [
    ['extra spec', 'hw:cpu_policy', 'shared', 'mixed'],
    ['extra spec', 'hw:mem_page_size', 'small', 'large'],
    ['extra spec', 'hw:mem_encryption', 'false', 'true'],
    ['property', 'hw_rng_model', 'virtio', 'other'],
    ['property', 'hw_cpu_policy', 'shared', 'dedicated'],
    ['property', 'hw_mem_page_size', 'any', '2MB'],
    ['property', 'hw_scsi_model', 'virtio-scsi', 'lsilogic'],
    ['property', 'img_config_drive', 'optional', 'mandatory'],
    ['property', 'hw_vif_multiqueue_enabled', 'false', 'true'],
  ] as const) {
    t.equal(ofKind[kind](name, good), '', `${name}=${good}`);
    t.match(ofKind[kind](name, bad), /cannot be honoured/, `${name}=${bad}`);
  }
});
