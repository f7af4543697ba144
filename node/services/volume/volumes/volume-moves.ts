/**
 * Volumes that get another place, another type or another keeper: migration and retype, bytes that were there before (manage,
 * unmanage), and images made of volumes. What takes long is a job of the volume's host.
 */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { hostTable, imageTable, serverTable, volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import { volumeSubject } from '../../jobs/volume-jobs.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isAllowed } from '../../kit/permissions.ts';
import { chargeQuota } from '../../kit/quota.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { amountsOfVolume, charge, refund } from '../kit/charges.ts';
import type { VolumeDependencies, VolumeOptions } from '../kit/dependencies.ts';
import { seeVolume } from '../kit/find.ts';
import { chooseHost, findPool, poolOfType } from '../kit/pools.ts';
import { conflict, invalidInput, invalidVolume } from '../kit/refusals.ts';
import { checkMetadata, checkNeededName, checkText } from '../kit/texts.ts';
import { uploadFormats } from '../kit/upload-formats.ts';
import { allowsMultiattach, usableType, useType } from '../records/type-record.ts';
import { bindVolume } from '../records/volume-binding.ts';
import { beginVolumeJob } from '../records/volume-job.ts';
import {
  checkBytesAtRest,
  checkDeletable,
  deleteVolume,
  isBeingCopied,
  isUnbound,
  writeVolume,
} from '../records/volume-record.ts';
import { checkEmptyMoves, mustRest, placeOf, planMove } from './move-place.ts';

type Volume = shoal.v1.Volume;

/** What is said of bytes that become a volume. */
interface ManageDraft {
  /** "HOST@POOL#POOL", as pools are listed. */
  readonly host: string;
  /** Name of the image or file in the pool. */
  readonly sourceName: string;
  readonly name?: string;
  readonly description?: string;
  readonly type?: string;
  readonly zone?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly bootable?: boolean;
}

/** What is said of an image that a volume becomes. */
interface UploadDraft {
  readonly imageName: string;
  /** "raw" or "qcow2". */
  readonly diskFormat?: string;
  readonly visibility?: string;
  readonly protected?: boolean;
  /** Also of a volume that is in use. */
  readonly force?: boolean;
}

/** See above. */
export class VolumeMoves {
  readonly #deps: VolumeDependencies;
  readonly #options: VolumeOptions;

  constructor(deps: VolumeDependencies, options: VolumeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Moves a volume to another pool or host. @param host "HOST@POOL#POOL", "HOST@POOL" or a host's name. */
  async migrate(context: RequestContext, id: string, host: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeVolume(context, attempt.reader, id);
      mustRest(row.record, 'migrate');
      const { hostName, pool = row.record.pool } = placeOf(host);
      const target = hostTable.one(attempt.reader, 'name', indexKey(hostName))?.record;
      if (target === undefined) throw invalidInput(`No available service named ${host.slice(0, 255)}.`);
      if (target.id === row.record.hostId && pool === row.record.pool) {
        throw invalidInput('Destination host must be different than current host.');
      }
      this.#move(context, attempt, row, { pool, hostId: target.id, typeId: '', status: 'maintenance' });
    });
  }

  /** Gives it another type; when that is of another pool, its bytes move if `policy` lets them. */
  async retype(context: RequestContext, id: string, typeName: string, policy: 'never' | 'on-demand'): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeVolume(context, reader, id);
      const { record } = row;
      mustRest(record, 'retype');
      const type = usableType(context, reader, typeName);
      if (type.id === record.typeId) throw invalidInput(`New volume type must be different from the present one.`);
      if (((type.encryption?.provider ?? '') !== '') !== (record.encryption !== null)) {
        throw invalidInput('Retype between an encrypted type and one that is not is not possible: copy the volume.');
      }
      if (allowsMultiattach(type) !== record.multiattach && record.attachments.length > 0) {
        throw invalidInput(
          'Retype between a type that allows multi-attach and one that does not is for volumes that nobody has.',
        );
      }
      useType(change, reader, type);
      const pool = poolOfType(reader, type, this.#options);
      if (pool === record.pool || isUnbound(record)) {
        refund(change, record.projectId, amountsOfVolume(record));
        charge(change, reader, record.projectId, amountsOfVolume({ ...record, typeId: type.id }));
        const fields = { typeId: type.id, pool, multiattach: allowsMultiattach(type) };
        writeVolume(change, row, fields, this.#deps.clock.nowMs());
        return;
      }
      if (policy === 'never') throw invalidInput('Retype requires migration but is not allowed.');
      this.#move(context, attempt, row, { pool, typeId: type.id, status: 'retyping' });
    });
  }

  /** Makes a volume of bytes that are in a pool already. They become its own: nobody else's volume may have them. */
  manage(context: RequestContext, draft: ManageDraft): Promise<Volume> {
    const { hostName, pool } = placeOf(draft.host);
    const managedName = checkNeededName('source-name', draft.sourceName);
    const texts = {
      name: checkText('name', draft.name ?? ''),
      description: checkText('description', draft.description ?? ''),
      metadata: checkMetadata('metadata', draft.metadata ?? {}),
    };
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change, random } = attempt;
      const host = hostTable.one(reader, 'name', indexKey(hostName))?.record;
      if (host === undefined || pool === undefined) {
        throw invalidInput(`Host ${draft.host.slice(0, 255)} is not valid: name it as HOST@POOL#POOL.`);
      }
      const found = findPool(reader, this.#deps.hostViews, pool);
      const needs = { sizeGib: 0, zone: '', hostId: host.id };
      if (found === undefined || chooseHost(reader, found, needs, random) === undefined) {
        throw invalidInput(`Host ${hostName} does not reach a storage pool ${pool}.`);
      }
      if (volumeTable.isTaken(reader, 'managed', indexKey(pool, managedName))) {
        throw conflict(`Unable to manage existing volume. ${managedName} is a volume already.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      const type = usableType(context, reader, draft.type ?? '__DEFAULT__');
      // Its size is known when its host has found it; until then it counts as the least there is.
      const volume = new shoal.v1.Volume({
        ...texts,
        id,
        projectId: context.projectId,
        userId: context.userId,
        sizeGib: 1,
        typeId: type.id,
        zone: draft.zone ?? '',
        pool,
        hostId: host.id,
        status: 'creating',
        bootable: draft.bootable ?? false,
        managedName,
        createdMs: nowMs,
        updatedMs: nowMs,
        askedRevision: 1,
      });
      charge(change, reader, volume.projectId, amountsOfVolume(volume));
      useType(change, reader, type);
      volumeTable.insert(change, volume);
      return volume;
    });
  }

  /** Gives a volume up without touching its bytes: they stay in the pool under their name. */
  async unmanage(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeVolume(context, attempt.reader, id);
      checkDeletable(attempt.reader, row.record, { force: false, cascade: false });
      if (row.record.encryption !== null) {
        throw invalidVolume('Unmanaging encrypted volumes is not supported.');
      }
      deleteVolume(attempt, row, { cascade: false, unmanage: true, nowMs: this.#deps.clock.nowMs() });
    });
  }

  /** Makes an image of it: the image is there, `saving`, at once. */
  async uploadToImage(
    context: RequestContext,
    id: string,
    draft: UploadDraft,
  ): Promise<{ readonly volume: Volume; readonly image: shoal.v1.Image }> {
    const diskFormat = draft.diskFormat ?? 'raw';
    const imageName = checkNeededName('image_name', draft.imageName);
    if (!uploadFormats.some((format) => format === diskFormat)) {
      throw invalidInput(`disk_format ${diskFormat.slice(0, 64)} is none of ${uploadFormats.join(', ')}.`);
    }
    const visibility = draft.visibility ?? 'private';
    if (!['private', 'shared', 'community', 'public'].includes(visibility))
      throw invalidInput('visibility is not valid.');
    if (visibility === 'public' && !isAllowed(context, 'publicize_image')) {
      throw invalidInput('visibility public is for administrators.');
    }
    const [imageId, jobId] = [this.#deps.newId(), this.#deps.newId()];
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeVolume(context, reader, id);
      const { record } = row;
      checkBytesAtRest(record);
      if (record.status !== 'available' && !(record.status === 'in-use' && draft.force === true)) {
        throw invalidVolume(
          `Volume ${id} status must be available${draft.force === true ? ' or in-use' : ''}, but it is ${record.status}.`,
        );
      }
      if (record.encryption !== null) throw invalidInput('An encrypted volume cannot become an image.');
      const nowMs = this.#deps.clock.nowMs();
      const binding = bindVolume(this.#deps, attempt, record);
      const hostId = binding.hostId ?? record.hostId;
      chargeQuota(change, reader, record.projectId, { image_count_total: 1 });
      const image = new shoal.v1.Image({
        id: imageId,
        name: imageName,
        projectId: record.projectId,
        visibility,
        protected: draft.protected ?? false,
        status: shoal.v1.ImageStatus.IMAGE_STATUS_SAVING,
        diskFormat,
        containerFormat: 'bare',
        minDiskGib: record.sizeGib,
        properties: propertiesOf(record),
        hostIds: [hostId],
        charged: true,
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      imageTable.insert(change, image);
      const fields = { ...binding, status: 'uploading', previousStatus: record.status };
      const volume = writeVolume(change, row, fields, nowMs);
      const detail = { volumeUpload: new shoal.v1.VolumeUploadJob({ volumeId: id, imageId, diskFormat }) };
      const job = {
        id: jobId,
        kind: 'volume-upload',
        subject: volumeSubject(id),
        ownerHostId: hostId,
        detail,
        nowMs,
      } as const;
      beginVolumeJob(attempt, context, job);
      return { volume, image };
    });
  }

  /** Begins the job that moves its bytes. One that has none yet has nothing to move. */
  #move(
    context: RequestContext,
    attempt: Attempt,
    row: Row<Volume>,
    to: {
      readonly pool: string;
      readonly hostId?: string;
      readonly typeId: string;
      readonly status: 'maintenance' | 'retyping';
    },
  ): void {
    const { reader, change } = attempt;
    const { record } = row;
    const nowMs = this.#deps.clock.nowMs();
    if (isBeingCopied(reader, record.id)) {
      throw invalidVolume(`Volume ${record.id} is being copied: wait until the volumes that are made of it are there.`);
    }
    if (volumeSnapshotTable.count(reader, 'volume', indexKey(record.id)) > 0) {
      throw invalidVolume(`Volume ${record.id} has snapshots, which do not move with it: delete them first.`);
    }
    if (isUnbound(record)) {
      checkEmptyMoves(this.#deps.hostViews, attempt, record, to);
      // Where an empty volume goes is decided by its first use; of another pool it is at once.
      writeVolume(change, row, { pool: to.pool }, nowMs);
      return;
    }
    const { targetHostId, ownerHostId } = planMove(this.#deps.hostViews, attempt, record, to);
    // A server that begins to go to another host looks at its volumes, and this at the server: one of the two comes first.
    const user = serverTable.get(reader, record.attachments[0]?.serverId ?? '');
    if (user !== undefined) serverTable.unchanged(change, user);
    const isOpen = record.attachments.length > 0;
    const fields = {
      migrationStatus: 'migrating',
      ...(isOpen && to.status !== 'retyping' ? {} : { status: to.status }),
    };
    writeVolume(change, row, { ...fields, previousStatus: record.status }, nowMs);
    const job = new shoal.v1.VolumeMigrateJob({
      volumeId: record.id,
      sourceHostId: record.hostId,
      sourcePool: record.pool,
      targetHostId,
      targetPool: to.pool,
      typeId: to.typeId,
    });
    beginVolumeJob(attempt, context, {
      id: this.#deps.newId(),
      kind: 'volume-migrate',
      subject: volumeSubject(record.id),
      ownerHostId,
      detail: { volumeMigrate: job },
      nowMs,
    });
  }
}

/** What Glance keeps in fields of an image: of `volume_image_metadata` the rest are the image's properties (Cinder's `glance_core_properties`). */
const coreProperties: readonly string[] = [
  ...['checksum', 'container_format', 'disk_format', 'image_name', 'image_id', 'min_disk', 'min_ram', 'name', 'size'],
  // Said of the image whose signature was looked at, and of no other.
  'signature_verified',
];

/** What an image of the volume says of itself: what the image said that the volume came from. */
function propertiesOf({ imageMetadata }: Volume): Record<string, string> {
  return Object.fromEntries(Object.entries(imageMetadata).filter(([name]) => !coreProperties.includes(name)));
}
