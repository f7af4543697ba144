/** What Glance has and this image API does not. */
import type { UnservedPart } from '../kit/unserved.ts';

/** Paths of Glance that answer 501 and say what is missing. */
export const unservedImage: readonly UnservedPart[] = [
  { what: 'the import of images (upload to /file)', paths: ['/v2/images/:id/import', '/v2/images/:id/stage'] },
  { what: 'locations of images', paths: ['/v2/images/:id/locations'] },
  { what: 'the making of tasks (upload to /file)', paths: ['/v2/tasks'] },
  { what: 'the cache (each host keeps what it runs)', paths: ['/v2/cache', '/v2/cached_images', '/v2/queued_images'] },
  { what: 'definitions of metadata', paths: ['/v2/metadefs', '/v2/schemas/metadefs'] },
  { what: 'several stores', paths: ['/v2/stores'] },
  { what: 'version 1 of the image API', paths: ['/v1'] },
];
