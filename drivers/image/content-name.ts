/** What storage names its copies of images by. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { ShoalError } from '../../node/base/errors.ts';
import type { ImageId, ImageSha256 } from '../../node/base/ids.ts';
import { isMissing } from '../../node/base/system-error.ts';

const sha256Pattern = /^[0-9a-f]{64}$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 64 hex digits in lower case; capitals would be a second name of the same content. */
export function isImageSha256(name: string): name is ImageSha256 {
  return sha256Pattern.test(name);
}

/** An image's id, by which versions before 0.2 named their copies. */
function isLegacyImageName(name: string): name is ImageId {
  return uuidPattern.test(name);
}

/** Throws `INVALID_ARGUMENT` for what is no SHA-256 in lower-case hex. */
export function checkImageSha256(name: string): void {
  if (!isImageSha256(name)) throw new ShoalError('INVALID_ARGUMENT', `'${name}' is not a SHA-256 in lower-case hex`);
}

/** As `checkImageSha256`, but lets an id pass, too: for the removal of what an earlier version left. */
export function checkImageName(name: string): void {
  if (!isLegacyImageName(name)) checkImageSha256(name);
}

/** What is at the bottom of a disk, from the name of the copy that it lies on. */
export function imageBelow(name: string | undefined): {
  readonly imageSha256?: ImageSha256;
  readonly legacyImageId?: ImageId;
} {
  if (name === undefined) return {};
  if (isImageSha256(name)) return { imageSha256: name };
  return isLegacyImageName(name) ? { legacyImageId: name } : {};
}

/** Reads the whole file; throws `IDENTITY_MISMATCH` unless its content is what it is called. */
export async function mustBeContent(path: string, sha256: ImageSha256, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 }))
      hash.update(chunk as Buffer);
  } catch (caught) {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'checking an image was cancelled');
    throw ShoalError.from(caught, isMissing(caught) ? 'NOT_FOUND' : 'DRIVER_FAILED', `reading ${path}`);
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new ShoalError('IDENTITY_MISMATCH', `${path} is not the image that it is called`, {
    facts: { expected: sha256, found },
  });
}
