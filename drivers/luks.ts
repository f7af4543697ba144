/** LUKS version 1 as QEMU's `luks` driver writes it, for disks of which the storage keeps nothing but what it wrote. */
import { open } from 'node:fs/promises';
import { ShoalError } from '../node/base/errors.ts';
import { secretsOptions } from './qemu-tools.ts';
import type { DiskEncryption } from './types.ts';

/** The key is random and long: stretching it by more buys nothing, and each opening would wait for it. */
const iterationTimeMs = 50;
const measureTries = 20;
const sectorBytes = 512;

/** Options of creation, each with `prefix` before it, for a key of `encryption`. `INVALID_ARGUMENT` for a cipher QEMU has not. */
function luksCreateOptions(encryption: DiskEncryption): string {
  const { cipher, keyBits } = encryption;
  const [algorithm, mode, iv] = cipher.split('-');
  const bits = mode === 'xts' ? keyBits / 2 : keyBits;
  if (algorithm !== 'aes' || mode !== 'xts' || iv !== 'plain64' || (bits !== 128 && bits !== 256)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `a disk cannot be encrypted with ${cipher} and ${keyBits} bits; aes-xts-plain64 with 256 or 512 can`,
    );
  }
  return [
    'key-secret=secret0',
    `cipher-alg=aes-${bits}`,
    'cipher-mode=xts',
    'ivgen-alg=plain64',
    'hash-alg=sha256',
    `iter-time=${iterationTimeMs}`,
  ].join(',');
}

/** Runs one `qemu-img` that is given a passphrase. */
type QemuImg = (
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly stdin: string },
) => Promise<void>;

/**
 * Makes a file that holds empty LUKS for `sizeBytes` of content; but for its header it is a hole. Returns the header's length.
 * QEMU measures how fast this CPU stretches keys, and gives up when a loaded machine's clock shows no time: it is asked again.
 */
export async function makeLuksFile(
  qemuImg: QemuImg,
  path: string,
  wanted: { readonly encryption: DiskEncryption; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<number> {
  const { encryption, sizeBytes } = wanted;
  const options = luksCreateOptions(encryption);
  const argv = ['create', '-q', ...secretsOptions, '-f', 'luks', '-o', options, path, String(sizeBytes)];
  for (let tries = 1; ; tries += 1) {
    try {
      await qemuImg(argv, { signal, stdin: encryption.passphrase });
      return await luksHeaderBytes(path);
    } catch (caught) {
      const mayPass = caught instanceof Error && /Unable to get accurate CPU usage/.test(caught.message);
      if (!mayPass || tries >= measureTries) throw caught;
    }
  }
}

/** Bytes before the content. Throws `DRIVER_FAILED` for what has no header of version 1. */
async function luksHeaderBytes(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(108);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    if (
      bytesRead < header.length ||
      header.toString('latin1', 0, 6) !== 'LUKS\xba\xbe' ||
      header.readUInt16BE(6) !== 1
    ) {
      throw new ShoalError('DRIVER_FAILED', `${path} does not begin with a LUKS header of version 1`);
    }
    return header.readUInt32BE(104) * sectorBytes;
  } finally {
    await file.close();
  }
}
