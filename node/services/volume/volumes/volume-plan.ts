/**
 * A new volume in a transaction in the making: its pool, the host that makes its bytes, its quota, its record. Used for volumes
 * that are asked for by themselves, and for those that servers are made with.
 */
import { shoal } from '../../../../proto/messages.ts';
import {
  imageTable,
  volumeBackupTable,
  volumeGroupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import type { SecretName } from '../../kit/sealing.ts';
import type { Attempt } from '../../kit/transact.ts';
import { amountsOfVolume, charge } from '../kit/charges.ts';
import type { VolumeDependencies, VolumeOptions } from '../kit/dependencies.ts';
import { addMessage } from '../kit/messages.ts';
import { unmetSpec } from '../kit/pool-capabilities.ts';
import { chooseHost, findPool, type Pool, poolOfType } from '../kit/pools.ts';
import { invalidInput, notFound } from '../kit/refusals.ts';
import { writeBackup } from '../records/backup-record.ts';
import { writeSnapshot } from '../records/snapshot-record.ts';
import { useType } from '../records/type-record.ts';
import { isUnbound, writeVolume } from '../records/volume-record.ts';
import type { CheckedVolume } from './volume-draft.ts';

/** What `planVolume` works with. */
interface VolumePlanning {
  readonly deps: VolumeDependencies;
  readonly options: Pick<VolumeOptions, 'storage'>;
  readonly context: RequestContext;
}

interface VolumeNaming {
  readonly id: string;
  /** The host that is to have it: a server's, which is made with it. Absent: one is chosen. */
  readonly hostId?: string;
}

/**
 * Plans a volume: the change gets all but its record, which the caller inserts. An empty one in a pool of hosts' own has no host until its bytes are needed; one for which no
 * host can be found is made in `error`, and its owner is told why, as Cinder does. Throws `QUOTA_EXCEEDED`, and what is refused.
 */
export function planVolume(
  { deps, options, context }: VolumePlanning,
  attempt: Attempt,
  checked: CheckedVolume,
  naming: VolumeNaming,
): shoal.v1.Volume {
  const { reader, change } = attempt;
  const nowMs = deps.clock.nowMs();
  const poolName = poolOfType(reader, checked.type, options);
  const pool = findPool(reader, deps.hostViews, poolName);
  const volume = recordOf(context, checked, { id: naming.id, pool: poolName, nowMs });
  volume.encryption = encryptionOf(deps, attempt, checked);
  charge(change, reader, context.projectId, amountsOfVolume(volume));
  useType(change, reader, checked.type);
  holdSource(attempt, checked, volume, nowMs);
  if (checked.groupId !== '') joinGroup(attempt, checked, volume, nowMs);
  const isEmpty = Object.keys(checked.source).length === 0 || isCopyOfNothing(checked.source);
  const unmet = pool === undefined ? undefined : unmetSpec(checked.type.extraSpecs, pool);
  if (pool?.shared === false && isEmpty && naming.hostId === undefined && unmet === undefined) {
    volume.status = 'available';
  } else {
    const isFit = pool !== undefined && unmet === undefined;
    const hostId = isFit ? hostFor(deps, attempt, checked, pool, naming) : undefined;
    if (hostId === undefined) {
      volume.status = 'error';
      addMessage(change, noHostMessage(context, volume, pool, unmet), { id: deps.newId(), nowMs });
    } else {
      putOnHost(change, hostId);
      volume.hostId = hostId;
      volume.askedRevision = 1;
    }
  }
  return volume;
}

function recordOf(
  context: RequestContext,
  checked: CheckedVolume,
  { id, pool, nowMs }: { readonly id: string; readonly pool: string; readonly nowMs: number },
): shoal.v1.Volume {
  const { source } = checked;
  return new shoal.v1.Volume({
    id,
    name: checked.name,
    description: checked.description,
    projectId: context.projectId,
    userId: context.userId,
    sizeGib: checked.sizeGib,
    typeId: checked.type.id,
    zone: checked.zone,
    pool,
    status: 'creating',
    bootable: checked.bootable,
    multiattach: checked.multiattach,
    metadata: checked.metadata,
    imageMetadata: checked.imageMetadata,
    imageId: source.image?.id ?? '',
    sourceSnapshotId: source.snapshot?.id ?? '',
    ...sourceVolumeOf(source),
    sourceBackupId: source.backup?.id ?? '',
    groupId: checked.groupId,
    createdMs: nowMs,
    updatedMs: nowMs,
  });
}

/** A volume that nobody needed the bytes of so far has none: a copy of it is as empty, wherever it is. */
function isCopyOfNothing({ volume }: CheckedVolume['source']): boolean {
  return volume !== undefined && isUnbound(volume);
}

function sourceVolumeOf(source: CheckedVolume['source']) {
  const id = source.volume?.id ?? '';
  return isCopyOfNothing(source) ? { emptySourceVolumeId: id } : { sourceVolumeId: id };
}

/** A key of its own, or that of what it is a copy of: the bytes are copied as they are. */
function encryptionOf(
  deps: VolumeDependencies,
  attempt: Attempt,
  { type, source }: CheckedVolume,
): shoal.v1.VolumeEncryption | null {
  const wanted = (type.encryption?.provider ?? '') !== '';
  const origin = source.volume;
  if (origin !== undefined) {
    if ((origin.encryption !== null) !== wanted) {
      throw invalidInput(
        'A copy of a volume is encrypted where that is, and with the same key: choose a type like its own.',
      );
    }
    return origin.encryption === null ? null : new shoal.v1.VolumeEncryption(origin.encryption);
  }
  if (!wanted) {
    if (source.backup?.ofEncrypted !== true) return null;
    throw invalidInput(
      'A backup of an encrypted volume becomes one of an encrypted type: its content would be readable.',
    );
  }
  const { provider, cipher, keyBits } = type.encryption ?? {};
  if (provider !== 'luks') {
    throw invalidInput(
      `Type ${type.name} is encrypted as ${provider}, which no storage writes: set its provider to luks.`,
    );
  }
  const bits = keyBits === 0 || keyBits === undefined ? 256 : keyBits;
  const keyId = deps.newId();
  const { sealed, keyEpoch } = deps.sealing.draw(attempt, volumeKeyName(keyId), bits / 8);
  return new shoal.v1.VolumeEncryption({
    format: 'luks',
    cipher: cipher === '' || cipher === undefined ? 'aes-xts-plain64' : cipher,
    keyBits: bits,
    sealedKey: sealed,
    keyEpoch,
    keyId,
  });
}

/** The key of an encrypted volume: by its own id, as copies of the volume have the same key. */
export function volumeKeyName(keyId: string): SecretName {
  return { kind: 'volume-key', id: keyId };
}

/** What it is made of must not go before it is copied: each of these records is written, so that a deletion loses the race. */
function holdSource(
  { reader, change }: Attempt,
  { source }: CheckedVolume,
  volume: shoal.v1.Volume,
  nowMs: number,
): void {
  const { image, snapshot, volume: origin, backup } = source;
  if (image !== undefined) change.compare({ key: imageTable.key(image.id), exists: true });
  if (snapshot !== undefined) {
    change.once(`hold/${snapshot.id}`, () =>
      writeSnapshot(change, volumeSnapshotTable.must(reader, snapshot.id), {}, nowMs),
    );
  }
  if (origin !== undefined) {
    change.once(`hold/${origin.id}`, () => writeVolume(change, volumeTable.must(reader, origin.id), {}, nowMs));
  }
  if (backup === undefined) return;
  const row = volumeBackupTable.must(reader, backup.id);
  writeBackup(change, row, { status: 'restoring', restoreVolumeId: volume.id }, nowMs);
}

function joinGroup(
  { reader, change }: Attempt,
  { groupId, type }: CheckedVolume,
  volume: shoal.v1.Volume,
  nowMs: number,
): void {
  const row = volumeGroupTable.get(reader, groupId);
  if (row === undefined || row.record.projectId !== volume.projectId) throw notFound('group', groupId);
  if (row.record.status !== 'available') throw invalidInput(`Group ${groupId} is ${row.record.status}.`);
  if (!row.record.typeIds.includes(type.id)) {
    throw invalidInput('Volume type of a volume in a group must be one of the group.');
  }
  change.once(`group/${groupId}`, () =>
    volumeGroupTable.update(change, row, new shoal.v1.VolumeGroup({ ...row.record, updatedMs: nowMs })),
  );
}

/** Where its bytes are made: at the source's host where that alone has the source, and never where the source is out of reach. */
function hostFor(
  deps: VolumeDependencies,
  { reader, random }: Attempt,
  checked: CheckedVolume,
  pool: Pool,
  naming: VolumeNaming,
): string | undefined {
  const { sizeGib, zone, source } = checked;
  const from = sourcePool(reader, deps, source);
  const reaching =
    from === undefined || from.name === pool.name
      ? pool.hosts
      : pool.hosts.filter(({ hostId }) => reaches(from, hostId));
  const ownHostId = from?.shared === false ? (source.snapshot?.hostId ?? source.volume?.hostId) : undefined;
  if (naming.hostId !== undefined && ownHostId !== undefined && naming.hostId !== ownHostId) return undefined;
  const hostId = naming.hostId ?? ownHostId;
  return chooseHost(reader, { ...pool, hosts: reaching }, { sizeGib, zone, hostId }, random);
}

function sourcePool(reader: StateReader, deps: VolumeDependencies, source: CheckedVolume['source']): Pool | undefined {
  if (isCopyOfNothing(source)) return undefined;
  const name = source.snapshot?.pool ?? source.volume?.pool;
  return name === undefined ? undefined : findPool(reader, deps.hostViews, name);
}

function reaches({ hosts }: Pool, hostId: string): boolean {
  return hosts.some((host) => host.hostId === hostId);
}

function noHostMessage(
  context: RequestContext,
  volume: shoal.v1.Volume,
  pool: Pool | undefined,
  unmet: string | undefined,
) {
  const why =
    pool === undefined
      ? `no host has a storage pool called ${volume.pool}`
      : unmet !== undefined
        ? `the storage pool ${volume.pool} is not what the volume type asks for: ${unmet}`
        : `no host that reaches the storage pool ${volume.pool} takes a volume of ${volume.sizeGib} GiB now`;
  return {
    projectId: volume.projectId,
    resourceType: 'VOLUME',
    resourceId: volume.id,
    action: 'schedule',
    detail: '003',
    requestId: context.requestId,
    text: `Could not find any available weighted backend: ${why}.`,
  } as const;
}
