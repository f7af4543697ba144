import type { FilterName } from '../configuration/filter-names.ts';
import {
  type BasicResource,
  extraResources,
  type ResourceName,
  resourceClasses,
  shortageText,
} from '../model/resource-classes.ts';
import type { ColumnsFilter, ColumnsTest } from './filter.ts';

/** Enough of a basic resource is free under the allocation ratio; no guest gets more than the machine has in truth. */
export function resourceFilter(filterName: FilterName, resource: BasicResource): ColumnsFilter {
  return {
    name: filterName,
    purpose: `enough free ${resourceClasses[resource].noun}`,
    scope: 'columns',
    onRebuild: false,
    compile: ({ needs }) => (needs[resource] <= 0 ? undefined : testOf([{ resource, amount: needs[resource] }])),
  };
}

/** The same for every extra resource that the flavor asks for. */
export const resourceClassFilter: ColumnsFilter = {
  name: 'ResourceClassFilter',
  purpose: "enough is free of the resources that the flavor's `resources:` extra specs name",
  scope: 'columns',
  onRebuild: false,
  compile({ needs }) {
    const wanted = extraResources.flatMap((resource) => {
      const amount = needs[resource] ?? 0;
      return amount > 0 ? [{ resource, amount }] : [];
    });
    return wanted.length === 0 ? undefined : testOf(wanted);
  },
};

interface Wanted {
  readonly resource: ResourceName;
  readonly amount: number;
}

function testOf(wanted: readonly Wanted[]): ColumnsTest {
  return {
    bounds: wanted.map(({ resource, amount }) => ({ column: resource, least: amount })),
    passes: (columns, slot) =>
      wanted.every(({ resource, amount }) => amount <= (columns.resources[resource].room[slot] ?? 0)),
    reason(columns, slot) {
      const short = wanted.find(({ resource, amount }) => amount > (columns.resources[resource].room[slot] ?? 0));
      return short === undefined ? 'a resource is short' : shortageText(short.resource, short.amount);
    },
    detail: (columns, slot) =>
      wanted
        .map(({ resource, amount }) => {
          const { free, capacity, total } = columns.resources[resource];
          const unit = resourceClasses[resource].unit;
          return `${amount} ${unit} are needed, ${free[slot]} of ${capacity[slot]} are free (${total[slot]} in hardware)`;
        })
        .join('; '),
  };
}
