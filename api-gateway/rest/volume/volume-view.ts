/** Volumes as Cinder shows them, with the keys of each microversion. */
import type { FastifyRequest } from 'fastify';
import { ownValue } from '../../../node/base/own-value.ts';
import { typeById } from '../../../node/services/volume/records/type-record.ts';
import { sourceVolumeIdOf } from '../../../node/services/volume/records/volume-record.ts';
import { zoneOfVolume } from '../../../node/services/volume/records/volume-zone.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { known, linksOf, maybeTime, timeText, type View } from './kit/common.ts';
import { microversionOf } from './kit/microversion.ts';

/** What a view is made from beside the record. */
interface Shown {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
  readonly reader: StateReader;
}

/** In lists that are not detailed. */
export function briefVolumeView({ id, name }: shoal.v1.Volume, { gateway, request }: Shown): View {
  return { id, name, links: linksOf(gateway, request, `/volumes/${id}`) };
}

/** In answers to what makes and changes one: without what Cinder's extensions add. */
export function plainVolumeView(volume: shoal.v1.Volume, shown: Shown): View {
  const { gateway, request, reader } = shown;
  const type = typeById(reader, volume.typeId);
  return {
    id: volume.id,
    status: volume.status,
    size: volume.sizeGib,
    availability_zone: zoneOfVolume(reader, volume),
    created_at: timeText(volume.createdMs),
    updated_at: maybeTime(volume.updatedMs),
    name: volume.name,
    description: volume.description,
    volume_type: type?.name ?? null,
    snapshot_id: known(volume.sourceSnapshotId),
    source_volid: known(sourceVolumeIdOf(volume)),
    metadata: metadataOf(volume),
    links: linksOf(gateway, request, `/volumes/${volume.id}`),
    user_id: volume.userId,
    bootable: String(volume.bootable),
    encrypted: volume.encryption != null,
    replication_status: null,
    consistencygroup_id: known(volume.groupId),
    multiattach: volume.multiattach,
    attachments: attachmentsOf(volume, shown),
    ...(gateway.allows(request, 'volume_extension:volume_mig_status_attribute')
      ? { migration_status: known(volume.migrationStatus) }
      : {}),
    ...newerPart(volume, shown),
  };
}

/** All of it that this caller may see: of one, and in lists with details. */
export function volumeView(volume: shoal.v1.Volume, shown: Shown): View {
  return {
    ...plainVolumeView(volume, shown),
    'os-vol-tenant-attr:tenant_id': volume.projectId,
    ...(Object.keys(volume.imageMetadata).length > 0 ? { volume_image_metadata: volume.imageMetadata } : {}),
    ...administratorsPart(volume, shown),
  };
}

/** Whether guests may only read it is told among the metadata once its owner has said so, as Cinder merges it in. */
export function metadataOf(volume: shoal.v1.Volume): Readonly<Record<string, string>> {
  if (!volume.readOnly && !volume.readOnlySet) return volume.metadata;
  return { ...volume.metadata, readonly: volume.readOnly ? 'True' : 'False' };
}

/** Only uses that stand: what is reserved or still being plugged in is told by the status. */
function attachmentsOf(volume: shoal.v1.Volume, { gateway, request, reader }: Shown): readonly View[] {
  const seesHosts = gateway.allows(request, 'volume_extension:volume_host_attribute');
  return volume.attachments
    .filter(({ status }) => status === 'attached' || status === 'detaching')
    .map((attachment) => ({
      id: volume.id,
      attachment_id: attachment.id ?? '',
      volume_id: volume.id,
      server_id: known(attachment.serverId ?? ''),
      host_name: seesHosts ? hostNameOf(reader, attachment.hostId ?? '') : null,
      // Of one that is attached elsewhere: where its caller says that it is.
      device: known(attachment.device || mountpointOf(attachment)),
      attached_at: maybeTime(attachment.attachedMs ?? 0),
    }));
}

/** What a caller of `os-attach` has said; its values are kept as JSON. */
function mountpointOf({ connector }: shoal.v1.IVolumeAttachment): string {
  const text = ownValue(connector ?? {}, 'mountpoint');
  const said: unknown = text === undefined ? '' : JSON.parse(text);
  return typeof said === 'string' ? said : '';
}

function administratorsPart(volume: shoal.v1.Volume, { gateway, request, reader }: Shown): View {
  const sees = (rule: string): boolean => gateway.allows(request, rule);
  return {
    ...(sees('volume_extension:volume_host_attribute') ? { 'os-vol-host-attr:host': backendOf(reader, volume) } : {}),
    ...(sees('volume_extension:volume_mig_status_attribute')
      ? {
          'os-vol-mig-status-attr:migstat': known(volume.migrationStatus),
          'os-vol-mig-status-attr:name_id': null,
        }
      : {}),
  };
}

function newerPart(volume: shoal.v1.Volume, { gateway, request }: Shown): View {
  const microversion = microversionOf(request);
  const isAdministrators = gateway.allows(request, 'volume_extension:volume_host_attribute');
  const parts: readonly (readonly [boolean, View])[] = [
    [microversion >= 13, { group_id: known(volume.groupId) }],
    [microversion >= 21 && isAdministrators, { provider_id: null }],
    [microversion >= 48, { service_uuid: known(volume.hostId), shared_targets: microversion >= 69 ? null : false }],
    [microversion >= 61 && isAdministrators, { cluster_name: null }],
    [microversion >= 63, { volume_type_id: known(volume.typeId) }],
    [microversion >= 64 && volume.encryption != null, { encryption_key_id: volume.encryption?.keyId ?? null }],
    [microversion >= 65, { consumes_quota: true }],
  ];
  return Object.assign({}, ...parts.filter(([isShown]) => isShown).map(([, view]) => view));
}

/** `HOST@POOL#POOL`; null: no host has been chosen yet. */
export function backendOf(
  reader: StateReader,
  thing: { readonly hostId: string; readonly pool: string },
): string | null {
  const host = hostNameOf(reader, thing.hostId);
  return host === null ? null : `${host}@${thing.pool}#${thing.pool}`;
}

/** What people call the host; null where there is none, or none any more. */
function hostNameOf(reader: StateReader, hostId: string): string | null {
  return hostId === '' ? null : (hostTable.find(reader, hostId)?.record.name ?? null);
}
