/** Another image, written over the content of a volume (Cinder's `os-reimage`). */
import { shoal } from '../../../../proto/messages.ts';
import { imageTable } from '../../../state/tables/index.ts';
import { volumeSubject } from '../../jobs/volume-jobs.ts';
import type { RequestContext } from '../../kit/context.ts';
import { transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { seeVolume } from '../kit/find.ts';
import { invalidVolume } from '../kit/refusals.ts';
import { bindVolume } from '../records/volume-binding.ts';
import { beginVolumeJob } from '../records/volume-job.ts';
import { checkBytesAtRest, isBeingCopied, isUnbound, waitsForContent, writeVolume } from '../records/volume-record.ts';
import { checkFits, ofImage, usableImage } from './volume-draft.ts';

/** What is said of it. */
interface ReimageDraft {
  readonly imageId: string;
  /** Also of a volume that somebody has reserved. */
  readonly reserved: boolean;
}

/** See above. */
export class VolumeReimages {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /**
   * Begins the job that writes it, on the volume's host. What the volume had is lost, its snapshots stay. Throws `INVALID_ARGUMENT` for
   * a volume that is used, or an image that is not active or does not fit; `NOT_FOUND`; `CONFLICT` while a job about it is under way.
   */
  async begin(context: RequestContext, id: string, { imageId, reserved }: ReimageDraft): Promise<void> {
    const jobId = this.#deps.newId();
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeVolume(context, reader, id);
      const { record } = row;
      checkState(record, reserved);
      checkBytesAtRest(record);
      if (isBeingCopied(reader, id)) {
        throw invalidVolume(`Volume ${id} is being copied: wait until the volumes that are made of it are there.`);
      }
      const image = usableImage(context, reader, imageId);
      checkFits(image, record.sizeGib);
      change.compare({ key: imageTable.key(image.id), exists: true });
      const nowMs = this.#deps.clock.nowMs();
      const binding = bindVolume(this.#deps, attempt, record);
      writeVolume(change, row, { ...binding, status: 'downloading', previousStatus: record.status }, nowMs);
      const volumeReimage = new shoal.v1.VolumeReimageJob({ volumeId: id, imageId, imageMetadata: ofImage(image) });
      beginVolumeJob(attempt, context, {
        id: jobId,
        kind: 'volume-reimage',
        subject: volumeSubject(id),
        ownerHostId: binding.hostId ?? record.hostId,
        detail: { volumeReimage },
        nowMs,
      });
    });
  }
}

function checkState(volume: shoal.v1.Volume, reserved: boolean): void {
  const { id, status, attachments } = volume;
  const known = reserved ? ['available', 'error', 'reserved'] : ['available', 'error'];
  if (!known.includes(status) || attachments.some((one) => one.status !== 'reserved')) {
    throw invalidVolume(
      `Volume ${id} status must be ${known.join(' or ')} to reimage, but current status is: ${status}.`,
    );
  }
  // Its host says so: there is nothing that an image could be written over.
  if (status === 'error' && volume.madeGib === 0 && (waitsForContent(volume) || !isUnbound(volume))) {
    throw invalidVolume(`Volume ${id} was never made: delete it, and create one of the image.`);
  }
}
