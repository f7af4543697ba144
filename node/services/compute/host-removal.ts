/**
 * Taking a host out of the mesh, on an operator's word alone. What hangs on the host is moved off first (routers' source
 * NAT, image holdings, its places in aggregates), then one transaction takes its record away and leaves a mark that shuts it
 * out, and draws new secrets for the mesh, since the host has the old ones for ever (node/mesh/identity/rekey.ts). The
 * autopilot, seeing a member that is no host any more, takes it out of the Raft group.
 *
 * Nothing on the host itself is touched: its guests, if any are left, run until somebody ends them there.
 */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId, RaftId } from '../../base/ids.ts';
import { type AutopilotView, mustBeRemovable } from '../../consensus/autopilot/autopilot.ts';
import { indexKey, type Row } from '../../state/table.ts';
import {
  aggregateTable,
  hostTable,
  imageTable,
  removedHostTable,
  routerTable,
  serverTable,
} from '../../state/tables/index.ts';
import type { ClusterStatus, StateReader } from '../../state/types.ts';
import type { HostProbe, HostViews, Rekey, ServiceDependencies } from '../kit/dependencies.ts';
import { endPutsOnHost } from '../kit/put-on-host.ts';
import { liveMove } from '../kit/server-move.ts';
import { type Change, transact } from '../kit/transact.ts';
import { editWhileRoom } from '../kit/transact-in-pieces.ts';
import { placeSnat } from '../network/routers.ts';
import { hasVolumes, moveVolumesOff } from '../volume/records/host-volumes.ts';
import { freeNamingPorts, refundDifference, removeServerRow } from './kit/server-record.ts';
import { endLiveMove } from './moves/live-move-record.ts';
import { lostFormer } from './moves/move-reports.ts';

/** Steps of emptying: as many rows as a mesh may have on one host, and an end to a race with those who add more. */
const stepsMax = 1_000;
/** Servers named in a refusal; the rest are counted. */
const namedMax = 10;

/** What a removal asks of the agent: whether a voter answers now, and that the mesh's secrets are drawn again. */
export interface HostRemovalDependencies extends ServiceDependencies {
  readonly hostProbe: HostProbe;
  readonly hostViews: HostViews;
  readonly rekey: Rekey;
}

interface RemovalRequest {
  /** Id or name. */
  readonly host: string;
  /**
   * Also when it is alive and votes; also when servers there that are being deleted cannot be torn down any more, or
   * servers that move away wait for it to release them; also when it alone holds the content of an image, or volumes.
   */
  readonly force: boolean;
  /**
   * Nobody else has or had what is on its disk: users stay logged in, and the authority stays. Default: not trusted; all
   * tokens and unused tickets are void with the removal, and there is a new authority.
   */
  readonly trusted?: boolean;
  readonly signal: AbortSignal;
}

/** What the operator should know was given up. */
export interface Removal {
  readonly host: shoal.v1.Host;
  readonly forgottenServerIds: readonly string[];
  /** Servers that moved away and that it had not released: their new hosts fence it and take over. */
  readonly releasedServerIds: readonly string[];
  readonly lostImageIds: readonly string[];
  /** Volumes that were on its own storage. */
  readonly lostVolumeIds: readonly string[];
}

/**
 * Removes a host. Throws `NOT_FOUND`; `CONFLICT` while servers are on it, while it is alive and votes and this is not
 * forced, or when too few voters that answer would be left; and what `transact` throws. A host that was refused stays
 * disabled when it was on its way out already.
 */
export async function removeHost(deps: HostRemovalDependencies, request: RemovalRequest): Promise<Removal> {
  const { signal, force } = request;
  const reader = await deps.state.fresh(signal);
  const { record: host } = hostRow(reader, request.host);
  await mustBeAllowed(deps, reader, host, request);
  await disable(deps, host.id, signal);
  const lostImageIds = new Set<string>();
  const lostVolumeIds = new Set<string>();
  const forgottenServerIds = new Set<string>();
  const releasedServerIds = new Set<string>();
  for (let step = 0; step < stepsMax; step++) {
    if (await moveRoutersOff(deps, host.id, signal)) continue;
    if (await leaveAggregates(deps, host.id, signal)) continue;
    if (await moveImagesOff(deps, host.id, { force, signal, lostImageIds })) continue;
    if (force && (await releaseMoved(deps, host.id, { signal, releasedServerIds }))) continue;
    if (await forgetServer(deps, host.id, { force, signal, forgottenServerIds })) continue;
    const volumes = await moveVolumesOff(deps, { hostId: host.id, force, signal });
    for (const id of volumes.lostVolumeIds) lostVolumeIds.add(id);
    if (volumes.isMore) continue;
    if (!(await takeAway(deps, host.id, request))) continue;
    const removal = {
      forgottenServerIds: [...forgottenServerIds],
      releasedServerIds: [...releasedServerIds],
      lostImageIds: [...lostImageIds],
      lostVolumeIds: [...lostVolumeIds],
    };
    deps.logger.warn({ hostId: host.id, name: host.name, force, ...removal }, 'a host was removed from the mesh');
    return { host, ...removal };
  }
  throw new ShoalError(
    'PRECONDITION_CHANGED',
    `Servers or networks kept being placed on host ${host.name}; try again.`,
    {
      facts: { hostId: host.id },
    },
  );
}

/** The row of a host by id or by name. Throws `NOT_FOUND`. */
export function hostRow(reader: StateReader, idOrName: string): Row<shoal.v1.Host> {
  const row = hostTable.get(reader, idOrName) ?? hostTable.one(reader, 'name', indexKey(idOrName));
  if (row === undefined) throw new ShoalError('NOT_FOUND', `Compute host ${idOrName} could not be found.`);
  return row;
}

async function mustBeAllowed(
  deps: HostRemovalDependencies,
  reader: StateReader,
  host: shoal.v1.Host,
  { force, signal }: RemovalRequest,
): Promise<void> {
  refuseServers(reader, host, force);
  const status = deps.state.status();
  if (status.isJoint) {
    throw new ShoalError(
      'PRECONDITION_CHANGED',
      'The voters of the mesh are just being changed; try again in a moment.',
    );
  }
  const byRaftId = new Map(hostTable.list(reader).map(({ record }) => [record.raftId, record]));
  // Asked of each directly and now: what gossip or the log last heard may be old, and this is not done twice.
  const silentMs = new Map<RaftId, number>();
  await Promise.all(
    status.voters.map(async (raftId) => {
      const hostId = byRaftId.get(raftId)?.id as HostId | undefined;
      const answers = hostId !== undefined && (await deps.hostProbe.answers(hostId, signal));
      silentMs.set(raftId, answers ? 0 : Number.POSITIVE_INFINITY);
    }),
  );
  mustBeRemovable(viewOf(status, [...byRaftId.values()], silentMs), host.raftId, force);
}

function viewOf(
  status: ClusterStatus,
  hosts: readonly shoal.v1.Host[],
  silentMs: ReadonlyMap<RaftId, number>,
): AutopilotView {
  return {
    leader: status.leaderRaftId,
    hosts,
    confState: {
      voters: status.voters,
      votersOutgoing: [],
      learners: status.learners,
      learnersNext: [],
      autoLeave: false,
    },
    members: [...silentMs].map(([raftId, silence]) => ({ raftId, silentMs: silence, lagEntries: 0 })),
    ledMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * Servers that are to live are never given up with a host; those that are to go, and those that have moved away, are when
 * that is forced.
 */
function refuseServers(reader: StateReader, host: shoal.v1.Host, force: boolean): readonly Row<shoal.v1.Server>[] {
  const rows = serverTable.by(reader, 'host', host.id);
  if (serverTable.count(reader, 'host', host.id) > rows.length) {
    throw new ShoalError(
      'CONFLICT',
      `Host ${host.name} has servers whose records cannot be read: "shoal record list" names them. Remove those first.`,
      { facts: { hostId: host.id } },
    );
  }
  const kept = rows.filter(({ record }) => !(force && (record.deleting || record.hostId !== host.id)));
  if (kept.length === 0) return rows;
  const names = kept.slice(0, namedMax).map(({ record }) => `${record.name} (${record.id})`);
  const more = kept.length > namedMax ? ` and ${kept.length - namedMax} more` : '';
  throw new ShoalError(
    'CONFLICT',
    `Host ${host.name} has servers: ${names.join(', ')}${more}. Move or delete them first; ` +
      'when it can never tear down what is being deleted, or release what moves away, force the removal.',
    { facts: { hostId: host.id, servers: kept.length } },
  );
}

async function disable(deps: ServiceDependencies, hostId: string, signal: AbortSignal): Promise<void> {
  await transact(deps, { signal }, ({ reader, change }) => {
    const row = hostTable.must(reader, hostId);
    if (row.record.disabled) return;
    const next = { ...row.record, disabled: true, disabledReason: 'being removed from the mesh' };
    hostTable.update(change, row, new shoal.v1.Host(next));
  });
}

/** True while there may be more. */
async function moveRoutersOff(deps: ServiceDependencies, hostId: string, signal: AbortSignal): Promise<boolean> {
  return transact(deps, { signal }, ({ reader, change }) => {
    const rows = routerTable.by(reader, 'snat-host', hostId);
    editWhileRoom({ change }, rows, (row) => {
      const snatHostId = placeSnat({ reader, change }, row.record, hostId);
      routerTable.update(change, row, new shoal.v1.Router({ ...row.record, snatHostId }));
    });
    return rows.length > 0;
  });
}

/** True while there may be more. */
async function leaveAggregates(deps: ServiceDependencies, hostId: string, signal: AbortSignal): Promise<boolean> {
  return transact(deps, { signal }, ({ reader, change }) => {
    const rows = aggregateTable.by(reader, 'host', hostId);
    editWhileRoom({ change }, rows, (row) => {
      const hostIds = row.record.hostIds.filter((id) => id !== hostId);
      aggregateTable.update(change, row, new shoal.v1.HostAggregate({ ...row.record, hostIds }));
    });
    return rows.length > 0;
  });
}

/** True while there may be more. */
async function moveImagesOff(
  deps: ServiceDependencies,
  hostId: string,
  options: { readonly force: boolean; readonly signal: AbortSignal; readonly lostImageIds: Set<string> },
): Promise<boolean> {
  const lost: string[] = [];
  const isMore = await transact(deps, { signal: options.signal }, ({ reader, change }) => {
    lost.length = 0;
    const rows = imageTable.list(reader).filter(({ record }) => record.hostIds.includes(hostId));
    editWhileRoom({ change }, rows, (row) => {
      const hostIds = row.record.hostIds.filter((id) => id !== hostId);
      if (hostIds.length === 0 && !row.record.deleting) {
        if (!options.force) {
          throw new ShoalError(
            'CONFLICT',
            `Host ${hostId} alone holds image ${row.record.name} (${row.record.id}). Other hosts take a copy within ` +
              'seconds when they can; or force the removal and lose its content.',
            { facts: { hostId, imageId: row.record.id } },
          );
        }
        lost.push(row.record.id);
      }
      imageTable.update(change, row, new shoal.v1.Image({ ...row.record, hostIds }));
    });
    return rows.length > 0;
  });
  for (const id of lost) options.lostImageIds.add(id);
  return isMore;
}

/**
 * What moved away is its new host's from now on, on the operator's word that this one is lost. That word is no fence: the
 * new host proves one before it opens the disk (`openDisk` fences a host that holds the storage lock at a lower
 * generation). True while there may be more.
 */
async function releaseMoved(
  deps: ServiceDependencies,
  hostId: string,
  options: { readonly signal: AbortSignal; readonly releasedServerIds: Set<string> },
): Promise<boolean> {
  let moreMay = false;
  const released = await transact(deps, { signal: options.signal }, ({ reader, change }) => {
    const rows = serverTable.by(reader, 'host', hostId).filter(({ record }) => record.hostId !== hostId);
    const ids: string[] = [];
    editWhileRoom({ change }, rows, (row) => {
      if (row.record.previousHostId !== hostId) {
        dropComing({ reader, change }, row, hostId, deps.clock.nowMs());
        return;
      }
      const releasedGeneration = Math.max(row.record.releasedGeneration, row.record.generation - 1);
      const nowMs = deps.clock.nowMs();
      const fields = lostFormer({ reader, change }, row.record, nowMs);
      const lostHostIds = row.record.lostHostIds.filter((id) => id !== hostId);
      const next = new shoal.v1.Server({ ...row.record, ...fields, lostHostIds, releasedGeneration, updatedMs: nowMs });
      serverTable.update(change, row, next);
      refundDifference(change, row.record, next);
      ids.push(row.record.id);
    });
    moreMay = rows.length > 0;
    return ids;
  });
  for (const id of released) options.releasedServerIds.add(id);
  return moreMay;
}

/** A server that was to come there while it runs stays where it is; what never ran there is nothing to wait for. */
function dropComing(
  { reader, change }: { readonly reader: StateReader; readonly change: Change },
  row: Row<shoal.v1.Server>,
  hostId: string,
  nowMs: number,
): void {
  const why = 'The host that was to have the server was removed from the mesh.';
  const isComing = liveMove(row.record)?.targetHostId === hostId;
  const fields = isComing ? endLiveMove({ reader, change }, row.record, nowMs, { status: 'error', why }) : {};
  const taskState = isComing && row.record.taskState === 'migrating' ? '' : row.record.taskState;
  const lostHostIds = row.record.lostHostIds.filter((id) => id !== hostId);
  const isDiscarded = row.record.discardHostId === hostId || isComing;
  const gone = {
    ...(isDiscarded ? { discardHostId: '', discardGeneration: 0 } : {}),
    ...{ lostHostIds, taskState, updatedMs: nowMs },
  };
  serverTable.update(change, row, new shoal.v1.Server({ ...row.record, ...fields, ...gone }));
}

/** One at a time: servers share rows (group, quota) that a transaction can write once. True while there may be more. */
async function forgetServer(
  deps: ServiceDependencies,
  hostId: string,
  options: { readonly force: boolean; readonly signal: AbortSignal; readonly forgottenServerIds: Set<string> },
): Promise<boolean> {
  const next = (reader: StateReader): Row<shoal.v1.Server> | undefined => {
    const host = hostTable.get(reader, hostId)?.record;
    const rows = host === undefined ? [] : refuseServers(reader, host, options.force);
    return rows.find(({ record }) => record.deleting && record.hostId === hostId);
  };
  const going = next(await deps.state.fresh(options.signal))?.record;
  if (going === undefined) return false;
  await freeNamingPorts(deps, { signal: options.signal }, going);
  await transact(deps, { signal: options.signal }, ({ reader, change }) => {
    const row = next(reader);
    if (row?.record.id === going.id) removeServerRow(change, reader, row, deps.clock.nowMs());
  });
  options.forgottenServerIds.add(going.id);
  return true;
}

/** The record goes. False: something was put on the host meanwhile. */
async function takeAway(deps: HostRemovalDependencies, hostId: string, request: RemovalRequest): Promise<boolean> {
  return transact(deps, { signal: request.signal }, ({ reader, change }) => {
    const row = hostTable.get(reader, hostId);
    // An earlier attempt of unknown fate has done it.
    if (row === undefined) return true;
    const isEmpty =
      routerTable.by(reader, 'snat-host', hostId).length === 0 &&
      aggregateTable.by(reader, 'host', hostId).length === 0 &&
      serverTable.by(reader, 'host', hostId).length === 0 &&
      !hasVolumes(reader, hostId);
    if (!isEmpty) return false;
    removeRecord(change, row, deps.clock.nowMs());
    endPutsOnHost(change, reader, hostId);
    deps.rekey({ reader, change }, { removedHostId: hostId, trusted: request.trusted === true });
    return true;
  });
}

function removeRecord(change: Change, row: Row<shoal.v1.Host>, nowMs: number): void {
  const { id, name, raftId } = row.record;
  hostTable.remove(change, row);
  removedHostTable.insert(change, new shoal.v1.RemovedHost({ id, name, raftId, removedMs: nowMs }));
}
