/** Formats that an image of a volume can be made in. Of those that Cinder has, vhd, vhdx and ploop are none. */
export const uploadFormats = ['raw', 'qcow2', 'vmdk', 'vdi'] as const;
