/** Snapshots of volumes, as a kind that a host keeps. */
import type { shoal } from '../../../../proto/messages.ts';
import { volumeSubject } from '../../../services/jobs/volume-jobs.ts';
import { indexKey } from '../../../state/table.ts';
import { jobTable, volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { SteppedDefinition } from '../../engine/stepped-kind.ts';
import {
  planVolumeSnapshot,
  type VolumeSnapshotMemory,
  type VolumeSnapshotStep,
} from '../../plan/volume-snapshot-plan.ts';
import type { GuestHolds } from '../volume/kit/guest-holds.ts';
import type { VolumePorts } from '../volume/kit/tools.ts';
import type { VolumeSnapshotTools } from './kit/tools.ts';
import { volumeSnapshotSteps } from './steps/index.ts';

/** Steps at once on one host. */
const stepsAtOnceMax = 4;

/** What the last pass has read of a snapshot besides its record. */
type Seen = Omit<VolumeSnapshotMemory, 'failed'>;
const unseen: Seen = { isVolumeMade: false, hasJob: true, together: [] };

/** The definition of the kind. */
export function volumeSnapshotKind(
  ports: VolumePorts,
  guestHolds: GuestHolds,
): SteppedDefinition<shoal.v1.VolumeSnapshot, never, VolumeSnapshotStep, VolumeSnapshotTools> {
  const seen = new Map<string, Seen>();
  return {
    name: 'volume-snapshot',
    atOnceMax: stepsAtOnceMax,
    steps: volumeSnapshotSteps,
    id: ({ id }) => id,
    facts: ({ volumeId, pool }) => ({ volumeId, pool }),
    requestOf: ({ askedRevision, status }) => `${askedRevision}/${status}`,
    wanted: (reader, failed) => {
      seen.clear();
      const snapshots = volumeSnapshotTable.by(reader, 'host', ports.hostId).map(({ record }) => record);
      return snapshots.filter((snapshot) => {
        // Most are at rest, and nothing else is read for them.
        if (snapshot.status !== 'creating' && snapshot.status !== 'deleting') return false;
        try {
          seen.set(snapshot.id, seenOf(snapshot, snapshots, reader));
          return true;
        } catch (caught) {
          failed(snapshot.id, caught);
          return false;
        }
      });
    },
    recorded: (reader, id) => volumeSnapshotTable.get(reader, id)?.record,
    // As with volumes: no pass waits for a storage.
    found: async () => new Map<string, never>(),
    plan: (snapshot, _found, givenUp) =>
      planVolumeSnapshot(
        snapshot,
        { ...(seen.get(snapshot.id) ?? unseen), failed: givenUp !== undefined },
        ports.hostId,
      ),
    tools: (reader, signal) => ({ ...ports, guestHolds, reader, signal }),
    async fault(snapshot, fault, step, tools) {
      const ids = step.kind === 'make' ? step.snapshotIds : [snapshot.id];
      // None of a group is worth anything without the others.
      for (const id of ids) {
        const record = volumeSnapshotTable.get(tools.reader, id)?.record;
        if (record !== undefined) await ports.volumeReports.snapshotFailed(record, fault);
      }
    },
    orphan: () => ({}),
  };
}

function seenOf(
  snapshot: shoal.v1.VolumeSnapshot,
  onHost: readonly shoal.v1.VolumeSnapshot[],
  reader: StateReader,
): Seen {
  const { id, volumeId, groupSnapshotId } = snapshot;
  const group = onHost.filter((other) => other.groupSnapshotId === groupSnapshotId && other.status === 'creating');
  return {
    isVolumeMade: (volumeTable.get(reader, volumeId)?.record.madeGib ?? 0) > 0,
    hasJob: jobTable.one(reader, 'subject', indexKey(volumeSubject(volumeId))) !== undefined,
    together: groupSnapshotId === '' ? [id] : group.map((other) => other.id).sort(),
  };
}
