/**
 * Shelve: a server's disk is kept as an image, and its host lets go of it; its addresses, volumes and quota stay. It is unshelved on
 * whichever host placement chooses then.
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServerId } from '../../base/ids.ts';
import type { Row } from '../../state/table.ts';
import { hostTable, imageTable, portTable, serverGroupTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { Placed } from '../kit/dependencies.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { nextRequest } from '../kit/server-request.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { zoneOf } from '../kit/zones.ts';
import { updatePortRow } from '../network/port-record.ts';
import { isOwnDisk } from '../volume/kit/disks-of-server.ts';
import { bootsFromVolume, moveVolumes } from '../volume/records/server-disks.ts';
import type { ComputeDependencies } from './dependencies.ts';
import { askedAction } from './history/action-history.ts';
import { groupAllows, groupForPlacement, writeGroup } from './kit/group-hosts.ts';
import { badRequest, conflict } from './kit/refusals.ts';
import { mustTake, seeServer } from './kit/server-record.ts';
import type { ServerVerb } from './machine/verbs.ts';
import { ServerImages } from './saved/server-images.ts';

const { PowerWanted } = shoal.v1;

const failpointClaimed = failpoint(
  'unshelve.claimed',
  'a host has admitted a shelved server that has no host recorded',
);
const failpointBound = failpoint('unshelve.bound', 'a shelved server is on a host, and its owner was not told');
const markClaimsTooOld = coverageMark(
  'unshelve-claims-too-old',
  'an unshelving took so long that its claim may have ended',
);

/** Where a server is unshelved; absent: anywhere. */
export interface UnshelveDraft {
  readonly zone?: string;
  /** By name; for administrators. */
  readonly hostName?: string;
}

/** See above. */
export class ServerShelve {
  readonly #deps: ComputeDependencies;
  readonly #images: ServerImages;

  constructor(deps: ComputeDependencies) {
    this.#deps = deps;
    this.#images = new ServerImages(deps);
  }

  /**
   * Powers the server off, keeps its disk as an image and offloads it; of one that boots from a volume, at once. Throws `CONFLICT`
   * in Nova's words, `QUOTA_EXCEEDED` for the image.
   */
  async begin(context: RequestContext, id: string): Promise<void> {
    const [imageId, jobId] = [this.#deps.newId(), this.#deps.newId()];
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'shelve');
      const isOnVolume = bootsFromVolume(row.record);
      if (!isOnVolume) this.#images.beginShelving(context, attempt, row.record, { imageId, jobId });
      this.#write(context, attempt, row, 'shelve', {
        powerWanted: PowerWanted.POWER_WANTED_STOPPED,
        taskState: isOnVolume ? 'shelving_offloading' : 'shelving',
        offloading: isOnVolume,
      });
    });
  }

  /** Has the host of a shelved server let go of it. */
  async offload(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'shelveOffload');
      this.#write(context, attempt, row, 'shelveOffload', { taskState: 'shelving_offloading', offloading: true });
    });
  }

  /**
   * Places the server and starts it there, with its volumes and addresses. Throws `NO_VALID_HOST`, `CONFLICT` in Nova's words,
   * `INVALID_ARGUMENT` for a zone or host that is not there.
   */
  async end(context: RequestContext, id: string, draft: UnshelveDraft): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const server = seeServer(context, reader, id).record;
    mustTake(context, server, 'unshelve');
    checkPlace(reader, draft);
    if (server.hostId !== '') {
      if (draft.zone !== undefined || draft.hostName !== undefined) {
        throw conflict(`Instance ${id} is on a host still: a zone or host can be chosen once it is offloaded.`);
      }
      return this.#restart(context, id);
    }
    const placed = await this.#place(context, reader, server, draft);
    failpointClaimed();
    await this.#bind(context, server, placed, draft);
    failpointBound();
  }

  #restart(context: RequestContext, id: string): Promise<void> {
    return transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'unshelve');
      const fields = { powerWanted: PowerWanted.POWER_WANTED_RUNNING, taskState: 'unshelving' };
      this.#write(context, attempt, row, 'unshelve', fields);
    });
  }

  #place(
    context: RequestContext,
    reader: StateReader,
    server: shoal.v1.Server,
    { zone, hostName }: UnshelveDraft,
  ): Promise<Placed> {
    const { flavor } = server;
    if (flavor === null) throw conflict(`Instance ${server.id} has no flavor recorded`);
    const image = imageTable.get(reader, server.shelvedImageId)?.record;
    if (image === undefined && !bootsFromVolume(server)) {
      throw conflict(`The image that instance ${server.id} was shelved as is gone: it cannot be unshelved.`);
    }
    const group = serverGroupTable.get(reader, server.serverGroupId);
    return this.#deps.placer.place(
      {
        serverId: server.id as ServerId,
        generation: server.generation + 1,
        flavor,
        ...(image === undefined ? { hasRootVolume: true } : { image }),
        projectId: server.projectId,
        zone: zone ?? server.zone,
        storage: server.storage,
        excludeHostIds: [],
        ...(hostName === undefined ? {} : { hostName }),
        schedulerHints: server.schedulerHints,
        ...(group === undefined ? {} : { group: groupForPlacement(reader, group.record, server.id) }),
      },
      context.signal,
    );
  }

  async #bind(
    context: RequestContext,
    server: shoal.v1.Server,
    placed: Placed,
    { zone }: UnshelveDraft,
  ): Promise<void> {
    try {
      await transact(this.#deps, context, (attempt) => {
        const { reader, change } = attempt;
        const row = seeServer(context, reader, server.id);
        mustTake(context, row.record, 'unshelve');
        if (placed.isTooOld()) {
          markClaimsTooOld();
          throw new ShoalError('PRECONDITION_CHANGED', 'Placing the server took too long; try again.');
        }
        if (row.record.generation !== server.generation || row.record.hostId !== '') {
          throw conflict(`Instance ${server.id} was unshelved meanwhile`);
        }
        if (!hostTable.exists(reader, placed.hostId)) {
          throw new ShoalError(
            'PRECONDITION_CHANGED',
            `Host ${placed.hostName} has left the mesh meanwhile; try again.`,
          );
        }
        putOnHost(change, placed.hostId);
        agreeWithGroup(attempt, server, placed.hostId);
        this.#write(context, attempt, row, 'unshelve', {
          ...this.#disks(attempt, row.record, placed.hostId),
          hostId: placed.hostId,
          generation: server.generation + 1,
          releasedGeneration: server.generation,
          zone: zone ?? server.zone,
          powerWanted: PowerWanted.POWER_WANTED_RUNNING,
          taskState: 'unshelving',
        });
        for (const portId of row.record.portIds) {
          const port = portTable.get(reader, portId);
          if (port === undefined) continue;
          updatePortRow(change, port, new shoal.v1.Port({ ...port.record, hostId: placed.hostId }));
        }
      });
    } catch (caught) {
      if (!ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) await placed.release();
      throw caught;
    }
  }

  /** New disks of its own in the place of those that are gone, the first made of the image; and its volumes, for the new host. */
  #disks(attempt: Attempt, server: shoal.v1.Server, hostId: string): shoal.v1.Server.$Properties {
    const moved = moveVolumes(this.#deps, attempt, server, hostId);
    if (server.shelvedImageId === '') return { disks: moved };
    const rootVolumeId = this.#deps.newId();
    const root = new shoal.v1.ServerDisk({
      ...{ volumeId: rootVolumeId, pool: server.storage, kind: 'root', imageId: server.shelvedImageId },
      ...{ bootIndex: 0, device: 'vda', bus: 'virtio', attached: true },
    });
    const others = moved
      .filter(({ kind }) => kind !== 'root')
      .map((disk) => {
        const isOwn = isOwnDisk(new shoal.v1.ServerDisk(disk));
        return isOwn ? new shoal.v1.ServerDisk({ ...disk, volumeId: this.#deps.newId() }) : disk;
      });
    return { rootVolumeId, disks: [root, ...others] };
  }

  #write(
    context: RequestContext,
    { change }: Attempt,
    row: Row<shoal.v1.Server>,
    verb: Extract<ServerVerb, 'shelve' | 'shelveOffload' | 'unshelve'>,
    fields: shoal.v1.Server.$Properties,
  ): void {
    const nowMs = this.#deps.clock.nowMs();
    const asked = nextRequest(row.record);
    const actions = askedAction(row.record, verb, context, nowMs, asked);
    const next = new shoal.v1.Server({
      ...row.record,
      ...fields,
      ...asked,
      heldInError: false,
      actions,
      updatedMs: nowMs,
    });
    serverTable.update(change, row, next);
  }
}

function checkPlace(reader: StateReader, { zone, hostName }: UnshelveDraft): void {
  const hosts = zone === undefined && hostName === undefined ? [] : hostTable.list(reader).map(({ record }) => record);
  if (zone !== undefined && !hosts.some((host) => zoneOf(reader, host) === zone)) {
    throw badRequest('The requested availability zone is not available');
  }
  const host = hosts.find(({ name }) => name === hostName);
  if (hostName !== undefined && host === undefined)
    throw badRequest(`Compute host ${hostName.slice(0, 255)} could not be found.`);
}

/** Throws `PRECONDITION_CHANGED` unless the server's group allows the host as it is now. */
function agreeWithGroup({ reader, change }: Attempt, server: shoal.v1.Server, hostId: string): void {
  const group = serverGroupTable.get(reader, server.serverGroupId);
  if (group === undefined) return;
  if (!groupAllows(groupForPlacement(reader, group.record, server.id), [hostId])) {
    throw new ShoalError('PRECONDITION_CHANGED', 'The server group has changed meanwhile; try again.');
  }
  // Unchanged but for its revision: a request that places another member by the group as it was has to look again.
  writeGroup(change, group, group.record.memberIds);
}
