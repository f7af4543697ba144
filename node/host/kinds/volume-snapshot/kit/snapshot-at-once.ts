/** Snapshots of several volumes of one host, all of one instant. */
import type { DiskSnapshot } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId, VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import type { SnapshotMade } from '../../../../services/kit/reporting/volume-reporting.ts';
import { volumeTable } from '../../../../state/tables/index.ts';
import { guestWith, whereItIs } from '../../volume/kit/open-guest.ts';
import { poolOf, type VolumeTools } from '../../volume/kit/tools.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import type { VolumeSnapshotTools } from './tools.ts';

const failpointSnapshotBegins = failpoint('snapshot.begins', 'a snapshot is asked for, and nothing is done');
const failpointSnapshotGuestsPaused = failpoint(
  'snapshot.guests-paused',
  'guests are paused for a snapshot of a group',
);
const failpointSnapshotSomeMade = failpoint('snapshot.some-made', 'some snapshots of a group are made, and some not');
const markGuestsPausedForSnapshot = coverageMark(
  'guests-paused-for-snapshot',
  'several guests are paused so that their volumes are kept at one instant',
);

const markTornGroupRemade = coverageMark(
  'torn-group-remade',
  'some snapshots of a group were made by an agent that ended, and all are made again',
);

/** What is kept, by the guest that has it open. */
interface Work {
  readonly byGuest: ReadonlyMap<ServerId, readonly DiskSnapshot[]>;
  readonly closed: readonly shoal.v1.VolumeSnapshot[];
}

/**
 * Keeps the content of all of them; safe to do twice. One guest keeps its own disks at one instant, and nobody writes to a closed
 * one. Several guests are paused meanwhile. Where an earlier time was cut off, guests have written since: what it made is of
 * another instant, and goes first.
 */
export async function snapshotAtOnce(
  snapshots: readonly shoal.v1.VolumeSnapshot[],
  tools: VolumeSnapshotTools,
): Promise<SnapshotMade> {
  failpointSnapshotBegins();
  const [only] = snapshots;
  if (only !== undefined && snapshots.length === 1) return snapshotOne(only, tools);
  const made = await madeBefore(snapshots, tools);
  const isTorn = made.length > 0 && made.length < snapshots.length;
  if (isTorn) {
    markTornGroupRemade();
    for (const snapshot of made) await removeSnapshot(snapshot, tools);
  }
  const work = await sorted(snapshots, tools);
  // All of them are of one time, as each time begins with none or ends with all.
  if (made.length === snapshots.length) return { ofAttached: work.byGuest.size > 0, frozen: false };
  const serverIds = [...work.byGuest.keys()];
  if (serverIds.length <= 1) return snapshotAll(work, true, tools);
  markGuestsPausedForSnapshot();
  return tools.guestHolds.during(serverIds, () =>
    whilePaused(serverIds, tools, async () => {
      failpointSnapshotGuestsPaused();
      return snapshotAll(work, false, tools);
    }),
  );
}

async function snapshotOne(snapshot: shoal.v1.VolumeSnapshot, tools: VolumeTools): Promise<SnapshotMade> {
  const { compute, signal } = tools;
  const volume = volumeTable.must(tools.reader, snapshot.volumeId).record;
  return whereItIs<SnapshotMade>(volume, tools, {
    open: async (serverId) => {
      const { frozen } = await compute.snapshotDisks(serverId, [named(snapshot)], { freeze: true }, signal);
      return { ofAttached: true, frozen };
    },
    closed: async () => {
      const { volumeId, snapshotId } = named(snapshot);
      await poolOf(snapshot, tools).createSnapshot(volumeId, snapshotId, signal);
      // What serves it to another host keeps it while the guest there goes on.
      return { ofAttached: volume.served !== null, frozen: false };
    },
  });
}

/** Those that are on the storage already. Asked of the storage, which knows also those of a disk that a guest has open. */
async function madeBefore(
  snapshots: readonly shoal.v1.VolumeSnapshot[],
  tools: VolumeTools,
): Promise<readonly shoal.v1.VolumeSnapshot[]> {
  const made: shoal.v1.VolumeSnapshot[] = [];
  for (const snapshot of snapshots) {
    const { volumeId, snapshotId } = named(snapshot);
    const there = await poolOf(snapshot, tools).listSnapshots(volumeId, tools.signal);
    if (there.includes(snapshotId)) made.push(snapshot);
  }
  return made;
}

async function sorted(snapshots: readonly shoal.v1.VolumeSnapshot[], tools: VolumeTools): Promise<Work> {
  const byGuest = new Map<ServerId, DiskSnapshot[]>();
  const closed: shoal.v1.VolumeSnapshot[] = [];
  for (const snapshot of snapshots) {
    const guest = await guestWith(volumeTable.must(tools.reader, snapshot.volumeId).record, tools);
    if (guest === undefined) closed.push(snapshot);
    else byGuest.set(guest.serverId, [...(byGuest.get(guest.serverId) ?? []), named(snapshot)]);
  }
  return { byGuest, closed };
}

async function snapshotAll({ byGuest, closed }: Work, freeze: boolean, tools: VolumeTools): Promise<SnapshotMade> {
  const { compute, signal } = tools;
  let isFrozen = byGuest.size > 0;
  for (const [serverId, disks] of byGuest) {
    const { frozen } = await compute.snapshotDisks(serverId, disks, { freeze }, signal);
    isFrozen &&= frozen;
    failpointSnapshotSomeMade();
  }
  for (const snapshot of closed) {
    const { volumeId, snapshotId } = named(snapshot);
    await poolOf(snapshot, tools).createSnapshot(volumeId, snapshotId, signal);
  }
  return { ofAttached: byGuest.size > 0, frozen: isFrozen };
}

/** Those that run are paused and run on afterwards, whatever comes of the work. After a crash their servers' plan resumes them. */
async function whilePaused<T>(
  serverIds: readonly ServerId[],
  { compute, signal }: VolumeTools,
  work: () => Promise<T>,
): Promise<T> {
  const paused: ServerId[] = [];
  try {
    for (const serverId of serverIds) {
      if ((await compute.find(serverId, signal))?.power !== 'running') continue;
      paused.push(serverId);
      await compute.pauseGuest(serverId, signal);
    }
    return await work();
  } finally {
    for (const serverId of paused) await compute.resumeGuest(serverId, signal);
  }
}

function named({ id, volumeId }: shoal.v1.VolumeSnapshot): DiskSnapshot {
  return { volumeId: volumeId as VolumeId, snapshotId: id as VolumeSnapshotId };
}
