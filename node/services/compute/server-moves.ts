/**
 * Moving stopped servers between hosts that both reach the disk. The old host releases it first, then the new one takes
 * over: at no moment do two hosts have the disk. A move whose old host has not released yet can be taken back.
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServerId } from '../../base/ids.ts';
import { indexKey } from '../../state/table.ts';
import {
  hostTable,
  imageTable,
  portTable,
  serverGroupTable,
  serverTable,
  volumeTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { Placed } from '../kit/dependencies.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { nextRequest } from '../kit/server-request.ts';
import { isSharedPool, servesPool } from '../kit/storage-pools.ts';
import { type Attempt, type Change, transact } from '../kit/transact.ts';
import { updatePortRow } from '../network/port-record.ts';
import { moveVolumes } from '../volume/records/server-disks.ts';
import type { ComputeDependencies } from './dependencies.ts';
import { groupAllows, groupForPlacement, writeGroup } from './group-hosts.ts';
import { askedAction } from './history/action-history.ts';
import { beginMigration, noteMigration, openMigration } from './history/migrations.ts';
import { placementEvents } from './history/placement-events.ts';
import { badRequest, conflict } from './kit/refusals.ts';
import { mustTake, seeServer } from './kit/server-record.ts';

const markClaimsTooOldToMove = coverageMark(
  'claims-too-old-to-move',
  'a move took so long that its claims may have ended',
);

const { ServerStatus } = shoal.v1;

/**
 * Nova's cold migration, without Nova's confirmation: a move is done when the new host has the disk. Live migration is
 * not offered.
 */
export class ServerMoves {
  readonly #deps: ComputeDependencies;

  constructor(deps: ComputeDependencies) {
    this.#deps = deps;
  }

  /**
   * Moves a stopped server to another host, chosen by placement or named. A named host passes
   * the same filters as any, else `NO_VALID_HOST`; the server's own is `INVALID_ARGUMENT`. `CONFLICT` when the named host
   * is not one that the server's group allows, the server is not stopped, its disk is not on shared storage, or its present host does not answer: only that host can let
   * go of the disk, and the move would wait for it without an end.
   */
  async migrate(context: RequestContext, id: string, hostName?: string): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    this.#checkMovable(context, reader, server);
    const group = serverGroupTable.get(reader, server.serverGroupId);
    if (hostName !== undefined) checkDestination(reader, server, group?.record, hostName);
    await this.#mustAnswer(context, reader, server);
    const image = imageTable.get(reader, server.imageId)?.record;
    const { flavor } = server;
    if (flavor === null) throw conflict(`Instance ${id} has no flavor recorded`);
    const placed = await this.#deps.placer.place(
      {
        serverId: id as ServerId,
        generation: server.generation + 1,
        flavor,
        ...(image === undefined ? {} : { image }),
        projectId: server.projectId,
        zone: server.zone,
        storage: server.storage,
        excludeHostIds: [server.hostId],
        ...(hostName === undefined ? {} : { hostName }),
        schedulerHints: server.schedulerHints,
        ...(group === undefined ? {} : { group: groupForPlacement(reader, group.record, id) }),
      },
      context.signal,
    );
    await this.#move(context, server, placed);
  }

  /**
   * Takes a move back whose old host has not released the disk yet (Nova's `revertResize`): the server is that host's again,
   * at a generation of its own, stopped as it was. The other host has never had the disk. `CONFLICT` when nothing waits.
   */
  async cancel(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      const { record } = row;
      mustTake(context, record, 'revertResize');
      const { previousHostId } = record;
      if (previousHostId === '' || record.releasedGeneration >= record.generation - 1) {
        throw conflict(`Cannot 'revertResize' instance ${id}: no move of it waits for its former host.`);
      }
      if (hostTable.get(attempt.reader, previousHostId) === undefined) {
        throw conflict(`Cannot 'revertResize' instance ${id}: its former host is no member of the mesh any more.`);
      }
      putOnHost(attempt.change, previousHostId);
      const group = serverGroupTable.get(attempt.reader, record.serverGroupId);
      if (group !== undefined) writeGroup(attempt.change, group, group.record.memberIds);
      const generation = record.generation + 1;
      const nowMs = this.#deps.clock.nowMs();
      const migration = openMigration(attempt.reader, id);
      if (migration !== undefined) noteMigration(attempt, migration.id, { status: 'reverted' }, nowMs);
      const next = new shoal.v1.Server({
        ...record,
        actions: askedAction(record, 'revertResize', context, nowMs),
        hostId: previousHostId,
        previousHostId: '',
        generation,
        // The host between them never had the disk: nothing is left for it to release.
        releasedGeneration: generation - 1,
        status: ServerStatus.SERVER_STATUS_SHUTOFF,
        taskState: '',
        updatedMs: nowMs,
        disks: moveVolumes(this.#deps, attempt, record, previousHostId),
      });
      serverTable.update(attempt.change, row, next);
      movePorts(attempt, record, previousHostId);
    });
  }

  /** Asked directly and now: what gossip last heard may be old. */
  async #mustAnswer(context: RequestContext, reader: StateReader, server: shoal.v1.Server): Promise<void> {
    const host = hostTable.get(reader, server.hostId)?.record;
    if (host === undefined) throw conflict(`Instance ${server.id} has no host`);
    if (await this.#deps.hostProbe.answers(host.id as Placed['hostId'], context.signal)) return;
    throw conflict(
      `Host ${host.name}, which has instance ${server.id}, does not answer. Only it can let go of the disk: ` +
        'move the server when the host is back, or remove the host from the mesh when it is lost for good.',
    );
  }

  #checkMovable(context: RequestContext, reader: StateReader, server: shoal.v1.Server): void {
    mustTake(context, server, 'migrate');
    const adverts = this.#deps.hostViews.adverts();
    const volumes = server.disks.map(({ volumeId }) => volumeTable.get(reader, volumeId ?? '')?.record);
    const isServed = (volume: shoal.v1.Volume | undefined): boolean =>
      volume !== undefined && volume.hostId !== '' && servesPool(adverts, volume.pool, volume.hostId);
    // A volume on one host's own storage stays where it is, and is served to the server's host.
    const left = server.disks.filter((_disk, at) => !isServed(volumes[at]));
    const pools = new Set([server.storage, ...left.flatMap(({ pool }) => pool ?? [])]);
    const shared = [...pools].map((pool) => isSharedPool(adverts, pool, server.hostId));
    // One that nobody tells of comes before one that is shared: it may be of the host's own.
    const worst = shared.includes(false) ? false : shared.includes(undefined) ? undefined : true;
    checkReachable(server, worst);
  }

  async #move(context: RequestContext, server: shoal.v1.Server, placed: Placed): Promise<void> {
    const migrationId = this.#deps.newId();
    try {
      await transact(this.#deps, context, (attempt) => {
        const { reader, change } = attempt;
        const row = seeServer(context, reader, server.id);
        this.#checkMovable(context, reader, row.record);
        if (placed.isTooOld()) {
          markClaimsTooOldToMove();
          throw new ShoalError('PRECONDITION_CHANGED', 'Placing the server took too long; try again.');
        }
        if (row.record.generation !== server.generation) throw conflict(`Instance ${server.id} has moved meanwhile`);
        if (!hostTable.exists(reader, placed.hostId)) {
          throw new ShoalError(
            'PRECONDITION_CHANGED',
            `Host ${placed.hostName} has left the mesh meanwhile; try again.`,
          );
        }
        putOnHost(change, placed.hostId);
        agreeWithGroup(change, reader, server, placed.hostId);
        const nowMs = this.#deps.clock.nowMs();
        const flavorId = row.record.flavor?.id ?? '';
        const generation = row.record.generation + 1;
        beginMigration(
          attempt,
          context,
          {
            ...{ id: migrationId, kind: 'migration', status: 'migrating', server: row.record, generation },
            ...{ targetHostId: placed.hostId, oldFlavorId: flavorId, newFlavorId: flavorId },
          },
          nowMs,
        );
        const request = nextRequest(row.record);
        const events = placementEvents(placed, nowMs);
        const next = new shoal.v1.Server({
          ...row.record,
          ...request,
          actions: askedAction(row.record, 'migrate', context, nowMs, { ...request, events }),
          hostId: placed.hostId,
          previousHostId: row.record.hostId,
          generation,
          status: ServerStatus.SERVER_STATUS_MIGRATING,
          taskState: 'resize_migrating',
          updatedMs: nowMs,
          disks: moveVolumes(this.#deps, attempt, row.record, placed.hostId),
        });
        serverTable.update(change, row, next);
        movePorts(attempt, row.record, placed.hostId);
      });
    } catch (caught) {
      if (!ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) await placed.release();
      throw caught;
    }
  }
}

/**
 * Refuses a named host to which the server can never go. The group is asked here as well as by its filter, which need not
 * be enabled: the commit would refuse the host each time.
 */
function checkDestination(
  reader: StateReader,
  server: shoal.v1.Server,
  group: shoal.v1.ServerGroup | undefined,
  hostName: string,
): void {
  const host = hostTable.one(reader, 'name', indexKey(hostName))?.record;
  if (host === undefined) throw badRequest(`Compute host ${hostName} could not be found.`);
  if (host.id === server.hostId) throw badRequest('Cannot migrate to the host where the server exists.');
  if (group !== undefined && !groupAllows(groupForPlacement(reader, group, server.id), [host.id])) {
    throw conflict(
      `Cannot 'migrate' instance ${server.id} to host ${hostName}: the ${group.policy} policy of its server group ` +
        `${group.id} does not allow that host. Name another one.`,
    );
  }
}

/** Throws `PRECONDITION_CHANGED` unless the server's group allows the host as it is now. */
function agreeWithGroup(change: Change, reader: StateReader, server: shoal.v1.Server, hostId: string): void {
  const group = serverGroupTable.get(reader, server.serverGroupId);
  if (group === undefined) return;
  if (!groupAllows(groupForPlacement(reader, group.record, server.id), [hostId])) {
    throw new ShoalError('PRECONDITION_CHANGED', 'The server group has changed meanwhile; try again.');
  }
  // Unchanged but for its revision: a request that places another member by the group as it was has to look again.
  writeGroup(change, group, group.record.memberIds);
}

function movePorts({ reader, change }: Attempt, server: shoal.v1.Server, hostId: string): void {
  for (const portId of server.portIds) {
    const port = portTable.get(reader, portId);
    if (port !== undefined) updatePortRow(change, port, new shoal.v1.Port({ ...port.record, hostId }));
  }
}

/** @param isShared whether other hosts can open its disk; undefined: no host tells. */
function checkReachable(server: shoal.v1.Server, isShared: boolean | undefined): void {
  if (isShared === undefined) {
    throw new ShoalError(
      'UNAVAILABLE',
      `No host has reported yet whether the storage ${server.storage} is shared; try again.`,
    );
  }
  if (!isShared) {
    throw conflict(
      `Instance ${server.id} has its disk on its host's own storage; only servers on shared storage can move.`,
    );
  }
}
