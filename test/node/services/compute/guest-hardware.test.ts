/** What flavors and images ask of a guest's hardware becomes its hardware, or is refused by name when the server is made. */
import t from 'tap';
import type { GuestHardware } from '../../../../drivers/types.ts';
import { checkAttributes } from '../../../../node/services/compute/attribute-rules.ts';
import { chosenTopology } from '../../../../node/services/compute/hardware/cpu-topology.ts';
import { flavorDiskLimits } from '../../../../node/services/compute/hardware/disk-quota.ts';
import {
  guestHardware,
  keptProperties,
  nicModelOf,
  ownDiskBus,
  shutdownTimeoutMs,
  traitsForHardware,
} from '../../../../node/services/compute/hardware/guest-hardware.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { imageTable, serverTable } from '../../../../node/state/tables/index.ts';
import { defaultFilterNames } from '../../../../placement/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { makeComputeWorld } from '../compute-world.ts';

type Attributes = Readonly<Record<string, string>>;

const hardware = (imageProperties: Attributes, extraSpecs: Attributes = {}, vcpus = 4): GuestHardware =>
  guestHardware({ vcpus, extraSpecs, imageProperties });

/** As a create checks them; empty: it takes them. */
function refusal(properties: Attributes, extraSpecs: Attributes = {}, vcpus = 4): string {
  const flavor = new shoal.v1.Flavor({ name: 'f', vcpus, extraSpecs });
  try {
    checkAttributes(flavor, new shoal.v1.Image({ id: 'i', properties }), new Set(defaultFilterNames));
    return '';
  } catch (caught) {
    return caught instanceof Error ? caught.message : String(caught);
  }
}

void t.test('an image property is the guest’s hardware', async (t) => {
  t.same(hardware({}), {}, 'nothing is asked for');
  for (const [name, value, expected] of [
    ['hw_machine_type', 'q35', { family: 'q35' }],
    ['hw_machine_type', 'pc-q35-7.2', { machine: 'pc-q35-7.2' }],
    ['hw_firmware_type', 'uefi', { firmware: 'uefi' }],
    ['hw_firmware_type', 'bios', {}],
    ['hw_watchdog_action', 'poweroff', { watchdog: 'poweroff' }],
    ['hw_watchdog_action', 'disabled', {}],
    ['hw_video_model', 'virtio', { video: { model: 'virtio' } }],
    ['hw_serial_port_count', '2', { serialPorts: 2 }],
    ['hw_pointer_model', 'usbtablet', { tablet: 'usb' }],
    ['hw_pointer_model', 'ps2mouse', {}],
    ['hw_input_bus', 'virtio', { tablet: 'virtio' }],
    ['hw_cpu_sockets', '2', { topology: { sockets: 2, cores: 2, threads: 1 } }],
    ['hw_boot_menu', 'true', { bootMenu: true }],
    ['hw_pmu', 'no', { pmu: false }],
    ['hw_time_hpet', 'yes', { hpet: true }],
    ['img_hide_hypervisor_id', 'true', { hidesHypervisor: true }],
    ['hw_qemu_guest_agent', 'yes', { agent: true }],
    ['hw_qemu_guest_agent', 'no', { agent: false }],
    ['os_type', 'windows', { clock: 'localtime' }],
    ['os_type', 'linux', {}],
    ['os_secure_boot', 'optional', {}],
    ['os_require_quiesce', 'yes', {}],
    ['os_shutdown_timeout', '90', {}],
  ] as const) {
    t.equal(refusal({ [name]: value }), '', `${name}=${value}`);
    t.same(hardware({ [name]: value }), expected, `${name}=${value}`);
    t.same(keptProperties({ [name]: value, hw_architecture: 'x86_64', os_distro: 'debian' }), { [name]: value });
  }
  for (const bus of ['virtio', 'scsi', 'sata', 'ide'] as const) t.equal(ownDiskBus({ hw_disk_bus: bus }), bus);
  for (const model of ['virtio', 'e1000', 'e1000e', 'rtl8139'] as const) {
    t.equal(nicModelOf({ hw_vif_model: model }), model);
    t.same(keptProperties({ hw_vif_model: model }), { hw_vif_model: model });
  }
  // A rescue looks at these in the image that it is with.
  for (const [name, value] of [
    ['hw_rescue_device', 'disk'],
    ['hw_rescue_bus', 'virtio'],
  ] as const) {
    t.equal(refusal({ [name]: value }), '', name);
    t.same(keptProperties({ [name]: value }), {});
  }
});

void t.test('an extra spec is the guest’s hardware', async (t) => {
  for (const [name, value, expected] of [
    ['hw:cpu_threads', '2', { topology: { sockets: 2, cores: 1, threads: 2 } }],
    ['hw:cpu_max_sockets', '1', { topology: { sockets: 1, cores: 4, threads: 1 } }],
    ['hw:pmu', 'true', { pmu: true }],
    ['hw:boot_menu', 'true', { bootMenu: true }],
    ['hw:hide_hypervisor_id', 'true', { hidesHypervisor: true }],
    ['hw:serial_port_count', '3', { serialPorts: 3 }],
    ['hw:watchdog_action', 'reset', { watchdog: 'reset' }],
    ['hw_rng:allowed', 'false', { rng: 'none' }],
    ['hw_rng:allowed', 'True', {}],
    ['hw_rng:rate_bytes', '4096', { rng: { bytes: 4096, periodMs: 1000 } }],
    ['hw_video:ram_max_mb', '64', {}],
    ['quota:disk_read_iops_sec', '500', {}],
  ] as const) {
    t.equal(refusal({}, { [name]: value }), '', `${name}=${value}`);
    t.same(hardware({}, { [name]: value }), expected, `${name}=${value}`);
  }
});

void t.test('where both speak', async (t) => {
  t.same(hardware({ hw_watchdog_action: 'pause' }, { 'hw:watchdog_action': 'reset' }), { watchdog: 'pause' });
  t.same(hardware({ hw_serial_port_count: '1' }, { 'hw:serial_port_count': '3' }), { serialPorts: 1 });
  t.same(hardware({ hw_cpu_cores: '4' }, { 'hw:cpu_cores': '2' }), { topology: { sockets: 2, cores: 2, threads: 1 } });
  t.same(hardware({ hw_video_ram: '20' }, { 'hw_video:ram_max_mb': '64' }), { video: { model: 'vga', memoryMib: 16 } });
  t.same(hardware({ hw_firmware_type: 'uefi', hw_machine_type: 'q35' }, { 'os:secure_boot': 'required' }), {
    family: 'q35',
    firmware: 'uefi',
    secureBoot: true,
  });
});

void t.test('what does not go together is refused, with both named', async (t) => {
  const cases: readonly [properties: Attributes, specs: Attributes, why: RegExp][] = [
    [{ hw_pmu: 'true' }, { 'hw:pmu': 'false' }, /hw:pmu is false and the image's hw_pmu is true/],
    [{ hw_serial_port_count: '3' }, { 'hw:serial_port_count': '2' }, /Maximum number of serial port exceeds/],
    [{ hw_video_ram: '65' }, { 'hw_video:ram_max_mb': '64' }, /65 is higher than the maximum allowed by flavor 64/],
    [{ hw_video_ram: '8' }, {}, /higher than the maximum allowed by flavor 0/],
    [{ hw_video_ram: '8', hw_video_model: 'virtio' }, { 'hw_video:ram_max_mb': '64' }, /hw_video_model virtio/],
    [{ os_secure_boot: 'required' }, {}, /hw_firmware_type is uefi/],
    [{ os_secure_boot: 'required', hw_firmware_type: 'uefi' }, {}, /hw_machine_type is q35/],
    [{ os_secure_boot: 'disabled' }, { 'os:secure_boot': 'required' }, /choose one/],
    [{ hw_cpu_sockets: '3' }, {}, /CPU topology .* cannot have 4 vCPUs/],
    [{ hw_disk_bus: 'ide', hw_machine_type: 'q35' }, {}, /sata is what a q35 has/],
  ];
  for (const [properties, specs, why] of cases) t.match(refusal(properties, specs), why, JSON.stringify(properties));
});

void t.test('what no guest can have is refused by name, with what to do', async (t) => {
  for (const [name, value, why] of [
    ['hw_tpm_model', 'tpm-crb', /take it from the image/],
    ['hw_tpm_version', '2.0', /take it from the image/],
    ['hw_mem_encryption', 'true', /take it from the image/],
    ['hw_vif_multiqueue_enabled', 'true', /one queue/],
    ['hw_numa_nodes', '2', /aggregates/],
    ['hw_cpu_policy', 'dedicated', /float/],
    ['hw_cpu_thread_policy', 'require', /float/],
    ['hw_sound_model', 'ich9', /no such device/],
    ['hw_usb_model', 'nec-xhci', /pointer/],
    ['hw_cdrom_bus', 'nowhere', /^$/],
    ['hw_redirected_usb_ports', '1', /none is redirected/],
    ['os_command_line', 'root=/dev/vda', /no such device/],
    ['img_signature', 'x', /os_hash_value/],
    ['hw_disk_bus', 'usb', /its value is/],
    ['hw_vif_model', 'lan9118', /its value is/],
    ['hw_video_model', 'qxl', /its value is/],
    ['hw_video_ram', '257', /its value is/],
    ['hw_machine_type', 'microvm', /its value is/],
    ['hw_machine_type', 'pc-q35-7.2,smm=on', /its value is/],
    ['hw_serial_port_count', '5', /its value is/],
    ['hw_something_of_tomorrow', 'x', /does not know it/],
  ] as const) {
    t.match(refusal({ [name]: value }), why, `${name}=${value}`);
  }
  for (const [name, value] of [
    ['hw:tpm_version', '2.0'],
    ['hw:numa_nodes', '2'],
    ['hw:cpu_thread_policy', 'prefer'],
    ['hw:mem_encryption', 'true'],
    ['hw:vif_multiqueue_enabled', 'true'],
    ['hw:sound_model', 'ich9'],
    ['hw:usb_model', 'nec-xhci'],
    ['hw:redirected_usb_ports', '1'],
    ['quota:cpu_quota', '10000'],
    ['quota:vif_inbound_average', '1024'],
  ] as const) {
    t.match(refusal({}, { [name]: value }), /^The extra spec of flavor f .* cannot be honoured/, `${name}=${value}`);
  }
  t.equal(refusal({ hw_redirected_usb_ports: '0', hw_usb_model: 'none' }), '');
});

void t.test('limits of a flavor are those of the disks that are the server’s own', async (t) => {
  t.equal(flavorDiskLimits({}), undefined);
  t.equal(flavorDiskLimits({ 'quota:disk_total_iops_sec': '0' }), undefined, '0 is none, as in Nova');
  t.same(flavorDiskLimits({ 'quota:disk_read_bytes_sec': '1048576', 'quota:disk_total_iops_sec': '200' }), {
    readBytesPerS: 1_048_576,
    iops: 200,
  });
  const both = { 'quota:disk_total_bytes_sec': '1', 'quota:disk_write_bytes_sec': '1' };
  t.match(refusal({}, both), /in total .* or each way by itself: not both/);
});

void t.test('a guest has as long to power off as its image says, else as its host does', async (t) => {
  t.equal(shutdownTimeoutMs({}, 60_000), 60_000);
  t.equal(shutdownTimeoutMs({ os_shutdown_timeout: '5' }, 60_000), 5000);
  for (const value of ['0', '601', '-1', '1.5', 'long'])
    t.match(refusal({ os_shutdown_timeout: value }), /its value is/);
});

void t.test('a topology has what is asked for, and as many sockets as it may', async (t) => {
  t.same(chosenTopology(8, {}), { sockets: 8, cores: 1, threads: 1 });
  t.same(chosenTopology(8, { maxSockets: 2 }), { sockets: 2, cores: 4, threads: 1 });
  t.same(chosenTopology(8, { maxSockets: 2, maxCores: 2 }), { sockets: 2, cores: 2, threads: 2 });
  t.same(chosenTopology(8, { threads: 2, cores: 2 }), { sockets: 2, cores: 2, threads: 2 });
  t.equal(chosenTopology(8, { sockets: 3 }), undefined);
  t.equal(chosenTopology(8, { sockets: 4, maxSockets: 2 }), undefined);
  for (let vcpus = 1; vcpus <= 64; vcpus += 1) {
    const made = chosenTopology(vcpus, { maxSockets: 4 });
    t.equal((made?.sockets ?? 0) * (made?.cores ?? 0) * (made?.threads ?? 0), vcpus);
  }
});

void t.test('a host must have what the guest is to have', async (t) => {
  const traits = (imageProperties: Attributes): readonly string[] =>
    traitsForHardware({ vcpus: 1, extraSpecs: {}, imageProperties });
  t.same(traits({ hw_vif_model: 'virtio', hw_disk_bus: 'virtio' }), []);
  t.same(traits({ hw_vif_model: 'ne2k_pci', hw_video_model: 'cirrus', hw_firmware_type: 'uefi' }), [
    'COMPUTE_FIRMWARE_UEFI',
    'COMPUTE_NET_VIF_MODEL_NE2K_PCI',
    'COMPUTE_GRAPHICS_MODEL_CIRRUS',
  ]);
});

void t.test('a server keeps what its image said of its hardware', async (t) => {
  const world = await makeComputeWorld();
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, 'image-1');
    const properties = { hw_vif_model: 'e1000', hw_machine_type: 'q35', os_distro: 'debian' };
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties }));
  });
  const draft = { name: 's', flavorId: '1', imageId: 'image-1', networks: 'none' } as const;
  const { servers } = await world.compute.servers.create(world.alice, draft);
  const record = serverTable.must(world.state.local, servers[0]?.id ?? '').record;
  t.same(record.imageProperties, { hw_vif_model: 'e1000', hw_machine_type: 'q35' });
  t.equal(record.machine, '', 'no host has started it');
});
