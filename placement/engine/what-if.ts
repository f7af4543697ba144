import type { HostId, ServerId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { RequestClass } from '../index/request-class.ts';
import { compileOverlay } from '../index/request-overlay.ts';
import type { PlacementRequest } from '../model/request.ts';
import type { PlacementEngine } from './engine.ts';

/** How many more guests of one kind the view has room for. Nothing is placed or held. */
export interface WhatIf {
  /** How many fit, at most `wanted`. */
  readonly fits: number;
  readonly wanted: number;
  /** Hosts that would take at least one. */
  readonly hosts: number;
  /** The hosts with the most room, most first; at most `roomiestMax`. */
  readonly roomiest: readonly { readonly hostId: HostId; readonly count: number }[];
}

/** More than any mesh holds: a bound on what a caller may ask. */
export const whatIfMax = 10_000_000;
/** Hosts listed. */
const roomiestMax = 16;

/**
 * How many of `wanted` more guests like `request` fit, by the enabled filters and the view as it is now. Exact for that
 * view: each host is filled with copies until a filter refuses, and guests on one host do not change another's room.
 * I/O-heavy operations are counted as now, not once a copy: builds pass. A group is honoured: under anti-affinity a host
 * takes no more than its share, under affinity with no member yet all go to the one host with the most room.
 */
export function whatIf(engine: PlacementEngine, request: PlacementRequest, wanted: number): WhatIf {
  const { columns } = engine;
  const most = Math.min(whatIfMax, Math.max(0, Math.floor(wanted)));
  const overlay = compileOverlay(columns, engine.configuration, request);
  const requestClass = new RequestClass(columns, engine.configuration, request);
  const forced = request.host?.force === true ? columns.slotOf(request.host.hostId) : undefined;
  const counts: { hostId: HostId; count: number }[] = [];
  let total = 0;
  let largest = 0;
  for (const slot of forced === undefined ? (overlay?.only ?? columns.slots()) : [forced]) {
    if (overlay?.except?.has(slot) === true) continue;
    const hostId = columns.hostIds[slot];
    if (hostId === undefined) continue;
    const share = groupShare(engine.configuration, request, hostId);
    const count = copiesThatFit(columns, requestClass, request, slot, Math.min(most, share));
    if (count === 0) continue;
    counts.push({ hostId, count });
    total += count;
    largest = Math.max(largest, count);
  }
  counts.sort((a, b) => b.count - a.count || (a.hostId < b.hostId ? -1 : 1));
  const together =
    request.group?.policy === 'affinity' &&
    request.group.memberHosts.length === 0 &&
    request.purpose !== 'rebuild' &&
    engine.configuration.enabledFilters.includes('ServerGroupAffinityFilter');
  return {
    fits: Math.min(most, together ? largest : total),
    wanted: most,
    hosts: counts.length,
    roomiest: counts.slice(0, roomiestMax),
  };
}

/**
 * How many copies of the guest the host takes before a filter of the class refuses, at most `most`. The row is changed
 * while this looks, and is as before when it returns.
 */
export function copiesThatFit(
  columns: HostColumns,
  requestClass: RequestClass,
  request: PlacementRequest,
  slot: number,
  most: number,
): number {
  const { needs } = request;
  if (needs.pci.length > 0 || needs.numa !== undefined) return copiesHeld(columns, requestClass, request, slot, most);
  /** Whether one more fits where `copies` are already. */
  const fitsAfter = (copies: number): boolean => columns.pretend(slot, needs, copies, () => requestClass.passes(slot));
  let low = 0; // So many certainly fit.
  if (request.hints.query === undefined) {
    // Every filter but a query refuses ever more as a host fills, so halving finds the edge.
    let high = most;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (fitsAfter(middle)) low = middle + 1;
      else high = middle;
    }
  } else {
    while (low < Math.min(most, sequentialMax) && fitsAfter(low)) low++;
  }
  return low;
}

/** Copies tried one after another on one host where halving cannot be used; no host runs more guests. */
const sequentialMax = 10_000;

/** With devices or NUMA cells each copy takes particular ones: hold them in turn, then let them go. */
function copiesHeld(
  columns: HostColumns,
  requestClass: RequestClass,
  request: PlacementRequest,
  slot: number,
  most: number,
): number {
  const hostId = columns.hostIds[slot];
  if (hostId === undefined) return 0;
  const ioOps = columns.ioOps[slot] ?? 0;
  let copies = 0;
  while (copies < Math.min(most, sequentialMax) && requestClass.passes(slot)) {
    columns.hold(previewKey(copies), hostId, request.needs, Number.POSITIVE_INFINITY);
    columns.ioOps[slot] = ioOps;
    copies++;
  }
  for (let i = 0; i < copies; i++) columns.releaseHold(previewKey(i));
  return copies;
}

function previewKey(copy: number): { serverId: ServerId; generation: number } {
  return { serverId: `what-if ${copy}` as ServerId, generation: 0 };
}

/** How many more members of the request's group the host may take. */
function groupShare(configuration: PlacementConfiguration, request: PlacementRequest, hostId: HostId): number {
  const { group } = request;
  const asked = configuration.enabledFilters.includes('ServerGroupAntiAffinityFilter') && request.purpose !== 'rebuild';
  if (group?.policy !== 'anti-affinity' || !asked) return Number.POSITIVE_INFINITY;
  let members = 0;
  for (const host of group.memberHosts) if (host === hostId) members++;
  return Math.max(0, Math.max(1, group.maxServerPerHost) - members);
}
