/**
 * Images of servers: snapshots and backups of their root disks, by a job of the server's host; of a server that boots from a volume,
 * snapshots of its volumes, and an image without content that says how a server is made of them.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ownValue } from '../../../base/own-value.ts';
import type { Row } from '../../../state/table.ts';
import { imageTable, serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { checkDraft, emptyDraft } from '../../image/draft.ts';
import { beginJob } from '../../jobs/job-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import { chargeQuota, quotaLimit, unlimited } from '../../kit/quota.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../../volume/kit/dependencies.ts';
import { bootsFromVolume, volumeDisks } from '../../volume/records/server-disks.ts';
import { mappingProperties } from '../../volume/servers/image-mapping.ts';
import { planSnapshot } from '../../volume/volumes/snapshots.ts';
import { askedAction } from '../history/action-history.ts';
import { badRequest, checkName, conflict } from '../kit/refusals.ts';
import { mustTake, seeServer } from '../kit/server-record.ts';
import { verbs } from '../machine/verbs.ts';

/** How long the making of an image may take before it is given up. Unit: ms. */
const serverImageJobMsMax = 86_400_000;

/** Properties of an image that are not passed on to images of servers made of it: Nova's own list, and what signs content. */
const notInherited: readonly string[] = [
  ...['cache_in_nova', 'bittorrent', 'block_device_mapping', 'bdm_v2', 'root_device_name'],
  ...['img_signature', 'img_signature_hash_method', 'img_signature_certificate_uuid', 'img_signature_key_type'],
];

/** What a caller says of the image. */
interface ServerImageDraft {
  readonly name: string;
  /** Added to the image's properties. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A backup, one of a series. */
interface ServerBackupDraft extends ServerImageDraft {
  /** "daily", "weekly", or any word. */
  readonly backupType: string;
  /** How many of the type are kept, this one included; 0: none at all. */
  readonly rotation: number;
}

/** What an image is made for. */
type ImagePurpose =
  | { readonly verb: 'createImage' | 'shelve' }
  | { readonly verb: 'createBackup'; readonly backupType: string; readonly rotation: number };

/** See above. */
export class ServerImages {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /**
   * Begins to make an image of the server as it is at one instant; the image is there, `saving`, at once. Of one that boots from a
   * volume the image has no content, and is ready at once. Throws `CONFLICT` in Nova's words, `QUOTA_EXCEEDED`.
   */
  create(context: RequestContext, id: string, draft: ServerImageDraft): Promise<shoal.v1.Image> {
    return this.#make(context, id, draft, { verb: 'createImage' });
  }

  /** The same as one of a series, of which the oldest go. `INVALID_ARGUMENT` for a server that boots from a volume. */
  async createBackup(context: RequestContext, id: string, draft: ServerBackupDraft): Promise<shoal.v1.Image> {
    const { backupType, rotation } = draft;
    if (backupType.length > 255) throw badRequest('backup_type has at most 255 characters.');
    return this.#make(context, id, draft, { verb: 'createBackup', backupType, rotation });
  }

  /** Begins to keep the disk of a server that is shelved: the server's record is the caller's to write. */
  beginShelving(
    context: RequestContext,
    attempt: Attempt,
    server: shoal.v1.Server,
    { imageId, jobId }: { readonly imageId: string; readonly jobId: string },
  ): void {
    const purpose = { verb: 'shelve' } as const;
    const name = `${server.name.slice(0, 247)}-shelved`;
    const image = this.#imageOf(context, attempt.reader, server, { imageId, name, purpose, metadata: {} });
    chargeQuota(attempt.change, attempt.reader, image.projectId, { image_count_total: 1 });
    imageTable.insert(attempt.change, image);
    this.#beginJob(context, attempt, server, { image, jobId, purpose });
  }

  #make(context: RequestContext, id: string, draft: ServerImageDraft, purpose: ImagePurpose): Promise<shoal.v1.Image> {
    const name = checkName('name', draft.name);
    const [imageId, jobId] = [this.#deps.newId(), this.#deps.newId()];
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeServer(context, reader, id);
      mustTake(context, row.record, purpose.verb);
      checkItems(context, reader, draft.metadata ?? {});
      const image = this.#imageOf(context, reader, row.record, {
        imageId,
        name,
        purpose,
        metadata: draft.metadata ?? {},
      });
      chargeQuota(change, reader, image.projectId, { image_count_total: 1 });
      if (bootsFromVolume(row.record)) {
        if (purpose.verb === 'createBackup') throw badRequest('Backup is not supported for volume-backed instances.');
        this.#ofVolumes(context, attempt, row, image);
      } else {
        this.#begin(context, attempt, row, { image, jobId, purpose });
      }
      checkDraft({ ...image, projectId: image.projectId });
      imageTable.insert(change, image);
      return image;
    });
  }

  #imageOf(
    context: RequestContext,
    reader: StateReader,
    server: shoal.v1.Server,
    about: {
      readonly imageId: string;
      readonly name: string;
      readonly purpose: ImagePurpose;
      readonly metadata: Readonly<Record<string, string>>;
    },
  ): shoal.v1.Image {
    const nowMs = this.#deps.clock.nowMs();
    const base = imageTable.find(reader, server.imageId)?.record;
    const inherited = Object.entries(base?.properties ?? {}).filter(([key]) => !notInherited.includes(key));
    const { purpose } = about;
    const isBackup = purpose.verb === 'createBackup';
    return new shoal.v1.Image({
      ...emptyDraft(server.projectId),
      id: about.imageId,
      name: about.name,
      visibility: 'private',
      status: shoal.v1.ImageStatus.IMAGE_STATUS_SAVING,
      // Until its host has stored it, and says as what.
      diskFormat: 'raw',
      containerFormat: 'bare',
      minDiskGib: server.flavor?.diskGib ?? 0,
      minMemoryMib: base?.minMemoryMib ?? 0,
      hostIds: [server.hostId],
      charged: true,
      createdMs: nowMs,
      updatedMs: nowMs,
      properties: {
        ...Object.fromEntries(inherited),
        ...about.metadata,
        ...(server.imageId === '' ? {} : { base_image_ref: server.imageId }),
        // A snapshot is called what its maker calls it, as by Nova; backups are found by this again.
        image_type: isBackup ? 'backup' : (ownValue(about.metadata, 'image_type') ?? 'snapshot'),
        ...(isBackup ? { backup_type: purpose.backupType } : {}),
        instance_uuid: server.id,
        user_id: context.userId,
        owner_id: server.projectId,
        image_state: 'available',
        image_location: 'snapshot',
      },
    });
  }

  #begin(
    context: RequestContext,
    attempt: Attempt,
    row: Row<shoal.v1.Server>,
    about: { readonly image: shoal.v1.Image; readonly jobId: string; readonly purpose: ImagePurpose },
  ): void {
    const nowMs = this.#deps.clock.nowMs();
    const { record: server } = row;
    this.#beginJob(context, attempt, server, about);
    const actions = askedAction(server, verbs[about.purpose.verb].action, context, nowMs);
    const taskState = about.purpose.verb === 'createBackup' ? 'image_backup' : 'image_snapshot';
    serverTable.update(attempt.change, row, new shoal.v1.Server({ ...server, taskState, actions, updatedMs: nowMs }));
  }

  /** Hands the making to the server's host. */
  #beginJob(
    context: RequestContext,
    attempt: Attempt,
    server: shoal.v1.Server,
    {
      image,
      jobId,
      purpose,
    }: { readonly image: shoal.v1.Image; readonly jobId: string; readonly purpose: ImagePurpose },
  ): void {
    const nowMs = this.#deps.clock.nowMs();
    // What its record kept counts: the image may have gone. Servers of earlier versions kept nothing.
    const ofImage = imageTable.find(attempt.reader, server.imageId)?.record.properties ?? {};
    const properties = { ...ofImage, ...server.imageProperties };
    const isRunning = server.status === shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE && purpose.verb !== 'shelve';
    const words = { createImage: 'image', createBackup: 'backup', shelve: 'shelve' } as const;
    const serverImage = new shoal.v1.ServerImageJob({
      serverId: server.id,
      imageId: image.id,
      purpose: words[purpose.verb],
      ...(purpose.verb === 'createBackup' ? { backupType: purpose.backupType, rotation: purpose.rotation } : {}),
      quiesce: isSet(properties, 'hw_qemu_guest_agent'),
      mustQuiesce: isSet(properties, 'os_require_quiesce') && isRunning,
    });
    const { projectId } = server;
    const deadlineMs = nowMs + serverImageJobMsMax;
    const place = { subject: `server/${server.id}`, ownerHostId: server.hostId };
    const who = { projectId, userId: context.userId };
    beginJob(
      attempt,
      { id: jobId, kind: 'server-image', ...place, ...who, deadlineMs, detail: { serverImage } },
      nowMs,
    );
  }

  /** Snapshots of all its volumes, and an image that says how a server is made of them. */
  #ofVolumes(context: RequestContext, attempt: Attempt, row: Row<shoal.v1.Server>, image: shoal.v1.Image): void {
    const { reader, change } = attempt;
    const snapshotIds = new Map<string, string>();
    for (const { volumeId } of volumeDisks(row.record)) {
      const volume = volumeTable.get(reader, volumeId ?? '');
      if (volume === undefined) continue;
      if (volume.record.status !== 'in-use') {
        throw conflict(
          `Volume ${volume.record.id} of instance ${row.record.id} is ${volume.record.status}; it must be in-use.`,
        );
      }
      const planned = { name: `snapshot for ${image.name}`.slice(0, 255), description: '', metadata: {} };
      const id = this.#deps.newId();
      planSnapshot(this.#deps, attempt, volume, { ...planned, id, groupSnapshotId: '', userId: context.userId });
      snapshotIds.set(volume.record.id, id);
    }
    image.properties = { ...image.properties, ...mappingProperties(row.record, snapshotIds) };
    image.status = shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE;
    image.diskFormat = '';
    image.containerFormat = '';
    image.hostIds = [];
    const nowMs = this.#deps.clock.nowMs();
    const actions = askedAction(row.record, 'createImage', context, nowMs);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, actions, updatedMs: nowMs }));
  }
}

/** Nova counts what is said of an image by the quota of a server's metadata. */
function checkItems(context: RequestContext, reader: StateReader, metadata: Readonly<Record<string, string>>): void {
  const limit = quotaLimit(reader, context.projectId, 'metadata_items');
  if (limit === unlimited || Object.keys(metadata).length <= limit) return;
  throw new ShoalError('QUOTA_EXCEEDED', 'Image metadata limit exceeded');
}

function isSet(properties: Readonly<Record<string, string>>, name: string): boolean {
  return ['yes', 'true', '1', 'on'].includes((ownValue(properties, name) ?? '').toLowerCase());
}
