/**
 * What a host holds of all hosts' adverts, and which of two adverts wins. Pure: time and verified adverts are handed in.
 *
 * Rules: a host's adverts are ordered by (epoch, sequence), and the lower never wins, whatever way and however late it
 * comes. Only the host itself speaks for a host; the signature that shows it is checked before (../gossip/advert-check.ts).
 */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';

/** Place of an advert among those of its host: start of the agent, then number within it. */
interface AdvertOrder {
  readonly epoch: number;
  readonly sequence: number;
}

/** Negative when `a` is the older, 0 when they are the same, positive when `a` is the newer. */
export function compareAdvertOrder(a: AdvertOrder, b: AdvertOrder): number {
  return a.epoch !== b.epoch ? a.epoch - b.epoch : a.sequence - b.sequence;
}

/** An advert that is held. */
export interface HeldAdvert {
  readonly hostId: HostId;
  readonly advert: shoal.v1.Advert;
  /** As it came: what is passed on to newcomers, who check for themselves. */
  readonly signed: shoal.v1.SignedAdvert;
  /** When it was taken in here, or by the peer that it was pulled from; monotonic, ms. */
  readonly takenMs: number;
}

/** The newest advert of each host. */
export class AdvertView {
  readonly #held = new Map<HostId, HeldAdvert>();

  get size(): number {
    return this.#held.size;
  }

  get(hostId: HostId): HeldAdvert | undefined {
    return this.#held.get(hostId);
  }

  /** All, in no order that means anything. */
  all(): readonly HeldAdvert[] {
    return [...this.#held.values()];
  }

  /** Whether an advert of this place is newer than the one held of the host, or the first. */
  isNewer(hostId: HostId, order: AdvertOrder): boolean {
    const held = this.#held.get(hostId);
    return held === undefined || compareAdvertOrder(order, held.advert) > 0;
  }

  /** Takes an advert in. False: the one held is as new or newer, and nothing has changed. */
  merge(offered: HeldAdvert): boolean {
    if (!this.isNewer(offered.hostId, offered.advert)) return false;
    this.#held.set(offered.hostId, offered);
    return true;
  }

  /** Forgets hosts that are no members any more. Returns those forgotten. */
  retain(isMember: (hostId: HostId) => boolean): readonly HostId[] {
    const gone = [...this.#held.keys()].filter((hostId) => !isMember(hostId));
    for (const hostId of gone) this.#held.delete(hostId);
    return gone;
  }

  /** Time since a host's advert was taken in, ms; undefined when there is none. */
  ageMs(hostId: HostId, nowMs: number): number | undefined {
    const held = this.#held.get(hostId);
    return held === undefined ? undefined : Math.max(0, nowMs - held.takenMs);
  }
}
