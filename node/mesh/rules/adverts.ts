/**
 * What a host holds of all hosts' adverts, and which of two adverts wins. Pure: time and verified adverts are handed in.
 *
 * Rules: a host's adverts are ordered by (epoch, sequence), and the lower never wins, whatever way and however late it
 * comes. Only the host itself speaks for a host; the signature that shows it is checked before (../gossip/advert-check.ts).
 */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';
import { type AdvertOrder, compareAdvertOrder } from './advert-order.ts';
import { ViewDigest } from './view-digest.ts';

/** An advert that is held. */
export interface HeldAdvert {
  readonly hostId: HostId;
  readonly advert: shoal.v1.Advert;
  /** As it came: what is passed on to newcomers, who check for themselves. */
  readonly signed: shoal.v1.SignedAdvert;
  /** What has made `signed` into `advert` since, as it came (advert-usage.ts). Absent: `signed` is all of it. */
  readonly update?: shoal.v1.SignedAdvertUpdate;
  /** When it was taken in here, or by the peer that it was pulled from; monotonic, ms. */
  readonly takenMs: number;
}

/** What a view keeps its adverts in: a `Map`, or what a simulator of ten thousand hosts has in its place. */
export interface HeldAdverts {
  readonly size: number;
  get(hostId: HostId): HeldAdvert | undefined;
  set(hostId: HostId, held: HeldAdvert): unknown;
  delete(hostId: HostId): boolean;
  values(): Iterable<HeldAdvert>;
}

/** The newest advert of each host. */
export class AdvertView {
  readonly #held: HeldAdverts;
  readonly #digest: ViewDigest;

  /**
   * @param held what is held at first. @param same a view that holds the same, if there is one: ten thousand views of a
   *   simulator need not be counted through each.
   */
  constructor(held: HeldAdverts = new Map<HostId, HeldAdvert>(), same?: AdvertView) {
    this.#held = held;
    this.#digest = new ViewDigest(same === undefined ? undefined : same.#digest);
    if (same === undefined) for (const { hostId, advert } of held.values()) this.#digest.toggle(hostId, advert);
  }

  get size(): number {
    return this.#held.size;
  }

  /** Of the (host, epoch, sequence) that are held, as it is sent to a peer (view-digest.ts). */
  get digest(): Uint8Array {
    return this.#digest.encode();
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
    const { hostId } = offered;
    if (!this.isNewer(hostId, offered.advert)) return false;
    const before = this.#held.get(hostId);
    if (before !== undefined) this.#digest.toggle(hostId, before.advert);
    this.#held.set(hostId, offered);
    this.#digest.toggle(hostId, offered.advert);
    return true;
  }

  /** Forgets hosts that are no members any more. Returns those forgotten. */
  retain(isMember: (hostId: HostId) => boolean): readonly HostId[] {
    const gone: HostId[] = [];
    for (const { hostId, advert } of this.all()) {
      if (isMember(hostId)) continue;
      this.#held.delete(hostId);
      this.#digest.toggle(hostId, advert);
      gone.push(hostId);
    }
    return gone;
  }

  /** Time since a host's advert was taken in, ms; undefined when there is none. */
  ageMs(hostId: HostId, nowMs: number): number | undefined {
    const held = this.#held.get(hostId);
    return held === undefined ? undefined : Math.max(0, nowMs - held.takenMs);
  }
}
