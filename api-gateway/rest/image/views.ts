/** Image records as Glance words them. Paths are below the image endpoint, without the base URL, as Glance gives them. */

import { statusName } from '../../../node/services/image/image.ts';
import type { shoal } from '../../../proto/messages.ts';

/** `2024-01-01T00:00:00Z`. */
export function glanceTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** What is not known yet is null, never an empty text. */
const known = (text: string): string | null => (text === '' ? null : text);

/** Fields that only Glance sets. */
export const readOnlyFields: ReadonlySet<string> = new Set([
  'status',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'size',
  'virtual_size',
  'created_at',
  'updated_at',
  'self',
  'file',
  'schema',
  'direct_url',
  'locations',
  'stores',
  'deleted',
  'deleted_at',
]);

/**
 * An image, its own properties beside the fields. Sizes are bytes, `min_disk` GiB, `min_ram` MiB; what only the content
 * tells is null until it is uploaded. An inert image (a format that the host never opens) has no virtual size.
 */
export function imageView(image: shoal.v1.Image) {
  const hasContent = image.sha256 !== '';
  return {
    // A property cannot take the place of a field: those names are refused when it is set.
    ...image.properties,
    id: image.id,
    name: known(image.name),
    status: statusName(image),
    visibility: image.visibility,
    protected: image.protected,
    os_hidden: image.hidden,
    disk_format: known(image.diskFormat),
    container_format: known(image.containerFormat),
    size: hasContent ? image.sizeBytes : null,
    virtual_size: hasContent && !image.inert ? image.virtualSizeBytes : null,
    checksum: known(image.md5),
    os_hash_algo: hasContent ? 'sha512' : null,
    os_hash_value: known(image.sha512),
    min_disk: image.minDiskGib,
    min_ram: image.minMemoryMib,
    owner: image.projectId,
    tags: image.tags,
    created_at: glanceTime(image.createdMs),
    updated_at: glanceTime(image.updatedMs),
    self: `/v2/images/${image.id}`,
    file: `/v2/images/${image.id}/file`,
    schema: '/v2/schemas/image',
  };
}
