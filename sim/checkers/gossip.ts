/**
 * What hosts believe of one another: only what the host itself has said, and never again what it has since replaced.
 */
import { compareAdvertOrder } from '../../node/mesh/rules/advert-order.ts';
import type { Report } from './invariants.ts';

/** An advert as far as it can be told apart. */
interface SaidAdvert {
  readonly hostId: string;
  readonly epoch: number;
  readonly sequence: number;
}

export class GossipChecker {
  readonly #report: Report;
  /** By host, then by epoch: the sequences that it has said. */
  readonly #said = new Map<string, Map<number, Set<number>>>();
  /** By viewer, then by host. */
  readonly #held = new Map<string, Map<string, SaidAdvert>>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** `host` tells this of itself. */
  said(host: string, advert: SaidAdvert): void {
    const said = this.#said.get(host) ?? new Map<number, Set<number>>();
    this.#said.set(host, said);
    const sequences = said.get(advert.epoch) ?? new Set<number>();
    said.set(advert.epoch, sequences);
    sequences.add(advert.sequence);
  }

  /** A process, `viewer`, now holds this advert of a host. */
  holds(viewer: string, advert: SaidAdvert): void {
    if (this.#said.get(advert.hostId)?.get(advert.epoch)?.has(advert.sequence) !== true) {
      this.#report('hosts-speak-for-themselves', `${viewer} believes ${nameOf(advert)}, which that host never said`);
    }
    const held = this.#held.get(viewer) ?? new Map<string, SaidAdvert>();
    this.#held.set(viewer, held);
    const before = held.get(advert.hostId);
    if (before !== undefined && compareAdvertOrder(advert, before) <= 0) {
      this.#report('newer-advert-wins', `${viewer} held ${nameOf(before)} and now holds ${nameOf(advert)}`);
    }
    held.set(advert.hostId, advert);
  }
}

function nameOf({ hostId, epoch, sequence }: SaidAdvert): string {
  return `${hostId} ${epoch}/${sequence}`;
}
