/** A server gets another volume in the place of one that it has, with its content, while it runs. The work is a job of the server's host. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Row } from '../../../state/table.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { mustTake, seeServer } from '../../compute/kit/server-record.ts';
import { volumeSubject } from '../../jobs/volume-jobs.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isAllowed } from '../../kit/permissions.ts';
import { transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { ownVolume } from '../kit/find.ts';
import { conflict, invalidVolume } from '../kit/refusals.ts';
import { isServedTo, mustBeFree } from '../records/plug.ts';
import { diskOf } from '../records/server-disks.ts';
import { bindVolume } from '../records/volume-binding.ts';
import { beginVolumeJob } from '../records/volume-job.ts';
import { checkBytesAtRest, checkNotMigrating, writeVolume } from '../records/volume-record.ts';

type Volume = shoal.v1.Volume;

const rule = 'os_compute_api:os-volumes-attachments:swap';

/** See above. */
export class VolumeSwaps {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /**
   * Begins it. Both volumes are the job's until it ends. Throws `FORBIDDEN`; `NOT_FOUND` for a server without that volume;
   * `CONFLICT` for a server in another state, or whose host does not reach the other volume; `INVALID_ARGUMENT` for another volume
   * that is not there, not free or too small, and for one that several servers have.
   */
  async begin(context: RequestContext, serverId: string, volumeId: string, otherId: string): Promise<void> {
    if (!isAllowed(context, rule)) {
      throw new ShoalError('FORBIDDEN', `Policy doesn't allow ${rule} to be performed.`, { facts: { rule } });
    }
    const jobId = this.#deps.newId();
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const server = seeServer(context, reader, serverId).record;
      mustTake(context, server, 'swap_volume');
      const disk = diskOf(server, volumeId);
      const source = volumeTable.get(reader, volumeId);
      if (disk === undefined || source === undefined) {
        throw new ShoalError('NOT_FOUND', `Instance ${serverId} is not attached to volume ${volumeId.slice(0, 64)}.`);
      }
      if (disk.attached !== true || disk.detaching === true) {
        throw conflict(
          `Volume ${volumeId} is just being attached to instance ${serverId}, or detached; try again later.`,
        );
      }
      const other = otherVolume(context, reader, otherId);
      checkPair(source.record, other.record);
      if (isServedTo(this.#deps, other.record, server.hostId)) {
        throw conflict(`Volume ${otherId} is on another host than the server, which does not go over to it.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      const binding = bindVolume(this.#deps, attempt, other.record, server.hostId);
      writeVolume(change, source, { migrationStatus: 'migrating' }, nowMs);
      const reserved = { status: 'reserved', previousStatus: other.record.status, migrationStatus: 'migrating' };
      writeVolume(change, other, { ...binding, ...reserved }, nowMs);
      const swap = new shoal.v1.VolumeSwapJob({ serverId, volumeId, targetVolumeId: otherId });
      beginVolumeJob(attempt, context, {
        id: jobId,
        kind: 'volume-swap',
        subject: volumeSubject(volumeId),
        ownerHostId: server.hostId,
        detail: { volumeSwap: swap },
        nowMs,
      });
    });
  }
}

/** As in Nova: what a body names and is not there is a bad request. */
function otherVolume(context: RequestContext, reader: StateReader, id: string): Row<Volume> {
  try {
    return ownVolume(context, reader, id);
  } catch (caught) {
    if (!ShoalError.is(caught, 'NOT_FOUND')) throw caught;
    throw new ShoalError('INVALID_ARGUMENT', caught.message, { cause: caught });
  }
}

/** In Nova's words. */
function checkPair(source: Volume, other: Volume): void {
  checkNotMigrating(source, 'swap');
  if (source.attachments.length > 1) {
    throw invalidVolume('Swapping multi-attach volumes with more than one read/write attachment is not supported.');
  }
  if (source.served !== null) {
    throw invalidVolume(
      `Volume ${source.id} is served over the network to the host of its server, and is not swapped.`,
    );
  }
  if (source.id === other.id) throw invalidVolume('New volume must be detached in order to swap.');
  mustBeFree(other, '');
  checkBytesAtRest(other);
  if (other.attachments.length > 0) throw invalidVolume('New volume must be detached in order to swap.');
  if (other.sizeGib < source.sizeGib) throw invalidVolume('New volume must be the same size or larger.');
}
