/** What must hold of volumes, at any moment: checked on plain pictures, so that hand-made ones prove the checks. */
import type { Report } from './invariants.ts';

/** A volume as recorded. */
interface VolumePicture {
  readonly id: string;
  readonly multiattach: boolean;
  /** Servers that its record names. */
  readonly serverIds: readonly string[];
}

/** A disk of a server that is a volume, as the server's record has it. */
interface PluggedPicture {
  readonly serverId: string;
  readonly volumeId: string;
}

/** A volume has one user unless it may have several, and volume and server say the same of each use. */
export function checkVolumeUses(
  volumes: readonly VolumePicture[],
  plugged: readonly PluggedPicture[],
  report: Report,
): void {
  const uses = new Set(plugged.map(({ serverId, volumeId }) => `${volumeId} ${serverId}`));
  for (const { id, multiattach, serverIds } of volumes) {
    if (!multiattach && serverIds.length > 1) {
      report('volume-attached-once', `volume ${id} is attached to ${serverIds.join(' and ')}`);
    }
    for (const serverId of serverIds) {
      if (!uses.delete(`${id} ${serverId}`)) {
        report('volume-attached-once', `volume ${id} names server ${serverId}, which does not name it`);
      }
    }
  }
  for (const use of uses) {
    const [volumeId, serverId] = use.split(' ');
    report('volume-attached-once', `server ${serverId} names volume ${volumeId}, which does not name it`);
  }
}

/** Follows what snapshots are made of, and which bytes may go. */
export class VolumeChecker {
  readonly #report: Report;
  /** Contents that a volume had when a snapshot of it was asked for, by the snapshot's id, then the volume's. */
  readonly #instants = new Map<string, Map<string, Set<string>>>();
  /** Where each volume is, as its record says. */
  readonly #places = new Map<string, string>();
  readonly #mayGo = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /**
   * A record says that it is there. @param place where. @param mayGo it is to be deleted, or has no bytes that anybody was promised.
   */
  recorded(volumeId: string, place: string, mayGo: boolean): void {
    this.#places.set(volumeId, place);
    if (mayGo) this.#mayGo.add(volumeId);
    else this.#mayGo.delete(volumeId);
  }

  /** Whether it is, or was, a volume. */
  isVolume(volumeId: string): boolean {
    return this.#places.has(volumeId);
  }

  /** A host removes its bytes at a place: those that it has moved away from are nobody's. */
  removes(host: string, volumeId: string, place: string): void {
    if (this.#mayGo.has(volumeId) || this.#places.get(volumeId) !== place) return;
    this.#report('record-before-removal', `${host} removes volume ${volumeId}, which no record asks for`);
  }

  /** A snapshot of it is made at this moment, if the call comes to its end. */
  keeps(volumeId: string, snapshotId: string, content: string): void {
    const byVolume = this.#instants.get(snapshotId) ?? new Map<string, Set<string>>();
    byVolume.set(volumeId, (byVolume.get(volumeId) ?? new Set()).add(content));
    this.#instants.set(snapshotId, byVolume);
  }

  /** What its volume held when it was made. */
  instantsOf(snapshotId: string): ReadonlySet<string> {
    return new Set([...(this.#instants.get(snapshotId)?.values() ?? [])].flatMap((contents) => [...contents]));
  }

  /** What a storage holds as the snapshot. */
  holds(volumeId: string, snapshotId: string, content: string): void {
    if (this.#instants.get(snapshotId)?.get(volumeId)?.has(content) === true) return;
    this.#report(
      'snapshot-is-its-instant',
      `snapshot ${snapshotId} of volume ${volumeId} holds "${content}", which the volume did not when it was made`,
    );
  }
}
