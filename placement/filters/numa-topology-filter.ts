import { fitNuma } from '../devices/numa.ts';
import type { ColumnsFilter } from './filter.ts';

/** The requested NUMA cells, pinned CPUs and huge pages fit on the host. */
export const numaTopologyFilter: ColumnsFilter = {
  name: 'NUMATopologyFilter',
  purpose: 'the requested NUMA cells, pinned CPUs and huge pages fit on the host',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { numa } = request.needs;
    if (numa === undefined) return undefined;
    return {
      passes: (columns, slot) => fitNuma(columns.numaCells[slot] ?? [], columns.numaTaken(slot), numa) !== undefined,
      reason: (columns, slot) =>
        (columns.numaCells[slot] ?? []).length === 0
          ? 'the host does not tell its NUMA layout'
          : `${numa.cells.length} NUMA cells${numa.dedicated ? ' with CPUs of their own' : ''} do not fit on the host`,
    };
  },
};
