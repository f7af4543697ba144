/**
 * Servers that go to another host while they run: Nova's live migration. The record names the host that they leave until all of
 * the memory is at the other one; then record, ports and volumes name that one in one transaction, at a generation of its own.
 * The guest stands still from the end of the copy until its former host has let go of it, and then goes on at the new one, which
 * waits for the record's word: whatever breaks in between, it runs on one host.
 *
 *     preparing --> copying --switch--> migrating --> cleaning --> (done)
 *         \\-----------\\--> (stays; the target discards what it made)
 */
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { hostTable, jobTable, migrationTable, serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { beginJob } from '../../jobs/job-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { Placed } from '../../kit/dependencies.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { liveMoveName } from '../../kit/sealing.ts';
import { awaitingHostOf, liveMove } from '../../kit/server-move.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../../volume/kit/dependencies.ts';
import { volumeDisks } from '../../volume/records/server-disks.ts';
import { isMigrating } from '../../volume/records/volume-record.ts';
import { askedAction } from '../history/action-history.ts';
import { beginMigration } from '../history/migrations.ts';
import { placementEvents } from '../history/placement-events.ts';
import { badRequest, conflict } from '../kit/refusals.ts';
import { mustTake, seeServer } from '../kit/server-record.ts';
import { checkDiscarded, liveMigrationKind } from './live-move-record.ts';
import {
  agreeWithGroup,
  checkDestination,
  checkPlace,
  flavorOf,
  isReachable,
  mustAnswer,
  type PlacingDependencies,
  placeMove,
} from './placing.ts';
import { servedVolume } from './ways-out.ts';

const failpointClaimedNotBound = failpoint(
  'live-migration.claimed-not-bound',
  'a host has admitted a server that is to come while it runs, and its record does not say so',
);
const failpointAsked = failpoint(
  'live-migration.asked',
  'a server is to move while it runs, and neither host has heard of it',
);

/** After which a live migration is taken back by itself. Unit: ms. */
const durationMsMax = 24 * 3_600_000;
/** Bytes of the key that the two hosts have in common. */
const keyBytes = 32;

type Server = shoal.v1.Server;
type Deps = VolumeDependencies & PlacingDependencies;

/** What is asked for. */
interface LiveMigrationDraft {
  /** Absent: placement chooses. */
  readonly hostName?: string | undefined;
  /** Whether disks are copied as well: Nova's `block_migration`. `auto`: where they have to be. Default `auto`. */
  readonly blockMigration?: boolean | 'auto';
}

/** See above. */
export class LiveMigrations {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Begins to move a server that is on, or paused. A named host passes the same filters as any, else `NO_VALID_HOST`, which says of
   * each host why not; the server's own is `INVALID_ARGUMENT`, as is `blockMigration` that its storage does not fit. `CONFLICT` for
   * a server in another state, with a disk on its host's own storage, with a volume that is being moved, or whose host does not answer.
   */
  async begin(context: RequestContext, id: string, draft: LiveMigrationDraft = {}): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    const { hostName, blockMigration = 'auto' } = draft;
    this.#check(context, reader, server);
    if (hostName !== undefined) checkDestination(reader, server, hostName);
    this.#checkDisks(reader, server, blockMigration);
    await mustAnswer(this.#deps, context, reader, server);
    const move = { newFlavor: flavorOf(server), hostName, excludeHostIds: [server.hostId] };
    await this.#bind(context, server, await placeMove(this.#deps, context, reader, server, move));
    failpointAsked();
  }

  /**
   * Has the guest paused for the rest of the copy, so that it comes to its end. `NOT_FOUND` for no such migration of the server,
   * `INVALID_ARGUMENT` for one whose memory is not being copied.
   */
  async forceComplete(context: RequestContext, id: string, migration: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { row, move } = this.#underWay(context, attempt, id, migration);
      if (move?.phase !== 'copying') throw notRunning(row.record.id, migration, 'running');
      if (move.mustFinish) return;
      const nowMs = this.#deps.clock.nowMs();
      const actions = askedAction(row.record, 'live_migration_force_complete', context, nowMs);
      const next = new shoal.v1.ServerMove({ ...move, mustFinish: true });
      serverTable.update(
        attempt.change,
        row,
        new shoal.v1.Server({ ...row.record, move: next, actions, updatedMs: nowMs }),
      );
    });
  }

  /**
   * Has it taken back: the server stays where it is. `NOT_FOUND` for no such migration of the server, `INVALID_ARGUMENT` for one
   * that has switched hosts already, or has ended.
   */
  async abort(context: RequestContext, id: string, migration: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { row, move } = this.#underWay(context, attempt, id, migration);
      const job = jobTable.one(attempt.reader, 'subject', indexKey(`server/${row.record.id}`));
      if (move === undefined || job?.record.liveMigration?.migrationId !== move.migrationId) {
        throw notRunning(row.record.id, migration, 'queued, preparing or running');
      }
      if (job.record.cancelRequested) return;
      const nowMs = this.#deps.clock.nowMs();
      const actions = askedAction(row.record, 'live_migration_cancel', context, nowMs);
      jobTable.update(
        attempt.change,
        job,
        new shoal.v1.Job({ ...job.record, cancelRequested: true, updatedMs: nowMs }),
      );
      serverTable.update(attempt.change, row, new shoal.v1.Server({ ...row.record, actions, updatedMs: nowMs }));
    });
  }

  #check(context: RequestContext, reader: StateReader, server: Server): void {
    mustTake(context, server, 'os-migrateLive');
    checkDiscarded(reader, server);
    if (server.previousHostId === '' && awaitingHostOf(server) === '') return;
    const name = hostTable.get(reader, server.previousHostId)?.record.name ?? server.previousHostId;
    throw conflict(
      `Cannot 'os-migrateLive' instance ${server.id}: host ${name} has not removed yet what it has of it from an earlier move.`,
    );
  }

  #checkDisks(reader: StateReader, server: Server, blockMigration: boolean | 'auto'): void {
    const isShared = isReachable(this.#deps, reader, server);
    const name = hostTable.get(reader, server.hostId)?.record.name ?? server.hostId;
    if (isShared === undefined) {
      throw new ShoalError(
        'UNAVAILABLE',
        `No host has reported yet whether the storage ${server.storage} is shared; try again.`,
      );
    }
    if (blockMigration === true && isShared) {
      throw badRequest(`${name} is not on local storage: Block migration can not be used with shared storage.`);
    }
    if (blockMigration === false && !isShared) {
      throw badRequest(
        `${name} is not on shared storage: Shared storage live-migration requires either shared storage or ` +
          'boot-from-volume with no local disks.',
      );
    }
    if (!isShared) {
      throw conflict(
        `Cannot 'os-migrateLive' instance ${server.id}: it has a disk on its host's own storage, and disks are not copied while a ` +
          'server moves. Migrate its volumes to a shared pool, or migrate the server while it is off.',
      );
    }
    const moving = volumesOf(reader, server).find(({ record }) => isMigrating(record))?.record.id;
    if (moving !== undefined) {
      throw conflict(
        `Cannot 'os-migrateLive' instance ${server.id}: its volume ${moving} is just being moved or swapped; try again when that is done.`,
      );
    }
    const volumeId = servedVolume(this.#deps, reader, server);
    if (volumeId === undefined) return;
    throw conflict(
      `Cannot 'os-migrateLive' instance ${server.id}: its volume ${volumeId} is on the own storage of one host, which serves it ` +
        'to one other at a time. Migrate the volume to a shared pool first.',
    );
  }

  /** One transaction: move, migration, history and job. The room is the server's at both hosts from then on. */
  async #bind(context: RequestContext, server: Server, placed: Placed): Promise<void> {
    failpointClaimedNotBound();
    const [migrationId, jobId] = [this.#deps.newId(), this.#deps.newId()];
    try {
      await transact(this.#deps, context, (attempt) => {
        const { reader, change } = attempt;
        const row = seeServer(context, reader, server.id);
        this.#check(context, reader, row.record);
        if (row.record.generation !== server.generation) throw conflict(`Instance ${server.id} has moved meanwhile`);
        this.#checkDisks(reader, row.record, 'auto');
        // A volume that begins to move looks at its server, and this at the volumes: one of the two comes first.
        for (const volume of volumesOf(reader, row.record)) volumeTable.unchanged(change, volume);
        checkPlace(reader, placed);
        putOnHost(change, placed.hostId);
        agreeWithGroup(change, reader, row.record, placed.hostId);
        serverTable.update(change, row, this.#moving(attempt, context, row.record, { placed, migrationId, jobId }));
      });
    } catch (caught) {
      if (!ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) await placed.release();
      throw caught;
    }
  }

  #moving(
    attempt: Attempt,
    context: RequestContext,
    server: Server,
    ids: { readonly placed: Placed; readonly migrationId: string; readonly jobId: string },
  ): Server {
    const nowMs = this.#deps.clock.nowMs();
    const { placed, migrationId, jobId } = ids;
    const flavor = flavorOf(server);
    const generation = server.generation + 1;
    const targetHostId = placed.hostId;
    beginMigration(
      attempt,
      context,
      {
        ...{ id: migrationId, kind: liveMigrationKind, status: 'preparing', server, targetHostId, generation },
        ...{ oldFlavorId: flavor.id, newFlavorId: flavor.id },
      },
      nowMs,
    );
    const liveMigration = new shoal.v1.LiveMigrationJob({ serverId: server.id, migrationId, targetHostId, generation });
    beginJob(
      attempt,
      {
        ...{ id: jobId, kind: liveMigrationKind, subject: `server/${server.id}`, ownerHostId: server.hostId },
        ...{ projectId: server.projectId, userId: context.userId, deadlineMs: nowMs + durationMsMax },
        detail: { liveMigration },
      },
      nowMs,
    );
    const { sealed, keyEpoch } = this.#deps.sealing.draw(attempt, liveMoveName(migrationId), keyBytes);
    return new shoal.v1.Server({
      ...server,
      actions: askedAction(server, liveMigrationKind, context, nowMs, { events: placementEvents(placed, nowMs) }),
      taskState: 'migrating',
      move: new shoal.v1.ServerMove({
        ...{ migrationId, kind: liveMigrationKind, phase: 'preparing', targetHostId },
        ...{ oldFlavor: flavor, newFlavor: flavor, sealedKey: sealed, keyEpoch },
      }),
      updatedMs: nowMs,
    });
  }

  /** The server, and its live migration if it has not switched hosts. @param migration its number, or its id. */
  #underWay(
    context: RequestContext,
    { reader }: Attempt,
    id: string,
    migration: string,
  ): { readonly row: ReturnType<typeof seeServer>; readonly move: shoal.v1.ServerMove | undefined } {
    const row = seeServer(context, reader, id);
    const found = /^[0-9]{1,10}$/.test(migration)
      ? migrationTable.one(reader, 'number', migration)?.record
      : migrationTable.get(reader, migration)?.record;
    if (found === undefined || found.serverId !== row.record.id) {
      throw new ShoalError('NOT_FOUND', `Migration ${migration} for instance ${row.record.id} not found.`);
    }
    if (found.kind !== liveMigrationKind) throw notRunning(row.record.id, migration, 'a live migration');
    const move = liveMove(row.record);
    return { row, move: move?.migrationId === found.id ? move : undefined };
  }
}

/** The volumes that it has, without the disk that is its own. */
function volumesOf(reader: StateReader, server: Server): readonly Row<shoal.v1.Volume>[] {
  return volumeDisks(server).flatMap(({ volumeId }) => volumeTable.get(reader, volumeId ?? '') ?? []);
}

/** Nova's words for a migration that is no longer, or not yet, to be had. */
function notRunning(serverId: string, migration: string, wanted: string): ShoalError {
  return badRequest(`Migration ${migration} state of instance ${serverId} is not ${wanted}.`);
}
