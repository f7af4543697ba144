import type { Clock } from '../../base/clock.ts';
import type { HostId } from '../../base/ids.ts';

/** A replica, as far as the choice goes by it. */
export interface ReplicaPlace {
  readonly hostId: HostId;
  readonly isLeader: boolean;
  /** Empty: not known. */
  readonly zone: string;
  readonly failureDomain: string;
}

/** Weight of the newest round trip in the average. */
const newestWeight = 0.2;
/** A replica that failed is asked last for so long, ms: doubling from the first to the last. */
const avoidMsMin = 500;
const avoidMsMax = 30_000;
/** Round trips that differ by less than this are the same, ms: else all calls would go to one of several that are near. */
const sameMs = 2;
/** What is assumed of one that was never asked, ms: it is tried before one that is known to be slow. */
const unknownMs = 1;

/** What is known of one replica. */
interface Known {
  roundTripMs: number | undefined;
  failures: number;
  avoidUntilMs: number;
}

/**
 * In what order replicas are asked: those that failed lately last; before them the leader, who has the most to do; the others by
 * place (same failure domain, same zone, elsewhere), then by their recent round trip, and in turn where that is the same.
 */
export class ReplicaChoice {
  readonly #clock: Clock;
  readonly #own: { readonly zone: string; readonly failureDomain: string };
  readonly #records = new Map<HostId, Known>();
  #turn = 0;

  constructor(clock: Clock, own: { readonly zone: string; readonly failureDomain: string }) {
    this.#clock = clock;
    this.#own = own;
  }

  /** All of `places`, the best first. */
  order(places: readonly ReplicaPlace[]): readonly ReplicaPlace[] {
    const ids = new Set(places.map(({ hostId }) => hostId));
    for (const hostId of this.#records.keys()) if (!ids.has(hostId)) this.#records.delete(hostId);
    const nowMs = this.#clock.monotonicMs();
    this.#turn += 1;
    return places
      .map((place, at) => {
        const record = this.#records.get(place.hostId);
        const avoided = record !== undefined && record.avoidUntilMs > nowMs;
        return {
          place,
          rank: [
            avoided ? 1 : 0,
            place.isLeader ? 1 : 0,
            this.#distance(place),
            Math.floor((record?.roundTripMs ?? unknownMs) / sameMs),
            (at + this.#turn) % places.length,
          ],
        };
      })
      .sort((a, b) => compare(a.rank, b.rank))
      .map(({ place }) => place);
  }

  /** A replica took a call after `roundTripMs`. */
  answered(hostId: HostId, roundTripMs: number): void {
    const before = this.#records.get(hostId)?.roundTripMs;
    const average = before === undefined ? roundTripMs : before + newestWeight * (roundTripMs - before);
    this.#records.set(hostId, { roundTripMs: average, failures: 0, avoidUntilMs: 0 });
  }

  /** A replica could not be reached, was slow, refused, or broke off. */
  failed(hostId: HostId): void {
    const record = this.#records.get(hostId);
    const failures = (record?.failures ?? 0) + 1;
    const avoidMs = Math.min(avoidMsMax, avoidMsMin * 2 ** Math.min(failures - 1, 10));
    this.#records.set(hostId, {
      roundTripMs: record?.roundTripMs,
      failures,
      avoidUntilMs: this.#clock.monotonicMs() + avoidMs,
    });
  }

  #distance({ zone, failureDomain }: ReplicaPlace): number {
    if (failureDomain !== '' && failureDomain === this.#own.failureDomain) return 0;
    return zone !== '' && zone === this.#own.zone ? 1 : 2;
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const difference = value - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
