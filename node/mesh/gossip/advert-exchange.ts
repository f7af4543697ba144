import { setImmediate } from 'node:timers/promises';
import { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { mibBytes } from '../../base/units.ts';
import { LinkBudget, type LinkBudgetLimits } from '../link-budget.ts';
import type { PeerClients } from '../peers/peer-client.ts';
import { differs } from '../rules/advert-changes.ts';
import { compareAdvertOrder } from '../rules/advert-order.ts';
import { withUsage } from '../rules/advert-usage.ts';
import { AdvertView, type HeldAdvert } from '../rules/adverts.ts';
import { mustHaveSignedUpdate, openAdvert, readAdvertUpdate } from './advert-check.ts';
import { type Gossip, gossipBytesMax, type TopicHandler, type Verdict } from './gossip.ts';

/** Bytes of adverts in one answer to a newcomer: below the bound of a peer message. Some ten thousand adverts. */
const viewBytesMax = 6 * mibBytes;
/** Time for one peer to hand over its view, ms. */
const pullMsMax = 5_000;

/**
 * Adverts of one host that are taken from gossip, and passed on: several times what an honest one tells (one of an earlier
 * version twenty a second). What a flooding member says gets no further than its own links.
 */
const perHostLimits: LinkBudgetLimits = {
  bytesPerSecond: gossipBytesMax,
  bytesAtOnce: 16 * gossipBytesMax,
  framesPerSecond: 25,
  framesAtOnce: 100,
};

/** What became of an advert that was offered: taken in; known or of no use, which is nobody's fault; or no honest one. */
export type Offered = 'taken' | 'known' | 'refused';

/** Why an advert was refused, and how often. `equivocal`: one host has signed two different adverts as one. */
interface RefusedCounts {
  readonly forged: number;
  readonly malformed: number;
  readonly equivocal: number;
  readonly flooding: number;
}

interface AdvertExchangeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Pick<Gossip, 'subscribe'>;
}

interface AdvertExchangeOptions {
  readonly meshId: string;
  readonly topic: string;
  /** Of updates; absent: none are listened to. */
  readonly updatesTopic?: string;
  /** Whether a host is a member, by the records as they are here. */
  isMember(hostId: HostId): boolean;
  /** Hears each advert that was new, own ones included, and how old it was when it was taken in, ms. */
  onAdvert(advert: shoal.v1.Advert, ageMs: number): void;
  /** An update came for an advert that is not held here: something was missed. */
  onMissed?(): void;
}

/** All hosts' adverts as they are known here: taken in from gossip, from refusals of claims, and from a peer's whole view. */
export class AdvertExchange {
  readonly view = new AdvertView();
  readonly #deps: AdvertExchangeDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: AdvertExchangeOptions;
  #leave: readonly (() => void)[] = [];
  /** What `validate` found, for the `handle` that follows it: a signature is verified once. */
  readonly #checked = new WeakMap<Uint8Array, HeldAdvert>();
  readonly #budgets = new Map<HostId, LinkBudget>();
  readonly #refused = { forged: 0, malformed: 0, equivocal: 0, flooding: 0 };

  constructor(deps: AdvertExchangeDeps, options: AdvertExchangeOptions) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
  }

  /** Listens to gossip. */
  start(): void {
    const { gossip } = this.#deps;
    const { topic, updatesTopic } = this.#options;
    if (this.#leave.length > 0) return;
    this.#leave = [
      gossip.subscribe(
        topic,
        this.#handler((data) => this.#open(decoded(data), 0)),
      ),
      ...(updatesTopic === undefined
        ? []
        : [
            gossip.subscribe(
              updatesTopic,
              this.#handler((data) => this.#openUpdate(decodedUpdate(data), 0)),
            ),
          ]),
    ];
  }

  /** Safe to call twice. */
  stop(): void {
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  get refused(): RefusedCounts {
    return { ...this.#refused };
  }

  /** Takes in an advert that came with something else. False: not newer, not a member's, or not what it claims to be. */
  accept(signed: shoal.v1.ISignedAdvert, ageMs = 0): boolean {
    return this.offer(signed, ageMs) === 'taken';
  }

  /** As `accept`; says more of what was not taken in. */
  offer(signed: shoal.v1.ISignedAdvert, ageMs = 0): Offered {
    return this.#judged(() => {
      const held = this.#open(signed, ageMs);
      return held !== undefined && this.#take(held);
    });
  }

  /** As `offer`, for an update of an advert. */
  offerUpdate(signed: shoal.v1.ISignedAdvertUpdate, ageMs = 0): Offered {
    return this.#judged(() => {
      const held = this.#openUpdate(signed, ageMs);
      return held !== undefined && this.#take(held);
    });
  }

  /** Forgets what it knows of hosts that are no members any more. Returns those whose adverts are gone. */
  retain(isMember: (hostId: HostId) => boolean): readonly HostId[] {
    for (const hostId of this.#budgets.keys()) if (!isMember(hostId)) this.#budgets.delete(hostId);
    return this.view.retain(isMember);
  }

  /** The whole view, for a newcomer of an earlier version: PeerService.PullView. */
  pullView(): shoal.v1.IPullViewResponse {
    const nowMs = this.#deps.clock.monotonicMs();
    const adverts: shoal.v1.ISignedAdvert[] = [];
    const agesMs: number[] = [];
    let bytes = 0;
    for (const { signed, takenMs } of this.view.all()) {
      bytes += signed.advert.length + 128;
      if (bytes > viewBytesMax) break; // The rest is found by comparing views.
      adverts.push(signed);
      agesMs.push(Math.max(0, Math.floor(nowMs - takenMs)));
    }
    return { adverts, agesMs };
  }

  /**
   * Takes over a peer's whole view, asking one after another in random order until one answers. Returns whether one did.
   */
  async pull(peers: PeerClients, hostIds: readonly HostId[], signal: AbortSignal): Promise<boolean> {
    const left = [...hostIds];
    while (left.length > 0 && !signal.aborted) {
      const [hostId] = left.splice(this.#deps.random.below(left.length), 1);
      if (hostId === undefined) break;
      try {
        const answer = await peers.to(hostId).call((calls) => calls.pullView({}, { timeoutMs: pullMsMax, signal }));
        for (const [at, advert] of answer.adverts.entries()) {
          this.accept(advert, answer.agesMs[at] ?? 0);
          // Ten thousand signatures take more than a second: consensus must have its turns meanwhile.
          if (at % 32 === 31) await setImmediate();
        }
        return true;
      } catch (caught) {
        this.#deps.logger.debug({ error: caught, hostId }, 'this peer sent no placement view');
      }
    }
    return false;
  }

  /** Judges and takes what comes by one topic: what `validate` has found is kept for the `handle` that follows it. */
  #handler(open: (data: Uint8Array) => HeldAdvert | undefined): TopicHandler {
    return {
      validate: (data): Verdict => {
        const offered = this.#judged(() => {
          const held = open(data);
          if (held === undefined || !this.#isWithinBudget(held.hostId, data.length)) return false;
          this.#checked.set(data, held);
          return true;
        });
        return verdictOf[offered];
      },
      handle: (data) => {
        this.#judged(() => {
          const held = this.#checked.get(data) ?? open(data);
          return held !== undefined && this.#take(held);
        });
      },
    };
  }

  #judged(work: () => boolean): Offered {
    try {
      return work() ? 'taken' : 'known';
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#refused[caught.code === 'IDENTITY_MISMATCH' ? 'forged' : 'malformed'] += 1;
      this.#repeated.warn(`refused ${caught.message}`, { error: caught }, 'an advert was refused');
      return 'refused';
    }
  }

  #isWithinBudget(hostId: HostId, bytes: number): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const budget = this.#budgets.get(hostId) ?? new LinkBudget(perHostLimits, nowMs);
    this.#budgets.set(hostId, budget);
    if (budget.take(bytes, 1, nowMs)) return true;
    this.#refused.flooding += 1;
    this.#repeated.warn(`flood ${hostId}`, { hostId }, 'a host tells adverts without end: they are not passed on');
    // If it was an honest one after all, its last advert is found by comparing.
    this.#options.onMissed?.();
    return false;
  }

  /**
   * Two adverts of one place that say different things, both signed: their host tells one to some and another to others. The
   * one that came first is kept, here as everywhere; the host's next advert wins everywhere.
   */
  #noteEquivocation(advert: shoal.v1.Advert, isSigned: () => void): void {
    const held = this.view.get(advert.hostId as HostId)?.advert;
    if (held === undefined || compareAdvertOrder(held, advert) !== 0 || !differs(held, advert)) return;
    isSigned();
    this.#refused.equivocal += 1;
    const { hostId } = advert;
    this.#repeated.warn(`equivocal ${hostId}`, { hostId }, 'a host has signed two different adverts as one');
  }

  /**
   * Undefined: of no use, being old or of a host that is no member here (yet). Whether its host signed such a thing does
   * not matter, so it is not asked: what is repeated, by whomever, costs little.
   */
  #open(signed: shoal.v1.ISignedAdvert, ageMs: number): HeldAdvert | undefined {
    const { meshId, isMember } = this.#options;
    const advert = openAdvert(signed, meshId, (read) => {
      const isNewer = this.view.isNewer(read.hostId as HostId, read);
      if (!isNewer) this.#noteEquivocation(read, () => void openAdvert(signed, meshId));
      return isNewer && isMember(read.hostId as HostId);
    });
    if (advert === undefined) return undefined;
    const hostId = advert.hostId as HostId; // `openAdvert` has derived it from the key.
    const takenMs = this.#deps.clock.monotonicMs() - (Number.isFinite(ageMs) ? Math.max(0, ageMs) : 0);
    return { hostId, advert, signed: shoal.v1.SignedAdvert.create(signed), takenMs };
  }

  /** As `#open`. An update is of no use without the advert that it is for. */
  #openUpdate(signed: shoal.v1.ISignedAdvertUpdate, ageMs: number): HeldAdvert | undefined {
    const { hostId, update } = readAdvertUpdate(signed);
    if (!this.view.isNewer(hostId, update) || !this.#options.isMember(hostId)) return undefined;
    const held = this.view.get(hostId);
    // Signed or not: without the advert there is no key to tell by, and a comparison is cheap and seldom.
    if (held !== undefined) mustHaveSignedUpdate(signed, held.signed.publicKey, this.#options.meshId);
    if (held === undefined || held.advert.epoch !== update.epoch || held.advert.profile !== update.profile) {
      this.#options.onMissed?.();
      return undefined;
    }
    const { epoch, sequence, publishedMs } = update;
    const advert = shoal.v1.Advert.create({ ...withUsage(held.advert, update), epoch, sequence, publishedMs });
    const takenMs = this.#deps.clock.monotonicMs() - (Number.isFinite(ageMs) ? Math.max(0, ageMs) : 0);
    return { hostId, advert, signed: held.signed, update: shoal.v1.SignedAdvertUpdate.create(signed), takenMs };
  }

  #take(held: HeldAdvert): boolean {
    if (!this.view.merge(held)) return false;
    this.#options.onAdvert(held.advert, Math.max(0, this.#deps.clock.monotonicMs() - held.takenMs));
    return true;
  }
}

const verdictOf: Readonly<Record<Offered, Verdict>> = { taken: 'accept', known: 'ignore', refused: 'reject' };

function decoded(data: Uint8Array): shoal.v1.SignedAdvert {
  try {
    return shoal.v1.SignedAdvert.decode(data);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A signed advert cannot be decoded.', { cause: caught });
  }
}

function decodedUpdate(data: Uint8Array): shoal.v1.SignedAdvertUpdate {
  try {
    return shoal.v1.SignedAdvertUpdate.decode(data);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A signed update of an advert cannot be decoded.', { cause: caught });
  }
}
