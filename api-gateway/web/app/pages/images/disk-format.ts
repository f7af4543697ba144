/** What a file of an image is, by its first bytes. Pure. */

/** Formats that the page offers. */
export const diskFormats: readonly string[] = ['qcow2', 'raw', 'iso', 'vmdk', 'vhd', 'vdi'];

const beginnings: readonly (readonly [string, string])[] = [
  ['qcow2', 'QFI\u00fb'],
  ['vmdk', 'KDMV'],
  ['vmdk', '# Disk DescriptorFile'],
  ['vhd', 'conectix'],
  ['vdi', '<<< '],
];

/** An ISO has its mark after 32 KiB, so its name has to do. Anything unknown is raw, as disks are. */
export function formatOf(name: string, start: Uint8Array): string {
  const text = String.fromCharCode(...start.subarray(0, 32));
  const found = beginnings.find(([, beginning]) => text.startsWith(beginning));
  if (found !== undefined) return found[0];
  return /\.iso$/iu.test(name) ? 'iso' : 'raw';
}
