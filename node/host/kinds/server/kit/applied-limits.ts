/**
 * What guests of this host were last told that they may do with their volumes, so that a change of a type or of its QoS specs reaches
 * guests that run. In memory: an agent that has just started tells each guest that it finds once more.
 */
import type { DiskLimits } from '../../../../../drivers/types.ts';

/** See above. */
export class AppliedLimits {
  /** By server, then by volume: the limits as text. */
  readonly #told = new Map<string, Map<string, string>>();

  /** The guest has these limits now; undefined: none. */
  note(serverId: string, volumeId: string, limits: DiskLimits | undefined): void {
    const ofServer = this.#told.get(serverId) ?? new Map<string, string>();
    ofServer.set(volumeId, textOf(limits));
    this.#told.set(serverId, ofServer);
  }

  /** The guest has no such disk any more, or nobody knows what it has. */
  forget(serverId: string, volumeId: string): void {
    this.#told.get(serverId)?.delete(volumeId);
  }

  /** Whether the guest has other limits than these, or may have. */
  isStale(serverId: string, volumeId: string, limits: DiskLimits | undefined): boolean {
    return this.#told.get(serverId)?.get(volumeId) !== textOf(limits);
  }

  /** Drops what is known of all other servers. */
  keep(serverIds: ReadonlySet<string>): void {
    for (const id of this.#told.keys()) if (!serverIds.has(id)) this.#told.delete(id);
  }
}

function textOf(limits: DiskLimits | undefined): string {
  return JSON.stringify(Object.entries(limits ?? {}).sort());
}
