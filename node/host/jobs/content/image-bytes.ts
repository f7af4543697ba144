/** The content of a disk as an image of a format has it. */
import type { DiskExport } from '../../../../drivers/types.ts';
import { qcow2Format } from './qcow2-layout.ts';
import { rawBytes } from './raw-bytes.ts';
import { type ImageBytes, type SparseFormat, sparseImage } from './sparse-image.ts';
import { vdiFormat } from './vdi-layout.ts';
import { vmdkFormat } from './vmdk-layout.ts';

/** Formats that an image of a disk can be made in. */
export type MadeFormat = 'raw' | 'qcow2' | 'vdi' | 'vmdk';

/**
 * The image, ready to be written. All but raw have no room for zeros, and read the disk twice.
 * @param imageId a UUID, which formats that have room for one bear.
 * @param open gives the content from its beginning, each time the same.
 */
export async function imageBytes(
  format: MadeFormat,
  imageId: string,
  open: () => Promise<DiskExport>,
  progress: (percent: number) => void,
): Promise<ImageBytes> {
  if (format === 'raw') {
    const content = await open();
    return { sizeBytes: content.sizeBytes, bytes: rawBytes(content, progress) };
  }
  return sparseImage(formatOf(format, Buffer.from(imageId.replaceAll('-', ''), 'hex')), open, progress);
}

function formatOf(format: Exclude<MadeFormat, 'raw'>, uuid: Buffer): SparseFormat {
  switch (format) {
    case 'qcow2':
      return qcow2Format;
    case 'vdi':
      return vdiFormat(uuid);
    case 'vmdk':
      return vmdkFormat(uuid.readUInt32BE() >>> 1);
  }
}
