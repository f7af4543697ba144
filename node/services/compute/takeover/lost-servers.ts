/** Which servers of a lost host are to come back elsewhere, and why others stay. Reads records. */
import type { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { migrationTable, projectTable, serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { isUnreleased } from '../../kit/server-move.ts';
import { disksOf } from '../../volume/kit/disks-of-server.ts';
import { verbs } from '../machine/verbs.ts';
import { vmState } from '../machine/vm-state.ts';
import { type HaPolicy, haPolicyOf } from './ha-policy.ts';
import type { PreciousServer } from './spare-room.ts';

type Server = shoal.v1.Server;

/** Where a takeover from a host has come with a server. */
type PlaceOfLost = 'here' | 'fencing' | 'starting' | 'back' | 'gone';

/** What its owner, its flavor and its project ask for. */
export function policyOf(reader: StateReader, server: Server): HaPolicy {
  return haPolicyOf(server, projectTable.find(reader, server.projectId)?.record.extras ?? {});
}

/** @param hostId the lost host. */
export function placeOfLost(server: Server, hostId: string): PlaceOfLost {
  if (server.deleting) return 'gone';
  if (server.hostId === hostId) return 'here';
  if (isUnreleased(server)) return 'fencing';
  return server.taskState === 'rebuilding' ? 'starting' : 'back';
}

/** Servers that a lost host has, or has not let go of. */
export function serversOfLost(reader: StateReader, hostId: string): readonly Server[] {
  return serverTable
    .by(reader, 'host', hostId)
    .map(({ record }) => record)
    .filter((server) => !server.deleting && (server.hostId === hostId || isWaitingForHost(server, hostId)));
}

/** Servers of a host that are to come back elsewhere when it is lost, with what they need. */
export function preciousServers(reader: StateReader, hostId: string): readonly PreciousServer[] {
  return serversOfLost(reader, hostId).flatMap((server) => {
    const { restarts, priority } = policyOf(reader, server);
    if (!restarts || server.hostId !== hostId) return [];
    const { vcpus = 0, memoryMib = 0 } = server.flavor ?? {};
    return { name: server.name, priority, vcpus, memoryMib };
  });
}

/** Of another host, which waits for this one to let go. */
function isWaitingForHost(server: Server, hostId: string): boolean {
  return server.previousHostId === hostId && isUnreleased(server);
}

/**
 * Why a server of a lost host stays there, for people; undefined: it is to come back elsewhere.
 * @param isShared whether a pool of this name can be reached from other hosts.
 */
export function whyItStays(
  reader: StateReader,
  server: Server,
  { isShared, nowMs }: { readonly isShared: (pool: string) => boolean; readonly nowMs: number },
): string | undefined {
  const policy = policyOf(reader, server);
  if (!policy.restarts) return 'nobody asks for it to be restarted';
  const state = vmState(server);
  const from: readonly string[] = verbs.evacuate.from;
  if (!from.includes(state)) return `it is ${state}`;
  const pools = disksOf(server).flatMap((disk) => poolThatMustBeShared(reader, server, disk) ?? []);
  if (![server.storage, ...pools].every(isShared)) return "its disk is on its host's own storage";
  const sinceMs = nowMs - policy.windowSeconds * 1_000;
  const restarts = migrationTable
    .by(reader, 'server', indexKey(server.id))
    .filter(({ record }) => record.kind === 'evacuation' && record.createdMs > sinceMs).length;
  if (restarts < policy.restartsMax) return undefined;
  return `it was brought back ${restarts} times within ${policy.windowSeconds} s already`;
}

/** Undefined: it is on the own storage of another host, which serves it. */
function poolThatMustBeShared(reader: StateReader, server: Server, disk: shoal.v1.ServerDisk): string | undefined {
  const volume = volumeTable.find(reader, disk.volumeId)?.record;
  const isServed = volume !== undefined && volume.hostId !== '' && volume.hostId !== server.hostId;
  return isServed ? undefined : disk.pool;
}
