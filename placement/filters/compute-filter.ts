import type { ColumnsFilter } from './filter.ts';

/** The host is enabled by its operators and its agent answers. */
export const computeFilter: ColumnsFilter = {
  name: 'ComputeFilter',
  purpose: 'the host is enabled and its agent is up',
  scope: 'columns',
  onRebuild: false,
  compile: () => ({
    bounds: [{ column: 'takesGuests', least: 1 }],
    passes: (columns, slot) => columns.takesGuests[slot] === 1,
    reason: (columns, slot) => (columns.up[slot] === 1 ? 'the host is disabled' : 'the host is down'),
    detail: (columns, slot) =>
      columns.up[slot] === 1
        ? `the host is disabled: ${columns.disabledReasons[slot] || 'no reason was given'}`
        : 'the host is down: its agent does not answer',
  }),
};
