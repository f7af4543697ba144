import { ShoalError } from '../../base/errors.ts';
import type { ServerMoves } from '../../services/compute/server-moves.ts';
import type { RequestContext } from '../../services/kit/context.ts';
import { systemPermissions } from '../../services/kit/permissions.ts';
import { indexKey } from '../../state/table.ts';
import { migrationTable, serverTable } from '../../state/tables/index.ts';
import type { LeaderTask } from './task.ts';

/** Confirmed in one run. */
const confirmedAtOnceMax = 50;

/**
 * Confirms resizes and moves that have waited for it so long, as Nova's `resize_confirm_window` has it.
 * @param windowSeconds 0: never.
 */
export function confirmOldResizes(moves: Pick<ServerMoves, 'confirm'>, windowSeconds: number): LeaderTask {
  return {
    name: 'confirm-old-resizes',
    periodMs: 10_000,
    async run({ state, clock, newId, logger }, signal) {
      if (windowSeconds === 0) return;
      const oldestMs = clock.nowMs() - windowSeconds * 1_000;
      const waiting = migrationTable.by(state.local, 'status', indexKey('finished')).filter(({ record }) => {
        const move = serverTable.find(state.local, record.serverId)?.record.move;
        return move?.migrationId === record.id && (move.finishedMs ?? 0) <= oldestMs;
      });
      for (const { record } of waiting.slice(0, confirmedAtOnceMax)) {
        try {
          await moves.confirm(contextOf(`req-${newId()}`, record, signal), record.serverId);
        } catch (caught) {
          // Its owner was faster, or it is being deleted.
          if (!ShoalError.is(caught, 'CONFLICT', 'NOT_FOUND')) throw caught;
          logger.debug({ serverId: record.serverId, err: caught }, 'a resize was not confirmed');
        }
      }
    },
  };
}

/** In the history of the server it is the word of who asked for the resize. */
function contextOf(
  requestId: string,
  { userId, projectId }: { readonly userId: string; readonly projectId: string },
  signal: AbortSignal,
): RequestContext {
  const permissions = systemPermissions;
  return { requestId, userId, userName: '', userDomainId: '', projectId, permissions, signal };
}
