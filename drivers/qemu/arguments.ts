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
import type { GuestSpec } from '../types.ts';
import type { GuestPaths } from './confinement/run-files.ts';
import { checkGuestDisk, threadsOfRbdDisk } from './disks/check-guest-disk.ts';
import { type DevicePlaces, diskDevice, diskDeviceId, diskNodes, scsiController } from './disks/disk-nodes.ts';
import { agentChardev } from './guest/guest-agent.ts';
import { checkNic, netdevIdOf, nicIdOf } from './nics/nic-device.ts';

/** What is the same for every guest of a host. */
export interface MachineSettings {
  readonly binary: string;
  /** Pinned machine type, e.g. `pc-i440fx-7.2`. */
  readonly machine: string;
  readonly accelerator: 'kvm' | 'tcg';
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
}

/**
 * QEMU's arguments, without the program and what stands before it. Throws `INVALID_ARGUMENT` for a bad spec.
 * @param places where a guest whose memory was saved had its devices: this QEMU waits for that memory. Absent: it boots.
 */
export function qemuArguments(
  spec: GuestSpec,
  paths: GuestPaths,
  settings: MachineSettings,
  places?: DevicePlaces,
): readonly string[] {
  checkGuestSpec(spec);
  const argv: string[] = [];
  const placeOf = (id: string): string => {
    const entries = Object.entries(places?.get(id) ?? {});
    return entries.map(([name, value]) => `,${name}=${value}`).join('');
  };
  argv.push('-name', `guest=${guestName(spec)},debug-threads=on`, '-uuid', spec.serverId);
  argv.push('-S', '-no-shutdown', '-no-user-config', '-nodefaults', '-pidfile', paths.pidFile);
  argv.push('-machine', settings.machine);
  argv.push('-accel', settings.accelerator === 'kvm' ? 'kvm' : `tcg,tb-size=${tcgCacheMib}`);
  argv.push('-cpu', guestCpuOf(settings.accelerator));
  argv.push('-smp', `cpus=${spec.vcpus}`, '-m', `size=${spec.memoryMib}M`, '-rtc', 'base=utc');
  argv.push('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny');
  // cloud-init looks for this product name before it asks the metadata address.
  argv.push('-smbios', 'type=1,manufacturer=Shoal,product=OpenStack Compute');
  argv.push('-msg', 'timestamp=on', '-boot', 'strict=on');
  argv.push('-chardev', socketChardev('qmp', paths.qmpSocket), '-mon', 'chardev=qmp,mode=control');
  argv.push('-chardev', socketChardev('qmp-people', paths.peopleQmpSocket), '-mon', 'chardev=qmp-people,mode=control');
  const log = `,logfile=${escapeOption(paths.consoleLog)},logappend=on`;
  argv.push('-chardev', socketChardev('serial', paths.serialSocket) + log, '-serial', 'chardev:serial');
  argv.push('-vnc', `unix:${escapeOption(paths.vncSocket)}`, '-device', 'VGA,vgamem_mb=16');
  argv.push('-device', `virtio-balloon-pci,id=balloon,deflate-on-oom=on${placeOf('balloon')}`);
  // The guest may draw a kibibyte a second: enough to seed it, too little to hurt.
  argv.push('-object', 'rng-random,id=random,filename=/dev/urandom');
  argv.push('-device', 'virtio-rng-pci,rng=random,max-bytes=1024,period=1000');
  if (!disksComeLater(spec)) {
    if (places?.has(scsiController.id) ?? spec.disks.some((disk) => disk.bus === 'scsi')) {
      argv.push('-device', JSON.stringify({ ...scsiController, ...places?.get(scsiController.id) }));
    }
    for (const disk of spec.disks) {
      const { nodes, top } = diskNodes(disk);
      for (const node of nodes) argv.push('-blockdev', JSON.stringify(node));
      const device = diskDevice(disk, top);
      argv.push('-device', JSON.stringify({ ...device, ...places?.get(diskDeviceId(disk.volumeId)) }));
    }
  }
  for (const nic of spec.nics) {
    const id = nicIdOf(nic.portId);
    const netdev = netdevIdOf(nic.portId);
    argv.push('-netdev', `tap,id=${netdev},ifname=${nic.tapName},script=no,downscript=no`);
    // No option ROM: guests boot from disks.
    argv.push(
      '-device',
      `virtio-net-pci,id=${id},netdev=${netdev},mac=${nic.mac},host_mtu=${nic.mtu},romfile=${placeOf(id)}`,
    );
  }
  // Behind all else, so that what is older keeps its place on the bus.
  argv.push(
    '-device',
    `virtio-serial-pci,id=channels${placeOf('channels')}`,
    '-chardev',
    socketChardev(agentChardev, paths.agentSocket),
  );
  argv.push('-device', `virtserialport,bus=channels.0,chardev=${agentChardev},name=org.qemu.guest_agent.0`);
  if (places !== undefined) argv.push('-incoming', 'defer');
  return argv;
}

/**
 * Whether the disks are added over the monitor, before the guest runs, and stand on no command line: when QEMU needs a secret
 * to open one of them. All of them then, so that the guest finds them in their order.
 */
export function disksComeLater(spec: GuestSpec): boolean {
  return spec.disks.some(({ encryption, source }) => encryption !== undefined || source.kind === 'nbd');
}

/** The processor that guests see, by QEMU's name for it. */
export function guestCpuOf(accelerator: 'kvm' | 'tcg'): string {
  return accelerator === 'kvm' ? 'host' : 'qemu64';
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
