/** The copies of images that this host has made in its storages, to be removed when no record has the image any more. */
import { isImageSha256 } from '../../../drivers/image/content-name.ts';
import type { StorageDriver } from '../../../drivers/types.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ImageId, ImageSha256 } from '../../base/ids.ts';
import { imageTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { HostStore } from '../../store/host/host-store.ts';

const prefix = 'storage-image/';

/** Notes that `storage` is about to get a copy of the image. Durable when it resolves. */
export async function noteStorageImage(store: HostStore, storage: string, sha256: ImageSha256): Promise<void> {
  await store.write([{ key: `${prefix}${storage}/${sha256}`, value: true }]);
}

/**
 * Removes storage's own copies of images that this host made and that no record has any more. One that disks still hang
 * on stays, and is tried again at the next call. One that cannot be removed does not keep the others from it: the first
 * such failure is thrown at the end.
 */
export async function dropUnusedImages(
  host: { readonly store: HostStore; readonly storage: ReadonlyMap<string, StorageDriver> },
  reader: StateReader,
  signal: AbortSignal,
): Promise<void> {
  let failure: unknown;
  for (const [key] of host.store.entries(prefix)) {
    const [storageName = '', name = ''] = key.slice(prefix.length).split('/');
    const storage = host.storage.get(storageName);
    // Copies by an image's id are an earlier version's: no new disk is made of them.
    const isNamed = isImageSha256(name) && imageTable.by(reader, 'sha256', name).length > 0;
    if (storage === undefined || isNamed) continue;
    try {
      await storage.removeImage(name as ImageSha256 | ImageId, signal);
      await host.store.write([{ key, value: undefined }]);
    } catch (caught) {
      if (!ShoalError.is(caught, 'CONFLICT')) failure ??= caught;
    }
  }
  if (failure !== undefined) throw ShoalError.from(failure, 'DRIVER_FAILED');
}
