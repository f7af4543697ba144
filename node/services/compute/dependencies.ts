/** What the compute service needs beside what every service is given. */
import type { ConsoleDoor, HostControl, HostProbe, Placer, Rekey } from '../kit/dependencies.ts';
import type { VolumeDependencies } from '../volume/kit/dependencies.ts';

/**
 * The agent gives these: placement over the mesh, this host's guests, a direct question to another host, the drawing of the
 * mesh's secrets, and what volumes need, for servers are made with them.
 */
export interface ComputeDependencies extends VolumeDependencies {
  readonly placer: Placer;
  readonly hostControl: HostControl;
  readonly consoleDoor: ConsoleDoor;
  readonly hostProbe: HostProbe;
  readonly rekey: Rekey;
  /** A fresh UUID that sorts behind those made before (base/ordered-uuids.ts). Absent: `newId`. */
  readonly newServerId?: () => string;
}

/** What the compute service is told when the agent starts. */
export interface ComputeOptions {
  /** "local" or "rbd", where the mesh's record does not say. */
  readonly storage: string;
  /**
   * Names of placement's filters that are on: they decide which attributes can be honoured. Default: placement's own
   * default.
   */
  readonly enabledFilters?: readonly string[];
  /** A resize may stay on the server's own host, and is tried there first. Default: it is. */
  readonly allowResizeToSameHost?: boolean;
}
