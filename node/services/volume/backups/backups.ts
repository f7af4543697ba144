/** Backups: copies of volumes outside their storage. The record and what is asked; jobs of hosts write and read the objects. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { backupSubject, volumeSubject } from '../../jobs/volume-jobs.ts';
import type { RequestContext } from '../../kit/context.ts';
import { idFromToken } from '../../kit/id-from-token.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import type { SealedSecret, SecretName } from '../../kit/sealing.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { charge } from '../kit/charges.ts';
import type { VolumeDependencies, VolumeOptions } from '../kit/dependencies.ts';
import { listOf, ownSnapshot, ownVolume, see } from '../kit/find.ts';
import { invalid, invalidInput, invalidSnapshot, invalidVolume } from '../kit/refusals.ts';
import { checkImageMetadata, checkMetadata, checkText } from '../kit/texts.ts';
import { amountsOfBackup, withoutKey, writeBackup } from '../records/backup-record.ts';
import { bindVolume } from '../records/volume-binding.ts';
import { beginVolumeJob } from '../records/volume-job.ts';
import { checkBytesAtRest, writeVolume } from '../records/volume-record.ts';
import { hostForRemoval } from './backup-host.ts';
import { backupFromText, backupText } from './export-record.ts';

type Backup = shoal.v1.VolumeBackup;

/** Bytes of the key that seals a backup's objects. */
const backupKeyBytes = 32;
const resettable: readonly string[] = ['available', 'error'];

/** What a caller asks for. */
interface BackupDraft {
  readonly volumeId: string;
  /** Of that snapshot of the volume, instead of the volume as it is. */
  readonly snapshotId?: string;
  readonly name?: string;
  readonly description?: string;
  readonly container?: string;
  /** Only what differs from the newest one. */
  readonly incremental?: boolean;
  /** Also of a volume that is in use. */
  readonly force?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly zone?: string;
  readonly clientToken?: string;
}

/** Cinder's backups. One of another project is `NOT_FOUND` but for administrators. */
export class VolumeBackups {
  readonly #deps: VolumeDependencies;
  readonly #options: VolumeOptions;

  constructor(deps: VolumeDependencies, options: VolumeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Newest first. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly Backup[] {
    return listOf(volumeBackupTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): Backup {
    return see(volumeBackupTable, 'backup', { context, reader, id }).record;
  }

  /** Asks for one. Throws `UNAVAILABLE` where no store is configured, `QUOTA_EXCEEDED`, `INVALID_ARGUMENT` for a volume in another state. */
  create(context: RequestContext, draft: BackupDraft): Promise<Backup> {
    const { clientToken } = draft;
    const storeUrl = this.#storeUrl();
    const id =
      clientToken === undefined ? this.#deps.newId() : idFromToken(`backup/${context.projectId}/${clientToken}`);
    const jobId = this.#deps.newId();
    const texts = {
      name: checkText('name', draft.name ?? ''),
      description: checkText('description', draft.description ?? ''),
      container: checkText('container', draft.container ?? ''),
      metadata: checkMetadata('metadata', draft.metadata ?? {}),
    };
    return transact(this.#deps, context, (attempt) => {
      const before = clientToken === undefined ? undefined : volumeBackupTable.get(attempt.reader, id)?.record;
      if (before !== undefined) return before;
      return this.#begin(context, attempt, draft, { ...texts, id, storeUrl, jobId });
    });
  }

  /** Renames it, or replaces its metadata. */
  update(
    context: RequestContext,
    id: string,
    patch: {
      readonly name?: string;
      readonly description?: string;
      readonly metadata?: Readonly<Record<string, string>>;
    },
  ): Promise<Backup> {
    const fields = {
      ...(patch.name === undefined ? {} : { name: checkText('name', patch.name) }),
      ...(patch.description === undefined ? {} : { description: checkText('description', patch.description) }),
      ...(patch.metadata === undefined ? {} : { metadata: checkMetadata('metadata', patch.metadata) }),
    };
    return transact(this.#deps, context, ({ reader, change }) =>
      writeBackup(change, see(volumeBackupTable, 'backup', { context, reader, id }), fields, this.#deps.clock.nowMs()),
    );
  }

  /** Asks for its deletion. Throws `INVALID_ARGUMENT` while others add to it, or while it is being written or read. */
  async remove(context: RequestContext, id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const jobId = this.#deps.newId();
    await transact(this.#deps, context, (attempt) => {
      const { reader, change, random } = attempt;
      const row = see(volumeBackupTable, 'backup', { context, reader, id });
      const { status } = row.record;
      if (status === 'deleting') return;
      if (options.force !== true && !['available', 'error', 'error_deleting'].includes(status)) {
        throw invalid('backup', 'Backup status must be available or error');
      }
      if (volumeBackupTable.count(reader, 'parent', indexKey(id)) > 0) {
        throw invalid('backup', 'Incremental backups exist for this backup.');
      }
      const nowMs = this.#deps.clock.nowMs();
      const hostId = hostForRemoval(this.#deps, reader, row.record, random);
      putOnHost(change, hostId);
      writeBackup(change, row, { status: 'deleting', hostId }, nowMs);
      const detail = { volumeBackupDelete: new shoal.v1.VolumeBackupDeleteJob({ backupId: id }) };
      const job = {
        id: jobId,
        kind: 'volume-backup-delete',
        subject: backupSubject(id),
        ownerHostId: hostId,
        detail,
        nowMs,
      } as const;
      beginVolumeJob(attempt, context, job);
    });
  }

  /** Puts its content into a volume that is there. (For a new one: `volumes.create` with `backupId`.) */
  restore(context: RequestContext, id: string, volumeId: string): Promise<shoal.v1.Volume> {
    const jobId = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = see(volumeBackupTable, 'backup', { context, reader, id });
      if (row.record.status !== 'available') throw invalid('backup', 'Backup status must be available');
      const volume = ownVolume(context, reader, volumeId);
      const { status, sizeGib, attachments } = volume.record;
      if (status !== 'available' || attachments.length > 0) {
        throw invalidVolume('Volume to be restored to must be available');
      }
      checkBytesAtRest(volume.record);
      if (row.record.ofEncrypted && volume.record.encryption === null) {
        throw invalidInput(
          'A backup of an encrypted volume is restored to an encrypted one: its content would be readable.',
        );
      }
      if (sizeGib < row.record.sizeGib) {
        throw invalidInput(`volume size ${sizeGib} is too small to restore backup of size ${row.record.sizeGib}.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      const binding = bindVolume(this.#deps, attempt, volume.record);
      const hostId = binding.hostId ?? volume.record.hostId;
      writeBackup(change, row, { status: 'restoring', restoreVolumeId: volumeId, hostId }, nowMs);
      const next = writeVolume(
        change,
        volume,
        { ...binding, status: 'restoring-backup', previousStatus: status },
        nowMs,
      );
      const detail = { volumeRestore: new shoal.v1.VolumeRestoreJob({ backupId: id, volumeId }) };
      const job = {
        id: jobId,
        kind: 'volume-restore',
        subject: volumeSubject(volumeId),
        ownerHostId: hostId,
        detail,
        nowMs,
      } as const;
      beginVolumeJob(attempt, context, job);
      return next;
    });
  }

  /** An administrator's word on what it is. */
  async resetStatus(context: RequestContext, id: string, status: string): Promise<void> {
    if (!resettable.includes(status))
      throw invalidInput(`Must specify a valid status: one of ${resettable.join(', ')}.`);
    await transact(this.#deps, context, ({ reader, change }) =>
      writeBackup(
        change,
        see(volumeBackupTable, 'backup', { context, reader, id }),
        { status },
        this.#deps.clock.nowMs(),
      ),
    );
  }

  /**
   * What is to be kept of it elsewhere, so that it can be imported when its row, or the whole cloud, is lost. The key of its objects
   * is in it: the text is as secret as the content. Throws `UNAVAILABLE` while this host cannot open that key.
   */
  exportRecord(
    context: RequestContext,
    reader: StateReader,
    id: string,
  ): { readonly service: string; readonly url: string } {
    const { record } = see(volumeBackupTable, 'backup', { context, reader, id });
    if (record.status !== 'available') throw invalid('backup', 'Backup status must be available');
    const { sealedKey: sealed, keyEpoch } = record;
    const key = this.#deps.sealing.open(reader, { kind: 'backup-key', id }, { sealed, keyEpoch });
    return { service: 'shoal', url: backupText(record, key) };
  }

  /** Makes the record of a backup whose objects are in a store: `exportRecord`'s text. Throws `INVALID_ARGUMENT`, `CONFLICT`. */
  async importRecord(context: RequestContext, service: string, url: string): Promise<Backup> {
    if (service !== 'shoal')
      throw invalidInput(`backup_service ${service.slice(0, 64)} is not known here; "shoal" is.`);
    const nowMs = this.#deps.clock.nowMs();
    const said = backupFromText(url);
    const { id } = said.backup;
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      if (volumeBackupTable.exists(reader, id)) {
        throw invalid('backup', `Backup already exists in database: ${id}`);
      }
      const { projectId, userId } = context;
      const fields = { projectId, userId, status: 'available', hostId: '', restoreVolumeId: '', updatedMs: nowMs };
      const checked = importedTexts(said.backup);
      // Those that add to it, and are here already.
      const children = volumeBackupTable.count(reader, 'parent', indexKey(id));
      const backup = new shoal.v1.VolumeBackup({
        ...said.backup,
        ...checked,
        ...fields,
        children,
        ...this.#imported(attempt, said),
      });
      const parent = volumeBackupTable.get(reader, backup.parentId);
      if (parent !== undefined) writeBackup(change, parent, { children: parent.record.children + 1 }, nowMs);
      charge(change, reader, projectId, amountsOfBackup(backup));
      volumeBackupTable.insert(change, backup);
      return backup;
    });
  }

  /** The key of an imported backup, sealed by this mesh. One of a text of an earlier version is this mesh's already. */
  #imported(
    attempt: Attempt,
    { backup: { id, sealedKey, keyEpoch }, key }: ReturnType<typeof backupFromText>,
  ): Pick<Backup, 'sealedKey' | 'keyEpoch'> {
    const name = { kind: 'backup-key', id } as const;
    const bare = key ?? this.#opened(attempt.reader, name, { sealed: sealedKey, keyEpoch });
    const sealed = this.#deps.sealing.seal(attempt, name, bare);
    return { sealedKey: sealed.sealed, keyEpoch: sealed.keyEpoch };
  }

  #opened(reader: StateReader, name: SecretName, secret: SealedSecret): Uint8Array {
    try {
      return this.#deps.sealing.open(reader, name, secret);
    } catch (caught) {
      if (!ShoalError.is(caught, 'IDENTITY_MISMATCH')) throw caught;
      throw invalidInput(
        "Can't import backup record: it was exported by an earlier version, whose texts only its own cloud can read.",
      );
    }
  }

  #begin(
    context: RequestContext,
    attempt: Attempt,
    draft: BackupDraft,
    made: {
      readonly id: string;
      readonly storeUrl: string;
      readonly jobId: string;
      readonly name: string;
      readonly description: string;
      readonly container: string;
      readonly metadata: Record<string, string>;
    },
  ): Backup {
    const { reader, change } = attempt;
    const { id, jobId, ...fields } = made;
    const nowMs = this.#deps.clock.nowMs();
    const row = ownVolume(context, reader, draft.volumeId);
    const { record: volume } = row;
    const snapshotId = snapshotOf(context, reader, volume.id, draft.snapshotId ?? '');
    checkBackupable(volume, draft.force === true || snapshotId !== '');
    const parent = draft.incremental === true ? newestOf(reader, volume.id, context.projectId) : undefined;
    if (draft.incremental === true && parent === undefined) {
      throw invalid('backup', 'No backups available to do an incremental backup.');
    }
    const binding = bindVolume(this.#deps, attempt, volume);
    const hostId = binding.hostId ?? volume.hostId;
    const { sealed, keyEpoch } = this.#deps.sealing.draw(attempt, { kind: 'backup-key', id }, backupKeyBytes);
    const backup = new shoal.v1.VolumeBackup({
      ...fields,
      id,
      // As in Cinder it is of who asks for it: an administrator's is not its volume's owner's.
      projectId: context.projectId,
      userId: context.userId,
      volumeId: volume.id,
      snapshotId,
      sizeGib: volume.sizeGib,
      status: 'creating',
      parentId: parent?.record.id ?? '',
      hostId,
      createdMs: nowMs,
      updatedMs: nowMs,
      zone: draft.zone ?? '',
      sealedKey: sealed,
      keyEpoch,
      ofEncrypted: volume.encryption !== null,
      volumeEncryption: withoutKey(volume.encryption),
      imageMetadata: volume.imageMetadata,
      volumeMetadata: volume.metadata,
      bootable: volume.bootable,
    });
    charge(change, reader, backup.projectId, amountsOfBackup(backup));
    if (parent !== undefined) writeBackup(change, parent, { children: parent.record.children + 1 }, nowMs);
    putOnHost(change, hostId);
    const status = snapshotId === '' ? { status: 'backing-up', previousStatus: volume.status } : {};
    writeVolume(change, row, { ...binding, ...status }, nowMs);
    volumeBackupTable.insert(change, backup);
    const detail = { volumeBackup: new shoal.v1.VolumeBackupJob({ backupId: id, volumeId: volume.id }) };
    const job = {
      id: jobId,
      kind: 'volume-backup',
      subject: volumeSubject(volume.id),
      ownerHostId: hostId,
      detail,
      nowMs,
    } as const;
    beginVolumeJob(attempt, context, job);
    return backup;
  }

  #storeUrl(): string {
    const { backupStoreUrl } = this.#options;
    if (backupStoreUrl !== '') return backupStoreUrl;
    throw new ShoalError(
      'UNAVAILABLE',
      'Service cinder-backup could not be found: no store for backups is configured. An operator sets `backups.store`.',
    );
  }
}

/** What an imported record says in words, within the bounds of one that is made here. */
function importedTexts(
  said: Backup,
): Pick<
  Backup,
  | 'name'
  | 'description'
  | 'container'
  | 'zone'
  | 'failReason'
  | 'metadata'
  | 'imageMetadata'
  | 'volumeMetadata'
  | 'storeUrl'
> {
  const { name, description, container, zone, metadata, imageMetadata, volumeMetadata, storeUrl } = said;
  if (!/^(file:\/\/\/|s3:\/\/)/.test(storeUrl)) throw invalidInput('The backup record names no store.');
  return {
    name: checkText('name', name),
    description: checkText('description', description),
    container: checkText('container', container),
    zone: checkText('availability_zone', zone),
    failReason: '',
    metadata: checkMetadata('metadata', metadata),
    imageMetadata: checkImageMetadata(imageMetadata),
    volumeMetadata: checkMetadata('metadata', volumeMetadata),
    storeUrl: checkText('store', storeUrl),
  };
}

function snapshotOf(context: RequestContext, reader: StateReader, volumeId: string, snapshotId: string): string {
  if (snapshotId === '') return '';
  const { record } = ownSnapshot(context, reader, snapshotId);
  if (record.volumeId !== volumeId) throw invalidInput(`Snapshot ${snapshotId} is not of volume ${volumeId}.`);
  if (record.status !== 'available') {
    throw invalidSnapshot(`Snapshot to be backed up must be available, but the current status is "${record.status}".`);
  }
  return snapshotId;
}

function checkBackupable(volume: shoal.v1.Volume, isForced: boolean): void {
  checkBytesAtRest(volume);
  const isRight = volume.status === 'available' || (volume.status === 'in-use' && isForced);
  if (isRight) return;
  throw invalidVolume(
    `Volume to be backed up must be available or in-use, but the current status is "${volume.status}". One that is in-use needs force.`,
  );
}

/** The newest whole backup of a volume that the project has: what another project keeps is not added to. */
function newestOf(reader: StateReader, volumeId: string, projectId: string): Row<Backup> | undefined {
  const rows = volumeBackupTable
    .by(reader, 'volume', indexKey(volumeId))
    .filter(({ record }) => record.status === 'available' && record.projectId === projectId);
  return rows.reduce<Row<Backup> | undefined>(
    (newest, row) =>
      newest === undefined || row.record.dataTimestampMs > newest.record.dataTimestampMs ? row : newest,
    undefined,
  );
}
