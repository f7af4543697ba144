import { open } from 'node:fs/promises';
import { ShoalError } from '../base/errors.ts';

/** Largest file of vendor data, bytes: every guest of the host gets a copy. */
const vendorDataBytesMax = 256 * 1024;

/**
 * What the operator tells every guest (`vendor_data.json`), from the file that `compute.vendorDataPath` names, as compact
 * JSON; `{}` where it names none. Throws `CONFIG_INVALID` when the file cannot be read, is too large, or is no JSON object.
 */
export async function readVendorData(path: string): Promise<string> {
  if (path === '') return '{}';
  const refuse = (why: string, cause?: unknown): never => {
    throw new ShoalError('CONFIG_INVALID', `compute.vendorDataPath: ${path} ${why}`, { cause });
  };
  const bytes = await firstBytes(path, vendorDataBytesMax + 1).catch((caught: unknown) =>
    refuse(`cannot be read: ${caught instanceof Error ? caught.message : String(caught)}`, caught),
  );
  if (bytes.length > vendorDataBytesMax) refuse(`is larger than ${vendorDataBytesMax} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (caught) {
    refuse(`is no JSON in UTF-8: ${caught instanceof Error ? caught.message : String(caught)}`, caught);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) refuse('is no JSON object');
  return JSON.stringify(parsed);
}

async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffer = new Uint8Array(count);
    let length = 0;
    while (length < count) {
      const { bytesRead } = await file.read(buffer, length, count - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}
