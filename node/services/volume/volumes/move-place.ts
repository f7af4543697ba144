/** Where the bytes of a volume go that is moved, and which host moves them: what no host could do is refused before it begins. */
import { shoal } from '../../../../proto/messages.ts';
import { hostTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostViews } from '../../kit/dependencies.ts';
import type { Attempt } from '../../kit/transact.ts';
import { chooseHost, findPool, type Pool } from '../kit/pools.ts';
import { conflict, invalidInput, invalidVolume } from '../kit/refusals.ts';
import { checkBytesAtRest, isMigrating } from '../records/volume-record.ts';

type Volume = shoal.v1.Volume;

/** What was asked for. */
interface MoveAsked {
  readonly pool: string;
  /** The host that was named; absent: any. */
  readonly hostId?: string;
}

/** Who does it. */
interface MovePlan {
  readonly targetHostId: string;
  /** The host that copies or mirrors: it reaches both places. */
  readonly ownerHostId: string;
}

/**
 * Plans the move of a volume that has bytes. A host writes into its own pools and into shared ones, so one host must reach both places.
 * Throws `INVALID_ARGUMENT` where none does, or none has room.
 */
export function planMove(
  views: HostViews,
  { reader, random }: Pick<Attempt, 'reader' | 'random'>,
  volume: Volume,
  to: MoveAsked,
): MovePlan {
  const source = findPool(reader, views, volume.pool);
  const target = mustFindPool(reader, views, volume, to);
  const userHostId = hostOfUser(reader, volume);
  // The one host that can move it; undefined: any that reaches both places.
  const onlyHostId = userHostId ?? (source?.shared === true ? undefined : volume.hostId);
  if (onlyHostId !== undefined) mustReach(reader, views, { target, hostId: onlyHostId, to, volume });
  const wantedHostId = target.shared ? (userHostId ?? to.hostId) : (onlyHostId ?? to.hostId);
  const hosts =
    onlyHostId === undefined && !target.shared && source !== undefined ? both(source, target) : target.hosts;
  const needs = { sizeGib: volume.sizeGib, zone: '', hostId: wantedHostId };
  const targetHostId = chooseHost(reader, { ...target, hosts }, needs, random);
  if (targetHostId === undefined) throw noRoom(volume, to);
  if (userHostId !== undefined && targetHostId === volume.hostId && to.pool === volume.pool) {
    throw invalidInput('Destination host must be different than current host.');
  }
  if (onlyHostId !== undefined) return { targetHostId, ownerHostId: onlyHostId };
  const isReached = target.shared && target.hosts.some(({ hostId }) => hostId === volume.hostId);
  return { targetHostId, ownerHostId: isReached ? volume.hostId : targetHostId };
}

/** Refuses a place for a volume without bytes that none of its hosts could give it. Throws `INVALID_ARGUMENT`. */
export function checkEmptyMoves(
  views: HostViews,
  { reader, random }: Pick<Attempt, 'reader' | 'random'>,
  volume: Volume,
  to: MoveAsked,
): void {
  const needs = { sizeGib: volume.sizeGib, zone: '', hostId: hostOfUser(reader, volume) ?? to.hostId };
  if (chooseHost(reader, mustFindPool(reader, views, volume, to), needs, random) === undefined)
    throw noRoom(volume, to);
}

function mustFindPool(reader: StateReader, views: HostViews, volume: Volume, to: MoveAsked): Pool {
  const pool = findPool(reader, views, to.pool);
  if (pool === undefined) throw noRoom(volume, to);
  return pool;
}

function noRoom(volume: Volume, { pool }: MoveAsked): ReturnType<typeof invalidInput> {
  const name = pool.slice(0, 255);
  return invalidInput(
    `No host that reaches the storage pool ${name}, and the volume in ${volume.pool}, has room for ${volume.sizeGib} GiB.`,
  );
}

/** The host that alone can read the bytes, or whose guest has them open, must be the one that can write them. */
function mustReach(
  reader: StateReader,
  views: HostViews,
  asked: { readonly target: Pool; readonly hostId: string; readonly to: MoveAsked; readonly volume: Volume },
): void {
  const { target, hostId, to, volume } = asked;
  const isReached = target.hosts.some((host) => host.hostId === hostId);
  if (isReached && (target.shared || to.hostId === undefined || to.hostId === hostId)) return;
  const nameOf = (id: string): string => hostTable.find(reader, id)?.record.name ?? id;
  if (views.condition(hostId) === 'dead') {
    throw invalidInput(`Volume ${volume.id} can be moved by its host ${nameOf(hostId)} alone, which is down.`);
  }
  const where = to.hostId === undefined || target.shared ? '' : ` of the host ${nameOf(to.hostId)}`;
  throw invalidInput(
    `Volume ${volume.id} can be moved by its host ${nameOf(hostId)} alone, which does not reach the storage pool ${target.name}${where}: back it up, and restore the backup to a volume there.`,
  );
}

function both(source: Pool, target: Pool): Pool['hosts'] {
  return target.hosts.filter((host) => source.hosts.some(({ hostId }) => hostId === host.hostId));
}

/** Refuses a volume that something is being done to. */
export function mustRest(volume: Volume, what: string): void {
  checkBytesAtRest(volume);
  if (volume.served !== null) {
    throw conflict(
      `Volume ${volume.id} is served over the network to the host of its server: detach it first, to ${what} it.`,
    );
  }
  const isBusy = isMigrating(volume) || volume.groupId !== '';
  if ((volume.status === 'available' || volume.status === 'in-use') && !isBusy) return;
  throw invalidVolume(
    `Volume ${volume.id} status must be available or in-use to ${what}, must not be migrating and must not be a member of a group; it is ${volume.status}.`,
  );
}

/**
 * The host of the one server that has the volume; undefined: nobody has it. Throws `INVALID_ARGUMENT` for uses during which it cannot
 * move: several, somebody else's, a server that is in the middle of a task, and one that does not run, as its QEMU is what copies the bytes.
 */
function hostOfUser(reader: StateReader, { id, attachments, multiattach, served }: Volume): string | undefined {
  const [first] = attachments;
  if (first === undefined) return undefined;
  if (served !== null) {
    throw invalidVolume(
      `Volume ${id} is served over the network to the host of its server: detach it, and move it then.`,
    );
  }
  const server = serverTable.get(reader, first.serverId ?? '')?.record;
  if (attachments.length > 1 || server === undefined || multiattach) {
    throw invalidVolume(`Volume ${id} is attached otherwise than to one server alone: detach it, and move it then.`);
  }
  if (server.taskState !== '') {
    throw invalidVolume(
      `Volume ${id} is attached to instance ${server.id}, of which something else is being made (${server.taskState}): try again when that is done.`,
    );
  }
  const { SERVER_STATUS_ACTIVE, SERVER_STATUS_PAUSED } = shoal.v1.ServerStatus;
  if (server.status !== SERVER_STATUS_ACTIVE && server.status !== SERVER_STATUS_PAUSED) {
    throw invalidVolume(
      `Volume ${id} is attached to instance ${server.id}, which does not run: start it, or detach the volume, and move it then.`,
    );
  }
  return server.hostId;
}

/** "HOST@POOL#POOL" in parts. */
export function placeOf(text: string): { readonly hostName: string; readonly pool?: string } {
  const [hostName = '', rest] = text.split('@');
  const pool = rest?.split('#').at(-1);
  return { hostName, ...(pool === undefined || pool === '' ? {} : { pool }) };
}
