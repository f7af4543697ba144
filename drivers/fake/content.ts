/** What a fake disk holds, as bytes: the word for it at the disk's beginning, and zeros behind it. */
import type { DiskRange } from '../types.ts';

const sectorBytes = 512;
const mark = 'fake content: ';

/** As `exportDisk` gives it; all of the disk, or only what differs from another content. */
export async function* bytesOfContent(content: string, sizeBytes: number, whole: boolean): AsyncGenerator<DiskRange> {
  const text = new TextEncoder().encode(content === '' ? '' : `${mark}${content}`);
  const lengthBytes = Math.min(sizeBytes, Math.max(1, Math.ceil(text.length / sectorBytes)) * sectorBytes);
  const data = new Uint8Array(lengthBytes);
  data.set(text.subarray(0, lengthBytes));
  if (content === '') yield { offsetBytes: 0, lengthBytes };
  else yield { offsetBytes: 0, lengthBytes, data };
  if (whole && sizeBytes > lengthBytes) yield { offsetBytes: lengthBytes, lengthBytes: sizeBytes - lengthBytes };
}

/** The word in what was written at a disk's beginning. Other bytes than a fake disk's stand for themselves. */
export function contentOfBytes(data: Uint8Array | undefined): string {
  if (data === undefined || data.every((byte) => byte === 0)) return '';
  const text = new TextDecoder().decode(data.subarray(0, sectorBytes)).replace(/\0.*$/s, '');
  return text.startsWith(mark) ? text.slice(mark.length) : `bytes ${Buffer.from(data).toString('hex').slice(0, 64)}`;
}
