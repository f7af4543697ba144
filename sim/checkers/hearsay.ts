/**
 * What hosts believe of one another: only what the host itself has said, and never again what it has since replaced.
 */
import { compareAdvertOrder } from '../../node/mesh/adverts.ts';
import type { Report } from './invariants.ts';

/** An advert as far as it can be told apart. */
export interface SaidAdvert {
  readonly hostId: string;
  readonly epoch: number;
  readonly sequence: number;
}

export class HearsayChecker {
  readonly #report: Report;
  readonly #said = new Map<string, Set<string>>();
  readonly #held = new Map<string, SaidAdvert>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** `host` tells this of itself. */
  said(host: string, advert: SaidAdvert): void {
    const said = this.#said.get(host) ?? new Set();
    this.#said.set(host, said);
    said.add(nameOf(advert));
  }

  /** A process, `viewer`, now holds this advert of a host. */
  holds(viewer: string, advert: SaidAdvert): void {
    if (this.#said.get(advert.hostId)?.has(nameOf(advert)) !== true) {
      this.#report('hosts-speak-for-themselves', `${viewer} believes ${nameOf(advert)}, which that host never said`);
    }
    const key = `${viewer} ${advert.hostId}`;
    const before = this.#held.get(key);
    if (before !== undefined && compareAdvertOrder(advert, before) <= 0) {
      this.#report('newer-advert-wins', `${viewer} held ${nameOf(before)} and now holds ${nameOf(advert)}`);
    }
    this.#held.set(key, { hostId: advert.hostId, epoch: advert.epoch, sequence: advert.sequence });
  }
}

function nameOf({ hostId, epoch, sequence }: SaidAdvert): string {
  return `${hostId} ${epoch}/${sequence}`;
}
