/** What the volume service needs beside what every service is given. */
import type { HostViews, ServiceDependencies } from '../../kit/dependencies.ts';

/** A secret as the state may hold it. */
export interface SealedSecret {
  readonly sealed: Uint8Array;
  /** Number of the mesh key that seals it. */
  readonly keyEpoch: number;
}

/** The agent gives these: the hosts as gossip knows them, and the sealing of secrets with the mesh key. */
export interface VolumeDependencies extends ServiceDependencies {
  readonly hostViews: HostViews;
  /**
   * Draws `bytes` random bytes and seals them under `label`; nobody but the hosts of the mesh sees them. Throws
   * `UNAVAILABLE` while this host has no copy of the mesh key.
   */
  readonly drawSealedKey: (label: string, bytes: number) => SealedSecret;
}

/** What the volume service is told when the agent starts. */
export interface VolumeOptions {
  /** The storage pool of types that name none, where the mesh's record does not say. */
  readonly storage: string;
  /** Where backups go: "file:///..." or "s3://..."; empty: there are none. */
  readonly backupStoreUrl: string;
}
