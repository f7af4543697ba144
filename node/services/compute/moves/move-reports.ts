/** What hosts' reports make of a server that moves: the record's fields, and its migration's. Each is a part of one transaction. */
import { shoal } from '../../../../proto/messages.ts';
import type { DoneFor } from '../../kit/reporting/host-reporting.ts';
import { mayComeBack, movePhase } from '../../kit/server-move.ts';
import type { Attempt } from '../../kit/transact.ts';
import { askedAt, withEvents } from '../history/action-history.ts';
import { noteMigration, openMigration } from '../history/migrations.ts';

const { ServerStatus } = shoal.v1;

type Server = shoal.v1.Server;
type Fields = Partial<shoal.v1.Server.$Properties>;

/** The server is as it was asked to be, on the host that the record names. */
export function arrived(attempt: Attempt, server: Server, nowMs: number): Fields {
  const { move, previousHostId } = server;
  if (move === null) {
    // Moved by an earlier version.
    const migration =
      server.status === ServerStatus.SERVER_STATUS_MIGRATING ? openMigration(attempt.reader, server.id) : undefined;
    if (migration !== undefined) noteMigration(attempt, migration.id, { status: 'confirmed' }, nowMs);
    return {};
  }
  const note = (status: 'finished' | 'confirmed' | 'reverted' | 'done' | 'completed'): void =>
    noteMigration(attempt, move.migrationId, { status }, nowMs);
  switch (movePhase(server)) {
    case 'migrating':
      if (move.kind === 'evacuation' || move.kind === 'live-migration' || move.confirmsItself) {
        note(move.kind === 'evacuation' ? 'done' : move.kind === 'live-migration' ? 'completed' : 'confirmed');
        return { ...withoutFormer(server), ...(move.kind === 'live-migration' ? { taskState: '' } : {}) };
      }
      note('finished');
      return { move: new shoal.v1.ServerMove({ ...move, phase: 'finished', finishedMs: nowMs }) };
    case 'reverting':
      note('reverted');
      return previousHostId === '' ? { move: null } : { move: inPhase(move, 'cleaning') };
    default:
      return {};
  }
}

/** The former host has let go of the guest and of its disks. */
export function released(attempt: Attempt, server: Server, done: DoneFor | undefined, nowMs: number): Fields {
  const releasedGeneration = Math.max(server.releasedGeneration, server.generation - 1);
  const { move, previousHostId, hostId, taskState } = server;
  if (move === null) return { releasedGeneration, previousHostId: '' };
  const isReverting = movePhase(server) === 'reverting';
  noteMigration(attempt, move.migrationId, { status: isReverting ? 'reverting' : 'post-migrating' }, nowMs);
  const leaves = move.kind === 'live-migration' ? 'compute_post_live_migration' : 'compute_resize_instance';
  const event = isReverting ? 'compute_revert_resize' : leaves;
  const whole = { event, hostId: previousHostId, startMs: done?.startMs ?? nowMs, finishMs: nowMs };
  const actions = withEvents(server, askedAt(server.askedRevision), [...(done?.events ?? []), whole], nowMs);
  return {
    releasedGeneration,
    actions,
    // On one host nothing is left to be removed.
    previousHostId: isReverting && previousHostId === hostId ? '' : previousHostId,
    taskState: taskState === 'resize_migrating' ? 'resize_finish' : taskState,
  };
}

/** The former host has removed what it kept. */
export function cleaned(server: Server): Fields {
  if (mayComeBack(server) && !server.deleting) return {};
  return {
    previousHostId: '',
    ...(movePhase(server) === 'reverting' || movePhase(server) === 'migrating' ? {} : { move: null }),
  };
}

/** The fields of a server that never goes back: its former host, if it is another one, has to remove what it kept. */
export function withoutFormer({ move, previousHostId, hostId }: Server): Fields {
  if (move === null || previousHostId === '' || previousHostId === hostId) return { move: null, previousHostId: '' };
  return { move: inPhase(move, 'cleaning') };
}

/** The fields of a server whose former host is lost for good: there is no way back to it, and nothing of it to wait for. */
export function lostFormer(attempt: Pick<Attempt, 'reader' | 'change'>, server: Server, nowMs: number): Fields {
  const { move } = server;
  if (move === null) return { previousHostId: '' };
  if (movePhase(server) === 'finished') noteMigration(attempt, move.migrationId, { status: 'confirmed' }, nowMs);
  const isUnderWay = movePhase(server) === 'migrating' || movePhase(server) === 'reverting';
  return {
    previousHostId: '',
    move: isUnderWay ? new shoal.v1.ServerMove({ ...move, confirmsItself: true }) : null,
  };
}

function inPhase(move: shoal.v1.ServerMove, phase: 'cleaning'): shoal.v1.ServerMove {
  return new shoal.v1.ServerMove({ ...move, phase });
}
