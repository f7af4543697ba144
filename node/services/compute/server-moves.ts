/**
 * Servers that get another host, another flavor, or both: Nova's resize and cold migration, with their confirmation and their way
 * back. The record names the new host at once, at a generation of its own; the former host lets go of guest and disks first, then
 * the new one takes over: at no moment do two hosts have them. Until the move is confirmed the former host keeps its room and what it
 * has of the server, so that the way back needs nobody's leave.
 *
 *     migrating --> finished --confirm--> cleaning --> (done)
 *         \\------------\\-----revert----> reverting --> (cleaning) --> (done)
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { hostTable, imageTable, serverGroupTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { Placed } from '../kit/dependencies.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { chargeQuota } from '../kit/quota.ts';
import { awaitingHostOf, isOneWay, isUnreleased, movePhase } from '../kit/server-move.ts';
import { nextRequest } from '../kit/server-request.ts';
import { type Attempt, Change, transact } from '../kit/transact.ts';
import { bootsFromVolume, moveVolumes } from '../volume/records/server-disks.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { askedAction, askedAt, withEvents } from './history/action-history.ts';
import { beginMigration, noteMigration, openMigration } from './history/migrations.ts';
import { placementEvents } from './history/placement-events.ts';
import { writeGroup } from './kit/group-hosts.ts';
import { badRequest, conflict } from './kit/refusals.ts';
import { amountsOf, mustTake, refundDifference, seeServer } from './kit/server-record.ts';
import { holdUserQuota } from './kit/user-quotas.ts';
import { checkDiscarded, checkNotAwaiting, withoutLiveMove } from './moves/live-move-record.ts';
import { withoutFormer } from './moves/move-reports.ts';
import { checkNewShape, reshapedDisks } from './moves/new-shape.ts';
import {
  agreeWithGroup,
  checkDestination,
  checkPlace,
  checkStorage,
  flavorOf,
  isReachable,
  movePorts,
  mustAnswer,
  placeMove,
} from './moves/placing.ts';
import { checkNewFlavor } from './server-draft.ts';

const markResizedInPlace = coverageMark('resized-in-place', 'a server gets another flavor on its own host');
const markEvacuated = coverageMark('evacuated', 'a server of a host that is down gets another one');
const markMoveReverted = coverageMark('move-reverted', 'a server goes back to the host or flavor that it had');
const failpointMoveClaimedNotBound = failpoint(
  'move.claimed-not-bound',
  'a host has admitted a server that moves, and its record does not say so',
);
const failpointMoveBound = failpoint('move.bound', 'a server belongs to another host since a moment ago');
const markTakenOver = coverageMark(
  'taken-over',
  'a server of a host that is gone gets another one, which waits for the fence',
);
const failpointTakeoverFenced = failpoint(
  'takeover.fenced',
  'the fence of a lost host is committed, and the new host has not heard of it',
);
const failpointMoveConfirmed = failpoint(
  'move.confirmed',
  'a move is confirmed, and the former host has not heard of it',
);
const failpointMoveReverted = failpoint('move.reverted', 'a server goes back, and no host has heard of it');

const { ServerStatus } = shoal.v1;

type Server = shoal.v1.Server;
type Flavor = shoal.v1.Flavor;

/** What a move is to do. */
interface MoveDraft {
  readonly verb: 'resize' | 'migrate' | 'evacuate';
  /** The former host's fence is to be proved first, and committed. Default: the new host proves it. */
  readonly awaitsFence?: boolean;
  readonly newFlavor: Flavor;
  readonly hostName?: string | undefined;
  readonly confirmsItself: boolean;
  /** Nova's diskConfig from now on; absent: as it was. */
  readonly diskConfigAuto?: boolean | undefined;
  /** It is off where it comes to, whatever it was. Default: as it was. */
  readonly landsStopped?: boolean | undefined;
}

/** See above. */
export class ServerMoves {
  readonly #deps: ComputeDependencies;
  readonly #options: ComputeOptions;

  constructor(deps: ComputeDependencies, options: ComputeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Moves a server, on or off, to another host, chosen by placement or named; it then waits to be confirmed, as in Nova. A named
   * host passes the same filters as any, else `NO_VALID_HOST`; the server's own is `INVALID_ARGUMENT`. `CONFLICT` when the named
   * host is not one that the server's group allows, its disks are not on shared storage, or its present host does not
   * answer: only that host can let go of the disks, and the move would wait for it without an end.
   * @param options.confirmsItself the move is confirmed as soon as the server is there. Default: its owner does that.
   */
  async migrate(
    context: RequestContext,
    id: string,
    hostName?: string,
    options: { readonly confirmsItself?: boolean } = {},
  ): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    this.#checkMovable(context, reader, server, 'migrate');
    const confirmsItself = options.confirmsItself === true;
    const draft = { verb: 'migrate', newFlavor: flavorOf(server), hostName, confirmsItself } as const;
    checkStorage(this.#deps, reader, server);
    if (hostName !== undefined) checkDestination(reader, server, hostName);
    await mustAnswer(this.#deps, context, reader, server);
    await this.#bind(context, server, draft, await this.#place(context, reader, server, draft, [server.hostId]));
  }

  /**
   * Gives a server, on or off, another flavor: on its own host where that is allowed and has room, else on another one. It then
   * waits to be confirmed. `INVALID_ARGUMENT` for a flavor that there is not, that it has, or whose disks are smaller;
   * `QUOTA_EXCEEDED`; `NO_VALID_HOST`; `CONFLICT` as for `migrate`.
   */
  async resize(
    context: RequestContext,
    id: string,
    flavorId: string,
    { diskConfigAuto }: { readonly diskConfigAuto?: boolean } = {},
  ): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    this.#checkMovable(context, reader, server, 'resize');
    const image = imageTable.get(reader, server.imageId)?.record;
    const newFlavor = checkNewFlavor(context, reader, flavorId, image, this.#options);
    checkNewShape(flavorOf(server), newFlavor, !bootsFromVolume(server));
    const draft = { verb: 'resize', newFlavor, diskConfigAuto, confirmsItself: false } as const;
    // Refused before a host is asked.
    chargeQuota(new Change(), reader, server.projectId, growthOf(server, newFlavor));
    holdUserQuota(new Change(), reader, server, growthOf(server, newFlavor));
    await mustAnswer(this.#deps, context, reader, server);
    await this.#bind(context, server, draft, await this.#placeResized(context, reader, server, draft));
  }

  /**
   * Brings a server of a host that an operator has forced down, and that does not answer, to another one. On shared storage with its
   * disks, which the new host opens once it has proved that the old one can write no more; else its disks are made of the image
   * again, as in Nova. The old host, should it come back, ends what it still has of the server before anything else.
   * `INVALID_ARGUMENT` while the host is not down, or for its own host; `NO_VALID_HOST`; `CONFLICT` for a server whose last move
   * has left something at another host.
   * @param options.landsStopped it is off when it is there. Default: as it was.
   */
  async evacuate(
    context: RequestContext,
    id: string,
    options: { readonly hostName?: string | undefined; readonly landsStopped?: boolean } = {},
  ): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    this.#checkMovable(context, reader, server, 'evacuate');
    const { hostName, landsStopped } = options;
    if (hostName !== undefined) checkDestination(reader, server, hostName);
    const awaiting = awaitingHostOf(server);
    checkNotAwaiting(reader, server, awaiting, hostName);
    await this.#mustBeDown(context, reader, server);
    const draft = {
      verb: 'evacuate',
      newFlavor: flavorOf(server),
      hostName,
      landsStopped,
      confirmsItself: true,
    } as const;
    const excluded = [server.hostId, ...(awaiting === '' ? [] : [awaiting])];
    await this.#bind(context, server, draft, await this.#place(context, reader, server, draft, excluded));
    markEvacuated();
  }

  /**
   * The first half of a takeover: the record names another host, at the next generation, and that host waits. `fenced` lets it go on.
   * For the job that has witnesses for it that the former host is gone; one that answers is `INVALID_ARGUMENT`, with nothing
   * changed. Else throws as `evacuate`.
   * @param options.preferredHosts names, tried in their order before any other host.
   * @param options.excludedHosts names of hosts that it never goes to.
   */
  async takeOver(
    context: RequestContext,
    id: string,
    options: { readonly preferredHosts: readonly string[]; readonly excludedHosts: readonly string[] },
  ): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    this.#checkMovable(context, reader, server, 'evacuate');
    await this.#mustBeSilent(context, reader, server);
    const { preferredHosts, excludedHosts } = options;
    const newFlavor = flavorOf(server);
    const draft: MoveDraft = { verb: 'evacuate', newFlavor, awaitsFence: true, confirmsItself: true };
    const ids = excludedHosts.flatMap((name) => hostTable.one(reader, 'name', indexKey(name))?.record.id ?? []);
    const awaiting = awaitingHostOf(server);
    const { hostId, previousHostId, lostHostIds } = server;
    const excluded = [hostId, previousHostId, ...lostHostIds, awaiting, ...ids].filter((one) => one !== '');
    for (const hostName of [...preferredHosts, undefined]) {
      const isThere = hostName === undefined || hostTable.one(reader, 'name', indexKey(hostName)) !== undefined;
      if (!isThere) continue;
      try {
        const placed = await this.#place(context, reader, server, { ...draft, hostName }, excluded);
        await this.#bind(context, server, draft, placed);
        markTakenOver();
        return;
      } catch (caught) {
        if (hostName === undefined || !ShoalError.is(caught, 'NO_VALID_HOST')) throw caught;
      }
    }
  }

  /**
   * The second half: storage has proved that no former host of the server can write its disks any more. Done already, or released by
   * the former host itself meanwhile: success.
   * @param generation of the server when the proof was begun; a proof for another one is worth nothing, and changes nothing.
   */
  async fenced(context: RequestContext, id: string, generation: number, startMs: number): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seeServer(context, reader, id);
      const { record } = row;
      if (record.generation !== generation || !isUnreleased(record)) return;
      const nowMs = this.#deps.clock.nowMs();
      const event = { event: 'compute_fence_host', hostId: record.previousHostId, startMs, finishMs: nowMs };
      const actions = withEvents(record, askedAt(record.askedRevision), [event], nowMs);
      const releasedGeneration = generation - 1;
      serverTable.update(
        change,
        row,
        new shoal.v1.Server({ ...record, releasedGeneration, actions, updatedMs: nowMs }),
      );
    });
    failpointTakeoverFenced();
  }

  /** A move is as wanted: the former host may remove what it keeps. `CONFLICT` unless one waits to be confirmed. */
  async confirm(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'confirmResize');
      this.#confirm(attempt, row, context);
    });
    failpointMoveConfirmed();
  }

  /**
   * Takes a move back, wherever it is: the server is its former host's again, with its former flavor, at a generation of its own, on
   * or off as it is wanted now. Where the former host has let go of the disks already, the new one lets go first; else it has never
   * had them. What was written meanwhile stays where the disks are on storage that both reach. `CONFLICT` when there is
   * nothing to take back.
   */
  async cancel(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'revertResize');
      this.#revert(attempt, row, context);
    });
    markMoveReverted();
    failpointMoveReverted();
  }

  /** On its own host first, where that may be. */
  async #placeResized(context: RequestContext, reader: StateReader, server: Server, draft: MoveDraft): Promise<Placed> {
    const own = hostTable.get(reader, server.hostId)?.record.name;
    if (own !== undefined && this.#options.allowResizeToSameHost !== false) {
      try {
        return await this.#place(context, reader, server, { ...draft, hostName: own }, []);
      } catch (caught) {
        if (!ShoalError.is(caught, 'NO_VALID_HOST') || isReachable(this.#deps, reader, server) !== true) throw caught;
      }
    }
    checkStorage(this.#deps, reader, server);
    return this.#place(context, reader, server, draft, [server.hostId]);
  }

  #place(
    context: RequestContext,
    reader: StateReader,
    server: Server,
    { newFlavor, hostName }: MoveDraft,
    excludeHostIds: readonly string[],
  ): Promise<Placed> {
    return placeMove(this.#deps, context, reader, server, { newFlavor, hostName, excludeHostIds });
  }

  #checkMovable(context: RequestContext, reader: StateReader, server: Server, verb: MoveDraft['verb']): void {
    mustTake(context, server, verb);
    if (verb !== 'evacuate') checkDiscarded(reader, server);
    // What the former host has of it is written by nobody any more: it stays on the list of those that have to say so.
    if (server.previousHostId === '' || (verb === 'evacuate' && !isUnreleased(server))) return;
    const name = hostTable.get(reader, server.previousHostId)?.record.name ?? server.previousHostId;
    throw conflict(
      `Cannot '${verb}' instance ${server.id}: host ${name} has not removed yet what it has of it from an earlier move.`,
    );
  }

  /** An operator's word, and the host's own silence: one that answers may still run the guest. */
  async #mustBeDown(context: RequestContext, reader: StateReader, server: Server): Promise<void> {
    mustBeForcedDown(reader, server);
    await this.#mustBeSilent(context, reader, server);
  }

  async #mustBeSilent(context: RequestContext, reader: StateReader, server: Server): Promise<void> {
    if (!(await this.#deps.hostProbe.answers(server.hostId as Placed['hostId'], context.signal))) return;
    throw stillInUse(reader, server.hostId);
  }

  /** One transaction: record, host, generation, flavor, quota, ports, volumes, group and migration. */
  async #bind(context: RequestContext, server: Server, draft: MoveDraft, placed: Placed): Promise<void> {
    failpointMoveClaimedNotBound();
    const migrationId = this.#deps.newId();
    try {
      await transact(this.#deps, context, (attempt) => {
        const { reader, change } = attempt;
        const row = seeServer(context, reader, server.id);
        this.#checkMovable(context, reader, row.record, draft.verb);
        if (draft.awaitsFence === true) checkStorage(this.#deps, reader, row.record);
        else if (draft.verb === 'evacuate') mustBeForcedDown(reader, row.record);
        else if (placed.hostId !== row.record.hostId) checkStorage(this.#deps, reader, row.record);
        checkPlace(reader, placed);
        if (row.record.generation !== server.generation) throw conflict(`Instance ${server.id} has moved meanwhile`);
        putOnHost(change, placed.hostId);
        agreeWithGroup(change, reader, server, placed.hostId);
        chargeQuota(change, reader, server.projectId, growthOf(row.record, draft.newFlavor));
        holdUserQuota(change, reader, row.record, growthOf(row.record, draft.newFlavor));
        serverTable.update(change, row, this.#moved(attempt, context, row.record, { draft, placed, migrationId }));
        movePorts(attempt, row.record, placed.hostId);
      });
    } catch (caught) {
      if (!ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) await placed.release();
      throw caught;
    }
    if (placed.hostId === server.hostId) markResizedInPlace();
    failpointMoveBound();
  }

  #moved(
    attempt: Attempt,
    context: RequestContext,
    server: Server,
    {
      draft,
      placed,
      migrationId,
    }: { readonly draft: MoveDraft; readonly placed: Placed; readonly migrationId: string },
  ): Server {
    const nowMs = this.#deps.clock.nowMs();
    const generation = server.generation + 1;
    const oldFlavor = flavorOf(server);
    const { newFlavor, verb, confirmsItself, diskConfigAuto = server.diskConfigAuto } = draft;
    const kind = kinds[verb];
    const isEvacuated = verb === 'evacuate';
    const flavors = { oldFlavorId: oldFlavor.id, newFlavorId: newFlavor.id };
    const targetHostId = placed.hostId;
    const migration = {
      id: migrationId,
      kind,
      status: 'migrating',
      server,
      targetHostId,
      ...flavors,
      generation,
    } as const;
    beginMigration(attempt, context, migration, nowMs);
    const request = nextRequest(server);
    const events = placementEvents(placed, nowMs);
    const disks = moveVolumes(this.#deps, attempt, server, placed.hostId);
    return new shoal.v1.Server({
      ...server,
      ...request,
      actions: askedAction(server, verb, context, nowMs, { ...request, events }),
      hostId: placed.hostId,
      previousHostId: server.hostId,
      lostHostIds: lostHostsOf(server, placed.hostId),
      generation,
      flavor: newFlavor,
      diskConfigAuto,
      taskState: isEvacuated ? 'rebuilding' : 'resize_migrating',
      // The other host is down by an operator's word. That is no fence: storage proves one before it opens a disk.
      ...(isEvacuated ? { status: statusBefore(server), fault: null } : {}),
      ...(isEvacuated && draft.awaitsFence !== true ? { releasedGeneration: generation - 1 } : {}),
      ...(isEvacuated ? withoutLiveMove(attempt, server, nowMs) : {}),
      ...(draft.landsStopped === true ? { powerWanted: shoal.v1.PowerWanted.POWER_WANTED_STOPPED } : {}),
      move: new shoal.v1.ServerMove({ migrationId, kind, phase: 'migrating', oldFlavor, newFlavor, confirmsItself }),
      updatedMs: nowMs,
      disks: [...reshapedDisks(disks, oldFlavor, newFlavor)],
    });
  }

  #confirm({ change, reader }: Attempt, row: Row<Server>, context: RequestContext): void {
    const { record } = row;
    const { move } = record;
    if (move === null) return;
    const nowMs = this.#deps.clock.nowMs();
    noteMigration({ change, reader }, move.migrationId, { status: 'confirmed' }, nowMs);
    const event = { event: 'compute_confirm_resize', hostId: record.hostId, startMs: nowMs, finishMs: nowMs };
    const actions = askedAction(record, 'confirmResize', context, nowMs, { events: [event] });
    const next = new shoal.v1.Server({ ...record, ...withoutFormer(record), actions, updatedMs: nowMs });
    serverTable.update(change, row, next);
    refundDifference(change, record, next);
  }

  #revert(attempt: Attempt, row: Row<Server>, context: RequestContext): void {
    const { reader, change } = attempt;
    const { record } = row;
    const { id, previousHostId, move } = record;
    const phase = movePhase(record);
    const isUnderWay = move === null ? isUnreleased(record) : phase === 'migrating' || phase === 'finished';
    if (!isUnderWay || previousHostId === '' || isOneWay(record)) {
      throw conflict(
        `Cannot 'revertResize' instance ${id}: no move of it waits to be confirmed, or for its former host.`,
      );
    }
    if (hostTable.get(reader, previousHostId) === undefined) {
      throw conflict(`Cannot 'revertResize' instance ${id}: its former host is no member of the mesh any more.`);
    }
    putOnHost(change, previousHostId);
    const group = serverGroupTable.get(reader, record.serverGroupId);
    if (group !== undefined) writeGroup(change, group, group.record.memberIds);
    const nowMs = this.#deps.clock.nowMs();
    // The host between them never had the disks: nothing is left for it to release.
    const isAtOnce = isUnreleased(record);
    const migrationId = move?.migrationId ?? openMigration(reader, id)?.id ?? '';
    noteMigration(attempt, migrationId, { status: isAtOnce ? 'reverted' : 'reverting' }, nowMs);
    const request = nextRequest(record);
    const generation = record.generation + 1;
    const next = new shoal.v1.Server({
      ...record,
      ...request,
      actions: askedAction(record, 'revertResize', context, nowMs, request),
      hostId: previousHostId,
      previousHostId: isAtOnce ? '' : record.hostId,
      generation,
      ...(isAtOnce ? { releasedGeneration: generation - 1 } : {}),
      status: statusBefore(record),
      fault: null,
      taskState: isAtOnce ? '' : 'resize_reverting',
      updatedMs: nowMs,
      ...formerShape(record, moveVolumes(this.#deps, attempt, record, previousHostId)),
      move: isAtOnce || move === null ? null : new shoal.v1.ServerMove({ ...move, phase: 'reverting' }),
    });
    serverTable.update(change, row, next);
    refundDifference(change, record, next);
    movePorts(attempt, record, previousHostId);
  }
}

/** Hosts that were lost with the server, besides the one that it leaves now. Where it goes, it is found and ended before anything else. */
function lostHostsOf({ hostId, previousHostId, lostHostIds }: Server, nextHostId: string): string[] {
  const all = new Set([
    ...lostHostIds,
    ...(previousHostId === '' || previousHostId === hostId ? [] : [previousHostId]),
  ]);
  all.delete(hostId);
  all.delete(nextHostId);
  return [...all];
}

/** Nova's words for the moves. */
const kinds = { resize: 'resize', migrate: 'migration', evacuate: 'evacuation' } as const;

function mustBeForcedDown(reader: StateReader, { hostId }: Server): void {
  if (hostTable.get(reader, hostId)?.record.forcedDown !== true) throw stillInUse(reader, hostId);
}

function stillInUse(reader: StateReader, hostId: string): ShoalError {
  const name = hostTable.get(reader, hostId)?.record.name ?? hostId;
  return badRequest(
    `Compute service of ${name} is still in use. Servers are evacuated from a host that does not answer, once its service is ` +
      'forced down: openstack compute service set --down.',
  );
}

/** Flavor and disks as they were before the move. */
function formerShape(
  { flavor, move }: Server,
  disks: readonly shoal.v1.IServerDisk[],
): { readonly flavor: Flavor | null; readonly disks: shoal.v1.IServerDisk[] } {
  const former = move?.oldFlavor;
  if (flavor === null || former === null || former === undefined) return { flavor, disks: [...disks] };
  const old = new shoal.v1.Flavor(former);
  return { flavor: old, disks: [...reshapedDisks(disks, flavor, old)] };
}

/** A server that failed on its way is as it was wanted before; one that an earlier version moved was off. */
function statusBefore({ status, powerWanted }: Server): shoal.v1.ServerStatus {
  const isFailed = status === ServerStatus.SERVER_STATUS_ERROR || status === ServerStatus.SERVER_STATUS_MIGRATING;
  if (!isFailed) return status;
  return powerWanted === shoal.v1.PowerWanted.POWER_WANTED_STOPPED
    ? ServerStatus.SERVER_STATUS_SHUTOFF
    : ServerStatus.SERVER_STATUS_ACTIVE;
}

/** What a resize adds to what is counted of the quota: nothing is given back before it is confirmed. */
function growthOf(server: Server, wanted: Flavor): { readonly cores: number; readonly ram: number } {
  const { cores, ram } = amountsOf(server);
  return { cores: Math.max(0, wanted.vcpus - cores), ram: Math.max(0, wanted.memoryMib - ram) };
}
