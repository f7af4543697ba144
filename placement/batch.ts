import type { HostId } from '../node/base/ids.ts';
import type { Candidate, PlacementEngine } from './engine.ts';
import { listWidthMax } from './engine.ts';
import type { ClaimKey, PlacementRequest } from './request.ts';
import { RequestClass } from './request-class.ts';
import { copiesThatFit } from './what-if.ts';

/** One guest of a batch with its place. The place is held in the columns. */
export interface BatchMember {
  readonly key: ClaimKey;
  readonly candidate: Candidate;
  readonly alternates: readonly Candidate[];
}

/** All of a batch, or nothing. */
export type BatchSelection =
  | { readonly outcome: 'selected'; readonly members: readonly BatchMember[] }
  /** Fewer than the least number fit; nothing is held. */
  | { readonly outcome: 'none'; readonly couldPlace: number };

/** Guests in one create. OpenStack's own default limit on `max_count` is the quota; this bounds one call's work. */
export const batchMax = 10_000;

/**
 * Places several alike guests as one: each sees the ones before it, in the room they take and in their group. Holds every
 * place under its key until `expiresAtMs`. `keys` is `max_count` long; at least `minCount` must fit, or none is held.
 */
export function selectBatch(
  engine: PlacementEngine,
  request: PlacementRequest,
  options: { readonly keys: readonly ClaimKey[]; readonly minCount: number; readonly expiresAtMs: number },
): BatchSelection {
  const { columns } = engine;
  const keys = options.keys.slice(0, batchMax);
  const members: BatchMember[] = [];
  const memberHosts: HostId[] = [...(request.group?.memberHosts ?? [])];
  const together = request.group?.policy === 'affinity' && memberHosts.length === 0 && keys.length > 1;
  for (const key of keys) {
    let wish = request.group === undefined ? request : { ...request, group: { ...request.group, memberHosts } };
    if (together && members.length === 0) wish = roomiestOf(engine, wish, keys.length);
    const selection = engine.select(wish);
    if (selection.outcome === 'none') break;
    const { candidate, alternates } = selection;
    columns.hold(key, candidate.hostId, request.needs, options.expiresAtMs);
    members.push({ key, candidate, alternates });
    if (request.group !== undefined) memberHosts.push(candidate.hostId);
  }
  if (members.length >= Math.max(1, options.minCount)) return { outcome: 'selected', members };
  for (const { key } of members) columns.settle(key);
  return { outcome: 'none', couldPlace: members.length };
}

/**
 * A batch under affinity goes to one host, so the first guest must land where all fit: the best host with room for all of
 * them, else the one with the most room among the best.
 */
function roomiestOf(engine: PlacementEngine, request: PlacementRequest, count: number): PlacementRequest {
  if (request.host !== undefined) return request;
  const { columns } = engine;
  const requestClass = new RequestClass(columns, engine.configuration, request);
  const refused: HostId[] = [];
  let best: { hostId: HostId; copies: number } | undefined;
  for (;;) {
    const list = engine.rank({ ...request, excludedHosts: [...request.excludedHosts, ...refused] }, listWidthMax);
    if (list.length === 0) break;
    for (const slot of list.slots.slice(0, list.length)) {
      const hostId = columns.hostIds[slot];
      if (hostId === undefined) continue;
      const copies = copiesThatFit(columns, requestClass, request, slot, count);
      if (copies >= count) return { ...request, host: { hostId, force: false } };
      if (best === undefined || copies > best.copies) best = { hostId, copies };
      refused.push(hostId);
    }
  }
  return best === undefined ? request : { ...request, host: { hostId: best.hostId, force: false } };
}
