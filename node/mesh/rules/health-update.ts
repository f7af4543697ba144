/** What hosts say of one another's health, and which of two claims about a host is the newer. */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';

/** How a host looks from here. "unknown": nothing has been heard of it since this agent started. */
export type Condition = 'alive' | 'suspect' | 'dead' | 'unknown';

/**
 * What a host that accuses another has seen of it. "unreachable": nothing answers at its address, or its kernel says that
 * no agent listens there. "stalled": its kernel takes connections and its agent does not answer, as when it is starved of
 * CPU; also what an earlier version says, which does not look.
 */
export type Evidence = 'unreachable' | 'stalled';

/** Place of a claim about a host: start of its agent, then the number of times that it has refuted. */
export interface Incarnation {
  readonly epoch: number;
  readonly incarnation: number;
}

/** What one host says of another. "alive" comes from the host itself only. Checked before it comes here. */
export interface DetectorUpdate extends Incarnation {
  readonly about: HostId;
  readonly from: HostId;
  readonly kind: 'suspect' | 'alive' | 'dead';
  readonly evidence?: Evidence;
  /** As it came, for passing it on to those who check for themselves. Absent in what this host is about to sign. */
  readonly signed?: shoal.v1.ISignedHealthUpdate;
}

/** Negative when `a` is the older. */
export function compareIncarnation(a: Incarnation, b: Incarnation): number {
  return a.epoch !== b.epoch ? a.epoch - b.epoch : a.incarnation - b.incarnation;
}

/** How suspect a suspected host is to placement: chosen only when nobody else is left. */
const suspicionOfSuspect = 0.5;

/** What a condition means to placement: a hint, no more. */
export function livenessOf(condition: Condition): { readonly up: boolean; readonly suspicion: number } {
  return { up: condition !== 'dead', suspicion: condition === 'suspect' ? suspicionOfSuspect : 0 };
}
