/** Servers as rows: how one comes and goes with all that belongs to it, and what its owner may ask of it when. */

import { shoal } from '../../../../proto/messages.ts';
import type { Row } from '../../../state/table.ts';
import { imageTable, portTable, serverGroupTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { removeImageRow } from '../../image/image-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { portsOfServer } from '../../kit/ownership.ts';
import { isAdministrator, mayActOn } from '../../kit/permissions.ts';
import { refundQuota } from '../../kit/quota.ts';
import { countedFlavor } from '../../kit/server-move.ts';
import type { Change, TransactOptions } from '../../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../../kit/transact-in-pieces.ts';
import { releaseFloatingIps, removePortRow, updatePortRow } from '../../network/port-record.ts';
import { releaseVolumes } from '../../volume/records/server-disks.ts';
import { rememberDeleted } from '../history/deleted-servers.ts';
import { removeMigrationsOf } from '../history/migrations.ts';
import { judge, situationOf } from '../machine/server-machine.ts';
import type { ServerVerb } from '../machine/verbs.ts';
import { conflict, serverNotFound } from './refusals.ts';

/** Nova's numbers for the power state of a guest. */
export const powerStates = { none: 0, running: 1, paused: 3, shutdown: 4, crashed: 6 } as const;

/** The server that the operation under way is about; undefined where its rule does not hold for it. */
export function findServer(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Server> | undefined {
  const row = serverTable.get(reader, id);
  return row === undefined || !mayActOn(context, row.record) ? undefined : row;
}

/** As `findServer`; 404 otherwise. */
export function seeServer(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Server> {
  const row = findServer(context, reader, id);
  if (row === undefined) throw serverNotFound(id);
  return row;
}

/**
 * Asks the machine whether the caller may ask this of the server as it is. Throws `CONFLICT` in Nova's words, or `NOT_FOUND` for
 * one that is on its way out.
 */
export function mustTake(
  context: RequestContext,
  server: shoal.v1.Server,
  verb: ServerVerb,
  mode: 'recorded' | 'outage' = 'recorded',
): void {
  const verdict = judge(verb, situationOf(server, isAdministrator(context)), mode);
  if (verdict.kind === 'accepted') return;
  throw verdict.by === 'gone' ? serverNotFound(server.id) : conflict(verdict.message);
}

/** Quota that a server holds. */
export function amountsOf(server: shoal.v1.Server): { instances: number; cores: number; ram: number } {
  const { vcpus, memoryMib } = countedFlavor(server);
  return { instances: 1, cores: vcpus, ram: memoryMib };
}

/** Gives back what a server counted `before` and does not any more. */
export function refundDifference(change: Change, before: shoal.v1.Server, after: shoal.v1.Server): void {
  const [old, now] = [amountsOf(before), amountsOf(after)];
  refundQuota(change, before.projectId, { cores: old.cores - now.cores, ram: old.ram - now.ram });
}

/**
 * Removes a server with the ports made for it, its place in its group and its quota; other ports and its volumes become
 * free, or go with it. Only its NICs, disks and migrations are looked at, which are few, so that the change always fits a transaction. Ports that merely name the server are
 * for `freeNamingPorts`.
 */
export function removeServerRow(change: Change, reader: StateReader, row: Row<shoal.v1.Server>, nowMs: number): void {
  const server = row.record;
  for (const portId of server.portIds) letGoOfPort({ change, reader }, server, portId, nowMs);
  const group = serverGroupTable.get(reader, server.serverGroupId);
  if (group !== undefined) {
    const memberIds = group.record.memberIds.filter((id) => id !== server.id);
    serverGroupTable.update(change, group, new shoal.v1.ServerGroup({ ...group.record, memberIds }));
  }
  releaseVolumes(change, reader, server, nowMs);
  removeMigrationsOf(change, reader, server.id);
  rememberDeleted(change, server, nowMs);
  removeShelvedImage({ change, reader }, server, nowMs);
  refundQuota(change, server.projectId, amountsOf(server));
  serverTable.remove(change, row);
}

/** A port that was made for the server goes; another one becomes free. One that is another device's by now is left alone. */
export function letGoOfPort(
  { change, reader }: { readonly change: Change; readonly reader: StateReader },
  server: shoal.v1.Server,
  portId: string,
  nowMs: number,
): void {
  const port = portTable.get(reader, portId);
  if (port?.record.deviceId !== server.id) return;
  if (port.record.madeForServer) {
    releaseFloatingIps(change, reader, port.record, nowMs);
    removePortRow(change, port);
  } else {
    updatePortRow(change, port, freed(port.record, nowMs));
  }
}

/** The image that a server's disk was kept as goes, unless its owner protects it. */
export function removeShelvedImage(
  { change, reader }: { readonly change: Change; readonly reader: StateReader },
  { shelvedImageId }: shoal.v1.Server,
  nowMs: number,
): void {
  const image = shelvedImageId === '' ? undefined : imageTable.get(reader, shelvedImageId);
  if (image !== undefined && !image.record.protected) removeImageRow(change, image, nowMs);
}

/**
 * Frees the ports of a server's project that name the server as their device without being NICs of it: their owner wrote
 * that himself. As many as there are, in pieces; to be called before the server's record goes.
 */
export async function freeNamingPorts(
  deps: ServiceDependencies,
  options: TransactOptions,
  server: shoal.v1.Server,
): Promise<void> {
  const naming = (reader: StateReader): readonly Row<shoal.v1.Port>[] =>
    portsOfServer(reader, server).filter((row) => !server.portIds.includes(row.record.id));
  if (naming(deps.state.local).length === 0) return;
  await transactInPieces(deps, options, (attempt) => {
    const free = (row: Row<shoal.v1.Port>): void =>
      updatePortRow(attempt.change, row, freed(row.record, deps.clock.nowMs()));
    return editWhileRoom(attempt, naming(attempt.reader), free) ? undefined : unfinished;
  });
}

function freed(port: shoal.v1.Port, nowMs: number): shoal.v1.Port {
  return new shoal.v1.Port({
    ...port,
    deviceId: '',
    deviceOwner: '',
    hostId: '',
    dnsName: '',
    status: 'DOWN',
    updatedMs: nowMs,
  });
}
