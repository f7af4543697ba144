/** Emptying a host: ../../plan/drain-plan.ts decides; this reads the records for it, and asks the compute service. */

import { shoal } from '../../../../proto/messages.ts';
import type { ComputeService } from '../../../services/compute/index.ts';
import { hostTable, serverTable } from '../../../state/tables/index.ts';
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

/** See above. @param isShared whether a storage of this name can be reached from other hosts. */
export function drainJob(
  compute: Pick<ComputeService, 'servers' | 'moves' | 'hosts'>,
  isShared: (storage: string) => boolean,
): JobKind<DrainWorld, DrainAction> {
  return {
    name: 'drain',
    world: (job, reader) => worldOf(job, reader, isShared),
    next: nextOfDrain,
    progress: progressOfDrain,
    noteBefore: noted,
    async carryOut(job, action, signal) {
      const context = operatorContext(job, signal);
      const hostId = job.drain?.hostId ?? '';
      switch (action.kind) {
        case 'disable-host':
          await compute.hosts.setEnabled(context, hostId, false, `job ${job.id} empties it`);
          return;
        case 'enable-host':
          await compute.hosts.setEnabled(context, hostId, true);
          return;
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

function worldOf(job: shoal.v1.Job, reader: StateReader, isShared: (storage: string) => boolean): DrainWorld {
  const hostId = job.drain?.hostId ?? '';
  const host = hostTable.get(reader, hostId)?.record;
  const there = serverTable.by(reader, 'host', hostId).map(({ record }) => record);
  const stopped = (job.drain?.stoppedServerIds ?? [])
    .filter((id) => !there.some((server) => server.id === id))
    .flatMap((id) => serverTable.find(reader, id)?.record ?? []);
  return {
    host: host === undefined ? undefined : { name: host.name, isEnabled: !host.disabled },
    servers: [...there, ...stopped].map((server) => seen(server, job, isShared)),
  };
}

function seen(server: shoal.v1.Server, job: shoal.v1.Job, isShared: (storage: string) => boolean): DrainServer {
  const hostId = job.drain?.hostId ?? '';
  const power = new Map([
    [ServerStatus.SERVER_STATUS_ACTIVE, 'running' as const],
    [ServerStatus.SERVER_STATUS_SHUTOFF, 'stopped' as const],
  ]);
  const isLeaving = server.hostId !== hostId && server.previousHostId === hostId;
  return {
    id: server.id,
    name: server.name,
    place: server.hostId === hostId ? 'here' : isLeaving ? 'leaving' : 'elsewhere',
    power: power.get(server.status) ?? 'other',
    isIdle: server.taskState === '' && server.previousHostId === '' && !server.deleting,
    isShared: isShared(server.storage),
    isDeleting: server.deleting,
    isStoppedByJob: isStoppedBy(job, server),
  };
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
