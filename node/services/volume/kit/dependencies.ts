/** What the volume service needs beside what every service is given. */
import type { HostViews, ServiceDependencies } from '../../kit/dependencies.ts';
import type { Sealing } from '../../kit/sealing.ts';

/** The agent gives these: the hosts as gossip knows them, and the sealing of secrets with the mesh key. */
export interface VolumeDependencies extends ServiceDependencies {
  readonly hostViews: HostViews;
  /** Seals the keys of volumes and of backups. */
  readonly sealing: Sealing;
}

/** What the volume service is told when the agent starts. */
export interface VolumeOptions {
  /** The storage pool of types that name none, where the mesh's record does not say. */
  readonly storage: string;
  /** Where backups go: "file:///..." or "s3://..."; empty: there are none. */
  readonly backupStoreUrl: string;
}
