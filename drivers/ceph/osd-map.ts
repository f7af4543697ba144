/** What Ceph's map of its OSDs says of pools that take no writes. Pure. */
import type { ShoalError } from '../../node/base/errors.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { storageRefusal } from '../storage-refusal.ts';
import type { StorageCondition } from '../types.ts';

/** Flags of a pool without room: of its own, and those of the whole cluster. */
const fullFlags = ['full', 'full_quota'];
/** Flags of a pool that soon has none: some OSD of it is past the ratio that its operator has set. */
const nearfullFlags = ['nearfull', 'backfillfull'];
/** An operator has had the whole cluster pause (`ceph osd pause`). */
const pauseFlags = ['pausewr', 'pauserd'];

/** Why a command that names a pool was not answered, by `ceph osd dump`; undefined: the map knows of no reason. */
export function refusalOfMap(map: unknown, argv: readonly string[], cause: ShoalError): ShoalError | undefined {
  if (!isRecord(map)) return undefined;
  const cluster = flagsOf(map['flags']);
  if (pauseFlags.some((flag) => cluster.includes(flag))) {
    return storageRefusal('read-only', 'Ceph is paused by its operator (`ceph osd unpause` ends that)', { cause });
  }
  if (fullFlags.some((flag) => cluster.includes(flag))) {
    return storageRefusal('full', 'Ceph is full, and takes no writes until there is room', { cause });
  }
  const pools = Array.isArray(map['pools']) ? (map['pools'] as readonly unknown[]) : [];
  for (const pool of pools) {
    const name = isRecord(pool) ? pool['pool_name'] : undefined;
    if (!isRecord(pool) || typeof name !== 'string' || !argv.some((word) => isOfPool(word, name))) continue;
    const flags = flagsOf(pool['flags_names']);
    if (!fullFlags.some((flag) => flags.includes(flag))) continue;
    const why = flags.includes('full_quota') ? 'its quota is used up' : 'it has no room left';
    const message = `pool ${name} in Ceph takes no writes: ${why}`;
    return storageRefusal('full', message, { facts: { pool: name, flags }, cause });
  }
  return undefined;
}

/** What `ceph osd dump` says of a pool as a place for new disks; undefined: nothing against it. */
export function conditionOfPool(map: unknown, pool: string): StorageCondition | undefined {
  if (!isRecord(map)) return undefined;
  const cluster = flagsOf(map['flags']);
  if (pauseFlags.some((flag) => cluster.includes(flag))) return 'read-only';
  const pools = Array.isArray(map['pools']) ? (map['pools'] as readonly unknown[]) : [];
  const found = pools.find((one) => isRecord(one) && one['pool_name'] === pool);
  const flags = [...cluster, ...(isRecord(found) ? flagsOf(found['flags_names']) : [])];
  if (fullFlags.some((flag) => flags.includes(flag))) return 'full';
  return nearfullFlags.some((flag) => flags.includes(flag)) ? 'nearfull' : undefined;
}

function flagsOf(flags: unknown): readonly string[] {
  return typeof flags === 'string' ? flags.split(',') : [];
}

/** `POOL`, `POOL/IMAGE`, or among the options of a block node. */
function isOfPool(word: string, pool: string): boolean {
  return word === pool || word.startsWith(`${pool}/`) || word.split(',').includes(`file.pool=${pool}`);
}
