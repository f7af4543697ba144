/** OpenStack's Placement API, which is not here: a host's room is the host's to give, not a table's to allocate. */
import type { UnservedPart } from '../kit/unserved.ts';

/** Paths of OpenStack's Placement API: they answer 501 and say where Shoal's own questions are. */
export const unservedPlacement: readonly UnservedPart[] = [
  {
    what: "OpenStack's Placement API (hosts admit servers themselves; ask /placement/shoal/v1/explain)",
    paths: [
      '/resource_providers',
      '/resource_classes',
      '/allocation_candidates',
      '/allocations',
      '/traits',
      '/usages',
      '/reshaper',
    ],
  },
];
