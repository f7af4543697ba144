/** Images as storage drivers are given them. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { runCommand } from '../../../drivers/command.ts';
import type { ImageFile } from '../../../drivers/types.ts';
import type { ImageSha256 } from '../../../node/base/ids.ts';

/** The file as an image, under its true name. */
export async function imageFileAt(
  path: string,
  about: Pick<ImageFile, 'format' | 'virtualSizeBytes'>,
): Promise<ImageFile> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex') as ImageSha256;
  return { sha256, path, ...about };
}

/** A new image of that size, which begins with `text` and is like no other. */
export async function newImageFile(
  path: string,
  { format, virtualSizeBytes, text = 'content' }: Pick<ImageFile, 'format' | 'virtualSizeBytes'> & { text?: string },
): Promise<ImageFile> {
  const raw = format === 'raw' ? path : `${path}.raw`;
  await writeFile(raw, `${text} ${randomUUID()}`);
  await truncate(raw, virtualSizeBytes);
  if (format === 'qcow2') await runCommand(['qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, path]);
  return imageFileAt(path, { format, virtualSizeBytes });
}

/** A name that no content has. */
export function randomSha256(): ImageSha256 {
  return createHash('sha256').update(randomUUID()).digest('hex') as ImageSha256;
}
