/**
 * Uses of volumes. Nova's way (`plug`, `unplug`): the server's disk and the volume's attachment in one transaction, then the
 * server's host does it and reports. Cinder's way (the attachments API): a record that somebody reserves and completes by himself.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { mustTake, seeServer } from '../../compute/kit/server-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner, mayActOn } from '../../kit/permissions.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { checkConnector } from '../kit/connector.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { listOf, ownVolume } from '../kit/find.ts';
import { conflict, invalidInput, notFound } from '../kit/refusals.ts';
import { mustBeFree, planPlug, planReservation } from '../records/plug.ts';
import {
  diskOf,
  disksMax,
  hasImplicitRoot,
  nextDeviceName,
  volumeDisks,
  withoutServer,
  writeDisks,
} from '../records/server-disks.ts';
import { checkBytesAtRest, checkNotMigrating, restingStatus, writeVolume } from '../records/volume-record.ts';

type Volume = shoal.v1.Volume;
type Attachment = shoal.v1.IVolumeAttachment;

/** What Nova's caller says of the disk. */
interface PlugDraft {
  readonly volumeId: string;
  /** "/dev/vdb", or absent: the next one. As with libvirt the guest's own order decides; the name is kept if it is free. */
  readonly device?: string;
  readonly tag?: string;
  readonly deleteOnTermination?: boolean;
}

/** A use with its volume. */
interface VolumeUse {
  readonly volume: Volume;
  readonly attachment: Attachment;
}

/** What Cinder's caller says. */
interface AttachmentDraft {
  readonly volumeId: string;
  /** Empty: none. */
  readonly serverId?: string;
  readonly connector?: Readonly<Record<string, unknown>>;
  /** "rw" or "ro". */
  readonly mode?: string;
}

/** See above. */
export class VolumeAttachments {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Disks of a server that are volumes, as Nova lists them. Throws `NOT_FOUND`. */
  ofServer(context: RequestContext, reader: StateReader, serverId: string): readonly shoal.v1.IServerDisk[] {
    return volumeDisks(seeServer(context, reader, serverId).record);
  }

  /**
   * Attaches a volume to a server; of two requests for it exactly one wins. Returns the server's disk. Throws `NOT_FOUND`;
   * `INVALID_ARGUMENT` for a volume in another state; `CONFLICT` for a server in another state, and for a volume that the server's
   * host does not reach.
   */
  async plug(context: RequestContext, serverId: string, draft: PlugDraft): Promise<shoal.v1.ServerDisk> {
    const attachmentId = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const server = seeServer(context, attempt.reader, serverId);
      mustTake(context, server.record, 'attach_volume');
      const volume = ownVolume(context, attempt.reader, draft.volumeId);
      return this.#plugged(attempt, server, volume, { ...draft, attachmentId });
    });
  }

  /**
   * Asks for a volume to be detached from a server. Asked twice, it is asked once. Throws `NOT_FOUND`; `FORBIDDEN` for the root
   * disk; `CONFLICT` while it is just being attached.
   */
  async unplug(context: RequestContext, serverId: string, volumeId: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const server = seeServer(context, reader, serverId);
      mustTake(context, server.record, 'detach_volume');
      const disk = diskOf(server.record, volumeId);
      const volume = volumeTable.get(reader, volumeId);
      if (disk === undefined || volume === undefined) {
        throw new ShoalError('NOT_FOUND', `Instance ${serverId} is not attached to volume ${volumeId.slice(0, 64)}.`);
      }
      if (disk.bootIndex === 0) {
        throw new ShoalError('FORBIDDEN', 'Cannot detach a root device volume.');
      }
      if (disk.detaching === true) return;
      checkNotMigrating(volume.record, 'detach');
      if (server.record.hostId === '') {
        // It is shelved: no guest has the volume.
        const nowMs = this.#deps.clock.nowMs();
        const left = server.record.disks.filter((one) => one !== disk);
        writeDisks(change, server, left, nowMs);
        writeVolume(change, volume, withoutServer(volume.record, serverId), nowMs);
        return;
      }
      if (disk.attached !== true) {
        throw conflict(
          `Volume ${volumeId} is just being attached to instance ${serverId}; try again when it is in-use.`,
        );
      }
      const nowMs = this.#deps.clock.nowMs();
      const disks = server.record.disks.map((one) =>
        one === disk ? new shoal.v1.ServerDisk({ ...one, detaching: true }) : one,
      );
      writeDisks(change, server, disks, nowMs);
      const attachments = volume.record.attachments.map((one) =>
        one.serverId === serverId ? new shoal.v1.VolumeAttachment({ ...one, status: 'detaching' }) : one,
      );
      writeVolume(change, volume, { attachments, status: restingStatus(attachments) }, nowMs);
    });
  }

  /** Says whether a volume goes with its server. Throws `NOT_FOUND`. */
  async setDeleteOnTermination(
    context: RequestContext,
    serverId: string,
    volumeId: string,
    deleteOnTermination: boolean,
  ): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const server = seeServer(context, reader, serverId);
      mustTake(context, server.record, 'update');
      const disk = diskOf(server.record, volumeId);
      if (disk === undefined) {
        throw new ShoalError('NOT_FOUND', `Instance ${serverId} is not attached to volume ${volumeId.slice(0, 64)}.`);
      }
      const disks = server.record.disks.map((one) =>
        one === disk ? new shoal.v1.ServerDisk({ ...one, deleteOnTermination }) : one,
      );
      writeDisks(change, server, disks, this.#deps.clock.nowMs());
    });
  }

  /** Uses of the project's volumes, or of everybody's, which is the caller's to ask for. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly VolumeUse[] {
    return listOf(volumeTable, { context, reader, ...options }).flatMap((volume) =>
      volume.attachments.map((attachment) => ({ volume, attachment })),
    );
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): VolumeUse {
    const { row, attachment } = find(context, reader, id);
    return { volume: row.record, attachment };
  }

  /** Reserves a volume; with a connector it is being attached already. One that is reserved is nobody else's. */
  create(context: RequestContext, draft: AttachmentDraft): Promise<VolumeUse> {
    return this.#use(context, draft, { isConnected: false });
  }

  /** Notes that it is attached, by who has attached it elsewhere: reserved and connected at once. */
  attach(context: RequestContext, draft: AttachmentDraft): Promise<VolumeUse> {
    return this.#use(context, draft, { isConnected: true });
  }

  #use(
    context: RequestContext,
    draft: AttachmentDraft,
    { isConnected }: { readonly isConnected: boolean },
  ): Promise<VolumeUse> {
    const { serverId = '' } = draft;
    const connector = checkConnector(draft.connector);
    if (!['', 'rw', 'ro'].includes(draft.mode ?? '')) throw invalidInput("mode must be 'rw' or 'ro'.");
    const unconnected = Object.keys(connector).length === 0 ? 'reserved' : 'attaching';
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { record: volume, ...row } = ownVolume(context, attempt.reader, draft.volumeId);
      mustBeFree(volume, serverId);
      checkBytesAtRest(volume);
      const attachment = new shoal.v1.VolumeAttachment({
        id,
        serverId,
        ...(isConnected ? { status: 'attached', attachedMs: this.#deps.clock.nowMs() } : { status: unconnected }),
        readOnly: draft.mode === 'ro' || volume.readOnly,
        connector,
      });
      const attachments = [...volume.attachments, attachment];
      const status = isConnected || volume.status === 'in-use' ? 'in-use' : unconnected;
      const next = writeVolume(
        attempt.change,
        { record: volume, ...row },
        { attachments, status },
        this.#deps.clock.nowMs(),
      );
      return { volume: next, attachment };
    });
  }

  /** Says what will connect. */
  update(context: RequestContext, id: string, connector: Readonly<Record<string, unknown>>): Promise<VolumeUse> {
    const checked = checkConnector(connector);
    return this.#change(
      context,
      id,
      (attachment) => ({ ...attachment, connector: checked, status: 'attaching' }),
      'attaching',
    );
  }

  /** It is connected: "in-use". */
  async complete(context: RequestContext, id: string): Promise<void> {
    const attachedMs = this.#deps.clock.nowMs();
    await this.#change(context, id, (attachment) => ({ ...attachment, status: 'attached', attachedMs }), 'in-use');
  }

  /**
   * Ends a use. One that a server has by `plug` is ended there: `CONFLICT`, as the guest has the disk. Returns the uses that are
   * left.
   */
  remove(context: RequestContext, id: string): Promise<readonly Attachment[]> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const { row, attachment } = find(context, reader, id);
      if (isPlugged(reader, row.record, attachment)) {
        throw conflict(
          `Attachment ${id} is of server ${attachment.serverId}, which has the disk: detach the volume from the server.`,
        );
      }
      const attachments = row.record.attachments.filter((one) => one.id !== id);
      writeVolume(change, row, { attachments, status: restingStatus(attachments) }, this.#deps.clock.nowMs());
      return attachments;
    });
  }

  #change(
    context: RequestContext,
    id: string,
    edit: (attachment: Attachment) => Attachment,
    status: string,
  ): Promise<VolumeUse> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const { row, attachment } = find(context, reader, id);
      if (isPlugged(reader, row.record, attachment)) {
        throw conflict(`Attachment ${id} is of server ${attachment.serverId}, whose host keeps it.`);
      }
      const next = new shoal.v1.VolumeAttachment(edit(attachment));
      const attachments = row.record.attachments.map((one) => (one.id === id ? next : one));
      const volume = writeVolume(change, row, { attachments, status }, this.#deps.clock.nowMs());
      return { volume, attachment: next };
    });
  }

  /** The part of a plug that is the same when a server is made with the volume. */
  #plugged(
    attempt: Attempt,
    server: Row<shoal.v1.Server>,
    volume: Row<Volume>,
    draft: PlugDraft & { readonly attachmentId: string },
  ): shoal.v1.ServerDisk {
    const nowMs = this.#deps.clock.nowMs();
    const { record } = server;
    const { disks } = record;
    const isRootHidden = hasImplicitRoot(record);
    if (disks.length + (isRootHidden ? 1 : 0) >= disksMax) {
      throw new ShoalError(
        'FORBIDDEN',
        `The maximum allowed number of disk devices (${disksMax}) to attach to a single instance has been exceeded.`,
      );
    }
    mustBeFree(volume.record, record.id);
    checkBytesAtRest(volume.record);
    const device = deviceName(draft.device, disks, isRootHidden);
    const place = { serverId: record.id, attachmentId: draft.attachmentId, device };
    const { fields, disk } =
      record.hostId === ''
        ? planReservation(volume.record, place, nowMs)
        : planPlug(this.#deps, attempt, volume.record, { ...place, hostId: record.hostId });
    writeVolume(attempt.change, volume, fields, nowMs);
    const next = new shoal.v1.ServerDisk({
      ...disk,
      bootIndex: -1,
      deleteOnTermination: draft.deleteOnTermination ?? false,
      tag: draft.tag ?? '',
    });
    writeDisks(attempt.change, server, [...disks, next], nowMs);
    return next;
  }
}

function deviceName(wanted: string | undefined, disks: readonly shoal.v1.IServerDisk[], isRootHidden: boolean): string {
  const next = nextDeviceName(disks, isRootHidden);
  if (wanted === undefined || wanted === '') return next;
  const name = wanted.replace(/^\/dev\//, '');
  if (!/^[a-z]{2}[a-z]{1,2}$/.test(name))
    throw invalidInput(`The supplied device path (${wanted.slice(0, 64)}) is invalid.`);
  const isUsed = (isRootHidden && name === 'vda') || disks.some(({ device }) => device === name);
  if (isUsed) throw conflict(`The supplied device path (${wanted}) is in use.`);
  return /^vd[a-z]$/.test(name) ? name : next;
}

function find(
  context: RequestContext,
  reader: StateReader,
  id: string,
): { readonly row: Row<Volume>; readonly attachment: Attachment } {
  const row = volumeTable.one(reader, 'attachment', indexKey(id));
  const attachment = row?.record.attachments.find((one) => one.id === id);
  const isSeen = row !== undefined && (mayActOn(context, row.record) || isOwner(context, row.record));
  if (row === undefined || attachment === undefined || !isSeen) throw notFound('attachment', id);
  return { row, attachment };
}

/** Whether a server here has the disk by `plug`, of which its host has the last word. */
function isPlugged(reader: StateReader, volume: Volume, { id, serverId }: Attachment): boolean {
  const server = serverId === null || serverId === undefined ? undefined : serverTable.get(reader, serverId)?.record;
  const disk = server === undefined ? undefined : diskOf(server, volume.id);
  return disk !== undefined && disk.attachmentId === id;
}
