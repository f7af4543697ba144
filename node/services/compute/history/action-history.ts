/**
 * What was asked of a server, and what its host did on its own, in Nova's words: kept with its record, the latest of it. Each
 * action has events: what was done for it, where, from when to when, and how it ended.
 */
import { shoal } from '../../../../proto/messages.ts';
import { beginningOf } from '../../../base/text.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ActionEvent } from '../../kit/reporting/action-event.ts';

/** Actions kept with a server; older ones are forgotten. About 200 bytes each, in a record that each change writes. */
const actionsMax = 32;
/** Actions that keep their events, the latest: about 100 bytes each. */
const actionsWithEventsMax = 8;
/** Events kept of one action, the latest. */
const eventsMax = 12;
/** Characters of a message: Nova's column. */
const messageCharactersMax = 255;

type Actions = Pick<shoal.v1.Server, 'actions'>;

/**
 * The history with what a caller has asked for just now.
 * @param asked `askedRevision`: the number of the request, when a host has something to do for it; its host's events find
 *   the action by it. `events`: what was done for it already.
 */
export function askedAction(
  server: Actions,
  action: string,
  context: Pick<RequestContext, 'requestId' | 'userId' | 'projectId'>,
  nowMs: number,
  asked: { readonly askedRevision?: number; readonly events?: readonly ActionEvent[] } = {},
): shoal.v1.ServerAction[] {
  const { requestId, userId, projectId } = context;
  const { askedRevision = 0, events = [] } = asked;
  const isNoted = events.length > 0;
  return withAction(server, {
    ...{ action, requestId, userId, projectId, startMs: nowMs, askedRevision },
    ...(isNoted ? { events: events.map(recorded), updatedMs: nowMs } : {}),
  });
}

/** The history with what the server's host did, which nobody had asked for. @param message why, for the owner. */
export function hostAction(
  server: Actions,
  did: { readonly action: string; readonly requestId: string; readonly hostId: string; readonly message: string },
  nowMs: number,
): shoal.v1.ServerAction[] {
  return withAction(server, { ...did, message: beginningOf(did.message, messageCharactersMax), startMs: nowMs });
}

/** The history with events of the action that `find` names; as it was when there is none. */
export function withEvents(
  { actions }: Actions,
  find: (action: shoal.v1.ServerAction) => boolean,
  events: readonly ActionEvent[],
  nowMs: number,
): shoal.v1.ServerAction[] {
  const at = actions.findLastIndex(find);
  const action = actions[at];
  if (action === undefined || events.length === 0) return actions;
  // A report that is said again brings its events again: they take the place of what it brought before.
  const names = new Set(events.map(({ event, hostId }) => `${hostId}/${event}`));
  const others = (action.events ?? []).filter(({ event, hostId }) => !names.has(`${hostId}/${event}`));
  const next = new shoal.v1.ServerAction({
    ...action,
    events: [...others, ...events.map(recorded)].slice(-eventsMax),
    updatedMs: nowMs,
  });
  return actions.with(at, next);
}

/** Finds the action that a request of this number has made. */
export function askedAt(askedRevision: number): (action: shoal.v1.ServerAction) => boolean {
  return (action) => askedRevision > 0 && action.askedRevision === askedRevision;
}

/** Nova's names of the event that is the whole of what a host does for an action, where they are not made of the action's. */
const hostEvents: ReadonlyMap<string, string> = new Map([
  ['create', 'compute__do_build_and_run_instance'],
  ['resize', 'compute_finish_resize'],
  ['migrate', 'compute_finish_resize'],
  ['revertResize', 'compute_finish_revert_resize'],
  ['evacuate', 'compute_rebuild_instance'],
  ['attach_interface', 'compute_attach_interface'],
  ['detach_interface', 'compute_detach_interface'],
]);

/** Nova's name of the event that is the whole of what a host does for an action. */
export function hostEventOf(action: string): string {
  return hostEvents.get(action) ?? `compute_${action}_instance`;
}

function recorded({ event, hostId, startMs, finishMs, error }: ActionEvent): shoal.v1.ServerActionEvent {
  const result = error === undefined ? 'Success' : 'Error';
  const details = beginningOf(error ?? '', messageCharactersMax);
  const times = { startMs: Math.floor(startMs), finishMs: Math.floor(finishMs) };
  return new shoal.v1.ServerActionEvent({ event, hostId, ...times, result, details });
}

function withAction({ actions }: Actions, next: shoal.v1.ServerAction.$Properties): shoal.v1.ServerAction[] {
  const kept = actions.slice(1 - actionsMax).map((action, at, all) => {
    const isOld = at < all.length + 1 - actionsWithEventsMax;
    return isOld && (action.events ?? []).length > 0
      ? new shoal.v1.ServerAction({ ...action, events: [] })
      : new shoal.v1.ServerAction(action);
  });
  return [...kept, new shoal.v1.ServerAction(next)];
}
