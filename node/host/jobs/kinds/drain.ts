/** Emptying hosts: ../../plan/drain-plan.ts decides; this reads the records for it, and asks the compute service. */

import { shoal } from '../../../../proto/messages.ts';
import { drainedHosts } from '../../../services/compute/drains/drained-hosts.ts';
import type { ComputeService } from '../../../services/compute/index.ts';
import { priorityOf, wayOut } from '../../../services/compute/moves/ways-out.ts';
import type { HostViews } from '../../../services/kit/dependencies.ts';
import { awaitingHostOf, liveMove } from '../../../services/kit/server-move.ts';
import { indexKey } from '../../../state/table.ts';
import { hostTable, jobTable, migrationTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import {
  type DrainAction,
  type DrainServer,
  type DrainWorld,
  nextOfDrain,
  progressOfDrain,
} from '../../plan/drain-plan.ts';
import type { JobKind } from '../job-kind.ts';
import { operatorContext, requestIdOf } from '../operator-context.ts';

const { ServerStatus } = shoal.v1;

/** In the history of servers, and as a kind of migration. */
const liveMigrationKind = 'live-migration';

/**
 * See above.
 * @param kind `drain`: of one host; `drain-domain`: of several, which earlier versions do not know and leave alone.
 */
export function drainJob(
  compute: Pick<ComputeService, 'servers' | 'moves' | 'liveMigrations' | 'hosts'>,
  hostViews: Pick<HostViews, 'adverts'>,
  kind: 'drain' | 'drain-domain' = 'drain',
): JobKind<DrainWorld, DrainAction> {
  return {
    name: kind,
    world: (job, reader) => worldOf(job, reader, hostViews),
    next: nextOfDrain,
    progress: progressOfDrain,
    noteBefore: noted,
    async carryOut(job, action, signal) {
      const context = operatorContext(job, signal);
      switch (action.kind) {
        case 'disable-host':
          await compute.hosts.setEnabled(context, action.hostId, false, `job ${job.id} empties it`);
          return;
        case 'enable-host':
          await compute.hosts.setEnabled(context, action.hostId, true);
          return;
        case 'move-live':
          return compute.liveMigrations.begin(context, action.serverId);
        case 'call-back':
          return compute.liveMigrations.abort(context, action.serverId, action.migrationId);
        case 'stop-server':
          await compute.servers.stop(context, action.serverId);
          return;
        case 'move-server':
          await compute.moves.migrate(context, action.serverId, undefined, { confirmsItself: true });
          return;
        case 'start-server':
          await compute.servers.start(context, action.serverId);
          return;
        case 'forget-stopped':
          // The note is all of it.
          return;
      }
    },
  };
}

/** What the job stopped is noted before it is stopped: else a crash in between would leave it off. */
function noted(job: shoal.v1.Job, action: DrainAction): shoal.v1.Job | undefined {
  if (job.drain === null || (action.kind !== 'stop-server' && action.kind !== 'forget-stopped')) return undefined;
  const others = job.drain.stoppedServerIds.filter((id) => id !== action.serverId);
  const stoppedServerIds = action.kind === 'stop-server' ? [...others, action.serverId] : others;
  return new shoal.v1.Job({ ...job, drain: new shoal.v1.DrainJob({ ...job.drain, stoppedServerIds }) });
}

function worldOf(job: shoal.v1.Job, reader: StateReader, hostViews: Pick<HostViews, 'adverts'>): DrainWorld {
  const drained = drainedHosts(job);
  const hosts = drained.flatMap(({ hostId: id, wasEnabled }) => {
    const host = hostTable.get(reader, id)?.record;
    return host === undefined ? [] : [{ id, name: host.name, isEnabled: !host.disabled, wasEnabled }];
  });
  const ids = new Set(drained.map(({ hostId }) => hostId));
  const there = new Map<string, shoal.v1.Server>();
  for (const id of ids) for (const { record } of serverTable.by(reader, 'host', id)) there.set(record.id, record);
  for (const id of job.drain?.stoppedServerIds ?? []) {
    const stopped = serverTable.find(reader, id)?.record;
    if (stopped !== undefined) there.set(id, stopped);
  }
  return { hosts, servers: [...there.values()].map((server) => seen(server, job, reader, { ids, hostViews })) };
}

function seen(
  server: shoal.v1.Server,
  job: shoal.v1.Job,
  reader: StateReader,
  { ids, hostViews }: { readonly ids: ReadonlySet<string>; readonly hostViews: Pick<HostViews, 'adverts'> },
): DrainServer {
  const isHere = ids.has(server.hostId);
  const place = isHere
    ? 'here'
    : ids.has(server.previousHostId)
      ? 'leaving'
      : ids.has(awaitingHostOf(server))
        ? 'arriving'
        : 'elsewhere';
  const requestId = requestIdOf(job);
  const isTry = ({ action, requestId: id }: shoal.v1.IServerAction): boolean =>
    action === liveMigrationKind && id === requestId;
  const move = liveMove(server);
  const moveJob = move === undefined ? undefined : jobTable.one(reader, 'subject', indexKey(`server/${server.id}`));
  return {
    id: server.id,
    name: server.name,
    place,
    power: powers.get(server.status) ?? 'other',
    isIdle:
      server.taskState === '' && server.previousHostId === '' && awaitingHostOf(server) === '' && !server.deleting,
    way: wayOut({ hostViews }, reader, server, job.drain?.stopRunning === true),
    priority: priorityOf(server),
    memoryMib: server.flavor?.memoryMib ?? 0,
    isDeleting: server.deleting,
    isStoppedByJob: isStoppedBy(job, server),
    liveTries: server.actions.filter(isTry).length,
    liveFailure: lastFailure(reader, server),
    ...(move === undefined
      ? {}
      : {
          liveMove: {
            migrationId: move.migrationId,
            isByJob: server.actions.findLast(({ action }) => action === liveMigrationKind)?.requestId === requestId,
            isCancelled: moveJob?.record.cancelRequested === true,
            told: copied(reader, move.migrationId),
          },
        }),
  };
}

const powers: ReadonlyMap<shoal.v1.ServerStatus, DrainServer['power']> = new Map([
  [ServerStatus.SERVER_STATUS_ACTIVE, 'running'],
  [ServerStatus.SERVER_STATUS_PAUSED, 'paused'],
  [ServerStatus.SERVER_STATUS_SHUTOFF, 'stopped'],
]);

/** How far the copy of a guest's memory is, for people. */
function copied(reader: StateReader, migrationId: string): string {
  const { memoryTotalBytes = 0, memoryRemainingBytes = 0 } = migrationTable.get(reader, migrationId)?.record ?? {};
  if (memoryTotalBytes === 0) return '';
  return `${Math.floor((100 * (memoryTotalBytes - memoryRemainingBytes)) / memoryTotalBytes)} % of its memory is copied`;
}

/** Why the server's last live migration failed. */
function lastFailure(reader: StateReader, { id }: shoal.v1.Server): string {
  const own = migrationTable.by(reader, 'server', indexKey(id)).map(({ record }) => record);
  const moves = own.filter(({ kind }) => kind === liveMigrationKind).sort((a, b) => b.number - a.number);
  return moves[0]?.error ?? '';
}

/** By the server's history: a stop that was refused because it was off already is not in it. */
function isStoppedBy(job: shoal.v1.Job, server: shoal.v1.Server): boolean {
  const last = server.actions.findLast(({ action }) => powerActions.has(action));
  return last?.action === 'stop' && last.requestId === requestIdOf(job);
}

/** Actions that say what a server's power is to be. */
const powerActions: ReadonlySet<string> = new Set([
  'create',
  'start',
  'stop',
  'reboot',
  'pause',
  'unpause',
  'suspend',
  'resume',
]);
