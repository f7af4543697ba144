/** What was asked of a server, and what its host did on its own, in Nova's words: kept with its record, the latest of it. */
import { shoal } from '../../../proto/messages.ts';
import { beginningOf } from '../../base/text.ts';
import type { RequestContext } from '../kit/context.ts';

/** Actions kept with a server; older ones are forgotten. About 200 bytes each, in a record that each change writes. */
const actionsMax = 32;
/** Characters of a message: Nova's column. */
const messageCharactersMax = 255;

/** The history with what a caller has asked for just now. */
export function askedAction(
  server: Pick<shoal.v1.Server, 'actions'>,
  action: string,
  context: Pick<RequestContext, 'requestId' | 'userId' | 'projectId'>,
  nowMs: number,
): shoal.v1.ServerAction[] {
  const { requestId, userId, projectId } = context;
  return withAction(server, { action, requestId, userId, projectId, startMs: nowMs });
}

/** The history with what the server's host did, which nobody had asked for. @param message why, for the owner. */
export function hostAction(
  server: Pick<shoal.v1.Server, 'actions'>,
  did: { readonly action: string; readonly requestId: string; readonly hostId: string; readonly message: string },
  nowMs: number,
): shoal.v1.ServerAction[] {
  return withAction(server, { ...did, message: beginningOf(did.message, messageCharactersMax), startMs: nowMs });
}

function withAction(
  { actions }: Pick<shoal.v1.Server, 'actions'>,
  next: shoal.v1.ServerAction.$Properties,
): shoal.v1.ServerAction[] {
  return [...actions, new shoal.v1.ServerAction(next)].slice(-actionsMax);
}
