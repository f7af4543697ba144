/** Devices of a guest that are neither disks nor NICs, in QEMU's words. Pure. */
import type { GuestHardware, VideoModel } from '../../types/hardware.ts';

/** QEMU's name of each display. */
const displays: Readonly<Record<Exclude<VideoModel, 'none'>, string>> = {
  vga: 'VGA',
  cirrus: 'cirrus-vga',
  vmvga: 'vmware-svga',
  virtio: 'virtio-vga',
  bochs: 'bochs-display',
};
/** Displays whose memory can be chosen, and the option. */
const memoryOptions: Readonly<Partial<Record<VideoModel, string>>> = {
  vga: 'vgamem_mb',
  cirrus: 'vgamem_mb',
  vmvga: 'vgamem_mb',
};
const videoMemoryMibDefault = 16;
/** The guest may draw a kibibyte a second: enough to seed it, too little to hurt. */
const rngDefault = { bytes: 1024, periodMs: 1000 };

/** The display. */
export function videoWords({ video = { model: 'vga' } }: GuestHardware): readonly string[] {
  const { model } = video;
  if (model === 'none') return [];
  const option = memoryOptions[model];
  const memory = option === undefined ? '' : `,${option}=${video.memoryMib ?? videoMemoryMibDefault}`;
  return ['-device', `${displays[model]}${memory}`];
}

/** Random numbers of the host. */
export function rngWords({ rng = rngDefault }: GuestHardware): readonly string[] {
  if (rng === 'none') return [];
  return [
    ...['-object', 'rng-random,id=random,filename=/dev/urandom'],
    ...['-device', `virtio-rng-pci,rng=random,max-bytes=${rng.bytes},period=${rng.periodMs}`],
  ];
}

/** Serial ports beside the console: they are there, and nobody is at their other end. */
export function serialWords({ serialPorts = 1 }: GuestHardware): readonly string[] {
  return [...Array(serialPorts - 1).keys()].flatMap((number) => {
    const id = `serial${number + 1}`;
    return ['-chardev', `null,id=${id}`, '-serial', `chardev:${id}`];
  });
}

/** Watchdog and pointer: behind all that was there before them, so that nothing moves on the bus. */
export function laterDeviceWords({ watchdog, tablet }: GuestHardware): readonly string[] {
  const words: string[] = [];
  if (watchdog !== undefined) words.push('-device', 'i6300esb,id=watchdog', '-action', `watchdog=${watchdog}`);
  if (tablet === 'usb') words.push('-device', 'qemu-xhci,id=usb', '-device', 'usb-tablet,bus=usb.0');
  if (tablet === 'virtio') words.push('-device', 'virtio-tablet-pci,id=tablet');
  return words;
}
