/** Volumes, as a kind that a host keeps: the records of this host are carried out on its storages. */
import type { DiskServed } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { HostId } from '../../../base/ids.ts';
import { volumeSubject } from '../../../services/jobs/volume-jobs.ts';
import { indexKey } from '../../../state/table.ts';
import { jobTable, serverTable, volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { SteppedDefinition } from '../../engine/stepped-kind.ts';
import { isCopy, planVolume, type VolumeMemory, type VolumeStep } from '../../plan/volume-plan.ts';
import type { VolumePorts, VolumeTools } from './kit/tools.ts';
import { volumeSteps } from './steps/index.ts';

/** Steps at once on one host: each is a few calls of its storage. */
const stepsAtOnceMax = 8;

/** What the last pass has read of a volume besides its record. */
type Seen = Omit<VolumeMemory, 'failed'>;
const unseen: Seen = { hasJob: false, snapshots: 0, isFullCopy: false, smallAtServers: [] };

/** The definition of the kind. */
export function volumeKind(
  ports: VolumePorts,
): SteppedDefinition<shoal.v1.Volume, DiskServed, VolumeStep, VolumeTools> {
  const seen = new Map<string, Seen>();
  return {
    name: 'volume',
    atOnceMax: stepsAtOnceMax,
    steps: volumeSteps,
    id: ({ id }) => id,
    facts: ({ generation, pool }) => ({ generation, pool }),
    requestOf,
    wanted: (reader, failed) => {
      seen.clear();
      const small = smallAtServers(reader, ports.hostId);
      const volumes = new Map(volumeTable.by(reader, 'host', ports.hostId).map(({ record }) => [record.id, record]));
      for (const [id, { volume }] of small) volumes.set(id, volume);
      return [...volumes.values()].filter((volume) => {
        try {
          const serverIds = small.get(volume.id)?.serverIds ?? [];
          seen.set(volume.id, { ...seenOf(volume, reader, ports), smallAtServers: serverIds });
          return true;
        } catch (caught) {
          failed(volume.id, caught);
          return false;
        }
      });
    },
    recorded: (reader, id) => volumeTable.get(reader, id)?.record,
    // A storage may be slow or away, and no pass waits for it: each step finds out itself what is done already. What serves a
    // volume is a process of this host, of which the host knows.
    found: (signal) => servedHere(ports, signal),
    plan: (volume, found, givenUp) =>
      planVolume(volume, found, { ...(seen.get(volume.id) ?? unseen), failed: givenUp !== undefined }, ports.hostId),
    tools: (reader, signal) => ({ ...ports, reader, signal }),
    fault: (volume, fault) => ports.volumeReports.failed(volume, fault),
    orphan: ({ generation, port }) => ({ generation, port }),
  };
}

async function servedHere(
  { storage }: Pick<VolumePorts, 'storage'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DiskServed>> {
  const found = new Map<string, DiskServed>();
  for (const driver of storage.values()) {
    if (!driver.capabilities.exports) continue;
    for (const disk of await driver.listServed(signal)) found.set(disk.volumeId, disk);
  }
  return found;
}

/** Volumes that servers of this host have beside others and that have grown since those servers have been told. */
function smallAtServers(
  reader: StateReader,
  hostId: HostId,
): ReadonlyMap<string, { readonly volume: shoal.v1.Volume; readonly serverIds: string[] }> {
  const small = new Map<string, { volume: shoal.v1.Volume; serverIds: string[] }>();
  for (const { record: server } of serverTable.by(reader, 'host', hostId)) {
    for (const { multiattach, attached, detaching, volumeId, sizeGib } of server.disks) {
      if (multiattach !== true || attached !== true || detaching === true) continue;
      const volume = volumeTable.get(reader, volumeId ?? '')?.record;
      if (volume === undefined || volume.madeGib <= (sizeGib ?? 0)) continue;
      const known = small.get(volume.id) ?? { volume, serverIds: [] };
      known.serverIds.push(server.id);
      small.set(volume.id, known);
    }
  }
  return small;
}

function seenOf(volume: shoal.v1.Volume, reader: StateReader, ports: VolumePorts): Omit<Seen, 'smallAtServers'> {
  return {
    hasJob: jobTable.one(reader, 'subject', indexKey(volumeSubject(volume.id))) !== undefined,
    snapshots: volumeSnapshotTable.by(reader, 'volume', indexKey(volume.id)).length,
    isFullCopy: isCopy(volume) && ports.storage.get(volume.pool)?.capabilities.clones === false,
  };
}

/** Names what the owner asks for now. */
function requestOf(volume: shoal.v1.Volume): string {
  const { generation, askedRevision, sizeGib, revertSnapshotId, status } = volume;
  return [generation, askedRevision, sizeGib, revertSnapshotId, status === 'deleting'].join('/');
}
