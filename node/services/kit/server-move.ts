/** What a server's move means for the two hosts that it concerns. Pure. */
import type { shoal } from '../../../proto/messages.ts';

/** How far a move is; `record.proto` says what each means. */
type MovePhase = 'preparing' | 'copying' | 'migrating' | 'finished' | 'reverting' | 'cleaning';

type Server = Pick<
  shoal.v1.Server,
  'hostId' | 'previousHostId' | 'generation' | 'releasedGeneration' | 'flavor' | 'move' | 'deleting'
>;

/** Of a server that moves; undefined: it does not, or a newer version wrote a phase that this one does not know. */
export function movePhase({ move }: Pick<Server, 'move'>): MovePhase | undefined {
  const phases: readonly MovePhase[] = ['preparing', 'copying', 'migrating', 'finished', 'reverting', 'cleaning'];
  return phases.find((phase) => phase === move?.phase);
}

/** Of a server that goes to another host while it runs, and whose record names the host that it leaves; undefined: of any other. */
export function liveMove({ move }: Pick<Server, 'move'>): shoal.v1.ServerMove | undefined {
  const isBeforeSwitch = move?.phase === 'preparing' || move?.phase === 'copying';
  return move !== null && isBeforeSwitch && move.kind === 'live-migration' ? move : undefined;
}

/** The host that has, or may have, a guest of the server that waits for its memory; empty: none. */
export function awaitingHostOf(server: Pick<shoal.v1.Server, 'move' | 'discardHostId'>): string {
  return server.discardHostId === '' ? (liveMove(server)?.targetHostId ?? '') : server.discardHostId;
}

/** Whether the move cannot be reverted: the former host is down, or what it had runs elsewhere. */
export function isOneWay({ move }: Pick<Server, 'move'>): boolean {
  return move?.kind === 'evacuation' || move?.kind === 'live-migration';
}

/** Whether the former host has the guest, or a disk of it, open for all that is recorded. */
export function isUnreleased({ previousHostId, generation, releasedGeneration }: Server): boolean {
  return previousHostId !== '' && releasedGeneration < generation - 1;
}

/** Whether the server may come back to its former host, which keeps for that what it had of it: its disks and its room. */
export function mayComeBack(server: Pick<Server, 'move' | 'previousHostId'>): boolean {
  if (server.previousHostId === '' || isOneWay(server)) return false;
  const phase = movePhase(server);
  return phase === 'migrating' || phase === 'finished';
}

/** Whether the former host, which is another one, is to remove what it keeps of the server. */
export function mayRemoveKept(server: Server): boolean {
  const { previousHostId, hostId, deleting } = server;
  if (previousHostId === '' || previousHostId === hostId || isUnreleased(server)) return false;
  const phase = movePhase(server);
  // What a newer version means by its move is not known.
  if (phase === undefined) return false;
  return phase === 'cleaning' || phase === 'reverting' || isOneWay(server) || deleting;
}

/** Whether the former host's room is still the server's. */
export function holdsFormerRoom(server: Server): boolean {
  return isUnreleased(server) || mayComeBack(server) || (isOneWay(server) && server.previousHostId !== '');
}

/** The flavor that the server had, or would have had, at its former host. */
export function formerFlavor({ flavor, move }: Server): shoal.v1.Flavor | null {
  if (move === null) return flavor;
  const former = move.phase === 'migrating' || move.phase === 'finished' ? move.oldFlavor : move.newFlavor;
  return former ?? flavor;
}

/** What is counted of a project's quota for a server: of a resize that may be reverted the larger of both. */
export function countedFlavor({ flavor, move }: Pick<Server, 'flavor' | 'move' | 'previousHostId'>): {
  readonly vcpus: number;
  readonly memoryMib: number;
} {
  const now = { vcpus: flavor?.vcpus ?? 0, memoryMib: flavor?.memoryMib ?? 0 };
  const old = move?.phase === 'migrating' || move?.phase === 'finished' ? move.oldFlavor : null;
  if (old === null || old === undefined) return now;
  return { vcpus: Math.max(now.vcpus, old.vcpus ?? 0), memoryMib: Math.max(now.memoryMib, old.memoryMib ?? 0) };
}
