import { hostAttribute } from '../columns/host-attribute.ts';
import { compileJsonQuery } from '../matching/json-query.ts';
import type { ColumnsFilter } from './filter.ts';

/** The hint `query` (a JSON expression over host attributes) holds on the host. A malformed query passes nothing. */
export const jsonFilter: ColumnsFilter = {
  name: 'JsonFilter',
  purpose: 'the query hint holds on the host',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { query } = request.hints;
    if (query === undefined || query === '') return undefined;
    const compiled = compileJsonQuery(query);
    if (compiled.outcome === 'malformed') {
      return { passes: () => false, reason: () => `the query is malformed: ${compiled.why}` };
    }
    return {
      passes: (columns, slot) => compiled.holds((name) => hostAttribute(columns, slot, name)),
      reason: () => 'the query does not hold on the host',
    };
  },
};
