/** Rescue: a server is started from the disk of another image, with its own disks beside it, so that they can be repaired. */
import { shoal } from '../../../proto/messages.ts';
import { ownValue } from '../../base/own-value.ts';
import { serverTable } from '../../state/tables/index.ts';
import type { RequestContext } from '../kit/context.ts';
import { nextRequest } from '../kit/server-request.ts';
import { transact } from '../kit/transact.ts';
import { bootsFromVolume, disksMax } from '../volume/records/server-disks.ts';
import type { ComputeDependencies } from './dependencies.ts';
import { askedAction } from './history/action-history.ts';
import { badRequest, conflict } from './kit/refusals.ts';
import { mustTake, seeServer } from './kit/server-record.ts';
import { checkImage } from './server-draft.ts';

const { PowerWanted } = shoal.v1;

/** What a server is rescued with. */
interface RescueDraft {
  /** Absent: the server's own image. */
  readonly imageId?: string;
  /** A server that boots from a volume may be rescued, with an image that says how (`hw_rescue_device`, `hw_rescue_bus`). */
  readonly mayHaveRootVolume: boolean;
}

/** See above. */
export class ServerRescue {
  readonly #deps: ComputeDependencies;

  constructor(deps: ComputeDependencies) {
    this.#deps = deps;
  }

  /** Throws `CONFLICT` in Nova's words; `INVALID_ARGUMENT` for an image that nothing boots from, or a device that is not had. */
  async begin(context: RequestContext, id: string, { imageId, mayHaveRootVolume }: RescueDraft): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeServer(context, reader, id);
      const server = row.record;
      mustTake(context, server, 'rescue');
      const wanted = imageId ?? server.imageId;
      if (wanted === '') throw notRescuable(id, 'it has no image of its own: name one to rescue it with');
      // The disk is as large as the image: the flavor bounds the server's own.
      const flavor = new shoal.v1.Flavor({ ...(server.flavor ?? {}), diskGib: 0 });
      const image = checkImage(context, reader, wanted, flavor);
      const { isStable, bus } = deviceOf(image);
      if (bootsFromVolume(server) && !(mayHaveRootVolume && isStable)) {
        throw notRescuable(id, 'Cannot rescue a volume-backed instance');
      }
      if (server.disks.length >= disksMax - 1) throw conflict(`Instance ${id} has no room for the disk of a rescue.`);
      const disk = new shoal.v1.ServerDisk({
        ...{ volumeId: this.#deps.newId(), pool: server.storage, kind: 'rescue', imageId: wanted, bus },
        bootIndex: 0,
        attached: true,
      });
      const nowMs = this.#deps.clock.nowMs();
      const asked = nextRequest(server);
      const next = new shoal.v1.Server({
        ...server,
        rescue: new shoal.v1.ServerRescue({ imageId: wanted, disk, stable: isStable }),
        // One in ERROR may have the disk of a rescue that failed: nobody would know of it any more.
        replacedDisks: [...server.replacedDisks, ...[server.rescue?.disk ?? []].flat()],
        powerWanted: PowerWanted.POWER_WANTED_RUNNING,
        taskState: 'rescuing',
        heldInError: false,
        ...asked,
        actions: askedAction(server, 'rescue', context, nowMs, asked),
        updatedMs: nowMs,
      });
      serverTable.update(change, row, next);
    });
  }

  /** Boots the server from its own disk again. Throws `CONFLICT` in Nova's words. */
  async end(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seeServer(context, reader, id);
      const server = row.record;
      mustTake(context, server, 'unrescue');
      const nowMs = this.#deps.clock.nowMs();
      const asked = nextRequest(server);
      const next = new shoal.v1.Server({
        ...server,
        rescue: new shoal.v1.ServerRescue({ ...(server.rescue ?? {}), ending: true }),
        powerWanted: PowerWanted.POWER_WANTED_RUNNING,
        taskState: 'unrescuing',
        ...asked,
        actions: askedAction(server, 'unrescue', context, nowMs, asked),
        updatedMs: nowMs,
      });
      serverTable.update(change, row, next);
    });
  }
}

/** How the image says that its disk is plugged in. One that says anything keeps the names of the server's own disks. */
function deviceOf({ properties }: shoal.v1.Image): { readonly isStable: boolean; readonly bus: string } {
  const device = ownValue(properties, 'hw_rescue_device');
  const bus = ownValue(properties, 'hw_rescue_bus');
  if (device !== undefined && device !== 'disk') {
    throw badRequest(`Requested rescue device '${device.slice(0, 64)}' is not supported`);
  }
  if (bus !== undefined && bus !== 'virtio' && bus !== 'scsi') {
    throw badRequest(`Requested rescue bus '${bus.slice(0, 64)}' is not supported`);
  }
  return { isStable: device !== undefined || bus !== undefined, bus: bus ?? 'virtio' };
}

function notRescuable(id: string, why: string): Error {
  return badRequest(`Instance ${id} cannot be rescued: ${why}`);
}
