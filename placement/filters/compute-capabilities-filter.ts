import { hostAttribute } from '../columns/host-attribute.ts';
import { satisfiesOperator } from '../matching/extra-spec-operators.ts';
import type { ColumnsFilter } from './filter.ts';

/**
 * The flavor's extra specs hold on the host's attributes: those in the `capabilities:` scope must; those with no scope
 * must where the host has such an attribute, and are ignored where it has not.
 */
export const computeCapabilitiesFilter: ColumnsFilter = {
  name: 'ComputeCapabilitiesFilter',
  purpose: "the flavor's `capabilities:` extra specs hold on the host",
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const required: { readonly name: string; readonly wanted: string; readonly scoped: boolean }[] = [];
    for (const [key, wanted] of Object.entries(request.extraSpecs)) {
      if (key.startsWith(scope)) required.push({ name: key.slice(scope.length), wanted, scoped: true });
      else if (!key.includes(':')) required.push({ name: key, wanted, scoped: false });
    }
    if (required.length === 0) return undefined;
    return {
      passes: (columns, slot) =>
        required.every(({ name, wanted, scoped }) => {
          const value = hostAttribute(columns, slot, name);
          return value === undefined ? !scoped : satisfiesOperator(String(value), wanted);
        }),
      reason(columns, slot) {
        for (const { name, wanted, scoped } of required) {
          const value = hostAttribute(columns, slot, name);
          if (value === undefined && scoped) return `the host has no capability ${name}`;
          if (value !== undefined && !satisfiesOperator(String(value), wanted)) {
            return `the host's capability ${name} is not ${wanted}`;
          }
        }
        return 'a capability is missing';
      },
    };
  },
};

const scope = 'capabilities:';
