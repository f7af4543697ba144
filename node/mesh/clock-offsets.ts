/**
 * How far the hosts' clocks are apart, as one host sees it: each advert carries the time at which it was made. What is known
 * is a bound, since an advert may have been long on its way; of the last few the one that shows the least delay counts.
 * Nothing is decided by it (elections, claims and leases go by monotonic clocks); tokens and people are misled.
 */
import type { HostId } from '../base/ids.ts';

/** Adverts of a host that are remembered. */
const samplesMax = 4;
/** Those that were heard longer than this before the newest are not looked at, ms: the clock may have been set since. */
const samplesMsMax = 60_000;
/** Further apart than this, ms, and people are told: more than any delay of a mesh that works, far less than tokens allow (300 s). */
const clockOffsetMsMax = 30_000;
/** Hosts named in a warning. */
const namedMax = 5;

/** What an advert showed, and when it was heard by this host's wall clock. */
interface Sample {
  readonly shownMs: number;
  readonly heardMs: number;
}

/** The last few adverts of each host. */
export class ClockOffsets {
  readonly #self: HostId;
  readonly #samples = new Map<HostId, readonly Sample[]>();

  constructor(self: HostId) {
    this.#self = self;
  }

  /**
   * A new advert has come, as its host told it to all: one that a peer had kept for a while shows nothing.
   * @param publishedMs its maker's clock. @param nowMs this host's.
   */
  heard(hostId: HostId, publishedMs: number, nowMs: number): void {
    // Made by versions that did not say, or this host's own.
    if (publishedMs <= 0 || hostId === this.#self) return;
    const samples = (this.#samples.get(hostId) ?? []).filter(
      ({ heardMs }) => Math.abs(nowMs - heardMs) <= samplesMsMax,
    );
    this.#samples.set(hostId, [...samples, { shownMs: publishedMs - nowMs, heardMs: nowMs }].slice(-samplesMax));
  }

  /** Forgets hosts that are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#samples.keys()) if (!isMember(hostId)) this.#samples.delete(hostId);
  }

  /** What a host's clock shows more than most hosts' do (of two: than the other's), ms; undefined: not known yet. */
  of(hostId: HostId): number | undefined {
    const shown = this.#shown();
    const own = shown.get(hostId);
    if (own === undefined || shown.size < 2) return undefined;
    if (shown.size > 2) return own - median([...shown.values()]);
    const [other = 0] = [...shown].flatMap(([id, ms]) => (id === hostId ? [] : [ms]));
    return own - other;
  }

  /** What people should be told; undefined when the clocks agree. */
  told(nameOf: (hostId: HostId) => string): string | undefined {
    const known = [...this.#shown().keys()];
    const apart = known.flatMap((hostId) => {
      const ms = this.of(hostId) ?? 0;
      return Math.abs(ms) > clockOffsetMsMax ? [{ hostId, ms }] : [];
    });
    const [first] = apart;
    if (first === undefined) return undefined;
    const seconds = (ms: number): string => `${Math.round(Math.abs(ms) / 1000)} s`;
    const said =
      known.length === 2
        ? `The clocks of ${known.map(nameOf).sort().join(' and ')} differ by ${seconds(first.ms)}.`
        : apart
            .slice(0, namedMax)
            .map(
              ({ hostId, ms }) =>
                `The clock of ${nameOf(hostId)} is ${seconds(ms)} ${ms > 0 ? 'ahead of' : 'behind'} the others.`,
            )
            .sort()
            .join(' ');
    return `${said} Tokens issued on one side may be refused on the other. Set it, and have it kept (chrony, systemd-timesyncd).`;
  }

  /** What each clock shows more than this host's, ms, of those that are known. */
  #shown(): ReadonlyMap<HostId, number> {
    const shown = new Map<HostId, number>([[this.#self, 0]]);
    for (const [hostId, samples] of this.#samples) {
      shown.set(hostId, Math.max(...samples.map(({ shownMs }) => shownMs)));
    }
    return shown;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
