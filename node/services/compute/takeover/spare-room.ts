/**
 * N+1: whether the other hosts have room for the servers of one that would be lost. By what hosts tell of their room now, so a hint
 * and no promise: no room is held back. Pure.
 */

/** What a server needs. */
interface Needs {
  readonly vcpus: number;
  readonly memoryMib: number;
}

/** A server that is to come back elsewhere when its host is lost. */
export interface PreciousServer extends Needs {
  readonly name: string;
  /** Higher comes first. */
  readonly priority: number;
}

/** What a host tells of its room. */
interface ToldRoom {
  readonly vcpus: number;
  readonly vcpusReserved: number;
  readonly vcpusRatio: number;
  readonly vcpusUsed: number;
  readonly memoryMib: number;
  readonly memoryMibReserved: number;
  readonly memoryRatio: number;
  readonly memoryMibUsed: number;
}

/** What is free. */
export function freeRoom(told: ToldRoom): Needs {
  const free = (total: number, reserved: number, ratio: number, used: number): number =>
    Math.max(0, Math.floor((total - reserved) * ratio) - used);
  return {
    vcpus: free(told.vcpus, told.vcpusReserved, told.vcpusRatio, told.vcpusUsed),
    memoryMib: free(told.memoryMib, told.memoryMibReserved, told.memoryRatio, told.memoryMibUsed),
  };
}

/**
 * The names of those that would find no room, in the order in which they would come: by priority, the largest first. Each goes to
 * the first host that has room for it, as a takeover has no time to pack better.
 */
export function withoutRoom(servers: readonly PreciousServer[], others: readonly Needs[]): readonly string[] {
  const rooms = others.map((room) => ({ ...room }));
  const inOrder = servers.toSorted((a, b) => b.priority - a.priority || b.memoryMib - a.memoryMib || b.vcpus - a.vcpus);
  return inOrder.flatMap(({ name, vcpus, memoryMib }) => {
    const room = rooms.find((one) => one.vcpus >= vcpus && one.memoryMib >= memoryMib);
    if (room === undefined) return name;
    room.vcpus -= vcpus;
    room.memoryMib -= memoryMib;
    return [];
  });
}
