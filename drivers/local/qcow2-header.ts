/** What the header of a qcow2 file says (QEMU docs/interop/qcow2.rst). */
import { open } from 'node:fs/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { isMissing } from '../../node/base/system-error.ts';

/** qcow2 keeps sizes in sectors. */
export const sectorBytes = 512;

/** A disk's size and what lies below it. */
export interface Qcow2Header {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** The file below it, as named. */
  readonly backing?: string;
  /** Whether all that is not below is inside: no external data file. */
  readonly isAlone: boolean;
}

const headerBytes = 104;
const externalData = 4n;
/** Longest name of a backing file, by the format. */
const backingBytesMax = 1023;

/** Reads it; undefined when there is no such file, `DRIVER_FAILED` when it is none of this format. */
export async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const header = Buffer.alloc(headerBytes);
      const { bytesRead } = await file.read(header, 0, header.length, 0);
      if (bytesRead < header.length || header.toString('latin1', 0, 4) !== 'QFI\xfb') {
        throw new ShoalError('DRIVER_FAILED', `${path} is not a qcow2 file`);
      }
      const [backingAt, backingBytes] = [header.readBigUInt64BE(8), header.readUInt32BE(16)];
      const backing = Buffer.alloc(Math.min(backingBytes, backingBytesMax));
      if (backingAt !== 0n) await file.read(backing, 0, backing.length, Number(backingAt));
      const isVersion3 = header.readUInt32BE(4) >= 3;
      const { blocks } = await file.stat();
      return {
        sizeBytes: Number(header.readBigUInt64BE(24)),
        usedBytes: blocks * sectorBytes,
        ...(backingAt === 0n ? {} : { backing: backing.toString('utf8') }),
        isAlone: !isVersion3 || (header.readBigUInt64BE(72) & externalData) === 0n,
      };
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}
