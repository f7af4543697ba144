import type { HostId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { HostProfile } from '../columns/host-profile.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import type { FilterName } from '../configuration/filter-names.ts';
import type { PlacementRequest } from '../model/request.ts';
import type { ResourceName } from '../model/resource-classes.ts';

/**
 * A filter says of a host whether it may take a guest. Three kinds, by what they look at:
 *
 * - `profile`: what many hosts share (`HostProfile`). Judged once a profile and request class.
 * - `columns`: one host's row. Judged whenever the row changes.
 * - `request`: parts of the request that are not in its class (groups, host hints). Given as sets of hosts.
 *
 * `compile` reads the request once and returns `undefined` when the filter lets every host pass, which costs nothing then.
 */
export type HostFilter = ProfileFilter | ColumnsFilter | RequestFilter;

interface FilterBase {
  /** Nova's name, where Nova has the filter. */
  readonly name: FilterName;
  /** One sentence for operators. */
  readonly purpose: string;
  /** Also runs for a rebuild, which keeps the host but may change the image. */
  readonly onRebuild: boolean;
}

/**
 * Reads only what a profile says (aggregates, zone, traits, capabilities), so its answer serves all hosts of that
 * profile.
 */
export interface ProfileFilter extends FilterBase {
  readonly scope: 'profile';
  compile(request: PlacementRequest, configuration: PlacementConfiguration): ProfileTest | undefined;
}

/**
 * A profile filter compiled for one request class. Both methods are pure: the same profile always gets the same answer.
 */
export interface ProfileTest {
  passes(profile: HostProfile): boolean;
  /** Why this profile's hosts do not pass. Low in variety: `explain` counts by it. Called only for what does not pass. */
  reason(profile: HostProfile): string;
}

/** Reads one host's numbers (room, counts, load). The index asks it again each time the host's row changes. */
export interface ColumnsFilter extends FilterBase {
  readonly scope: 'columns';
  compile(request: PlacementRequest, configuration: PlacementConfiguration): ColumnsTest | undefined;
}

/** A columns filter compiled for one request class. `slot` is the host's row in `columns`, and must be in use. */
export interface ColumnsTest {
  passes(columns: HostColumns, slot: number): boolean;
  /**
   * The same test as lower bounds on columns, where it can be put so: `passes` exactly when every bound holds. The engine
   * then checks the bounds inline, which is several times faster than a call.
   */
  readonly bounds?: readonly ColumnBound[];
  /** As `ProfileTest.reason`. */
  reason(columns: HostColumns, slot: number): string;
  /** The same with this host's numbers, for operators. */
  detail?(columns: HostColumns, slot: number): string;
}

/** A column that must be at least something. */
export interface ColumnBound {
  /** A resource's name stands for its room. */
  readonly column: 'takesGuests' | ResourceName;
  readonly least: number;
}

/**
 * Reads what differs between requests of one class: server groups and hints that name hosts. It runs outside the class
 * index.
 */
export interface RequestFilter extends FilterBase {
  readonly scope: 'request';
  compile(request: PlacementRequest, configuration: PlacementConfiguration): RequestTest | undefined;
}

/**
 * A request filter compiled for one request, as sets of hosts. With neither set every host passes; with both, a host
 * must pass both.
 */
export interface RequestTest {
  /** When given, no other host passes. */
  readonly only?: ReadonlySet<HostId>;
  /** When given, none of these passes. */
  readonly except?: ReadonlySet<HostId>;
  readonly reason: string;
}

/** Whether a host passes a request test. */
export function passesRequestTest(test: RequestTest, hostId: HostId): boolean {
  if (test.only !== undefined && !test.only.has(hostId)) return false;
  return test.except === undefined || !test.except.has(hostId);
}
