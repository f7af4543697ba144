/**
 * What a fake disk holds, as bytes: the word for it at the disk's beginning, and zeros behind it. Of what is written to it,
 * its first sector is kept.
 */
import type { DiskRange } from '../types.ts';

const sectorBytes = 512;
/** What the bytes of a disk with a word begin with. */
export const contentMark = 'fake content: ';
/** Words for bytes that no fake disk made. */
const bytesWord = 'bytes ';

/** As `exportDisk` gives it; all of the disk, or only what differs from another content. */
export async function* bytesOfContent(content: string, sizeBytes: number, whole: boolean): AsyncGenerator<DiskRange> {
  const lengthBytes = Math.min(sizeBytes, sectorBytes);
  if (content === '') yield { offsetBytes: 0, lengthBytes };
  else {
    const data = new Uint8Array(lengthBytes);
    const bytes = content.startsWith(bytesWord)
      ? Buffer.from(content.slice(bytesWord.length), 'base64')
      : Buffer.from(`${contentMark}${content}`);
    data.set(bytes.subarray(0, lengthBytes));
    yield { offsetBytes: 0, lengthBytes, data };
  }
  if (whole && sizeBytes > lengthBytes) yield { offsetBytes: lengthBytes, lengthBytes: sizeBytes - lengthBytes };
}

/** What a disk holds while it is being filled with a content: neither what it held before nor that. */
export function halfWritten(content: string): string {
  return `half of ${content}`;
}

/** The word in what was written at a disk's beginning. */
export function contentOfBytes(data: Uint8Array | undefined): string {
  const first = Buffer.from(data?.subarray(0, sectorBytes) ?? []);
  const length = first.findLastIndex((byte) => byte !== 0) + 1;
  if (length === 0) return '';
  const bytes = first.subarray(0, length);
  const text = bytes.toString('utf8');
  return text.startsWith(contentMark) ? text.slice(contentMark.length) : `${bytesWord}${bytes.toString('base64')}`;
}
