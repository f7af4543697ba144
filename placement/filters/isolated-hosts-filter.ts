import type { ColumnsFilter } from './filter.ts';

/** Isolated images go to isolated hosts only; by configuration isolated hosts take nothing else. */
export const isolatedHostsFilter: ColumnsFilter = {
  name: 'IsolatedHostsFilter',
  purpose: 'isolated images run on isolated hosts, other images elsewhere',
  scope: 'columns',
  onRebuild: true,
  compile(request, configuration) {
    const { imageIds, hostNames, restrictHostsToImages } = configuration.isolated;
    const hosts = new Set(hostNames);
    const isolatedImage = imageIds.includes(request.imageId);
    if (!isolatedImage && (!restrictHostsToImages || hosts.size === 0)) return undefined;
    return {
      passes: (columns, slot) => hosts.has(columns.hostNames[slot] ?? '') === isolatedImage,
      reason: () =>
        isolatedImage ? 'the image is isolated and the host is not' : 'the host is isolated and the image is not',
    };
  },
};
