/**
 * What a server's owner has asked for last. One name for it, wherever it is compared: a step that failed is not tried again,
 * a guest that powered itself off stays off, and a report ends a task, until something else is asked for.
 */
import type { shoal } from '../../../proto/messages.ts';

/**
 * The name of the last request. Each request that is recorded has a number (`asked_revision`); the wanted state goes with
 * it, for what is asked of a host alone has no number until it is recorded, and earlier versions gave none. Without a number
 * the name is the one that they noted on disk.
 */
export function requestOf(server: shoal.v1.Server): string {
  const { generation, powerWanted, rebootsWanted, deleting, taskState, askedRevision } = server;
  // Reports of the host change tasks, but none of them sets this one: an owner's start does. Where requests are numbered the
  // number says it, and the task is no part of it: a host whose replica has gone back sees a task that its own report ended.
  const isStarting = askedRevision === 0 && taskState === 'powering-on';
  const name = [generation, powerWanted, rebootsWanted, deleting, isStarting].join('/');
  return askedRevision === 0 ? name : `${name}/${askedRevision}`;
}

/** Whether the host has said that it has done all that was asked for. */
export function isObserved({ askedRevision, observedRevision }: shoal.v1.Server): boolean {
  return observedRevision >= askedRevision;
}

/** The number of the next request. */
export function nextRequest({ askedRevision }: shoal.v1.Server): { readonly askedRevision: number } {
  return { askedRevision: askedRevision + 1 };
}
