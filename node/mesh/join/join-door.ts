/**
 * How many hosts come in at once. A newcomer's start takes a second of processor, and all others hear of it and link with it: where
 * many machines share few processors, or a rack comes at once, a mesh that lets everybody in has members that cannot answer one
 * another, and suspect each other in turn. So the next ones come in when those before them are up. It is read from the records, so
 * all doors of the mesh are one.
 */
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';

/** Newcomers that may be on their way at once, at least; a larger mesh lets in more: this share of its hosts. */
const newcomersMin = 4;
const newcomersShare = 1 / 8;
/** A newcomer that is not up after so long is not waited for: it may never come. Unit: ms. */
const arrivalMsMax = 15_000;

/**
 * Hosts that have joined of late and are not up yet, if one more has to wait for them; 0: it may come in.
 * @param isUp whether a host has been heard by gossip, as far as is known here.
 */
export function newcomersAwaited(
  hosts: readonly Pick<shoal.v1.Host, 'id' | 'joinedMs'>[],
  isUp: (hostId: string) => boolean,
  nowMs: number,
): number {
  const awaited = hosts.filter(({ id, joinedMs }) => Math.abs(nowMs - joinedMs) < arrivalMsMax && !isUp(id)).length;
  return awaited < Math.max(newcomersMin, Math.floor(hosts.length * newcomersShare)) ? 0 : awaited;
}

/** What a newcomer is told that has waited at the door for as long as an answer may take. It asks again (`isToldToWait`). */
export function toldToWait(newcomers: number): ShoalError {
  const text = `${newcomers} hosts that joined a moment ago are not up yet. This one comes in after them; its ticket is good as before.`;
  return new ShoalError('RATE_LIMITED', text, { facts: { newcomers } });
}

/** Whether a mesh has told a newcomer to wait, and not that it does something wrong. */
export function isToldToWait(error: ShoalError): boolean {
  return error.code === 'RATE_LIMITED' && error.facts['newcomers'] !== undefined;
}
