/**
 * What a caller asks for when making a volume, checked against the records: what it is made from, its size, type and zone. All
 * that can be refused without a host is refused here.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ownValue } from '../../../base/own-value.ts';
import { gibBytes } from '../../../base/units.ts';
import { hostTable, volumeDefaultTypeTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { findImage } from '../../kit/ownership.ts';
import { zoneOf } from '../../kit/zones.ts';
import { checkVolumeSize } from '../kit/charges.ts';
import { ownSnapshot, ownVolume } from '../kit/find.ts';
import { invalid, invalidInput, invalidSnapshot, invalidVolume } from '../kit/refusals.ts';
import { checkMetadata, checkSize, checkText } from '../kit/texts.ts';
import { findBackup } from '../records/backup-record.ts';
import { allowsMultiattach, defaultType, typeById, usableType } from '../records/type-record.ts';
import { checkBytesAtRest } from '../records/volume-record.ts';

/** A request as an API's edge has read it: shapes are right, nothing has been looked up. */
export interface VolumeDraft {
  /** GiB. Absent: as what it is made from. */
  readonly sizeGib?: number;
  readonly name?: string;
  readonly description?: string;
  /** Id or name. Absent: its source's, else the project's default, else the cloud's. */
  readonly type?: string;
  readonly zone?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly imageId?: string;
  readonly snapshotId?: string;
  readonly sourceVolumeId?: string;
  readonly backupId?: string;
  /** A group that it becomes a member of. */
  readonly groupId?: string;
  /** Repeats with the same token give the same volume. At most 128 printable ASCII characters. */
  readonly clientToken?: string;
}

/** What content comes from. */
interface VolumeSource {
  readonly image?: shoal.v1.Image;
  readonly snapshot?: shoal.v1.VolumeSnapshot;
  readonly volume?: shoal.v1.Volume;
  readonly backup?: shoal.v1.VolumeBackup;
}

/** A draft in which everything named is there. */
export interface CheckedVolume {
  readonly sizeGib: number;
  readonly name: string;
  readonly description: string;
  readonly type: shoal.v1.VolumeType;
  /** Empty: any. */
  readonly zone: string;
  readonly metadata: Record<string, string>;
  readonly source: VolumeSource;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly imageMetadata: Record<string, string>;
  readonly groupId: string;
}

/** Checks a draft. Throws what Cinder answers. */
export function checkVolumeDraft(context: RequestContext, reader: StateReader, draft: VolumeDraft): CheckedVolume {
  if (context.projectId === '') throw invalidInput('A volume belongs to a project; the token names none.');
  const source = sourceOf(context, reader, draft);
  const type = typeOf(context, reader, draft.type, source);
  const sizeGib = sizeOf(draft.sizeGib, source);
  checkVolumeSize(reader, context.projectId, sizeGib);
  return {
    sizeGib,
    name: checkText('name', draft.name ?? ''),
    description: checkText('description', draft.description ?? ''),
    type,
    zone: checkVolumeZone(reader, draft.zone ?? ''),
    metadata: checkMetadata('metadata', draft.metadata ?? source.backup?.volumeMetadata ?? {}),
    source,
    bootable: source.image !== undefined || (originOf(reader, source)?.bootable ?? source.backup?.bootable ?? false),
    multiattach: allowsMultiattach(type),
    imageMetadata:
      source.image === undefined
        ? { ...(originOf(reader, source)?.imageMetadata ?? source.backup?.imageMetadata) }
        : ofImage(source.image),
    groupId: draft.groupId ?? '',
  };
}

/** The volume that the content was once of; undefined: an image's, none's, or it has gone. */
function originOf(reader: StateReader, source: VolumeSource): shoal.v1.Volume | undefined {
  return source.volume ?? volumeOfSnapshot(reader, source.snapshot);
}

function volumeOfSnapshot(
  reader: StateReader,
  snapshot: shoal.v1.VolumeSnapshot | undefined,
): shoal.v1.Volume | undefined {
  return snapshot === undefined ? undefined : volumeTable.find(reader, snapshot.volumeId)?.record;
}

function sourceOf(context: RequestContext, reader: StateReader, draft: VolumeDraft): VolumeSource {
  const { imageId = '', snapshotId = '', sourceVolumeId = '', backupId = '' } = draft;
  if ([imageId, snapshotId, sourceVolumeId, backupId].filter((id) => id !== '').length > 1) {
    throw invalidInput('May specify only one of snapshot, image, source volume or backup.');
  }
  if (imageId !== '') return { image: usableImage(context, reader, imageId) };
  if (snapshotId !== '') {
    const snapshot = ownSnapshot(context, reader, snapshotId).record;
    if (snapshot.status !== 'available') {
      throw invalidSnapshot("Originating snapshot status must be one of 'available' values");
    }
    return { snapshot };
  }
  if (sourceVolumeId !== '') {
    const volume = ownVolume(context, reader, sourceVolumeId).record;
    if (volume.status !== 'available' && volume.status !== 'in-use') {
      throw invalidVolume("Originating source volume status must be one of 'available, in-use' values");
    }
    checkBytesAtRest(volume);
    return { volume };
  }
  if (backupId === '') return {};
  const backup = findBackup(context, reader, backupId).record;
  if (backup.status !== 'available') throw invalid('backup', 'Backup status must be available');
  return { backup };
}

/** An image that volumes are made of. Cinder's words differ from Nova's. */
export function usableImage(context: RequestContext, reader: StateReader, id: string): shoal.v1.Image {
  const image = findImage(context, reader, id)?.record;
  if (image === undefined) throw invalidInput('Invalid image identifier or unable to access requested image.');
  if (image.status !== shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE) throw invalidInput(`Image ${id} is not active.`);
  if (image.inert || !['qcow2', 'raw', 'iso'].includes(image.diskFormat)) {
    throw invalidInput(`Image ${id} is of the format ${image.diskFormat}, of which no volume can be made.`);
  }
  return image;
}

/** What Cinder keeps of an image: `volume_image_metadata`. */
export function ofImage(image: shoal.v1.Image): Record<string, string> {
  return {
    ...image.properties,
    image_id: image.id,
    image_name: image.name,
    checksum: image.md5,
    container_format: image.containerFormat,
    disk_format: image.diskFormat,
    min_disk: String(image.minDiskGib),
    min_ram: String(image.minMemoryMib),
    size: String(image.sizeBytes),
  };
}

/** Property of an image that names the type of the volumes that are made of it, where their maker names none. */
const imageTypeProperty = 'cinder_img_volume_type';

function typeOf(
  context: RequestContext,
  reader: StateReader,
  wanted: string | undefined,
  source: VolumeSource,
): shoal.v1.VolumeType {
  if (wanted !== undefined && wanted !== '') return usableType(context, reader, wanted);
  const ofImage = ownValue(source.image?.properties ?? {}, imageTypeProperty) ?? '';
  if (ofImage !== '') return usableType(context, reader, ofImage);
  const ofSource = originOf(reader, source)?.typeId ?? source.snapshot?.typeId ?? '';
  const ofProject = volumeDefaultTypeTable.get(reader, context.projectId)?.record.typeId ?? '';
  return typeById(reader, ofSource) ?? typeById(reader, ofProject) ?? defaultType(reader);
}

function sizeOf(wanted: number | undefined, { image, snapshot, volume, backup }: VolumeSource): number {
  const inherited = snapshot?.sizeGib ?? volume?.sizeGib ?? backup?.sizeGib;
  const size = wanted ?? inherited;
  if (size === undefined) throw invalidInput("Volume size 'None' must be an integer and greater than 0");
  checkSize(size);
  if (snapshot !== undefined && size < snapshot.sizeGib) {
    throw invalidInput(
      `Volume size '${size}'GB cannot be smaller than the snapshot size ${snapshot.sizeGib}GB. They must be >= original snapshot size.`,
    );
  }
  if (volume !== undefined && size < volume.sizeGib) {
    throw invalidInput(
      `Volume size '${size}'GB cannot be smaller than original volume size  ${volume.sizeGib}GB. They must be >= original volume size.`,
    );
  }
  if (backup !== undefined && size < backup.sizeGib) {
    throw invalidInput(`Volume size '${size}'GB cannot be smaller than the backup size ${backup.sizeGib}GB.`);
  }
  if (image !== undefined) checkFits(image, size);
  return size;
}

export function checkFits(image: shoal.v1.Image, sizeGib: number): void {
  const imageGib = Math.ceil(Math.max(image.sizeBytes, image.virtualSizeBytes) / gibBytes);
  if (imageGib > sizeGib) {
    throw invalidInput(`Size of specified image ${imageGib}GB is larger than volume size ${sizeGib}GB.`);
  }
  if (image.minDiskGib > sizeGib) {
    throw invalidInput(`Volume size ${sizeGib}GB cannot be smaller than the image minDisk size ${image.minDiskGib}GB.`);
  }
}

/** A zone that some host is in; empty: any. */
function checkVolumeZone(reader: StateReader, zone: string): string {
  if (zone === '') return zone;
  const isKnown = hostTable.list(reader).some(({ record }) => zoneOf(reader, record) === zone);
  if (!isKnown) throw invalidInput(`Availability zone '${zone.slice(0, 255)}' is invalid.`);
  return zone;
}
