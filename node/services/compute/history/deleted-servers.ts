/** What is still told of servers that have gone, as Nova tells it of those in its shadow of the database: what was asked of them. */
import { shoal } from '../../../../proto/messages.ts';
import { deletedServerTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner, mayActOn } from '../../kit/permissions.ts';
import type { Change } from '../../kit/transact.ts';

/** For the transaction that removes the server's record. They are forgotten by a task of the leader. */
export function rememberDeleted(change: Change, server: shoal.v1.Server, nowMs: number): void {
  const { id, projectId, userId, actions } = server;
  deletedServerTable.insert(change, new shoal.v1.DeletedServer({ id, projectId, userId, deletedMs: nowMs, actions }));
}

/** Undefined: there is none that the caller may see, or it is forgotten. */
export function findDeletedServer(
  context: RequestContext,
  reader: StateReader,
  id: string,
): shoal.v1.DeletedServer | undefined {
  const record = deletedServerTable.find(reader, id)?.record;
  const isSeen = record !== undefined && (mayActOn(context, record) || isOwner(context, record));
  return isSeen ? record : undefined;
}
