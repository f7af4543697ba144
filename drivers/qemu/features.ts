/** What an installed QEMU can give to guests, asked of itself. */
import type { CommandRunner } from '../command.ts';

/** Devices that are told of: what our guests are made of, and what a later version may use. */
const toldDevices = [
  ...['virtio-blk-pci', 'virtio-net-pci', 'virtio-rng-pci', 'virtio-gpu-pci', 'VGA', 'vfio-pci'],
  ...['scsi-hd', 'ide-hd', 'ich9-ahci', 'i6300esb'],
  ...['e1000', 'e1000e', 'ne2k_pci', 'pcnet', 'rtl8139', 'vmxnet3'],
  ...['cirrus-vga', 'vmware-svga', 'virtio-vga', 'bochs-display'],
];

/** Which of the devices that are of interest this QEMU has, in that order. Throws `COMMAND_MISSING`, `COMMAND_FAILED`. */
export async function readQemuDevices(
  run: CommandRunner,
  binary: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { stdout } = await run([binary, '-device', 'help'], { signal });
  const known = new Set(parseDeviceHelp(stdout));
  return toldDevices.filter((name) => known.has(name));
}

/** The names in what `-device help` prints: `name "virtio-blk-pci", bus PCI, alias "virtio-blk"`. */
export function parseDeviceHelp(text: string): readonly string[] {
  return [...text.matchAll(/^name "([^"]{1,128})"/gm)].map((match) => match[1] ?? '');
}
