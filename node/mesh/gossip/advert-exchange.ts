import { setImmediate } from 'node:timers/promises';
import { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { mibBytes } from '../../base/units.ts';
import type { PeerClients } from '../peers/peer-client.ts';
import { AdvertView, type HeldAdvert } from '../rules/adverts.ts';
import { openAdvert } from './advert-check.ts';
import type { Gossip, Verdict } from './gossip.ts';

/** Bytes of adverts in one answer to a newcomer: below the bound of a peer message. Some ten thousand adverts. */
const viewBytesMax = 6 * mibBytes;
/** Time for one peer to hand over its view, ms. */
const pullMsMax = 5_000;

interface AdvertExchangeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Pick<Gossip, 'subscribe'>;
}

interface AdvertExchangeOptions {
  readonly meshId: string;
  readonly topic: string;
  /** Whether a host is a member, by the records as they are here. */
  isMember(hostId: HostId): boolean;
  /** Hears each advert that was new, own ones included, and how old it was when it was taken in, ms. */
  onAdvert(advert: shoal.v1.Advert, ageMs: number): void;
}

/** All hosts' adverts as they are known here: taken in from gossip, from refusals of claims, and from a peer's whole view. */
export class AdvertExchange {
  readonly view = new AdvertView();
  readonly #deps: AdvertExchangeDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: AdvertExchangeOptions;
  #leave: (() => void) | undefined;
  /** What `validate` found, for the `handle` that follows it: a signature is verified once. */
  readonly #checked = new WeakMap<Uint8Array, HeldAdvert>();

  constructor(deps: AdvertExchangeDeps, options: AdvertExchangeOptions) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
  }

  /** Listens to gossip. */
  start(): void {
    this.#leave ??= this.#deps.gossip.subscribe(this.#options.topic, {
      validate: (data) => this.#validate(data),
      handle: (data) => this.#handle(data),
    });
  }

  /** Safe to call twice. */
  stop(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  /** Takes in an advert that came with something else. False: not newer, not a member's, or not what it claims to be. */
  accept(signed: shoal.v1.ISignedAdvert, ageMs = 0): boolean {
    try {
      const held = this.#open(signed, ageMs);
      return held !== undefined && this.#take(held);
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#repeated.warn(`refused ${caught.message}`, { error: caught }, 'an advert was refused');
      return false;
    }
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

  #validate(data: Uint8Array): Verdict {
    try {
      const held = this.#open(decoded(data), 0);
      if (held === undefined) return 'ignore';
      this.#checked.set(data, held);
      return 'accept';
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      this.#repeated.warn(`gossip ${caught.message}`, { error: caught }, 'an advert from gossip was refused');
      return 'reject';
    }
  }

  #handle(data: Uint8Array): void {
    const held = this.#checked.get(data);
    if (held !== undefined) this.#take(held);
    else this.accept(decoded(data));
  }

  /**
   * Undefined: of no use, being old or of a host that is no member here (yet). Whether its host signed such a thing does
   * not matter, so it is not asked: what is repeated, by whomever, costs little.
   */
  #open(signed: shoal.v1.ISignedAdvert, ageMs: number): HeldAdvert | undefined {
    const advert = openAdvert(
      signed,
      this.#options.meshId,
      (read) => this.view.isNewer(read.hostId as HostId, read) && this.#options.isMember(read.hostId as HostId),
    );
    if (advert === undefined) return undefined;
    const hostId = advert.hostId as HostId; // `openAdvert` has derived it from the key.
    const takenMs = this.#deps.clock.monotonicMs() - (Number.isFinite(ageMs) ? Math.max(0, ageMs) : 0);
    return { hostId, advert, signed: shoal.v1.SignedAdvert.create(signed), takenMs };
  }

  #take(held: HeldAdvert): boolean {
    if (!this.view.merge(held)) return false;
    this.#options.onAdvert(held.advert, Math.max(0, this.#deps.clock.monotonicMs() - held.takenMs));
    return true;
  }
}

function decoded(data: Uint8Array): shoal.v1.SignedAdvert {
  try {
    return shoal.v1.SignedAdvert.decode(data);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A signed advert cannot be decoded.', { cause: caught });
  }
}
