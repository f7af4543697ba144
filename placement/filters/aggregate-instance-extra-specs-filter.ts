import { satisfiesOperator } from '../matching/extra-spec-operators.ts';
import type { ProfileFilter } from './filter.ts';

/**
 * The flavor's extra specs hold on the metadata of the host's aggregates: those in the `aggregate_instance_extra_specs:`
 * scope and those with no scope. `!` as value: no aggregate of the host may have the key.
 */
export const aggregateInstanceExtraSpecsFilter: ProfileFilter = {
  name: 'AggregateInstanceExtraSpecsFilter',
  purpose: "the flavor's extra specs hold on the metadata of the host's aggregates",
  scope: 'profile',
  onRebuild: false,
  compile(request) {
    const required: (readonly [string, string])[] = [];
    for (const [key, wanted] of Object.entries(request.extraSpecs)) {
      if (key.startsWith(scope)) required.push([key.slice(scope.length), wanted]);
      else if (!key.includes(':')) required.push([key, wanted]);
    }
    if (required.length === 0) return undefined;
    const holds = (metadata: ReadonlyMap<string, ReadonlySet<string>>, key: string, wanted: string): boolean => {
      const values = metadata.get(key);
      if (wanted === '!') return values === undefined;
      if (values === undefined) return false;
      for (const value of values) if (satisfiesOperator(value, wanted)) return true;
      return false;
    };
    return {
      passes: (profile) => required.every(([key, wanted]) => holds(profile.metadata, key, wanted)),
      reason(profile) {
        const [key, wanted] = required.find(([k, w]) => !holds(profile.metadata, k, w)) ?? ['', ''];
        return `no aggregate of the host has ${key} = ${wanted}`;
      },
    };
  },
};

const scope = 'aggregate_instance_extra_specs:';
