/** Where a server may move to: its storage, a named destination, its group, and the host that placement finds. */
import { shoal } from '../../../../proto/messages.ts';
import { coverageMark } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { ServerId } from '../../../base/ids.ts';
import { indexKey } from '../../../state/table.ts';
import { hostTable, imageTable, portTable, serverGroupTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { HostProbe, HostViews, Placed, PlaceRequest, Placer } from '../../kit/dependencies.ts';
import { isSharedPool, servesPool } from '../../kit/storage-pools.ts';
import type { Attempt, Change } from '../../kit/transact.ts';
import { updatePortRow } from '../../network/port-record.ts';
import { bootsFromVolume } from '../../volume/records/server-disks.ts';
import { groupAllows, groupForPlacement, writeGroup } from '../kit/group-hosts.ts';
import { badRequest, conflict } from '../kit/refusals.ts';

const markClaimsTooOldToMove = coverageMark(
  'claims-too-old-to-move',
  'a move took so long that its claims may have ended',
);

type Server = shoal.v1.Server;
type Flavor = shoal.v1.Flavor;

/** What moves are placed with. */
export interface PlacingDependencies {
  readonly placer: Placer;
  readonly hostViews: HostViews;
  readonly hostProbe: HostProbe;
}

type Deps = PlacingDependencies;

/** Where a server is to go, and as what. */
interface WantedMove {
  readonly newFlavor: Flavor;
  readonly hostName?: string | undefined;
  readonly excludeHostIds: readonly string[];
}

/** The host that admits the server at its next generation. Throws `NO_VALID_HOST`, which says of each host why not. */
export function placeMove(
  { placer }: Deps,
  context: RequestContext,
  reader: StateReader,
  server: Server,
  move: WantedMove,
): Promise<Placed> {
  return placer.place(moveRequest(reader, server, move), context.signal);
}

/** What placement is asked for a server that moves. */
export function moveRequest(reader: StateReader, server: Server, move: WantedMove): PlaceRequest {
  const { newFlavor, hostName, excludeHostIds } = move;
  const image = imageTable.get(reader, server.imageId)?.record;
  const group = serverGroupTable.get(reader, server.serverGroupId);
  return {
    serverId: server.id as ServerId,
    generation: server.generation + 1,
    flavor: newFlavor,
    ...(image === undefined ? {} : { image }),
    ...(bootsFromVolume(server) ? { hasRootVolume: true } : {}),
    projectId: server.projectId,
    zone: server.zone,
    storage: server.storage,
    excludeHostIds,
    ...(hostName === undefined ? {} : { hostName }),
    schedulerHints: server.schedulerHints,
    ...(group === undefined ? {} : { group: groupForPlacement(reader, group.record, server.id) }),
  };
}

/** Whether other hosts can have its disks; undefined: nobody has told yet. */
export function isReachable(
  { hostViews }: { readonly hostViews: Pick<HostViews, 'adverts'> },
  reader: StateReader,
  server: Server,
): boolean | undefined {
  const adverts = hostViews.adverts();
  const volumes = server.disks.map(({ volumeId }) => volumeTable.get(reader, volumeId ?? '')?.record);
  const isServed = (volume: shoal.v1.Volume | undefined): boolean =>
    volume !== undefined && volume.hostId !== '' && servesPool(adverts, volume.pool, volume.hostId);
  // A volume on one host's own storage stays where it is, and is served to the server's host.
  const left = server.disks.filter((_disk, at) => !isServed(volumes[at]));
  const pools = new Set([server.storage, ...left.flatMap(({ pool }) => pool ?? [])]);
  const shared = [...pools].map((pool) => isSharedPool(adverts, pool, server.hostId));
  // One that nobody tells of comes before one that is shared: it may be of the host's own.
  return shared.includes(false) ? false : shared.includes(undefined) ? undefined : true;
}

/** Throws `CONFLICT` for a server whose disks others cannot have, `UNAVAILABLE` while nobody tells. */
export function checkStorage(deps: Deps, reader: StateReader, server: Server): void {
  const isShared = isReachable(deps, reader, server);
  if (isShared === undefined) {
    throw new ShoalError(
      'UNAVAILABLE',
      `No host has reported yet whether the storage ${server.storage} is shared; try again.`,
    );
  }
  if (isShared) return;
  throw conflict(
    `Instance ${server.id} has its disk on its host's own storage; only servers on shared storage can move.`,
  );
}

/** Asked directly and now: what gossip last heard may be old. Throws `CONFLICT` when the server's host does not answer. */
export async function mustAnswer(
  { hostProbe }: Deps,
  context: RequestContext,
  reader: StateReader,
  server: Server,
): Promise<void> {
  const host = hostTable.get(reader, server.hostId)?.record;
  if (host === undefined) throw conflict(`Instance ${server.id} has no host`);
  if (await hostProbe.answers(host.id as Placed['hostId'], context.signal)) return;
  throw conflict(
    `Host ${host.name}, which has instance ${server.id}, does not answer. Only it can let go of the disk: ` +
      'move the server when the host is back, or remove the host from the mesh when it is lost for good.',
  );
}

/** Throws `CONFLICT` without one. */
export function flavorOf(server: Server): Flavor {
  if (server.flavor === null) throw conflict(`Instance ${server.id} has no flavor recorded`);
  return server.flavor;
}

/** Throws `PRECONDITION_CHANGED` when the host's word may not hold any more, or the host is gone. */
export function checkPlace(reader: StateReader, placed: Placed): void {
  if (placed.isTooOld()) {
    markClaimsTooOldToMove();
    throw new ShoalError('PRECONDITION_CHANGED', 'Placing the server took too long; try again.');
  }
  if (hostTable.exists(reader, placed.hostId)) return;
  throw new ShoalError('PRECONDITION_CHANGED', `Host ${placed.hostName} has left the mesh meanwhile; try again.`);
}

/**
 * Refuses a named host to which the server can never go. The group is asked here as well as by its filter, which need not
 * be enabled: the commit would refuse the host each time.
 */
export function checkDestination(reader: StateReader, server: Server, hostName: string): void {
  const group = serverGroupTable.get(reader, server.serverGroupId)?.record;
  const host = hostTable.one(reader, 'name', indexKey(hostName))?.record;
  if (host === undefined) throw badRequest(`Compute host ${hostName} could not be found.`);
  if (host.id === server.hostId) throw badRequest('Cannot migrate to the host where the server exists.');
  if (group !== undefined && !groupAllows(groupForPlacement(reader, group, server.id), [host.id])) {
    throw conflict(
      `Cannot 'migrate' instance ${server.id} to host ${hostName}: the ${group.policy} policy of its server group ` +
        `${group.id} does not allow that host. Name another one.`,
    );
  }
}

/** Throws `PRECONDITION_CHANGED` unless the server's group allows the host as it is now. */
export function agreeWithGroup(change: Change, reader: StateReader, server: Server, hostId: string): void {
  const group = serverGroupTable.get(reader, server.serverGroupId);
  if (group === undefined) return;
  if (!groupAllows(groupForPlacement(reader, group.record, server.id), [hostId])) {
    throw new ShoalError('PRECONDITION_CHANGED', 'The server group has changed meanwhile; try again.');
  }
  // Unchanged but for its revision: a request that places another member by the group as it was has to look again.
  writeGroup(change, group, group.record.memberIds);
}

/** The server's ports are the host's. */
export function movePorts({ reader, change }: Attempt, server: Server, hostId: string): void {
  for (const portId of server.portIds) {
    const port = portTable.get(reader, portId);
    if (port !== undefined) updatePortRow(change, port, new shoal.v1.Port({ ...port.record, hostId }));
  }
}
