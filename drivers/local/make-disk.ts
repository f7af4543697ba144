/** How a disk's file comes to be: empty, above an image, with a file system, encrypted. Always under another name first. */
import { rm } from 'node:fs/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { checkImageSha256 } from '../image/content-name.ts';
import { boundedQemuImg } from '../image/qemu-img.ts';
import { makeLuksFile } from '../luks.ts';
import { makeBlankFile } from '../make-file-system.ts';
import { optionValue, secretsOptions } from '../qemu-tools.ts';
import type { DiskEncryption, DiskSpec } from '../types.ts';
import { type DiskFiles, type DiskRecord, imageBeside, qcow2Options } from './disk-files.ts';

/** Makes the disk that is not there yet. `sizeBytes`: whole sectors. */
export async function makeDisk(
  files: DiskFiles,
  spec: DiskSpec,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const path = await files.newDiskPath(spec.volumeId);
  try {
    await files.publish(path, spec.volumeId, await fill(files, path, spec, { sizeBytes, signal }));
  } finally {
    await rm(path, { force: true });
  }
}

async function fill(
  files: DiskFiles,
  path: string,
  spec: DiskSpec,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<DiskRecord> {
  const below = await imageOf(files, spec, sizeBytes);
  if (spec.encryption !== undefined) {
    const record = await makeEncrypted(files, path, spec.encryption, { sizeBytes, signal });
    if (below !== undefined) {
      // LUKS begins with a header of its own, so it cannot lie on an image: it gets a copy.
      const argv = ['convert', '-n', ...secretsOptions, '-f', below.format, '--target-image-opts'];
      await files.qemuImg([...argv, files.imagePath(below.name, below.format), luksOptions(path)], {
        signal,
        stdin: spec.encryption.passphrase,
      });
      return { ...record, imageName: below.name };
    }
    return record;
  }
  if (spec.contents !== undefined) {
    const blank = `${path}.blank.tmp`;
    try {
      await makeBlankFile(files.run, blank, { sizeBytes, contents: spec.contents }, signal);
      await files.qemuImg(['convert', '-q', '-f', 'raw', '-O', 'qcow2', blank, path], { signal });
    } finally {
      await rm(blank, { force: true });
    }
    return {};
  }
  const backing = below === undefined ? [] : ['-b', imageBeside(below.name, below.format), '-F', below.format];
  await files.run(boundedQemuImg('create', '-q', '-f', 'qcow2', ...backing, path, String(sizeBytes)), { signal });
  return below === undefined ? {} : { imageName: below.name };
}

async function imageOf(
  files: DiskFiles,
  { imageSha256 }: DiskSpec,
  sizeBytes: number,
): Promise<{ readonly name: string; readonly format: 'qcow2' | 'raw' } | undefined> {
  if (imageSha256 === undefined) return undefined;
  checkImageSha256(imageSha256);
  const image = await files.image(imageSha256);
  if (image === undefined) throw new ShoalError('NOT_FOUND', `image ${imageSha256} is not on this storage`);
  if (sizeBytes < image.virtualSizeBytes) {
    const facts = { asked: sizeBytes, image: image.virtualSizeBytes };
    throw new ShoalError('INVALID_ARGUMENT', `a disk of ${sizeBytes} bytes is smaller than its image`, { facts });
  }
  return { name: imageSha256, format: image.format };
}

/** Makes a qcow2 file at `path` that holds empty LUKS for `sizeBytes` of content. */
export async function makeEncrypted(
  files: DiskFiles,
  path: string,
  encryption: DiskEncryption,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<{ readonly luksHeaderBytes: number }> {
  // qemu-img formats files only. This one holds the header and no more: the rest is a hole.
  const header = `${path}.luks.tmp`;
  try {
    const luksHeaderBytes = await makeLuksFile(
      (args, options) => files.qemuImg(args, options),
      header,
      { encryption, sizeBytes },
      signal,
    );
    await files.qemuImg(['convert', '-q', '-f', 'raw', '-O', 'qcow2', header, path], { signal });
    return { luksHeaderBytes };
  } finally {
    await rm(header, { force: true });
  }
}

/** QEMU's options that open what a guest sees of an encrypted disk, with the passphrase as `secret0`. */
export function luksOptions(path: string): string {
  return `driver=luks,key-secret=secret0,${qcow2Options(path, 'file.')}`;
}

/** QEMU's options that open what a guest sees of a disk that is served on a socket as it is. */
export function luksOverSocket(socketPath: string): string {
  const server = `file.server.type=unix,file.server.path=${optionValue(socketPath)}`;
  return `driver=luks,key-secret=secret0,file.driver=nbd,file.export=disk,${server}`;
}
