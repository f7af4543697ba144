/** Which backups have expired. Pure. */
import type { shoal } from '../../../../proto/messages.ts';

/** What stays. A backup goes only when neither its number nor its age keeps it. */
interface ExpiryRule {
  /** So many of the newest of each volume stay. */
  readonly keepNewest: number;
  /** Those of content from this instant on stay, wall clock. */
  readonly beforeMs: number;
}

/** What comes of a rule. */
interface Expiry {
  /** Those that go now: nothing adds to them. */
  readonly leaves: readonly string[];
  /** Those that go after others. */
  readonly later: number;
  /** Those that have expired and stay: a backup that stays adds to them. */
  readonly needed: number;
}

type Backup = Pick<shoal.v1.VolumeBackup, 'id' | 'volumeId' | 'parentId' | 'status' | 'dataTimestampMs' | 'createdMs'>;

/**
 * Applies the rule to all backups there are. Those that are not whole count as none of the newest, and are left to who deletes them.
 * @param inScope what may go; the others are there, and what they add to stays.
 */
export function expiredBackups<B extends Backup>(
  all: readonly B[],
  { keepNewest, beforeMs }: ExpiryRule,
  inScope: (backup: B) => boolean,
): Expiry {
  const kept = new Set<string>();
  for (const ofVolume of Map.groupBy(all, ({ volumeId }) => volumeId).values()) {
    const whole = ofVolume.filter(({ status }) => status === 'available').sort((a, b) => instantOf(b) - instantOf(a));
    for (const { id } of whole.slice(0, keepNewest)) kept.add(id);
  }
  const expired = new Set(
    all
      .filter((one) => inScope(one) && one.status === 'available' && !kept.has(one.id) && instantOf(one) < beforeMs)
      .map(({ id }) => id),
  );
  const byId = new Map(all.map((one) => [one.id, one]));
  const needed = new Set<string>();
  for (const one of all) {
    // One that is being deleted needs what it adds to until it is gone, and no longer.
    if (expired.has(one.id) || one.status === 'deleting') continue;
    const seen = new Set<string>();
    for (let at = byId.get(one.parentId); at !== undefined && !seen.has(at.id); at = byId.get(at.parentId)) {
      seen.add(at.id);
      needed.add(at.id);
    }
  }
  const going = [...expired].filter((id) => !needed.has(id));
  const hasChildren = new Set(all.map(({ parentId }) => parentId));
  const leaves = going.filter((id) => !hasChildren.has(id));
  return { leaves, later: going.length - leaves.length, needed: expired.size - going.length };
}

/** The instant that its content is of; of one without, when it was asked for. */
function instantOf({ dataTimestampMs, createdMs }: Backup): number {
  return dataTimestampMs === 0 ? createdMs : dataTimestampMs;
}
