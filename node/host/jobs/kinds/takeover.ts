/** Servers of a lost host come back on others: ../../plan/takeover-plan.ts decides; this reads records and witnesses for it. */
import type { StorageDriver } from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { Clock } from '../../../base/clock.ts';
import { isTransient, ShoalError } from '../../../base/errors.ts';
import type { HostId, VolumeId } from '../../../base/ids.ts';
import type { ServerMoves } from '../../../services/compute/server-moves.ts';
import { placeOfLost, policyOf, serversOfLost, whyItStays } from '../../../services/compute/takeover/lost-servers.ts';
import { isUnreleased } from '../../../services/kit/server-move.ts';
import { disksOf } from '../../../services/volume/kit/disks-of-server.ts';
import { hostTable, serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { diskGeneration } from '../../kinds/server/kit/disk-specs.ts';
import {
  type LostServer,
  nextOfTakeover,
  progressOfTakeover,
  type TakeoverAction,
  type TakeoverWorld,
} from '../../plan/takeover-plan.ts';
import type { HostWitnesses } from '../../takeover/host-witnesses.ts';
import type { JobKind } from '../job-kind.ts';
import { operatorContext } from '../operator-context.ts';

const failpointProvedNotCommitted = failpoint(
  'takeover.proved-not-committed',
  'storage has proved the fence of a lost host, and no record says so',
);

type TakeoverNote = Partial<Pick<shoal.v1.TakeoverServer, 'triedMs' | 'movedMs' | 'fencedMs' | 'backMs'>>;

interface TakeoverTools {
  readonly moves: Pick<ServerMoves, 'takeOver' | 'fenced'>;
  readonly witnesses: Pick<HostWitnesses, 'verdict'>;
  readonly storage: ReadonlyMap<string, StorageDriver>;
  /** The records as they are now. */
  readonly fresh: (signal: AbortSignal) => Promise<StateReader>;
  readonly clock: Clock;
}

/** See above. */
export function takeoverJob(tools: TakeoverTools): JobKind<TakeoverWorld, TakeoverAction> {
  const { moves, clock } = tools;
  return {
    name: 'takeover',
    world: (job, reader) => worldOf(job, reader, tools),
    next: nextOfTakeover,
    progress: progressOfTakeover,
    noteBefore: (job, { kind, serverId }) =>
      kind === 'note-back' ? undefined : withNote(job, serverId, { triedMs: Math.floor(clock.nowMs()) }),
    noteAfter(job, { kind, serverId }) {
      const nowMs = Math.floor(clock.nowMs());
      if (kind === 'note-back') return withNote(job, serverId, { backMs: nowMs });
      // Tried for one thing: the next is due at once.
      return withNote(job, serverId, kind === 'move-server' ? { movedMs: nowMs, triedMs: 1 } : { fencedMs: nowMs });
    },
    async carryOut(job, action, signal) {
      if (action.kind === 'note-back') return;
      try {
        const reader = await tools.fresh(signal);
        const server = serverTable.find(reader, action.serverId)?.record;
        if (server === undefined) return;
        const context = operatorContext(job, signal);
        if (action.kind === 'move-server') await moves.takeOver(context, server.id, policyOf(reader, server));
        else {
          const startMs = clock.nowMs();
          await proveFence(server, reader, tools, signal);
          failpointProvedNotCommitted();
          await moves.fenced(context, server.id, server.generation, startMs);
        }
      } catch (caught) {
        throw toldToPeople(caught, signal);
      }
    },
  };
}

/** What may pass by itself is tried again by the plan, which shows people meanwhile what is not proved. */
function toldToPeople(caught: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || !(caught instanceof ShoalError) || !isTransient(caught.code)) return caught;
  return new ShoalError('DRIVER_FAILED', `${caught.code}: ${caught.message}`, { facts: caught.facts, cause: caught });
}

/** Throws `FENCE_UNPROVEN`, `UNAVAILABLE` for a pool that this agent does not have, and what drivers throw. */
async function proveFence(
  server: shoal.v1.Server,
  reader: StateReader,
  { storage }: TakeoverTools,
  signal: AbortSignal,
): Promise<void> {
  if (!isUnreleased(server)) return;
  const former = server.previousHostId as HostId;
  for (const disk of disksOf(server)) {
    const volume = volumeTable.find(reader, disk.volumeId)?.record;
    // Its own host serves it, at the next generation to the next host alone.
    if (volume !== undefined && volume.hostId !== '' && volume.hostId !== former) continue;
    const witness = storage.get(disk.pool)?.witness;
    if (witness === undefined) {
      throw new ShoalError('UNAVAILABLE', `This agent does not reach the storage ${disk.pool} as others do.`);
    }
    const generation = diskGeneration(server, disk);
    const shared = disk.multiattach;
    await witness.fenceFormer({ volumeId: disk.volumeId as VolumeId, generation, shared }, former, signal);
  }
}

function worldOf(job: shoal.v1.Job, reader: StateReader, tools: TakeoverTools): TakeoverWorld {
  const { witnesses, storage, clock } = tools;
  const hostId = job.takeover?.hostId ?? '';
  const host = hostTable.find(reader, hostId)?.record;
  const nowMs = clock.nowMs();
  const isShared = (pool: string): boolean => storage.get(pool)?.capabilities.shared === true;
  const noted = new Map((job.takeover?.servers ?? []).map((note) => [note.serverId ?? '', note]));
  const there = serversOfLost(reader, hostId);
  const others = [...noted.keys()].flatMap((id) =>
    there.some((server) => server.id === id) ? [] : (serverTable.find(reader, id)?.record ?? []),
  );
  const servers = [...there, ...others].flatMap((server): LostServer[] => {
    const note = noted.get(server.id);
    const place = placeOfLost(server, hostId);
    const { restarts, priority } = policyOf(reader, server);
    if (!restarts && place === 'here' && note === undefined) return [];
    return [
      {
        ...{ id: server.id, name: server.name, place, priority },
        stays: place === 'here' ? whyItStays(reader, server, { isShared, nowMs }) : undefined,
        triedMs: note?.triedMs ?? 0,
        isNoted: (note?.backMs ?? 0) > 0,
      },
    ];
  });
  return { nowMs, hostName: host?.name, verdict: witnesses.verdict(hostId, host?.forcedDown === true), servers };
}

function withNote(job: shoal.v1.Job, serverId: string, note: TakeoverNote): shoal.v1.Job | undefined {
  const { takeover } = job;
  if (takeover === null) return undefined;
  const known = takeover.servers.find((server) => server.serverId === serverId);
  const next = new shoal.v1.TakeoverServer({ ...known, serverId, ...note });
  const servers = [...takeover.servers.filter((server) => server.serverId !== serverId), next];
  return new shoal.v1.Job({ ...job, takeover: new shoal.v1.TakeoverJob({ ...takeover, servers }) });
}
