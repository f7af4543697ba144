/**
 * From a guest's spec to QEMU's command line. Pure: the same spec gives the same words, so that tests compare text.
 *
 * Choices that matter:
 * - The machine type is pinned: a guest keeps its hardware over upgrades of QEMU.
 * - `-S` starts with the CPU stopped, so that the process is on record before the guest does anything.
 * - `-no-shutdown` keeps QEMU after the guest powered off, so that no power-off is missed while the agent is away.
 * - An explicit `raw` or `qcow2` node stands above each protocol node: QEMU never guesses a format.
 * - `werror=stop,rerror=stop`: a fenced or broken disk stops the guest instead of feeding it errors.
 * - No `-daemonize`: it cannot be combined with the whole sandbox.
 */
import { ShoalError } from '../../node/base/errors.ts';
import { gibBytes, mibBytes } from '../../node/base/units.ts';
import type { GuestHardware } from '../types/hardware.ts';
import type { GuestSpec } from '../types.ts';
import type { GuestPaths } from './confinement/run-files.ts';
import { checkGuestDisk, threadsOfRbdDisk } from './disks/check-guest-disk.ts';
import { type DevicePlaces, diskDevice, diskDeviceId, diskNodes, scsiController } from './disks/disk-nodes.ts';
import { agentChardev } from './guest/guest-agent.ts';
import { hardwareFault } from './hardware/check-hardware.ts';
import { cpuWords, memoryIsOneObject, memoryWords } from './hardware/cpu-and-memory.ts';
import { laterDeviceWords, rngWords, serialWords, videoWords } from './hardware/devices.ts';
import { DiskBuses } from './hardware/disk-buses.ts';
import { type FirmwareFiles, firmwareOfMachine, firmwareWords } from './hardware/firmware.ts';
import { SlotOrder, slotWords } from './hardware/pci-slots.ts';
import { checkNic, isExpressNic, nicDevice, nicIdOf, nicNetdev } from './nics/nic-device.ts';

/** What a host gives to its guests. */
export interface MachineSettings {
  readonly binary: string;
  /** The guest's machine, pinned, e.g. `pc-i440fx-7.2`. */
  readonly machine: string;
  readonly accelerator: 'kvm' | 'tcg';
  /** Absent: no guest boots by UEFI. */
  readonly firmware?: FirmwareFiles;
}

/** Translated code that TCG may keep. QEMU's own default of 1 GiB a guest would make memory use hard to foresee. */
const tcgCacheMib = 64;
/**
 * What QEMU may allocate beyond the guest's own memory: device models, TCG's cache, and the stacks of librbd's threads
 * (about 60, 8 MiB each, mostly never touched). A bound against a QEMU gone wild, not an estimate.
 */
const qemuOverheadBytesMax = 2 * gibBytes;

/** Bounds of a guest; QEMU's pc machine takes 255 vCPUs. */
const vcpusMax = 255;
const memoryMibMin = 16;
const memoryMibMax = 4 * 1024 * 1024;
/** pc-i440fx has 31 free PCI slots; display, balloon, random numbers and the config drive take some. */
const devicesMax = 26;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Refuses what QEMU could misread. `INVALID_ARGUMENT` names the field. */
export function checkGuestSpec(spec: GuestSpec): void {
  const refuse = (what: string): never => {
    throw new ShoalError('INVALID_ARGUMENT', `guest ${spec.serverId}: ${what}`);
  };
  const inRange = (value: number, least: number, most: number): boolean =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  if (!uuidPattern.test(spec.serverId)) refuse('its id is not a lower-case UUID');
  if (!inRange(spec.generation, 0, Number.MAX_SAFE_INTEGER)) refuse(`generation ${spec.generation}`);
  if (!inRange(spec.vcpus, 1, vcpusMax)) refuse(`${spec.vcpus} vCPUs, not 1 to ${vcpusMax}`);
  if (!inRange(spec.memoryMib, memoryMibMin, memoryMibMax)) refuse(`${spec.memoryMib} MiB of memory`);
  if (spec.disks.length + spec.nics.length > devicesMax) refuse(`more than ${devicesMax} disks and NICs`);
  for (const disk of spec.disks) checkGuestDisk(disk);
  for (const nic of spec.nics) checkNic(nic, `guest ${spec.serverId}`);
  const fault = hardwareFault(spec);
  if (fault !== undefined) refuse(fault);
}

/** What the arguments of one guest are made of. */
interface Parts {
  readonly spec: GuestSpec;
  readonly hardware: GuestHardware;
  readonly paths: GuestPaths;
  readonly settings: MachineSettings;
  readonly places: DevicePlaces | undefined;
  readonly slots: SlotOrder;
}

/**
 * QEMU's arguments, without the program and what stands before it. Throws `INVALID_ARGUMENT` for a bad spec, `DRIVER_FAILED` for a
 * firmware that the host does not have.
 * @param places where a guest whose memory was saved had its devices: this QEMU waits for that memory. Absent: it boots.
 */
export function qemuArguments(
  spec: GuestSpec,
  paths: GuestPaths,
  settings: MachineSettings,
  places?: DevicePlaces,
): readonly string[] {
  checkGuestSpec(spec);
  const slots = new SlotOrder(settings.machine);
  const parts: Parts = { spec, hardware: spec.hardware ?? {}, paths, settings, places, slots };
  return [
    ...processWords(parts),
    ...machineWords(parts),
    ...channelWords(parts),
    ...deviceWords(parts),
    ...diskWords(parts),
    ...nicWords(parts),
    // Behind all else, so that what is older keeps its place on the bus.
    ...agentWords(parts),
    ...laterDeviceWords(parts.hardware),
    ...(places === undefined ? [] : ['-incoming', 'defer']),
  ];
}

/** The process: what it is called, where it notes its number, and that it waits for the agent. */
function processWords({ spec, paths }: Parts): readonly string[] {
  return [
    ...['-name', `guest=${guestName(spec)},debug-threads=on`, '-uuid', spec.serverId],
    ...['-S', '-no-shutdown', '-no-user-config', '-nodefaults', '-pidfile', paths.pidFile],
  ];
}

/** The board: its processors, memory, firmware and clock, and what QEMU itself may do. */
function machineWords({ spec, hardware, paths, settings }: Parts): readonly string[] {
  const hpet = hardware.hpet === undefined ? '' : `,hpet=${hardware.hpet ? 'on' : 'off'}`;
  const memory = memoryIsOneObject(hardware) ? ',memory-backend=ram0' : '';
  return [
    ...['-machine', `${settings.machine}${hpet}${firmwareOfMachine(hardware)}${memory}`],
    ...['-accel', settings.accelerator === 'kvm' ? 'kvm' : `tcg,tb-size=${tcgCacheMib}`],
    ...cpuWords(spec, settings.accelerator),
    ...memoryWords(spec),
    ...['-rtc', `base=${hardware.clock ?? 'utc'}`],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    // cloud-init looks for this product name before it asks the metadata address.
    ...['-smbios', 'type=1,manufacturer=Shoal,product=OpenStack Compute'],
    ...['-msg', 'timestamp=on', '-boot', `strict=on${hardware.bootMenu === true ? ',menu=on' : ''}`],
    ...firmwareWords(hardware, settings.firmware, paths.variables),
  ];
}

/** Monitors and the console. */
function channelWords({ hardware, paths }: Parts): readonly string[] {
  const log = `,logfile=${escapeOption(paths.consoleLog)},logappend=on`;
  return [
    ...['-chardev', socketChardev('qmp', paths.qmpSocket), '-mon', 'chardev=qmp,mode=control'],
    ...['-chardev', socketChardev('qmp-people', paths.peopleQmpSocket), '-mon', 'chardev=qmp-people,mode=control'],
    ...['-chardev', socketChardev('serial', paths.serialSocket) + log, '-serial', 'chardev:serial'],
    ...serialWords(hardware),
  ];
}

/** What every guest has. */
function deviceWords({ hardware, paths, settings, places }: Parts): readonly string[] {
  return [
    ...slotWords(settings.machine),
    ...['-vnc', `unix:${escapeOption(paths.vncSocket)}`],
    ...videoWords(hardware),
    ...['-device', `virtio-balloon-pci,id=balloon,deflate-on-oom=on${placeOf(places, 'balloon')}`],
    ...rngWords(hardware),
  ];
}

function diskWords({ spec, hardware, settings, places, slots }: Parts): readonly string[] {
  if (disksComeLater(spec)) return [];
  const words: string[] = [];
  if (places?.has(scsiController.id) ?? spec.disks.some((disk) => disk.bus === 'scsi')) {
    words.push('-device', JSON.stringify({ ...scsiController, ...slots.next(), ...places?.get(scsiController.id) }));
  }
  const buses = new DiskBuses(settings.machine, slots);
  words.push(...buses.controllerWords(spec.disks));
  for (const disk of spec.disks) {
    const { nodes, top } = diskNodes(disk);
    for (const node of nodes) words.push('-blockdev', JSON.stringify(node));
    const id = diskDeviceId(disk.volumeId);
    const hasThread = hardware.ioThreads === true && (disk.bus ?? 'virtio') === 'virtio';
    if (hasThread) words.push('-object', `iothread,id=io-${id}`);
    const device = { ...diskDevice(disk, top), ...(hasThread ? { iothread: `io-${id}` } : {}) };
    words.push('-device', JSON.stringify({ ...device, ...buses.next(disk), ...places?.get(id) }));
  }
  return words;
}

function nicWords({ spec, places, slots }: Parts): readonly string[] {
  return spec.nics.flatMap((nic) => {
    const { type, ...netdev } = nicNetdev(nic);
    const { driver, ...device } = nicDevice(nic);
    const place = isExpressNic(nic) ? slots.next() : {};
    const where = { ...place, ...places?.get(nicIdOf(nic.portId)) };
    return ['-netdev', optionText(type, netdev), '-device', optionText(driver, { ...device, ...where })];
  });
}

/** `virtio-net-pci,id=nic,mq=on`. */
function optionText(first: unknown, options: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(options).map(([name, value]) => `${name}=${value === true ? 'on' : String(value)}`);
  return [String(first), ...words].join();
}

/** The channel of the guest's agent. */
function agentWords({ hardware, paths, places }: Parts): readonly string[] {
  if (hardware.agent === false) return [];
  return [
    ...['-device', `virtio-serial-pci,id=channels${placeOf(places, 'channels')}`],
    ...['-chardev', socketChardev(agentChardev, paths.agentSocket)],
    ...['-device', `virtserialport,bus=channels.0,chardev=${agentChardev},name=org.qemu.guest_agent.0`],
  ];
}

function placeOf(places: DevicePlaces | undefined, id: string): string {
  const entries = Object.entries(places?.get(id) ?? {});
  return entries.map(([name, value]) => `,${name}=${value}`).join('');
}

/**
 * Whether the disks are added over the monitor, before the guest runs, and stand on no command line: when QEMU needs a secret
 * to open one of them. All of them then, so that the guest finds them in their order.
 */
export function disksComeLater(spec: GuestSpec): boolean {
  return spec.disks.some(({ encryption, source }) => encryption !== undefined || source.kind === 'nbd');
}

/** Bytes that QEMU may use for this guest: the bound of its control group. */
export function dataBytesMax(spec: GuestSpec): number {
  return spec.memoryMib * mibBytes + qemuOverheadBytesMax;
}

/** Threads of QEMU beside the vCPUs: 64 for files, the rest for itself. With room. */
const threadsOfQemu = 128;
/** Their stacks, 8 MiB each, mostly never touched. */
const stacksOfRbdDiskBytes = 512 * mibBytes;

/**
 * Bytes that QEMU may allocate for this guest, used or not: RLIMIT_DATA. With the stacks of librbd's threads for every disk that may
 * be plugged in later, as this bound can be raised by nobody without CAP_SYS_RESOURCE, which root in a container has not.
 */
export function allocationBytesMax(spec: GuestSpec): number {
  return dataBytesMax(spec) + devicesMax * stacksOfRbdDiskBytes;
}

/** Threads that QEMU may have for this guest. */
export function threadsMax(spec: GuestSpec): number {
  const rbdDisks = spec.disks.filter((disk) => disk.source.kind === 'rbd').length;
  return spec.vcpus + threadsOfQemu + rbdDisks * threadsOfRbdDisk;
}

/** QEMU's name for the guest: what people called it, and the generation, which an adopting agent reads back. */
export function guestName(spec: Pick<GuestSpec, 'name' | 'generation'>): string {
  const clean = spec.name.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 64);
  return `${clean === '' ? 'guest' : clean}.g${spec.generation}`;
}

/** The generation in a name made by `guestName`; undefined for any other name. */
export function generationOfName(name: string): number | undefined {
  const digits = /\.g([0-9]{1,16})$/.exec(name)?.[1];
  const generation = Number(digits);
  return digits !== undefined && Number.isSafeInteger(generation) ? generation : undefined;
}

function socketChardev(id: string, path: string): string {
  return `socket,id=${id},path=${escapeOption(path)},server=on,wait=off`;
}

/** QEMU splits options at commas; a doubled one stands for itself. */
function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}
