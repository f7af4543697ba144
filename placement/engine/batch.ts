import type { HostId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import { compileOverlay } from '../index/request-overlay.ts';
import type { ClaimKey, PlacementRequest } from '../model/request.ts';
import type { Candidate } from '../model/selection.ts';
import type { PlacementEngine } from './engine.ts';
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

/** What a batch is told beside the request. */
export interface BatchOptions {
  /** `max_count` long: each guest's place is held under its key. */
  readonly keys: readonly ClaimKey[];
  /** At least so many must fit, or none is held. */
  readonly minCount: number;
  readonly expiresAtMs: number;
  /** Rounds of refusals that this batch has seen: each widens the draw (`PlacementEngine.select`). Default 0. */
  readonly refusals?: number;
  /**
   * Called when fewer than the least number fit, with the hosts of those that do, while their places are still held: what is
   * explained then is why there is no place for one more.
   */
  readonly onShort?: (hosts: readonly HostId[]) => void;
}

/**
 * Places several alike guests as one: each sees the ones before it, in the room they take and in their group. Holds every
 * place under its key until `expiresAtMs`.
 */
export function selectBatch(engine: PlacementEngine, request: PlacementRequest, options: BatchOptions): BatchSelection {
  const { columns } = engine;
  const keys = options.keys.slice(0, batchMax);
  const members: BatchMember[] = [];
  const memberHosts: HostId[] = [...(request.group?.memberHosts ?? [])];
  const together = request.group?.policy === 'affinity' && memberHosts.length === 0 && keys.length > 1;
  const series = request.group === undefined ? engine.series(request, options.refusals ?? 0) : undefined;
  for (const key of keys) {
    let memberRequest =
      request.group === undefined ? request : { ...request, group: { ...request.group, memberHosts } };
    if (together && members.length === 0) memberRequest = roomiestOf(engine, memberRequest, keys.length);
    const selection = series?.next() ?? engine.select(memberRequest, options.refusals ?? 0);
    if (selection.outcome === 'none') break;
    const { candidate, alternates } = selection;
    columns.hold(key, candidate.hostId, request.needs, options.expiresAtMs);
    members.push({ key, candidate, alternates });
    if (request.group !== undefined) memberHosts.push(candidate.hostId);
  }
  if (members.length >= Math.max(1, options.minCount)) return { outcome: 'selected', members };
  options.onShort?.(members.map(({ candidate }) => candidate.hostId));
  for (const { key } of members) columns.releaseHold(key);
  return { outcome: 'none', couldPlace: members.length };
}

/**
 * A batch under affinity goes to one host, so the first guest must land where all fit: the best host with room for all of
 * them, else the one with the most room. Looks at every host; such batches are rare.
 */
function roomiestOf(engine: PlacementEngine, request: PlacementRequest, count: number): PlacementRequest {
  if (request.host !== undefined) return request;
  const { columns } = engine;
  const index = engine.indexFor(request);
  const overlay = compileOverlay(columns, engine.configuration, request);
  let best: { slot: number; copies: number } | undefined;
  for (const slot of overlay?.only ?? columns.slots()) {
    const score = index.scoreOf(slot);
    if (score === Number.NEGATIVE_INFINITY || overlay?.except?.has(slot) === true) continue;
    const copies = copiesThatFit(columns, index.requestClass, request, slot, count);
    const better =
      best === undefined ||
      copies > best.copies ||
      (copies === best.copies && precedes(columns, score, slot, index.scoreOf(best.slot), best.slot));
    if (better) best = { slot, copies };
  }
  const hostId = best === undefined ? undefined : columns.hostIds[best.slot];
  return hostId === undefined ? request : { ...request, host: { hostId, force: false } };
}

function precedes(columns: HostColumns, score: number, slot: number, otherScore: number, other: number): boolean {
  if (score !== otherScore) return score > otherScore;
  return (columns.rank[slot] ?? 0) < (columns.rank[other] ?? 0);
}
