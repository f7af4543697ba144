/** What the steps of volumes and of their snapshots work with. */
import type { ComputeDriver, ImageFile, StorageDriver } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { HostId } from '../../../../base/ids.ts';
import type { VolumeReports } from '../../../../services/kit/reporting/volume-reporting.ts';
import type { StateReader } from '../../../../state/types.ts';
import type { HostStore } from '../../../../store/host/host-store.ts';
import type { VolumeKeyTools } from './volume-spec.ts';

/** What this host gives to the steps of volumes. */
export interface VolumePorts extends VolumeKeyTools {
  readonly hostId: HostId;
  readonly compute: ComputeDriver;
  /** By the name that records say. */
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly store: HostStore;
  readonly volumeReports: VolumeReports;
  /** The records as a quorum has them at this moment. Throws `NO_QUORUM`, `STALE`. */
  readonly fresh: (signal: AbortSignal) => Promise<StateReader>;
  /** The image's content as a verified local file, fetched from another host if need be. */
  readonly imageFile: (image: shoal.v1.Image, signal: AbortSignal) => Promise<ImageFile>;
  /** Begins the job that makes the volume as a full copy, here; under way already: success. */
  readonly beginCopy: (volume: shoal.v1.Volume) => Promise<void>;
}

/** The same for one step. */
export interface VolumeTools extends VolumePorts {
  /** The replica here, as it goes on. */
  readonly reader: StateReader;
  /** Ends when the agent stops. */
  readonly signal: AbortSignal;
}

/** The storage that a volume or snapshot is on. Throws `DRIVER_FAILED` when this host has none of that name. */
export function poolOf({ pool }: { readonly pool: string }, { storage }: Pick<VolumePorts, 'storage'>): StorageDriver {
  const driver = storage.get(pool);
  if (driver === undefined) {
    throw new ShoalError('DRIVER_FAILED', `this host has no storage pool ${pool} (see "pools" in its configuration)`, {
      facts: { storage: pool },
    });
  }
  return driver;
}
