/** Servers, as a kind that a host keeps: the records of this host against the guests on it. */
import type { GuestFound } from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { coverageMark } from '../../../base/buggify/buggify.ts';
import type { Clock } from '../../../base/clock.ts';
import type { PortId } from '../../../base/ids.ts';
import { liveMove } from '../../../services/kit/server-move.ts';
import { requestOf } from '../../../services/kit/server-request.ts';
import { arrivingPortIds } from '../../../services/kit/servers/server-nics.ts';
import { diskLimits } from '../../../services/volume/kit/disk-limits.ts';
import { disksOf, isOwnDisk } from '../../../services/volume/kit/disks-of-server.ts';
import { isMigrating } from '../../../services/volume/records/volume-record.ts';
import { serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { Fault, SteppedDefinition } from '../../engine/stepped-kind.ts';
import { PowerOffNotes } from '../../outage/power-off-notes.ts';
import { RevisionFence } from '../../outage/revision-fence.ts';
import { isGuestUp } from '../../plan/guest-up.ts';
import { planServer, type ServerStep } from '../../plan/server-plan.ts';
import type { GuestHolds } from '../volume/kit/guest-holds.ts';
import { Crashes, crashesMax, crashWindowMs } from './crashes.ts';
import { AppliedLimits } from './kit/applied-limits.ts';
import { pullNicOut } from './kit/nics.ts';
import { diskOf, pullOut } from './kit/plugging.ts';
import { RebootNotes } from './kit/reboot-notes.ts';
import { StepEvents } from './kit/step-events.ts';
import type { ServerPorts, ServerTools } from './kit/tools.ts';
import { serverSteps } from './steps/index.ts';

const markGuestCrashedTooOften = coverageMark(
  'guest-crashed-too-often',
  'a guest crashes so often that it is left alone',
);

/** Steps at once on one host: QEMU starts cost a core each for a moment. */
const stepsAtOnceMax = 4;

/** What the kind works with, beside what its steps do. */
interface ServerKindDeps extends ServerPorts {
  /** Lays what an owner has asked of this host alone over a record. */
  readonly withIntents: (server: shoal.v1.Server) => shoal.v1.Server;
  /**
   * Called once a pass with the records of this host as of `revision`, and with whose guests are here: the ledger of
   * claims follows them. Returns the servers that this host has no room for, each with the reason.
   */
  readonly onRecords: (
    servers: readonly shoal.v1.Server[],
    revision: number,
    isHere: (serverId: string) => boolean,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Hears of the guests found by each pass; for metrics. */
  readonly onGuests?: ((guests: readonly GuestFound[]) => void) | undefined;
  /** Guests that another kind has paused for a moment. */
  readonly guestHolds: GuestHolds;
  /** Pools whose storage has fenced this host. */
  readonly fencedPools: ReadonlySet<string>;
  readonly clock: Clock;
}

/** The definition of the kind. @param options.stopGraceMs how long a guest may take to power off when it is stopped. */
export function serverKind(
  deps: ServerKindDeps,
  options: { readonly stopGraceMs: number },
): SteppedDefinition<shoal.v1.Server, GuestFound, ServerStep, ServerTools> {
  const powerOffs = new PowerOffNotes(deps.store);
  const reboots = new RebootNotes(deps.store);
  const revisionFence = new RevisionFence(deps.store);
  const crashes = new Crashes(deps.clock);
  const appliedLimits = new AppliedLimits();
  let roomless: ReadonlyMap<string, string> = new Map();
  /** By server. */
  const unmade = new Map<string, ReadonlySet<string>>();
  /** By server: where the volumes are served that it is to get. */
  const places = new Map<string, string>();
  /** Servers with a volume that another host serves. */
  const served = new Set<string>();
  const staleLimits = new Map<string, ReadonlySet<string>>();
  const moving = new Map<string, ReadonlySet<string>>();
  return {
    name: 'server',
    atOnceMax: stepsAtOnceMax,
    steps: serverSteps,
    id: (server) => server.id,
    facts: ({ generation }) => ({ generation }),
    requestOf: (server) =>
      requestOf(server) +
      askedOfNics(server) +
      askedOfDisks(server) +
      (places.get(server.id) ?? '') +
      comingHere(server, deps.hostId),
    wanted: (reader, failed) => {
      unmade.clear();
      moving.clear();
      places.clear();
      served.clear();
      staleLimits.clear();
      return serverTable.by(reader, 'host', deps.hostId).map(({ record }) => {
        try {
          unmade.set(record.id, unmadeVolumes(record, reader));
          moving.set(record.id, movingVolumes(record, reader));
          places.set(record.id, placesOfServed(record, reader));
          if (hasServedDisk(record, reader)) served.add(record.id);
          staleLimits.set(record.id, volumesLimitedOtherwise(record, reader, appliedLimits));
          return deps.withIntents(record);
        } catch (caught) {
          failed(record.id, caught);
          return record;
        }
      });
    },
    recorded: (reader, id) => serverTable.get(reader, id)?.record,
    async found(signal) {
      const guests = await deps.compute.list(signal);
      deps.onGuests?.(guests);
      return new Map(guests.map((guest) => [guest.serverId, guest]));
    },
    async before({ revision }, servers, guests) {
      roomless = await deps.onRecords(servers, revision, (serverId) => guests.has(serverId));
      const serverIds = new Set(servers.map(({ id }) => id));
      crashes.keep(serverIds);
      appliedLimits.keep(serverIds);
    },
    plan: (server, guest, givenUp) => {
      if (deps.guestHolds.isHeld(server.id)) return undefined;
      const isOfDisks = givenUp === 'plug' || givenUp === 'unplug';
      const isOfNics = givenUp === 'plug-nic' || givenUp === 'unplug-nic';
      const memory = {
        rebootsDone: reboots.done(server),
        failed: (givenUp !== undefined && !isOfDisks && !isOfNics) || saysFailed(server),
        disksFailed: isOfDisks,
        nicsFailed: isOfNics,
        unmadeVolumeIds: unmade.get(server.id) ?? new Set<string>(),
        hasServedDisks: served.has(server.id),
        isFenced: deps.fencedPools.size > 0 && disksOf(server).some(({ pool }) => deps.fencedPools.has(pool)),
        staleLimitIds: staleLimits.get(server.id) ?? new Set<string>(),
        movingVolumeIds: moving.get(server.id) ?? new Set<string>(),
      };
      return planServer(server, guest, memory, deps.hostId, options);
    },
    refuse: (step, server) => refusal(step, server, roomless, crashes),
    tools: (reader, signal) => ({
      ...deps,
      ...{ powerOffs, reboots, revisionFence, appliedLimits, reader, signal },
      events: new StepEvents(deps.clock, deps.hostId),
    }),
    async fault(server, fault, step, tools) {
      if (step.kind === 'plug') {
        // The guest may have it in spite of the failure: nothing is free in the records that is open here.
        await pullOut(server, diskOf(server, step.volumeId), tools);
        return deps.volumeReports.attachFailed(server, step.volumeId, fault);
      }
      if (step.kind === 'receive')
        return deps.receivingReports.receiveFailed(server, `${fault.message} ${fault.details}`.trim());
      if (step.kind === 'plug-nic') {
        await pullNicOut(server, step.portId, tools);
        return deps.nicReports.plugFailed(server, step.portId, fault.message);
      }
      if (step.kind === 'unplug-nic') return deps.nicReports.unplugFailed(server, step.portId, fault.message);
      if (step.kind === 'unplug') return deps.volumeReports.detachFailed(server, step.volumeId, fault);
      return deps.reports.fault(server, fault.message, fault.details);
    },
    orphan: ({ pid, power }) => ({ pid, power }),
  };
}

/** Ports plugged into a guest process that lives: by its record, and by what it has. */
export function busyPorts(
  servers: readonly shoal.v1.Server[],
  guests: ReadonlyMap<string, GuestFound>,
): ReadonlySet<PortId> {
  const busy = new Set<PortId>();
  for (const server of servers) {
    const guest = guests.get(server.id);
    if (guest === undefined || guest.power === 'crashed' || guest.power === 'suspended') continue;
    for (const portId of [...server.portIds, ...(guest.nics ?? [])]) busy.add(portId as PortId);
  }
  return busy;
}

/** Whether a guest may be started, or started over: it needs its taps. */
export function mayStartGuest(servers: readonly shoal.v1.Server[], guests: ReadonlyMap<string, GuestFound>): boolean {
  return servers.some(
    ({ id, powerWanted, rebootsWanted, rebootsDone }) =>
      powerWanted !== shoal.v1.PowerWanted.POWER_WANTED_STOPPED &&
      (!isGuestUp(guests.get(id)) || rebootsWanted > rebootsDone),
  );
}

/** What its owner asks of its NICs now, as a part of the name of a request; nothing asked: empty. */
function askedOfNics(server: shoal.v1.Server): string {
  const arriving = arrivingPortIds(server).map((portId) => `+${portId}`);
  return [...server.leavingPortIds.map((portId) => `-${portId}`), ...arriving].join('');
}

/** What its owner asks of its disks now, as a part of the name of a request; nothing asked: empty. */
function askedOfDisks({ disks }: shoal.v1.Server): string {
  return disks
    .filter((disk) => disk.detaching || (!disk.attached && !isOwnDisk(disk)))
    .map(({ volumeId, detaching, generation }) => `${detaching ? '-' : '+'}${volumeId}@${generation}`)
    .join('');
}

/** The move by which it comes here while it runs, as a part of the name of a request; empty: it does not. */
function comingHere(server: shoal.v1.Server, hostId: string): string {
  const move = liveMove(server);
  return move?.targetHostId === hostId ? `<${move.migrationId}` : '';
}

/**
 * Where the volumes of other hosts are served that it is to get, as a part of the name of a request: when a host serves one, nobody
 * waits for the next try.
 */
function placesOfServed({ disks }: shoal.v1.Server, reader: StateReader): string {
  return disks
    .filter((disk) => !isOwnDisk(disk) && !disk.attached && !disk.detaching)
    .map(({ volumeId }) => {
      const served = volumeTable.get(reader, volumeId)?.record.served;
      return served === null || served === undefined ? '' : `@${served.address}:${served.port}/${served.ending}`;
    })
    .join('');
}

function hasServedDisk({ disks }: shoal.v1.Server, reader: StateReader): boolean {
  const volumes = disks.filter((disk) => !isOwnDisk(disk));
  return volumes.some(({ volumeId }) => (volumeTable.get(reader, volumeId)?.record.served ?? null) !== null);
}

/** Its volumes that their host has not made yet, without those on their way out. */
function unmadeVolumes({ disks }: shoal.v1.Server, reader: StateReader): ReadonlySet<string> {
  const volumes = disks.filter((disk) => !isOwnDisk(disk) && !disk.detaching);
  return new Set(
    volumes
      .filter(({ volumeId }) => {
        const volume = volumeTable.get(reader, volumeId)?.record;
        // One that could not be made is opened like any other, and the owner is told what comes of it.
        return volume?.madeGib === 0 && volume.status !== 'error';
      })
      .map(({ volumeId }) => volumeId),
  );
}

/** Its attached volumes of which the guest has other limits than it should, or may have. */
function volumesLimitedOtherwise(
  { id, disks }: shoal.v1.Server,
  reader: StateReader,
  applied: AppliedLimits,
): ReadonlySet<string> {
  const attached = disks.filter((disk) => !isOwnDisk(disk) && disk.attached && !disk.detaching);
  return new Set(
    attached
      .filter(({ volumeId }) => {
        const volume = volumeTable.get(reader, volumeId)?.record;
        return volume !== undefined && applied.isStale(id, volumeId, diskLimits(reader, volume));
      })
      .map(({ volumeId }) => volumeId),
  );
}

/** Its volumes that a job moves, or swaps for others. */
function movingVolumes({ disks }: shoal.v1.Server, reader: StateReader): ReadonlySet<string> {
  const moving = disks.filter(({ volumeId }) => {
    const volume = volumeTable.get(reader, volumeId ?? '')?.record;
    return volume !== undefined && isMigrating(volume);
  });
  return new Set(moving.map(({ volumeId }) => volumeId ?? ''));
}

/** A step failed for good, and nothing was asked since. */
function saysFailed(server: shoal.v1.Server): boolean {
  return server.status === shoal.v1.ServerStatus.SERVER_STATUS_ERROR && server.taskState === '';
}

function refusal(
  step: ServerStep,
  server: shoal.v1.Server,
  roomless: ReadonlyMap<string, string>,
  crashes: Crashes,
): Fault | undefined {
  if (step.kind !== 'start') return undefined;
  const shortage = roomless.get(server.id);
  if (shortage !== undefined) {
    const message =
      'No valid host was found. The host that had admitted the server gave its room away before it was recorded there.';
    return { message, details: shortage };
  }
  if (step.reason !== 'crashed' || crashes.note(server.id)) return undefined;
  markGuestCrashedTooOften();
  const message = `The guest crashed ${crashesMax + 1} times in ${crashWindowMs / 60_000} minutes.`;
  return { message, details: '' };
}
